/**
 * Looking without touching: registers, guest memory, the EPT walk. Everything here reads the views of linear memory (and the two
 * side-effect-free exports walkGpa and translateGva), so a debugger can use it between any two steps.
 */
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR2,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_EXIT_GPA,
  CPU_EXIT_REASON,
  CPU_REGS,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SEG_SIZE,
  CPU_SEGS,
} from "../../hv-core/abi/cpu.ts";
import { VCPU_DOMID, VCPU_ID, VCPU_IN_USE, VCPU_PAUSE_FLAGS } from "../../hv-core/abi/domain.ts";
import { MAILBOX_BASE, MAX_VCPUS, VCPU_HV_OFFSET, VCPU_SIZE, VCPUS_BASE } from "../../hv-core/abi/layout.ts";
import { type Core, frameAddress } from "./core.ts";
import { decodeEpte, type Epte } from "./epte.ts";
import { exitName } from "./exits.ts";
import type { DomId } from "./ids.ts";

export const REGISTER_NAMES = [
  "rax",
  "rcx",
  "rdx",
  "rbx",
  "rsp",
  "rbp",
  "rsi",
  "rdi",
  "r8",
  "r9",
  "r10",
  "r11",
  "r12",
  "r13",
  "r14",
  "r15",
] as const;
const SEGMENT_NAMES = ["es", "cs", "ss", "ds", "fs", "gs", "ldtr", "tr"] as const;

export interface SegmentView {
  readonly selector: number;
  readonly base: bigint;
  readonly limit: number;
  /** VMX access rights. */
  readonly attr: number;
}

export interface Registers {
  readonly general: Readonly<Record<(typeof REGISTER_NAMES)[number], bigint>>;
  readonly rip: bigint;
  readonly rflags: number;
  readonly segments: Readonly<Record<(typeof SEGMENT_NAMES)[number], SegmentView>>;
  readonly cr0: bigint;
  readonly cr2: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly cpl: number;
  /** Why this vCPU left the guest the last time. */
  readonly exitReason: string;
  readonly exitGpa: bigint;
  /** 16, 32 or 64: how the bytes at rip are decoded. */
  readonly bitness: 16 | 32 | 64;
}

const EFER_LMA = 1n << 10n;

/** Slots of a domain's vCPUs, in vcpu_id order. */
export function vcpuSlots(core: Core, domid: DomId): number[] {
  const slots: [id: number, slot: number][] = [];
  for (let slot = 0; slot < MAX_VCPUS; slot++) {
    const at = (VCPUS_BASE + slot * VCPU_SIZE + VCPU_HV_OFFSET) >> 2;
    if (core.u32[at + (VCPU_IN_USE >> 2)] === 0 || core.u32[at + (VCPU_DOMID >> 2)] !== domid) continue;
    slots.push([core.u32[at + (VCPU_ID >> 2)]!, slot]);
  }
  return slots.sort((a, b) => a[0] - b[0]).map(([, slot]) => slot);
}

/** Domain of the vCPU in a slot. */
export function vcpuDomain(core: Core, slot: number): DomId {
  return core.u32[(VCPUS_BASE + slot * VCPU_SIZE + VCPU_HV_OFFSET + VCPU_DOMID) >> 2]! as DomId;
}

/** Names of vCPU slots as Xen writes them: d1v0 is vCPU 0 of domain 1. */
export function vcpuNamer(core: Core): (slot: number) => string {
  const names = new Map<number, string>();
  for (let slot = 0; slot < MAX_VCPUS; slot++) {
    const at = (VCPUS_BASE + slot * VCPU_SIZE + VCPU_HV_OFFSET) >> 2;
    if (core.u32[at + (VCPU_IN_USE >> 2)] !== 0)
      names.set(slot, `d${core.u32[at + (VCPU_DOMID >> 2)]}v${core.u32[at + (VCPU_ID >> 2)]}`);
  }
  return (slot) => names.get(slot) ?? (slot < 0 ? "-" : `slot${slot}`);
}

/** VPF_* bits: why a vCPU does not run; 0 = it may. */
export function pauseFlags(core: Core, slot: number): number {
  return core.u32[(VCPUS_BASE + slot * VCPU_SIZE + VCPU_HV_OFFSET + VCPU_PAUSE_FLAGS) >> 2]!;
}

/** rip of the vCPU in a slot, without the rest. */
export function instructionPointer(core: Core, slot: number): bigint {
  return core.view.getBigUint64(VCPUS_BASE + slot * VCPU_SIZE + CPU_RIP, true);
}

/** All registers of the vCPU in a slot. Arithmetic flags are up to date whenever the vCPU is not inside run(). */
export function registers(core: Core, slot: number): Registers {
  const at = VCPUS_BASE + slot * VCPU_SIZE;
  const u64 = (offset: number): bigint => core.view.getBigUint64(at + offset, true);
  const u32 = (offset: number): number => core.view.getUint32(at + offset, true);
  const general = Object.fromEntries(
    REGISTER_NAMES.map((name, i) => [name, u64(CPU_REGS + i * 8)]),
  ) as Registers["general"];
  const segments = Object.fromEntries(
    SEGMENT_NAMES.map((name, i) => {
      const s = CPU_SEGS + i * CPU_SEG_SIZE;
      return [name, { base: u64(s), limit: u32(s + 8), attr: u32(s + 12), selector: u32(s + 16) }];
    }),
  ) as Registers["segments"];
  const efer = u64(CPU_EFER);
  const isLong = (efer & EFER_LMA) !== 0n && (segments.cs.attr & 0x2000) !== 0;
  return {
    general,
    rip: u64(CPU_RIP),
    rflags: u32(CPU_RFLAGS),
    segments,
    cr0: u64(CPU_CR0),
    cr2: u64(CPU_CR2),
    cr3: u64(CPU_CR3),
    cr4: u64(CPU_CR4),
    efer,
    cpl: u32(CPU_CPL),
    exitReason: exitName(u32(CPU_EXIT_REASON)),
    exitGpa: u64(CPU_EXIT_GPA),
    bitness: isLong ? 64 : (segments.cs.attr & 0x4000) !== 0 ? 32 : 16,
  };
}

/** One step of an EPT walk: the entry read at a level (4 = PML4 ... 1 = 4 KiB leaf). */
export interface WalkStep {
  readonly level: number;
  readonly tableMfn: number;
  readonly index: number;
  readonly entry: bigint;
  readonly decoded: Epte;
}

const WALK_RECORD_BYTES = 32;

/** The EPT walk of a guest-physical address. Empty when the domain does not exist. */
export function walk(core: Core, domid: DomId, gpa: number): WalkStep[] {
  const count = core.exports.walkGpa(domid, (gpa % 2 ** 32) | 0, Math.floor(gpa / 2 ** 32));
  const steps: WalkStep[] = [];
  for (let i = 0; i < count; i++) {
    const at = MAILBOX_BASE + i * WALK_RECORD_BYTES;
    const entry = core.view.getBigUint64(at + 16, true);
    steps.push({
      level: core.view.getUint32(at, true),
      tableMfn: core.view.getUint32(at + 4, true),
      index: core.view.getUint32(at + 8, true),
      entry,
      decoded: decodeEpte(entry),
    });
  }
  return steps;
}

/** Machine frame behind a guest-physical address, -1 when there is none. */
export function translateGpa(core: Core, domid: DomId, gpa: number): number {
  const last = walk(core, domid, gpa).at(-1);
  if (!last?.decoded.isPresent) return -1;
  const isLeaf = last.level === 1 || last.decoded.leaf;
  if (!isLeaf) return -1;
  const pagesBelow = 512 ** (last.level - 1);
  return last.decoded.mfn + (Math.floor(gpa / 4096) % pagesBelow);
}

/** A copy of guest-physical memory; bytes that no frame backs are undefined in `backed` = false and read 0xff. */
export function peek(
  core: Core,
  domid: DomId,
  gpa: number,
  bytes: number,
): { readonly data: Uint8Array; readonly backed: boolean } {
  const data = new Uint8Array(bytes).fill(0xff);
  let backed = true;
  for (let done = 0; done < bytes; ) {
    const offset = (gpa + done) % 4096;
    const length = Math.min(4096 - offset, bytes - done);
    const mfn = translateGpa(core, domid, gpa + done);
    if (mfn > 0 && mfn < core.frameCount)
      data.set(core.u8.subarray(frameAddress(mfn, offset), frameAddress(mfn, offset) + length), done);
    else backed = false;
    done += length;
  }
  return { data, backed };
}

/** Guest-physical address of a virtual one under the vCPU's current page tables, undefined when it is not mapped. */
export function translateGva(core: Core, slot: number, gva: bigint): number | undefined {
  const low = Number(gva & 0xffff_ffffn) | 0;
  const high = Number((gva >> 32n) & 0xffff_ffffn) | 0;
  if (core.exports.translateGva(slot, low, high) === 0) return undefined;
  return Number(core.view.getBigUint64(MAILBOX_BASE, true));
}

/** Like peek, by virtual address; stops at the first byte that is not mapped. */
export function peekVirtual(core: Core, domid: DomId, slot: number, gva: bigint, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let done = 0;
  while (done < bytes) {
    const at = gva + BigInt(done);
    const length = Math.min(4096 - Number(at & 0xfffn), bytes - done);
    const gpa = translateGva(core, slot, at);
    if (gpa === undefined) break;
    const part = peek(core, domid, gpa, length);
    if (!part.backed) break;
    out.set(part.data, done);
    done += length;
  }
  return out.subarray(0, done);
}
