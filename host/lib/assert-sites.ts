/**
 * What the core's invariants say when one breaks: a site is a number in the module, the sentence stands here.
 * A broken invariant is a bug of vmexit, whatever the guest did; the instance is lost.
 */
import { MAILBOX_BASE } from "../../hv-core/abi/layout.ts";
import { type Core, refreshViews } from "./core.ts";

/** Numbers: the SITE_ constants of hv-core. */
const SITES: Readonly<Record<number, string>> = {
  1: "a lock is held by another processor although nothing can run in between (base/lock.ts)",
  2: "a lock is released by somebody who does not hold it (base/lock.ts)",
  3: "P-10: a lock is taken while one that comes after it is held (abi/lock-order.ts)",
  13: "a frame was written to after it was freed (mem/allocator.ts)",
  14: "the contents of a free frame are used (mem/frame-access.ts)",
  15: "the record of an ioreq server was written to after it was freed (hv/ioreq/server.ts)",
  16: "a node of a rangeset was written to after it was freed (hv/iocap/rangeset.ts)",
  10: "an access to frame contents outside the machine or over the end of a frame (mem/frame-access.ts)",
  11: "a reference to a frame is dropped that nobody holds (mem/allocator.ts)",
  12: "a domain's count of frames would become negative (mem/allocator.ts)",
  17: "P-6: a table or a foreign frame goes back while a flush is still due (hv/p2m/tables.ts)",
  30: "I-2: a vCPU enters the guest while an I/O request of its is not finished (run/vcpu.ts)",
  31: "C-5: the state of a slot changed between its check and the jump through the table (hv/ioreq/wait.ts)",
  40: "C-62: a vCPU is unpaused for events more often than it was paused (hv/vm-event/pause.ts)",
  41: "C-66: a request goes to a vm_event ring that was disabled since its slot was claimed (hv/vm-event/slots.ts)",
  32: "I-2: a vCPU enters the guest while a device model has not answered yet (run/vcpu.ts)",
  43: "V-c: an event that may have to wait for a slot is sent with the p2m lock held (hv/vm-event/request.ts)",
  60: "an object is given back to a class of small objects that it does not belong to (mem/frame-slab.ts)",
  61: "the sum of the domains' shared pages is not freed + used pages (hv/sharing/state.ts)",
  62: "a lock is taken against the order of memory-management locks: p2m (16), then page (24), pages by mfn (base/lock-order.ts)",
  63: "a shared page's reverse map does not know the domain that unshares it (hv/sharing/unshare.ts)",
  64: "the last sharer's page could not become private (hv/sharing/unshare.ts)",
  65: "an entry of the client's reverse map could not be moved to the source (hv/sharing/share.ts)",
  67: "an object of a class of small objects was written to after it was freed (mem/frame-slab.ts)",
  66: "a page is of type shared and has no sharing info (hv/sharing/debug-info.ts)",
  70: "C-72: a virtual NUMA topology is read after its memory went back (hv/hypercall/vnuma-info.ts)",
  71: "C-73: a page is added to an event array that was freed since it was looked at (hv/evtchn/fifo-control.ts)",
  20: "a domain is unpaused more often than it was paused (hv/domain/pause.ts)",
};

export const ASSERT_SITES: readonly number[] = Object.keys(SITES).map(Number);

/** A string that the compiler put into the module: UTF-16, its length in bytes 4 before it. */
function moduleString(core: Core, at: number): string {
  const bytes = core.view.getUint32(at - 4, true);
  let text = "";
  for (let i = 0; i < bytes && i < 400; i += 2) text += String.fromCharCode(core.view.getUint16(at + i, true));
  return text;
}

export const SITE_LOCK_ORDER = 3;

/** Number of the invariant that broke, 0 for any other trap. */
export function trapSite(core: Core, error: WebAssembly.RuntimeError): number {
  refreshViews(core);
  const isAssert = error.message.includes("unreachable") && core.view.getUint32(MAILBOX_BASE, true) === 0;
  return isAssert ? core.view.getUint32(MAILBOX_BASE + 4, true) : 0;
}

/** One line about a trap of the core, from what it left in the mailbox. */
export function explainTrap(core: Core, error: WebAssembly.RuntimeError): string {
  refreshViews(core);
  const first = core.view.getUint32(MAILBOX_BASE, true);
  const second = core.view.getUint32(MAILBOX_BASE + 4, true);
  if (!error.message.includes("unreachable")) return `the core trapped: ${error.message}`;
  if (first === 0 && second !== 0) return `a broken invariant of the core: ${SITES[second] ?? `site ${second}`}`;
  if (first > 4 && first < MAILBOX_BASE && second > 4 && second < MAILBOX_BASE)
    return `a check of the compiler failed: ${moduleString(core, first)} at ${moduleString(core, second)}:${core.view.getUint32(MAILBOX_BASE + 8, true)}`;
  return `the core trapped: ${error.message}`;
}
