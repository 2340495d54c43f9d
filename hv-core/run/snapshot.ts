/** Snapshot and restore: the host copies the extents listed here; after it has put them back, what was derived is dropped. */
import { FRESH_FRAMES_MARK, MAILBOX_BASE } from "../abi/layout";
import { Machine } from "../base/machine";
import { Watch } from "../base/watch";
import { Vcpu } from "../hv/vcpu";
import { Cpu } from "../hw/cpu";
import { Run } from "../hw/run";
import { Tlb } from "../hw/tlb";
import { EXTENTS, Extent } from "./extents";

const NO_PAGE: u64 = 0xffff_ffff_ffff_ffff;

/**
 * Forgets what a processor keeps only to be fast. Not the page that it fetches from, except in the race build, which looks at states and not at
 * runs: when it is forgotten the next fetch fills the TLB once more, and a run that was looked at would go on differently.
 */
export function dropDerived(c: Cpu): void {
  if (isDefined(RACE)) forgetFetchPage(c);
  c.scratch = 0;
  c.accessGpa = 0;
}

export function forgetFetchPage(c: Cpu): void {
  c.fetchPage = NO_PAGE;
  c.fetchHost = 0;
}

export function forEachCpuDropDerived(): void {
  const mark = Machine.get().vcpuMark;
  for (let slot: u32 = 0; slot < mark; slot++) {
    if (Vcpu.at(slot).inUse != 0) dropDerived(Vcpu.at(slot).cpu);
  }
}

/** Triples {start u32, length u32, class u32} in the mailbox. @returns how many. */
export function snapshotExtents(): u32 {
  for (let i: u32 = 0; i < EXTENTS; i++) {
    const at: usize = MAILBOX_BASE + i * 12;
    store<u32>(at, Extent.start(i));
    store<u32>(at, Extent.bytes(i), 4);
    store<u32>(at, Extent.kind(i), 8);
  }
  return EXTENTS;
}

/** The host has written a snapshot's extents back. They may come from another instance, whose frames were used further up. */
export function restored(): void {
  const mark = Machine.get().frameMark;
  const fresh = load<u32>(FRESH_FRAMES_MARK);
  if (fresh != 0 && fresh < mark) store<u32>(FRESH_FRAMES_MARK, mark);
  Run.resetCode();
  Tlb.watch(Watch.isOn());
  forEachCpuDropDerived();
}

/** The host has changed what is watched (abi/watch.ts). */
export function watchesChanged(): void {
  Tlb.watch(Watch.isOn());
  codeCacheReset();
}

/** Drops all decoded code; execution goes on as before. */
export function codeCacheReset(): void {
  Run.resetCode();
  forEachCpuDropDerived();
}
