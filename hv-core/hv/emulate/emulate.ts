/**
 * Emulation is replay (docs/architecture.md section 4): the one executor of instructions is run against the answers collected so
 * far; what is missing is fetched here, one access at a time, until the instruction retires. It may have to wait for a device
 * model in between: the answers stay in the vCPU and emulateResume goes on.
 *
 * Before: exits/on-ept-violation.ts, exits/on-io.ts. After: emulate/memory.ts and emulate/do-io.ts for each access.
 */

import { CTR_REPLAYS } from "../../abi/counters";
import { CRASH_IO_MISMATCH } from "../../abi/crash";
import {
  EXIT_EPT_MISCONFIG,
  EXIT_EPT_VIOLATION,
  EXIT_NEED_ANSWER,
  EXIT_REPLAYED,
  EXIT_TRIPLE_FAULT,
  EXIT_UNHANDLEABLE,
  QUAL_GLA_FINAL_BIT,
  QUAL_GLA_VALID_BIT,
  QUAL_READ_BIT,
  QUAL_WRITE_BIT,
} from "../../abi/exits";
import { IOREQ_TYPE_PIO, STATE_IOREQ_RESP_READY } from "../../abi/ioreq";
import { AS_FIXED, KNOB_EMULATE_INS, KNOB_RESUME, RESUME_BY_TYPE } from "../../abi/knobs";
import { P2M_ALLOC, P2M_RAM_LOGDIRTY, P2M_RAM_RW, P2M_UNSHARE } from "../../abi/p2m-types";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import {
  ANSWER_DONE,
  ANSWER_MEMORY,
  ANSWER_NEED,
  ANSWER_PORT,
  ANSWER_READ,
  Answer,
  Answers,
  TO_NOBODY,
} from "../../hw/answers";
import { Cpu } from "../../hw/cpu";
import { FreeTables } from "../../hw/free-tables";
import { Run } from "../../hw/run";
import { STRING_NONE } from "../../hw/string-exit";
import { Frame } from "../../mem/frame-table";
import { accessEmulateEnd } from "../access/emulate";
import { domainCrash } from "../domain/shutdown";
import { injectGp } from "../exits/inject";
import { resolveExit } from "../exits/on-ept-misconfig";
import { onTripleFault } from "../exits/on-triple-fault";
import { logDirtyFault } from "../logdirty/global";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";
import { IO_MMIO_COMPLETION, Vcpu, VPF_BLOCKED_IN_XEN } from "../vcpu";
import { Verdict } from "../verdict";
import { VcpuEvents } from "../vm-event/vcpu-events";
import { ioDo, ioIsWaiting } from "./do-io";
import { IO_KIND_READ } from "./io-kind";
import { IO_OKAY, IO_RETRY } from "./io-result";
import { memoryAnswer, memoryKind, NO_LATCH } from "./memory";
import { RamWrites } from "./ram-writes";
import { REP_SINGLE, repMemory } from "./rep";

const LINEAR_FINAL: u32 = (1 << QUAL_GLA_VALID_BIT) | (1 << QUAL_GLA_FINAL_BIT);
/** Of an exit qualification: read and write wanted, and the rights in the EPT. A fetch is never latched. */
const QUALIFICATION_RIGHTS: u32 = 0x3b;
const PAGE_OFFSET: u64 = 0xfff;

/** Emulates the instruction at rip. */
export function emulateInstruction(v: Vcpu): Verdict {
  Answers.of(v.cpu).clear();
  return end(v, replay(v, v.cpu, false));
}

/**
 * Emulates the instruction at rip, whose access to `gfn` was an EPT violation. The exit has told where the access goes, and often
 * all about it: then it is made first, and one replay retires the instruction.
 *
 * @param gfn the page whose p2m lock is held and whose type is `type` (d.lookupMfn is its frame); NO_LATCH when none is.
 */
export function emulateViolation(v: Vcpu, gfn: u64, type: u32): Verdict {
  const c = v.cpu;
  if (c.exitStringKind != STRING_NONE) {
    const batch = repMemory(v);
    if (batch != REP_SINGLE) return <Verdict>batch;
    if (gfn != NO_LATCH) P2m.lookup(v.domain, gfn, 0); // d.lookupMfn is that page's again
  }
  const answers = Answers.of(c);
  answers.clear();
  v.mmioGfn = gfn;
  v.mmioType = type;
  if (latch(c) && hasFirstAccess(c)) {
    answers.count = 1;
    const answer = answers.entry(0);
    firstAccess(c, answer);
    const result = memoryAnswer(v, answers);
    if (result != IO_OKAY) return end(v, result == IO_RETRY ? wait(v) : fail(v, answers));
    answer.state = ANSWER_DONE;
  }
  return end(v, replay(v, c, false));
}

/** Lets the replay find the page of the exit without a walk (spec 02 section 2.3). False for an access by the guest's own walk. */
function latch(c: Cpu): bool {
  const qualification = <u32>c.exitQualification;
  if ((qualification & LINEAR_FINAL) != LINEAR_FINAL) return false;
  const isWrite = ((qualification >> QUAL_WRITE_BIT) & 1) != 0;
  c.latchRights = (qualification & QUALIFICATION_RIGHTS) | (isWrite ? 1 << QUAL_READ_BIT : 0);
  c.latchGla = c.exitGla & ~PAGE_OFFSET;
  c.latchGpa = c.exitGpa & ~PAGE_OFFSET;
  return true;
}

/** In the race build somebody may have changed the code since the exit: there the instruction is looked at again first. */
function hasFirstAccess(c: Cpu): bool {
  return isDefined(RACE) ? false : c.exitAccessSize != 0;
}

function firstAccess(c: Cpu, answer: Answer): void {
  answer.addr = c.exitGpa;
  answer.data = c.exitAccessData;
  answer.gla = c.exitGla;
  answer.size = <u8>c.exitAccessSize;
  answer.dir = <u8>c.exitAccessDir;
  answer.space = ANSWER_MEMORY;
  answer.state = ANSWER_NEED;
  answer.goesTo = TO_NOBODY;
}

/** Nothing of an emulation that is over stays behind: equal states are equal bytes. */
function end(v: Vcpu, verdict: Verdict): Verdict {
  v.mmioGfn = NO_LATCH;
  RamWrites.drop(v.domain, Answers.of(v.cpu));
  FreeTables.clear(v.cpu);
  if (v.ioCompletion == IO_MMIO_COMPLETION) return verdict;
  v.cpu.latchRights = 0;
  accessEmulateEnd(v);
  return verdict;
}

/** The answer of a device model is in: goes on where emulateInstruction stopped. @returns true when the guest may be entered. */
export function emulateResume(v: Vcpu): bool {
  const answers = Answers.of(v.cpu);
  if (answers.count == 0 || v.ioState != <u32>STATE_IOREQ_RESP_READY) return true;
  const answer = answers.entry(answers.count - 1);
  if (answer.state != ANSWER_NEED) {
    domainCrash(v.domain, CRASH_IO_MISMATCH);
    return false;
  }
  if (answer.space == ANSWER_MEMORY && isPortReadForgotten(answers)) {
    domainCrash(v.domain, CRASH_IO_MISMATCH);
    return false;
  }
  const isRead = answer.dir == ANSWER_READ;
  const kind = answer.space == ANSWER_MEMORY ? memoryKind(isRead) : portKind(isRead);
  // Variant C-2: a page that is RAM by now is written, and nobody ends the request.
  const isByType = Variant.is(KNOB_RESUME, RESUME_BY_TYPE) && isRamNow(v, answer);
  if (isByType) memoryAnswer(v, answers);
  else if (ioDo(v, kind, answer.addr, answer.data, 1, answer.size, 0) != IO_OKAY) return false;
  if (isRead) answer.data = v.ioData;
  answer.state = ANSWER_DONE;
  const verdict = end(v, replay(v, v.cpu, true));
  return verdict != Verdict.Block && verdict != Verdict.Crash && (v.pauseFlags & VPF_BLOCKED_IN_XEN) == 0;
}

function isRamNow(v: Vcpu, answer: Answer): bool {
  return answer.space == ANSWER_MEMORY && P2m.lookup(v.domain, answer.addr >> 12, 0) == <u32>P2M_RAM_RW;
}

/**
 * An instruction whose write has waited and which read a port before it: Xen reads the port again, finds the answer of the write
 * there, and gives up (N-3).
 */
function isPortReadForgotten(answers: Answers): bool {
  if (Knobs.get(KNOB_EMULATE_INS) == <u32>AS_FIXED) return false;
  for (let i: u32 = 0; i + 1 < answers.count; i++) {
    if (answers.entry(i).space == ANSWER_PORT && answers.entry(i).dir == ANSWER_READ) return true;
  }
  return false;
}

/** @param isResumed the guest has not been in the instruction since its first request: what fails is started again, without #GP. */
function replay(v: Vcpu, c: Cpu, isResumed: bool): Verdict {
  const answers = Answers.of(c);
  while (true) {
    Count.one(CTR_REPLAYS);
    const reason = Run.cpuReplay(c);
    if (reason == <u32>EXIT_NEED_ANSWER) {
      const answer = answers.entry(answers.count - 1);
      const result = answer.space == ANSWER_MEMORY ? memoryAnswer(v, answers) : portAnswer(v, answer);
      if (result == IO_OKAY) answer.state = ANSWER_DONE;
      else return result == IO_RETRY ? wait(v) : isResumed && answers.mismatch == 0 ? Verdict.Retry : fail(v, answers);
    } else if (reason == <u32>EXIT_REPLAYED) {
      RamWrites.commit(v.domain, answers);
      return v.ioPending != 0 ? Verdict.Block : Verdict.Done;
    } else if (reason == <u32>EXIT_EPT_MISCONFIG) {
      if (!resolveExit(v)) return Verdict.Crash;
    } else if (reason == <u32>EXIT_EPT_VIOLATION) {
      if (!tableAccess(v, c)) return Verdict.Retry;
    } else if (reason == <u32>EXIT_UNHANDLEABLE) {
      return fail(v, answers);
    } else if (reason == <u32>EXIT_TRIPLE_FAULT) {
      return onTripleFault(v); // its exception could not be delivered
    } else if (c.fetchGfn != 0) {
      VcpuEvents.of(v).emulatedExit = reason + 1; // a listener's instruction, and one that exits
      return Verdict.Retry;
    } else {
      // Not the instruction that exited any more, the code has changed under our feet: the guest runs it itself.
      return Verdict.Retry;
    }
  }
}

/**
 * The replayed instruction's walk is refused a table, or wants to set an accessed or dirty bit in one that the guest may not write. It is
 * RAM: the hypervisor's own walk is not bound by the EPT; a table that is only tracked becomes dirty, as by the guest itself; a shared one
 * that is written becomes the guest's own. Nothing is there: the walk ends in #PF. @returns false when the guest has to try again: a paged
 * table is fetched first, or there is no memory to unshare one.
 */
function tableAccess(v: Vcpu, c: Cpu): bool {
  const d = v.domain;
  const gfn = c.exitGpa >> 12;
  const isWrite = ((<u32>c.exitQualification >> QUAL_WRITE_BIT) & 1) != 0;
  P2m.lock(d);
  const type = P2m.lookup(d, gfn, isWrite ? P2M_ALLOC | P2M_UNSHARE : P2M_ALLOC);
  const isPaged = P2mType.isPaging(type);
  const isStillShared = isWrite && P2mType.isShared(type);
  if (isWrite && type == <u32>P2M_RAM_LOGDIRTY) logDirtyFault(d, gfn);
  const mfn = P2mType.isRam(type) && Frame.isValid(d.lookupMfn) ? d.lookupMfn : 0;
  const isTold = !isPaged && !isStillShared && FreeTables.add(c, gfn, mfn);
  P2m.unlock(d);
  if (isPaged) pagingPopulate(d, gfn);
  return isTold;
}

/** The request went to a device model, or has to be made again from the start. */
function wait(v: Vcpu): Verdict {
  if (!ioIsWaiting(v)) return Verdict.Retry;
  v.ioCompletion = IO_MMIO_COMPLETION;
  return Verdict.Block;
}

/** The instruction cannot be emulated: #GP(0), as Xen does; one that changed while it waited crashes the domain. */
function fail(v: Vcpu, answers: Answers): Verdict {
  if (v.domain.isShuttingDown != 0 && v.domain.crashReason != 0) return Verdict.Crash;
  if (answers.mismatch != 0) {
    domainCrash(v.domain, CRASH_IO_MISMATCH);
    return Verdict.Crash;
  }
  return injectGp(v);
}

/** A port access of a string instruction. */
function portAnswer(v: Vcpu, answer: Answer): u32 {
  const isRead = answer.dir == ANSWER_READ;
  const result = ioDo(v, portKind(isRead), answer.addr, isRead ? 0 : answer.data, 1, answer.size, 0);
  if (result == IO_OKAY && isRead) answer.data = v.ioData;
  return result;
}

function portKind(isRead: bool): u32 {
  return isRead ? IOREQ_TYPE_PIO | IO_KIND_READ : IOREQ_TYPE_PIO;
}
