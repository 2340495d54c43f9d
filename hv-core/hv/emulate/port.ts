/**
 * IN and OUT with a register: no replay is needed, the exit says everything (spec 03 section 3.5, handle_pio).
 *
 * Before: exits/on-io.ts. After: emulate/do-io.ts. rip is advanced as soon as the request is on its way, as in Xen.
 */

import { REG_RAX } from "../../abi/cpu";
import { CRASH_IOREQ_STATE } from "../../abi/crash";
import { IOREQ_TYPE_PIO, STATE_IOREQ_RESP_READY } from "../../abi/ioreq";
import { Cpu } from "../../hw/cpu";
import { Run } from "../../hw/run";
import { domainCrash } from "../domain/shutdown";
import { IO_PIO_COMPLETION, Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { ioDo, ioIsWaiting } from "./do-io";
import { IO_KIND_READ, IoKind } from "./io-kind";
import { IO_OKAY, IO_RETRY } from "./io-result";

export function portAccess(v: Vcpu, port: u32, size: u32, isRead: bool): Verdict {
  const c = v.cpu;
  const data = isRead ? 0 : c.reg(REG_RAX) & (0xffff_ffff >> (32 - (size << 3)));
  const kind: u32 = isRead ? IOREQ_TYPE_PIO | IO_KIND_READ : IOREQ_TYPE_PIO;
  const result = ioDo(v, kind, port, data, 1, size, 0);
  if (result == IO_OKAY) {
    if (isRead) setResult(c, size, v.ioData);
    Run.skip(c);
    return v.ioPending != 0 ? Verdict.Block : Verdict.Done;
  }
  if (result == IO_RETRY) {
    if (!ioIsWaiting(v)) return Verdict.Retry;
    v.ioCompletion = IO_PIO_COMPLETION;
    Run.skip(c);
    return Verdict.Block;
  }
  domainCrash(v.domain, CRASH_IOREQ_STATE);
  return Verdict.Crash;
}

/** The device model answered an IN; the instruction was passed already. */
export function portResume(v: Vcpu): void {
  if (v.ioState != <u32>STATE_IOREQ_RESP_READY) return;
  if (ioDo(v, v.ioKind, v.ioAddr, v.ioData, v.ioCount, v.ioSize, 0) != IO_OKAY) return;
  if (IoKind.isRead(v.ioKind)) setResult(v.cpu, v.ioSize, v.ioData);
}

/** AL, AX or EAX; EAX clears the upper half. */
function setResult(c: Cpu, size: u32, data: u64): void {
  const old = c.reg(REG_RAX);
  if (size == 1) c.setReg(REG_RAX, (old & ~0xff) | (data & 0xff));
  else if (size == 2) c.setReg(REG_RAX, (old & ~0xffff) | (data & 0xffff));
  else c.setReg(REG_RAX, data & 0xffff_ffff);
}
