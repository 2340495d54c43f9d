/**
 * Invariants of a domain's ioreq servers (spec 03 section 3.9) and of its locks (spec 02 section 2.6, V-b), for tests and debug builds:
 * nothing in a shipped build calls it. To be asked between two steps, when nobody is inside the hypervisor. Bit n - 1 of the answer is set
 * for a broken I-n.
 *
 * Not here: I-4 is about two states (test/ioreq/random.ts and the explorer keep the one before), I-5 about what the guest meant (the same),
 * I-9 about who may call (ioreqServerOf refuses). V-c is an assert where events are sent (vm-event/request.ts).
 */
import { MAX_NR_IOREQ_SERVERS, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../abi/ioreq";
import { P2M_MAP_FOREIGN } from "../../abi/p2m-types";
import { Lock } from "../../base/lock";
import { Machine } from "../../base/machine";
import { FRAME_ALLOCATED, Frame } from "../../mem/frame-table";
import { Domain, NO_SERVER } from "../domain";
import { P2m } from "../p2m/p2m";
import { Vcpu, VPF_BLOCKED_IN_XEN } from "../vcpu";
import { IoreqPage, IoreqServer, PAGE_BUFFERED, PAGE_SYNC } from "./server";
import { Slot } from "./slot";
import { TypeOwner } from "./type-owner";

const I1: u32 = 1 << 0;
const I2: u32 = 1 << 1;
const I3: u32 = 1 << 2;
const I6: u32 = 1 << 5;
const I7: u32 = 1 << 6;
const I8: u32 = 1 << 7;
/** V-b: a lock that somebody still holds. */
const VB: u32 = 1 << 16;

const RING_SLOTS: u32 = 511;

/** Servers whose slot for vCPU `id` is not NONE, one bit each. */
function busyServers(d: Domain, id: u32): u32 {
  let busy: u32 = 0;
  for (let server: u32 = 0; server < <u32>MAX_NR_IOREQ_SERVERS; server++) {
    const address = d.ioreqServer(server);
    if (address == NO_SERVER) continue;
    const s = IoreqServer.at(address);
    if (s.enabled != 0 && s.syncMfn != 0 && !Slot.isFree(Slot.at(s, id))) busy |= 1 << server;
  }
  return busy;
}

function checkVcpu(d: Domain, v: Vcpu): u32 {
  let broken: u32 = 0;
  const busy = busyServers(d, v.id);
  if ((busy & ~v.ioPending) != 0) broken |= I1;
  // A vCPU whose server was destroyed is awake and ends its request when it runs; asleep it never would (N-5).
  const isAsleep = (v.pauseFlags & VPF_BLOCKED_IN_XEN) != 0;
  if (v.ioState == <u32>STATE_IOREQ_READY && v.ioPending == 0 && isAsleep) broken |= I2;
  if (v.ioState == <u32>STATE_IOREQ_RESP_READY) broken |= I2;
  if (popcnt<u32>(v.ioPending) > 1 && v.ioBroadcast == 0) broken |= I3; // only a broadcast goes to several
  return broken;
}

/** How often other domains map the frame. */
function mappings(mfn: u32): u32 {
  let count: u32 = 0;
  const slots = Machine.get().domainMark;
  for (let slot: u32 = 0; slot < slots; slot++) {
    const d = Domain.at(slot);
    if (d.state == 0 || d.p2mForeignEntries == 0) continue;
    for (let gfn: u64 = 0; gfn <= d.p2mMaxMapped; gfn = P2m.next(d, gfn)) {
      if (P2m.lookup(d, gfn, 0) == <u32>P2M_MAP_FOREIGN && d.lookupMfn == mfn) count++;
    }
  }
  return count;
}

function checkPage(page: IoreqPage): u32 {
  const mfn = page.mfn;
  if (mfn == 0) return 0;
  const frame = Frame.at(mfn);
  const owners: u32 = (frame.flags & FRAME_ALLOCATED) != 0 ? 1 : 0;
  return frame.refs != owners + 1 + mappings(mfn) || frame.typeCount != 1 ? I8 : 0;
}

function checkServer(s: IoreqServer): u32 {
  let broken = checkPage(s.page(PAGE_SYNC)) | checkPage(s.page(PAGE_BUFFERED));
  if (s.bufMfn != 0) {
    const ring = Frame.host(s.bufMfn);
    if (load<u32>(ring, 4) - load<u32>(ring) > RING_SLOTS) broken |= I6;
  }
  if (Lock.depth(changetype<usize>(s) + offsetof<IoreqServer>("bufLock")) != 0) broken |= VB;
  return broken;
}

function isAnyLocked(d: Domain): bool {
  const base = changetype<usize>(d);
  return (
    (Lock.depth(base + offsetof<Domain>("ioreqLock")) |
      Lock.depth(base + offsetof<Domain>("p2mLock")) |
      Lock.depth(TypeOwner.lockOf(d))) !=
    0
  );
}

/** @returns the broken invariants, 0 = none. */
export function ioreqCheck(d: Domain): u32 {
  let broken: u32 = isAnyLocked(d) ? VB : 0;
  if (d.p2mIoreqEntries != 0 && d.p2mIoreqServer == NO_SERVER) broken |= I7;
  for (let id: u32 = 0; id < <u32>MAX_NR_IOREQ_SERVERS; id++) {
    const address = d.ioreqServer(id);
    if (address != NO_SERVER) broken |= checkServer(IoreqServer.at(address));
  }
  for (let id: u32 = 0; id < d.vcpuCount; id++) broken |= checkVcpu(d, Vcpu.at(d.firstVcpu + id));
  return broken;
}
