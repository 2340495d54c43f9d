/**
 * Fuzz target: the processor alone (build/silicon.wasm). Each run takes a small guest in one of the modes, spoils some of code, page
 * tables, descriptor tables, EPT leaves and registers, and executes a few hundred instructions at level 0 or 3.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  CPU_AT,
  type CpuState,
  frameAt,
  instantiateSilicon,
  type SegmentState,
  type Silicon,
  setCpuState,
} from "../../host/lib/silicon.ts";
import { CPU_CPL, CPU_RFLAGS, CPU_RIP } from "../../hv-core/abi/cpu.ts";
import { EXIT_HLT } from "../../hv-core/abi/exits.ts";
import {
  CR0_ET,
  CR0_NE,
  CR0_PE,
  CR0_PG_BIT,
  CR0_WP,
  CR4_PAE,
  CR4_PSE,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
} from "../../hv-core/abi/regs.ts";
import { disassemble } from "../native/disassemble.ts";
import type { Random } from "../native/random.ts";
import { fuzzCode } from "./code.ts";
import type { FuzzTarget } from "./runner.ts";

const RAM_PAGES = 32;
const FRAMES = 64;
const BUDGET = 300;
/** R, W, X and write-back: what every EPT leaf is before a run. */
const OPEN_LEAF = 0x37;

// Guest-physical pages.
const GDT = 1;
const IDT = 2;
const TSS = 3;
const TABLES = 4; // PML4, PDPT, PD, PT
const STACK = 12;
const CODE = 16;

type Kind = "flat32" | "paged32" | "pae32" | "long64";
const KINDS: readonly Kind[] = ["flat32", "paged32", "pae32", "long64", "long64"];

const PAGING = 2 ** CR0_PG_BIT;
const BASE_CR0 = CR0_PE + CR0_ET + CR0_NE + CR0_WP;

export function createSiliconFuzz(): FuzzTarget {
  const path = fileURLToPath(new URL("../../build/silicon.wasm", import.meta.url));
  const silicon = instantiateSilicon(new WebAssembly.Module(readFileSync(path)), FRAMES);
  const { u8, view, exports } = silicon;
  const images = Object.fromEntries(KINDS.map((kind) => [kind, boardImage(kind)])) as Record<Kind, Uint8Array>;
  let last = (): string => "nothing has run";

  const start = (
    kind: Kind,
    cpl: number,
    code: Uint8Array,
    regs: readonly bigint[],
    spoil: (() => void) | null,
  ): number => {
    u8.set(images[kind], frameAt(0));
    u8.set(code, frameAt(CODE));
    for (let gfn = 0; gfn < RAM_PAGES; gfn++) {
      exports.siliconFrameWritten(gfn);
      exports.siliconSetEntry(gfn, 1, gfn * 0x1000 + OPEN_LEAF, 0);
    }
    resetProcessor(silicon);
    setCpuState(silicon, stateOf(kind, cpl, regs));
    spoil?.();
    return exports.siliconRun(BUDGET) >>> 0;
  };

  return {
    name: "silicon",

    run(rng) {
      const kind = rng.pick(KINDS);
      const cpl = rng.chance(50) ? 0 : 3;
      const code = fuzzCode(rng, 64 + rng.below(4000), kind === "long64");
      const regs = Array.from({ length: 16 }, () =>
        rng.chance(60) ? BigInt(rng.below(RAM_PAGES * 0x1000)) : rng.value(),
      );
      if (rng.chance(90)) regs[4] = BigInt(STACK * 0x1000 + 0x800);
      const spoils: string[] = [];
      const spoil = () => {
        if (rng.chance(30)) {
          spoils.push("page tables");
          spoilTables(rng, view, frameAt(TABLES), RAM_PAGES);
        }
        if (rng.chance(30)) {
          spoils.push("descriptors");
          spoilDescriptors(rng, view, frameAt(GDT), frameAt(IDT), frameAt(TSS));
        }
        if (rng.chance(20)) {
          spoils.push("EPT leaves");
          spoilEpt(rng, exports);
        }
        if (rng.chance(20)) {
          spoils.push("flags, rip");
          view.setUint32(CPU_AT + CPU_RFLAGS, (rng.u32() & 0x3f7fd5) | 2, true);
          if (rng.chance(50))
            view.setBigUint64(
              CPU_AT + CPU_RIP,
              rng.chance(50) ? BigInt(rng.below(RAM_PAGES * 0x1000)) : rng.value(),
              true,
            );
        }
      };
      let exit = -1;
      last = () => {
        const text = disassemble(kind === "long64" ? 64 : 32, code.subarray(0, 96), CODE * 0x1000).join("\n");
        return `${kind}, level ${cpl}\n${text}\nspoiled: ${spoils.join(", ") || "nothing"}\nexit ${exit.toString(16)}`;
      };
      exit = start(kind, cpl, code, regs, spoil);
      if (view.getUint32(CPU_AT + CPU_CPL, true) > 3) throw new Error("the privilege level is not 0..3");
    },

    check() {
      // mov eax, 0x1234; add eax, eax; hlt
      for (const kind of KINDS) {
        const exit = start(kind, 0, Uint8Array.of(0xb8, 0x34, 0x12, 0, 0, 0x01, 0xc0, 0xf4), [], null);
        const rax = view.getBigUint64(CPU_AT, true);
        if (exit !== EXIT_HLT || rax !== 0x2468n)
          throw new Error(`a plain program no longer works in ${kind}: exit ${exit}, rax ${rax}`);
      }
    },

    describe: () => last(),
  };
}

/** Everything that a run may leave behind in the processor: all of it but the EPT root, the TLB size and the address width. */
function resetProcessor(silicon: Silicon): void {
  // siliconInit would also do it, but rebuilds the whole machine.
  silicon.exports.siliconReset(32, CODE * 0x1000);
}

/** Guest memory of one mode: identity page tables, flat segments, an IDT whose gates lead back into the code. */
function boardImage(kind: Kind): Uint8Array {
  const bytes = new Uint8Array(RAM_PAGES * 0x1000);
  const view = new DataView(bytes.buffer);
  const descriptor = (attributes: number, base = 0, limit = 0xfffff) =>
    BigInt(limit & 0xffff) |
    (BigInt(base & 0xffffff) << 16n) |
    (BigInt(attributes & 0xff) << 40n) |
    (BigInt(limit >> 16) << 48n) |
    (BigInt(attributes >> 8) << 52n);
  const is64 = kind === "long64";
  [0, is64 ? 0xa9b : 0xc9b, 0xc93, is64 ? 0xafb : 0xcfb, 0xcf3, 0xcfb].forEach((attributes, i) => {
    if (i > 0) view.setBigUint64(GDT * 0x1000 + i * 8, descriptor(attributes), true);
  });
  view.setBigUint64(GDT * 0x1000 + 0x40, descriptor(0x08b, TSS * 0x1000, 0x67), true);
  view.setBigUint64(TSS * 0x1000 + 4, BigInt((STACK + 1) * 0x1000), true);
  if (!is64) view.setUint32(TSS * 0x1000 + 8, 0x10, true);
  for (let vector = 0; vector < 256; vector++) {
    const handler = CODE * 0x1000 + (vector & 31) * 16;
    const gate =
      BigInt(handler & 0xffff) |
      (8n << 16n) |
      (BigInt(vector < 64 ? 0xee : 0x8f) << 40n) |
      (BigInt(handler >>> 16) << 48n);
    view.setBigUint64(IDT * 0x1000 + vector * (is64 ? 16 : 8), gate, true);
  }
  const at = (table: number, index: number, size: number) => (TABLES + table) * 0x1000 + index * size;
  if (kind === "paged32") {
    view.setUint32(at(2, 0, 4), ((TABLES + 3) * 0x1000) | 7, true);
    view.setUint32(at(2, 1, 4), 0x400087, true);
    for (let i = 0; i < RAM_PAGES + 4; i++) view.setUint32(at(3, i, 4), (i * 0x1000) | 7, true);
  } else {
    view.setBigUint64(at(0, 0, 8), BigInt((TABLES + 1) * 0x1000) | 7n, true);
    view.setBigUint64(at(1, 0, 8), BigInt((TABLES + 2) * 0x1000) | (kind === "pae32" ? 1n : 7n), true);
    view.setBigUint64(at(2, 0, 8), BigInt((TABLES + 3) * 0x1000) | 7n, true);
    view.setBigUint64(at(2, 1, 8), 0x200087n, true);
    for (let i = 0; i < RAM_PAGES + 4; i++) view.setBigUint64(at(3, i, 8), BigInt(i * 0x1000) | 7n, true);
  }
  return bytes;
}

function stateOf(kind: Kind, cpl: number, regs: readonly bigint[]): CpuState {
  const is64 = kind === "long64";
  const flat = (selector: number, attributes: number): SegmentState => ({ selector, attributes });
  const code = cpl === 0 ? flat(8, is64 ? 0xa09b : 0xc09b) : flat(0x1b, is64 ? 0xa0fb : 0xc0fb);
  const data = cpl === 0 ? flat(0x10, 0xc093) : flat(0x23, 0xc0f3);
  const root = { flat32: 0, paged32: TABLES + 2, pae32: TABLES + 1, long64: TABLES }[kind];
  return {
    cr0: BigInt(kind === "flat32" ? BASE_CR0 : PAGING + BASE_CR0),
    cr3: BigInt(root * 0x1000),
    cr4: BigInt(kind === "flat32" ? 0 : kind === "paged32" ? CR4_PSE : CR4_PAE),
    efer: BigInt(is64 ? EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE : 0),
    cpl,
    rip: BigInt(CODE * 0x1000),
    rflags: 0x202,
    segments: [
      data,
      code,
      data,
      data,
      data,
      data,
      { selector: 0, attributes: 0x10000, limit: 0 },
      { selector: 0x40, base: BigInt(TSS * 0x1000), limit: 0x67, attributes: 0x8b },
    ],
    gdtr: { base: BigInt(GDT * 0x1000), limit: 0x7f },
    idtr: { base: BigInt(IDT * 0x1000), limit: is64 ? 0xfff : 0x7ff },
    regs,
  };
}

/** Random entries at any level: wild addresses, reserved bits, large pages, pointers back into the tables. */
function spoilTables(rng: Random, view: DataView, tables: number, pages: number): void {
  for (let n = 1 + rng.below(24); n > 0; n--) {
    const at = tables + rng.below(4) * 0x1000 + rng.below(rng.chance(70) ? 16 : 512) * 8;
    const kind = rng.below(4);
    let entry = rng.u64();
    if (kind === 0) entry = BigInt(rng.below(pages) * 0x1000 + rng.below(0x1000));
    else if (kind === 1) entry = BigInt(rng.below(pages) * 0x1000) | 7n | (rng.chance(20) ? 0x80n : 0n);
    else if (kind === 2) entry = (rng.u64() & 0xffff_ffff_f000n) | BigInt(rng.below(0x1000)) | 1n;
    view.setBigUint64(at, entry, true);
  }
}

function spoilDescriptors(rng: Random, view: DataView, gdt: number, idt: number, tss: number): void {
  for (let n = 1 + rng.below(8); n > 0; n--) view.setBigUint64(gdt + rng.below(16) * 8, rng.u64(), true);
  for (let n = rng.below(12); n > 0; n--) {
    const at = idt + rng.below(64) * 8;
    const gate = view.getBigUint64(at, true);
    view.setBigUint64(at, rng.chance(50) ? rng.u64() : gate ^ (1n << BigInt(rng.below(64))), true);
  }
  for (let n = rng.below(4); n > 0; n--) view.setUint32(tss + rng.below(26) * 4, rng.u32(), true);
}

/** EPT leaves without rights, misconfigured, or pointing outside the machine: what a hypervisor may legally or wrongly write. */
function spoilEpt(rng: Random, exports: Silicon["exports"]): void {
  for (let n = 1 + rng.below(6); n > 0; n--) {
    const gfn = rng.below(RAM_PAGES);
    const kind = rng.below(5);
    const leaf = gfn * 0x1000 + OPEN_LEAF;
    if (kind === 0) exports.siliconSetEntry(gfn, 1, 0, 0);
    else if (kind === 1) exports.siliconSetEntry(gfn, 1, (leaf & ~7) | rng.below(8), 0);
    else if (kind === 2) exports.siliconSetEntry(gfn, 1, leaf ^ (rng.below(0x78) & 0x78), 0);
    else if (kind === 3) exports.siliconSetEntry(gfn, 1, rng.u32() & 0xfff, rng.below(1 << 20));
    else exports.siliconSetEntry(gfn, 1, rng.u32(), rng.u32());
  }
}
