/**
 * The silicon alone: a WebAssembly module of hw/ and nothing else (target `silicon` of asconfig.json). That it builds shows that the
 * processor needs no hypervisor. Tests and benchmarks put code into frames, set registers in the Cpu at VCPUS_BASE, and run.
 * One export per line; what they do: silicon/machine.ts, silicon/probe.ts, silicon/bench.ts.
 */
import "./base/abort";
import { Bench } from "./silicon/bench";
import { SiliconMachine } from "./silicon/machine";
import { Probe } from "./silicon/probe";

/** Creates a machine of `frameCount` frames with one processor; the top eighth holds EPT tables. @returns frames the guest has, or -errno. */
export function siliconInit(frameCount: u32): i32 {
  return SiliconMachine.create(frameCount);
}

/** Maps gfn to mfn with a 4 KiB leaf whose low 12 bits are `low12`. @returns 0 or -ENOMEM. */
export function siliconMap(gfn: u32, mfn: u32, low12: u32): i32 {
  return SiliconMachine.map(gfn, mfn, low12);
}

/** Writes the raw EPT entry that covers gfn at `level` (4 = PML4 ... 1). @returns 0 or -ENOMEM. */
export function siliconSetEntry(gfn: u32, level: u32, low: u32, high: u32): i32 {
  return SiliconMachine.setEntry(gfn, level, ((<u64>high) << 32) | low);
}

/** Puts the processor at `rip`: mode 32 = protected, paging off; 64 = long mode, identity page tables. */
export function siliconReset(mode: u32, rip: u32): void {
  SiliconMachine.reset(mode, rip);
}

/** Runs at most `budget` instructions. @returns an exit reason (abi/exits.ts). */
export function siliconRun(budget: u32): u32 {
  return SiliconMachine.run(budget);
}

/** Replays one instruction against the answers. @returns an exit reason. */
export function siliconReplay(): u32 {
  return SiliconMachine.replay();
}

/** To be called after CR0, CR4, EFER, CS, SS or CPL were written from outside; forgets cached translations too. */
export function siliconSync(): void {
  SiliconMachine.sync();
}

/** Forgets cached translations; decoded code stays. */
export function siliconFlush(): void {
  SiliconMachine.flush();
}

/** The frame was changed from outside: code decoded from it is dropped. */
export function siliconFrameWritten(mfn: u32): void {
  SiliconMachine.frameWritten(mfn);
}

/** An access by the processor; the value is at MAILBOX_BASE. kind: 0 read, 1 write, 2 read for write, 3 fetch. @returns c.fault. */
export function probeAccess(kind: u32, linLow: u32, linHigh: u32, size: u32, seg: u32): u32 {
  return Probe.access(kind, ((<u64>linHigh) << 32) | linLow, size, seg);
}

/** The EPT walk of an address; the result is at MAILBOX_BASE. */
export function probeEptWalk(gpaLow: u32, gpaHigh: u32): void {
  Probe.eptWalk(((<u64>gpaHigh) << 32) | gpaLow);
}

/** The hypervisor's look through the guest's tables; the result is at MAILBOX_BASE. */
export function probeTranslate(linLow: u32, linHigh: u32, isWrite: u32, isUser: u32): void {
  Probe.translate(((<u64>linHigh) << 32) | linLow, isWrite != 0, isUser != 0);
}

/** Reads or writes one of the silicon's MSRs (hw/msr.ts); the value is at MAILBOX_BASE. @returns MSR_*. */
export function probeMsr(index: u32, isWrite: u32): u32 {
  return Probe.msr(index, isWrite != 0);
}

/** Fills the EPT with 4 KiB leaves for gfns 0..pages-1, for benchEptWalk. @returns 0 or -ENOMEM. */
export function benchEptBuild(pages: u32): i32 {
  return Bench.build(pages);
}

/** Fills the EPT with leaves of `level` (2 = 2M, 3 = 1G) for gfns 0..pages-1, for benchEptPattern. @returns 0 or -ENOMEM. */
export function benchEptBuildLarge(pages: u32, level: u32): i32 {
  return Bench.buildLarge(pages, level);
}

/** `n` walks over gfns below `pages`: `step` apart, or random ones with step 0. @returns a checksum. */
export function benchEptPattern(n: u32, pages: u32, step: u32, seed: u32): u32 {
  return Bench.eptPattern(n, pages, step, seed);
}

/** Sets the size of the TLB (a power of two, 16..1024) and empties it. */
export function benchTlbEntries(entries: u32): void {
  Bench.tlbEntries(entries);
}

/** `n` walks of random gfns below `pages` (a power of two). @returns a checksum. */
export function benchEptWalk(n: u32, pages: u32, seed: u32): u32 {
  return Bench.eptWalk(n, pages, seed);
}

/** The same loop without the walk: what the random numbers cost. */
export function benchFloor(n: u32, pages: u32, seed: u32): u32 {
  return Bench.floor(n, pages, seed);
}

/** `n` loads of 8 bytes that hit the TLB. @returns a checksum. */
export function benchTlbHit(n: u32, seed: u32): u32 {
  return Bench.tlbHit(n, seed);
}

/** `n` loads of 8 bytes from random ones of `pages` pages: TLB miss, walk, fill. @returns a checksum. */
export function benchTlbMiss(n: u32, pages: u32, seed: u32): u32 {
  return Bench.tlbMiss(n, pages, seed);
}
