/**
 * Interrupt lines of the machine: which domains are bound to each, and who has not acknowledged its last interrupt (spec 06 section 6.1). Without
 * the accountant the flag of the first binder decides whether a line is shared; with it, the grants do.
 */
import { EBUSY, EINVAL, EPERM, OK } from "../../abi/errno";
import { IO_RACE_IN_FLIGHT, KNOB_IO_RACE } from "../../abi/knobs";
import { IO_LINE_SIZE, IO_LINES_BASE, NR_IO_LINES } from "../../abi/layout";
import { W_IO_LINE_EMPTY } from "../../abi/windows";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { evtchnSetPending } from "../evtchn/pending";
import { portAt } from "../evtchn/port";
import { Vcpu } from "../vcpu";
import { Accountant } from "./account/tracker";
import { holderOf } from "./hooks";
import { IO_IRQ, IoState } from "./io-state";

/** Guests of one line (Xen's IRQ_MAX_GUESTS). */
const MAX_GUESTS: u32 = 7;
/** The hypervisor's own: the timer. */
const TIMER_LINE: u32 = 0;
const PORT_BITS: u32 = 12;

@unmanaged
export class Line {
  isShareable: u32;
  guestCount: u32;
  /** Domain slot << 12 | event channel port. */
  guest0: u32;
  private _guest1: u32;
  private _guest2: u32;
  private _guest3: u32;
  private _guest4: u32;
  private _guest5: u32;
  private _guest6: u32;
  /** Bit n = guest n has not acknowledged yet. */
  inFlight: u32;
  private _pad0: u32;
  private _pad1: u32;

  @inline static at(line: u32): Line {
    return changetype<Line>(IO_LINES_BASE + <usize>line * IO_LINE_SIZE);
  }

  /** No line was ever bound: their records are not there. */
  @inline static isAny(): bool {
    return IoState.get().used != 0;
  }

  @inline place(i: u32): usize {
    return changetype<usize>(this) + offsetof<Line>("guest0") + ((<usize>i) << 2);
  }

  /** Index of a domain among the guests, -1 = it is none. */
  indexOf(d: Domain): i32 {
    for (let i: u32 = 0; i < this.guestCount; i++) if (load<u32>(this.place(i)) >> PORT_BITS == d.slot) return <i32>i;
    return -1;
  }
}

if (offsetof<Line>() != <usize>IO_LINE_SIZE) ERROR("Line is 48 bytes");

/** Whether a grant of the line to `d` collides with no binding of another domain. The caller holds the lock. */
export function isLineFreeFor(d: Domain, line: u32, isShared: bool): bool {
  if (!Line.isAny() || line >= <u32>NR_IO_LINES) return true;
  const l = Line.at(line);
  const others = l.guestCount - (l.indexOf(d) >= 0 ? 1 : 0);
  return others == 0 || (isShared && l.isShareable != 0);
}

function bindLocked(d: Domain, line: u32, port: u32, isSharing: bool): i32 {
  if (Accountant.isOn() && !Accountant.mayUse(IO_IRQ, holderOf(d), line, line)) return -EPERM;
  const l = Line.at(line);
  if (l.guestCount != 0 && (l.isShareable == 0 || !isSharing)) return -EBUSY;
  if (l.guestCount == MAX_GUESTS) return -EBUSY;
  if (l.guestCount == 0) l.isShareable = isSharing ? 1 : 0;
  store<u32>(l.place(l.guestCount), (d.slot << PORT_BITS) | port);
  l.guestCount++;
  return OK;
}

/** Binds a line to an event channel port of the domain, which holds the right. @returns OK, -EINVAL, -EPERM or -EBUSY. */
export function lineBind(d: Domain, line: u32, port: u32, isSharing: bool): i32 {
  if (line >= <u32>NR_IO_LINES) return -EINVAL;
  if (line == TIMER_LINE) return -EBUSY;
  IoState.acquire();
  IoState.use(false);
  const rc = bindLocked(d, line, port, isSharing);
  IoState.release();
  return rc;
}

/** Takes guest `index` out, its acknowledgement with it. */
function removeGuest(l: Line, index: u32): void {
  const above = l.inFlight >> (index + 1);
  l.inFlight = (l.inFlight & ((1 << index) - 1)) | (above << index);
  l.guestCount--;
  for (let i = index; i < l.guestCount; i++) store<u32>(l.place(i), load<u32>(l.place(i + 1)));
  store<u32>(l.place(l.guestCount), 0);
}

/**
 * The domain lets go of the line. The last guest is out of the list first and the line is released afterwards; somebody may have bound it in
 * between, so the second half looks again.
 */
export function lineUnbind(d: Domain, line: u32): void {
  if (!Line.isAny() || line >= <u32>NR_IO_LINES) return;
  IoState.acquire();
  const l = Line.at(line);
  const index = l.indexOf(d);
  if (index >= 0) removeGuest(l, index);
  const isLast = index >= 0 && l.guestCount == 0;
  IoState.release();
  if (!isLast) return;
  Window.at(W_IO_LINE_EMPTY, changetype<usize>(l), ACCESS_WRITE);
  IoState.acquire();
  if (l.guestCount == 0 || Variant.is(KNOB_IO_RACE, IO_RACE_IN_FLIGHT))
    memory.fill(changetype<usize>(l), 0, IO_LINE_SIZE);
  IoState.release();
}

/** A device raises its line: every guest gets its event, and owes an acknowledgement. @returns how many were told. */
export function lineRaise(line: u32): u32 {
  if (!Line.isAny() || line >= <u32>NR_IO_LINES) return 0;
  const l = Line.at(line);
  if (l.inFlight != 0) return 0; // masked until everybody has acknowledged
  for (let i: u32 = 0; i < l.guestCount; i++) {
    const guest = load<u32>(l.place(i));
    const d = Domain.at(guest >> PORT_BITS);
    const port = guest & ((1 << PORT_BITS) - 1);
    l.inFlight |= 1 << i;
    evtchnSetPending(d, Vcpu.at(d.firstVcpu + <u32>portAt(d, port).vcpuId), port);
  }
  return l.guestCount;
}

/** PHYSDEVOP_eoi. @returns OK, -EINVAL (no such line, or the domain is not bound to it). */
export function lineEoi(d: Domain, line: u32): i32 {
  if (!Line.isAny() || line >= <u32>NR_IO_LINES) return -EINVAL;
  const index = Line.at(line).indexOf(d);
  if (index < 0) return -EINVAL;
  Line.at(line).inFlight &= ~((<u32>1) << index);
  return OK;
}

/** The domain dies: it is bound to nothing. */
export function linesForget(d: Domain): void {
  if (!Line.isAny()) return;
  for (let line: u32 = 0; line < <u32>NR_IO_LINES; line++) if (Line.at(line).indexOf(d) >= 0) lineUnbind(d, line);
}
