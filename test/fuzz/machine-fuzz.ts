/**
 * Fuzz target: the whole machine. A small guest, in 32-bit flat or in long mode, gets random code, a storm of random hypercalls, or spoiled
 * page tables and rings, with the device models in the host or in the core. Whatever happens must be a value: an exit that is served, a
 * fault in the guest, a shutdown, a crash with a reason.
 */

import { asm, assemble } from "../../guests/asm/assembler.ts";
import { CODE64, DATA, gdt } from "../../guests/lib/boot.ts";
import { frameAddress } from "../../host/lib/core.ts";
import type { DomId } from "../../host/lib/ids.ts";
import { translateGpa } from "../../host/lib/inspect.ts";
import { createMachine, type Machine } from "../../host/lib/machine.ts";
import type { Snapshot } from "../../host/lib/snapshot.ts";
import { CONSOLE_GFN, STORE_GFN } from "../../host/lib/toolstack/build.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { CPU_REGS, CPU_RIP } from "../../hv-core/abi/cpu.ts";
import { COUNTER_BASE } from "../../hv-core/abi/devices.ts";
import { HC_MULTICALL } from "../../hv-core/abi/hypercalls.ts";
import { VCPU_SIZE, VCPUS_BASE } from "../../hv-core/abi/layout.ts";
import { little } from "../native/builder.ts";
import { disassemble } from "../native/disassemble.ts";
import type { Random } from "../native/random.ts";
import { fuzzCode } from "./code.ts";
import type { FuzzTarget } from "./runner.ts";

const MEMORY = 0x10_0000;
const TABLES = 0x2_0000;
const CODE = 0x3_0000;
const CODE_PAGES = 2;
const BLOCKS = 0x4_0000;
const GO = 0x5_0000;
const LAPIC_BASE = 0xfee0_0000;
const BUDGET = 2000;
const TO_SPIN = 200_000;

/** Pages worth pointing at: devices, the interrupt controller, special pages, holes, and the guest's own. */
const PLACES = [
  COUNTER_BASE,
  COUNTER_BASE,
  LAPIC_BASE,
  CONSOLE_GFN * 4096,
  STORE_GFN * 4096,
  MEMORY,
  MEMORY - 0x1000,
  CODE,
  BLOCKS,
  TABLES,
];

/** Spins at CODE in 32-bit mode; goes on to long mode, and spins at CODE again, when the word at GO is set. */
const SOURCE = asm`
        bits 32
        org 0x10000
start:  lgdt [gdt.pointer]
        jmp 8:.flat
.flat:  mov ax, ${DATA}
        mov ds, ax
        mov es, ax
        mov ss, ax
        mov esp, 0x1f000
        jmp wait
long:   mov dword [${TABLES}], ${TABLES + 0x1007}
        mov dword [${TABLES + 0x1000}], ${TABLES + 0x2007}
        mov dword [${TABLES + 0x2000}], ${TABLES + 0x3007}
        mov edi, ${TABLES + 0x3000}
        mov eax, 7
.pte:   mov [edi], eax
        add edi, 8
        add eax, 0x1000
        cmp eax, ${MEMORY + 7}
        jb .pte
        mov eax, cr4
        or eax, 0x20
        mov cr4, eax
        mov eax, ${TABLES}
        mov cr3, eax
        mov ecx, 0xc0000080
        rdmsr
        or eax, 0x901
        wrmsr
        mov eax, cr0
        or eax, 0x80000001
        mov cr0, eax
        jmp ${CODE64}:spin
${gdt()}
        org ${CODE}
wait:   pause
        cmp dword [${GO}], 0
        je wait
        jmp long
        org ${CODE + 0x100}
        bits 64
spin:   pause
        jmp spin
`;

/** Where the guest spins in each mode. */
const entryOf = (bits: 32 | 64): number => (bits === 64 ? CODE + 0x100 : CODE);

interface Board {
  readonly machine: Machine;
  readonly domid: DomId;
  readonly slot: number;
  readonly snapshots: Readonly<Record<32 | 64, Snapshot>>;
  /** Machine frame of a guest page. */
  readonly mfn: (gpa: number) => number;
}

function makeBoard(wasm: WebAssembly.Module, deviceAt: number): Board {
  const machine = createMachine(wasm, {
    memoryBytes: MEMORY,
    vcpus: 2,
    dom0Pages: 64,
    knobs: { "device.at": deviceAt },
  });
  const segments = assemble(SOURCE).sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  const image = { format: "pvh", description: "fuzz guest", entry: 0x1_0000, segments } as const;
  const { domid } = machine.createGuest({ image, memoryBytes: MEMORY, vcpus: 2, cmdline: "", modules: [] });
  const mfn = (gpa: number): number => translateGpa(machine.core, domid, gpa);
  machine.run({ maxInstructions: TO_SPIN });
  const flat = machine.snapshot();
  machine.core.u8[frameAddress(mfn(GO))] = 1;
  machine.run({ maxInstructions: TO_SPIN });
  const long = machine.snapshot();
  const slot = machine.vcpus(domid)[0]!;
  if (machine.regs(slot).bitness !== 64) throw new Error("the fuzz guest did not reach long mode");
  return { machine, domid, slot, snapshots: { 32: flat, 64: long }, mfn };
}

function poke(board: Board, gpa: number, bytes: Uint8Array): void {
  const { core } = board.machine;
  for (let done = 0; done < bytes.length; ) {
    const offset = (gpa + done) % 4096;
    const length = Math.min(4096 - offset, bytes.length - done);
    const mfn = board.mfn(gpa + done);
    core.u8.set(bytes.subarray(done, done + length), frameAddress(mfn, offset));
    core.exports.frameWritten(mfn);
    done += length;
  }
}

/** Puts code where the guest goes on. */
function pokeCode(board: Board, bits: 32 | 64, code: Uint8Array): void {
  const entry = entryOf(bits);
  poke(board, entry, code);
  board.machine.core.view.setBigUint64(VCPUS_BASE + board.slot * VCPU_SIZE + CPU_RIP, BigInt(entry), true);
}

/** A sequence of hypercalls with numbers and arguments that are sometimes right, and pointers to blocks of small numbers. */
function hypercallCode(rng: Random, bits: 32 | 64): Uint8Array {
  const out: number[] = [];
  const argument = (): bigint => {
    const kind = rng.below(10);
    if (kind < 4) return BigInt(rng.below(40));
    if (kind < 8) return BigInt(BLOCKS + rng.below(0x1000));
    return kind === 8 ? BigInt(rng.below(MEMORY)) : rng.value();
  };
  const load = (reg: number, value: bigint): void => {
    if (bits === 64) out.push(reg > 7 ? 0x49 : 0x48, 0xb8 | (reg & 7), ...little(value, 8));
    else out.push(0xb8 | reg, ...little(value, 4));
  };
  for (let n = 6 + rng.below(20); n > 0; n--) {
    const number = rng.below(64);
    // A multicall of many thousand entries is legal and slow: a few are enough.
    load(0, rng.chance(10) ? rng.value() : BigInt(number === HC_MULTICALL && rng.chance(90) ? 0 : number));
    for (const reg of bits === 64 ? [7, 6, 2, 10, 8] : [3, 1, 2, 6, 7]) load(reg, argument());
    out.push(0x0f, 0x01, rng.chance(80) ? 0xc1 : 0xd9);
  }
  out.push(0xe9, ...little(BigInt.asUintN(32, BigInt(-(out.length + 5))), 4));
  return Uint8Array.from(out);
}

/** Argument blocks: small numbers, pointers to blocks, DOMID_SELF and noise. */
function argumentBlocks(rng: Random): Uint8Array {
  const bytes = new Uint8Array(0x1000);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < 0x1000; at += 4) {
    const kind = rng.below(10);
    const value =
      kind < 5
        ? rng.below(20)
        : kind < 7
          ? BLOCKS + rng.below(0x1000)
          : kind === 7
            ? 0x7ff0
            : kind === 8
              ? rng.below(0x200)
              : rng.u32();
    view.setUint32(at, value, true);
  }
  return bytes;
}

/** What a guest can spoil besides its code. */
function spoil(rng: Random, board: Board, bits: 32 | 64, notes: string[]): void {
  const { view } = board.machine.core;
  if (rng.chance(30)) {
    notes.push("registers");
    for (let i = 0; i < 16; i++)
      view.setBigUint64(VCPUS_BASE + board.slot * VCPU_SIZE + CPU_REGS + i * 8, rng.value(), true);
  }
  if (bits === 64 && rng.chance(40)) {
    notes.push("page tables");
    for (let n = 1 + rng.below(16); n > 0; n--) {
      const at = TABLES + rng.below(4) * 0x1000 + rng.below(rng.chance(70) ? 0x100 : 512) * 8;
      const kind = rng.below(4);
      const entry =
        kind < 2 ? BigInt(rng.below(0x120) * 0x1000) | 7n : kind === 2 ? BigInt(rng.pick(PLACES)) | 7n : rng.u64();
      poke(board, at, Uint8Array.from(little(entry, 8)));
    }
  }
  for (const gfn of [CONSOLE_GFN, STORE_GFN]) {
    if (!rng.chance(15)) continue;
    notes.push(gfn === CONSOLE_GFN ? "console ring" : "store ring");
    for (let n = 1 + rng.below(8); n > 0; n--) {
      poke(
        board,
        gfn * 4096 + rng.below(0x1000 / 4) * 4,
        Uint8Array.from(little(BigInt(rng.chance(50) ? rng.below(64) : rng.u32()), 4)),
      );
    }
    poke(board, gfn * 4096 + 0x800, Uint8Array.from(little(rng.u64(), 8)));
    poke(board, gfn * 4096 + 0xc00, Uint8Array.from(little(rng.u64(), 8)));
  }
}

export function createMachineFuzz(): FuzzTarget {
  const wasm = compileBuild("release");
  const boards = [makeBoard(wasm, 0), makeBoard(wasm, 1)];
  let last = (): string => "nothing has run";

  return {
    name: "machine",

    run(rng) {
      const board = rng.pick(boards);
      const bits = rng.pick([32, 64] as const);
      board.machine.restore(board.snapshots[bits]);
      const isStorm = rng.chance(50);
      const code = isStorm
        ? hypercallCode(rng, bits)
        : fuzzCode(rng, 64 + rng.below(CODE_PAGES * 0x1000 - 0x400), bits === 64);
      const notes: string[] = [isStorm ? "hypercalls" : "code"];
      const describeRun = (): string => {
        const text = disassemble(bits, code.subarray(0, 160), entryOf(bits)).join("\n");
        return `device.at ${boards.indexOf(board)}, ${bits}-bit\n${text}\nspoiled: ${notes.join(", ")}\nend: ${end}`;
      };
      let end = "none yet";
      last = describeRun;
      poke(board, BLOCKS, argumentBlocks(rng));
      pokeCode(board, bits, code);
      spoil(rng, board, bits, notes);
      const why = board.machine.run({ maxInstructions: BUDGET });
      const how = board.machine.ended(board.domid);
      end = `${why.kind}${how ? `, ${how.outcome}: ${how.reason}` : ""}`;
      if (why.kind === "ended" && !how)
        throw new Error("the machine says that every guest has ended, but this one has not");
    },

    check() {
      for (const board of boards) {
        for (const bits of [32, 64] as const) {
          board.machine.restore(board.snapshots[bits]);
          const from = board.machine.console().length;
          // mov al, 'k'; out 0xe9, al; mov al, 0; out 0xf4, al
          pokeCode(board, bits, Uint8Array.of(0xb0, 0x6b, 0xe6, 0xe9, 0xb0, 0, 0xe6, 0xf4));
          board.machine.run({ maxInstructions: BUDGET });
          const outcome = board.machine.ended(board.domid)?.outcome;
          if (outcome !== "poweroff" || !board.machine.console(from).includes("k")) {
            throw new Error(
              `a plain guest no longer works after this (${bits}-bit, outcome ${outcome}, console ${JSON.stringify(board.machine.console(from))} of ${from})`,
            );
          }
        }
      }
    },

    describe: () => last(),
  };
}
