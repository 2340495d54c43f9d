/**
 * A response said EMULATE (spec 04 section 4.5): the instruction that violated a page's access is carried out by the hypervisor, which
 * page accesses do not bind. NOWRITE: its writes are discarded. SET_EMUL_READ_DATA: what it reads is what the response said.
 *
 * Before: vm-event/resume.ts. After: emulate/emulate.ts; emulate/memory.ts asks here about each access.
 */
import { EXIT_ATTENTION, EXIT_BUDGET } from "../../abi/exits";
import { P2M_ACCESS_RWX } from "../../abi/p2m-types";
import { EVF_EMULATE_NOWRITE, EVF_SET_EMUL_READ_DATA } from "../../abi/vm-event";
import { ANSWER_READ, Answer } from "../../hw/answers";
import { Run } from "../../hw/run";
import { Tlb } from "../../hw/tlb";
import { Frame } from "../../mem/frame-table";
import { emulateInstruction } from "../emulate/emulate";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { VcpuEvents } from "../vm-event/vcpu-events";

/**
 * The access belonged to the delivery of an event (a push onto a watched stack, say), not to an instruction: the page is open while the
 * event is delivered, and nobody else runs meanwhile. The delivery may exit again, for another page.
 */
function deliver(v: Vcpu, gfn: u64): Verdict {
  const d = v.domain;
  P2m.lock(d);
  const type = P2m.lookup(d, gfn, 0);
  const mfn = d.lookupMfn;
  const access = d.lookupAccess;
  const isOpen = P2mType.isRam(type) && Frame.isValid(mfn);
  if (isOpen) P2m.set(d, gfn, mfn, 0, type, P2M_ACCESS_RWX);
  const reason = Run.cpuRun(v.cpu, 0);
  if (isOpen) P2m.set(d, gfn, mfn, 0, type, access);
  P2m.unlock(d); // and with it goes what the delivery left in the TLB
  if (reason != <u32>EXIT_BUDGET && reason != <u32>EXIT_ATTENTION) VcpuEvents.of(v).emulatedExit = reason + 1;
  return Verdict.Retry;
}

/** Emulates the instruction at rip as the response wants it. */
export function accessEmulate(v: Vcpu): Verdict {
  const events = VcpuEvents.of(v);
  const c = v.cpu;
  const d = v.domain;
  if (c.entryEvent != 0) return deliver(v, events.emulateGfn);
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
