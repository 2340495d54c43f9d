/**
 * A response said EMULATE (spec 04 section 4.5): the instruction that violated a page's access is carried out by the hypervisor, which
 * page accesses do not bind. NOWRITE: its writes are discarded. SET_EMUL_READ_DATA: what it reads is what the response said.
 *
 * Before: vm-event/resume.ts. After: emulate/emulate.ts; emulate/memory.ts asks here about each access.
 */
import { EXIT_ATTENTION, EXIT_BUDGET, EXIT_EPT_VIOLATION } from "../../abi/exits";
import { P2M_ACCESS_RWX } from "../../abi/p2m-types";
import { EVF_EMULATE_NOWRITE, EVF_SET_EMUL_READ_DATA } from "../../abi/vm-event";
import { ANSWER_READ, Answer } from "../../hw/answers";
import { Run } from "../../hw/run";
import { Tlb } from "../../hw/tlb";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { emulateInstruction } from "../emulate/emulate";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { OPEN_PAGES, VcpuEvents } from "../vm-event/vcpu-events";

const ACCESS_SHIFT: u64 = 60;
const GFN_MASK: u64 = ((<u64>1) << ACCESS_SHIFT) - 1;

/** Gives every page of the open ones all rights, or the access it had, which stands in bits 63:60 of its word meanwhile. */
function setOpen(d: Domain, events: VcpuEvents, isOpen: bool): void {
  for (let i: u32 = 0; i < OPEN_PAGES; i++) {
    const word = load<u64>(events.openPage(i));
    if (word == 0) return;
    const gfn = (word & GFN_MASK) - 1;
    const type = P2m.lookup(d, gfn, 0);
    const mfn = d.lookupMfn;
    if (!P2mType.isRam(type) || !Frame.isValid(mfn)) continue;
    const access = isOpen ? P2M_ACCESS_RWX : <u32>(word >> ACCESS_SHIFT);
    store<u64>(events.openPage(i), (word & GFN_MASK) | (isOpen ? (<u64>d.lookupAccess) << ACCESS_SHIFT : 0));
    P2m.set(d, gfn, mfn, 0, type, access);
  }
}

/**
 * The access belonged to the delivery of an event (a push onto a watched stack, say), not to an instruction: the page is open while the
 * event is delivered, and nobody else runs meanwhile. The delivery may exit again, for another page; then both are open the next time.
 */
function deliver(v: Vcpu, events: VcpuEvents): Verdict {
  const d = v.domain;
  for (let i: u32 = 0; i < OPEN_PAGES; i++) {
    const word = load<u64>(events.openPage(i));
    if (word != 0 && word != events.emulateGfn + 1) continue;
    store<u64>(events.openPage(i), events.emulateGfn + 1);
    break;
  }
  P2m.lock(d);
  setOpen(d, events, true);
  const reason = Run.cpuRun(v.cpu, 0);
  setOpen(d, events, false);
  P2m.unlock(d); // and with it goes what the delivery left in the TLB
  if (v.cpu.exitIdtVectoring == 0 || reason != <u32>EXIT_EPT_VIOLATION)
    memory.fill(events.openPage(0), 0, OPEN_PAGES * 8);
  if (reason != <u32>EXIT_BUDGET && reason != <u32>EXIT_ATTENTION) events.emulatedExit = reason + 1;
  return Verdict.Retry;
}

/** Emulates the instruction at rip as the response wants it. */
export function accessEmulate(v: Vcpu): Verdict {
  const events = VcpuEvents.of(v);
  const c = v.cpu;
  const d = v.domain;
  if (c.entryEvent != 0) return deliver(v, events);
  P2m.lock(d);
  const type = P2m.lookup(d, events.emulateGfn, 0);
  c.fetchGfn = events.emulateGfn + 1;
  c.fetchMfn = P2mType.isRam(type) && Frame.isValid(d.lookupMfn) ? d.lookupMfn : 0;
  P2m.unlock(d);
  if ((events.emulateFlags & (EVF_EMULATE_NOWRITE | EVF_SET_EMUL_READ_DATA)) != 0) {
    c.asksAll = 1;
    Tlb.flushAll(c); // no access may find its page there
  }
  return emulateInstruction(v);
}

/** The emulation is over: nothing of the response is left. */
export function accessEmulateEnd(v: Vcpu): void {
  const c = v.cpu;
  if (c.fetchGfn == 0) return;
  c.fetchGfn = 0;
  c.fetchMfn = 0;
  c.asksAll = 0;
  VcpuEvents.of(v).emulateFlags = 0;
  Run.forgetFetch(c);
}

/** Whether the response decides this access to RAM: discards the write, or gives the data of the read. */
export function accessOverrides(v: Vcpu, answer: Answer, skipped: u32): bool {
  if (v.cpu.fetchGfn == 0) return false;
  const events = VcpuEvents.of(v);
  if (answer.dir != ANSWER_READ) return (events.emulateFlags & EVF_EMULATE_NOWRITE) != 0;
  if ((events.emulateFlags & EVF_SET_EMUL_READ_DATA) == 0) return false;
  let data: u64 = 0;
  for (let i: u32 = 0; i < <u32>answer.size; i++) {
    const at = skipped + i;
    if (at < events.readSize) data |= (<u64>load<u8>(events.readBytes + at)) << (i << 3);
  }
  answer.data = data;
  return true;
}
