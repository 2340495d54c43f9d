/**
 * One memory access of an emulated instruction: the p2m type of its page decides whether it is I/O, RAM or nothing
 * (spec 03 section 3.5 step 7, and what Xen's guest copy does with read-only pages).
 *
 * Before: emulate/emulate.ts. After: emulate/do-io.ts for I/O.
 */
import { IOREQ_TYPE_COPY } from "../../abi/ioreq";
import {
  P2M_ALLOC,
  P2M_GRANT_MAP_RO,
  P2M_IOREQ_SERVER,
  P2M_RAM_LOGDIRTY,
  P2M_RAM_RO,
  P2M_RAM_RW,
  P2M_RAM_SHARED,
  P2M_UNSHARE,
} from "../../abi/p2m-types";
import { ANSWER_READ, Answer } from "../../hw/answers";
import {
  frameRead8,
  frameRead16,
  frameRead32,
  frameRead64,
  frameWrite8,
  frameWrite16,
  frameWrite32,
  frameWrite64,
} from "../../mem/frame-access";
import { Frame } from "../../mem/frame-table";
import { logDirtyMark } from "../logdirty/bitmap";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { ioDo } from "./do-io";
import { Internal } from "./internal";
import { IO_KIND_READ } from "./io-kind";
import { IO_OKAY } from "./io-result";

/** No page is latched in Vcpu.mmioGfn. */
export const NO_LATCH: u64 = 0xffff_ffff_ffff_ffff;

/** Gets the answer for one memory access. @returns IO_*; with IO_OKAY a read's data is in `answer.data`. */
export function memoryAnswer(v: Vcpu, answer: Answer): u32 {
  const isRead = answer.dir == ANSWER_READ;
  const size = <u32>answer.size;
  const gpa = answer.addr;
  let type: u32 = 0;
  if (!Internal.claimsMemory(v, gpa)) {
    type = pageType(v, gpa >> 12);
    const mfn = v.domain.lookupMfn;
    if (isPlainRam(type, isRead) && Frame.isValid(mfn)) {
      if (!isRead) logDirtyMark(v.domain, gpa >> 12);
      return ram(answer, mfn, isRead, size);
    }
    if (!isRead && (type == <u32>P2M_RAM_RO || type == <u32>P2M_GRANT_MAP_RO)) return IO_OKAY; // silently dropped
  }
  const result = ioDo(v, memoryKind(isRead), gpa, isRead ? 0 : answer.data, 1, size, type);
  if (result == IO_OKAY && isRead) answer.data = v.ioData;
  return result;
}

export function memoryKind(isRead: bool): u32 {
  return isRead ? IOREQ_TYPE_COPY | IO_KIND_READ : IOREQ_TYPE_COPY;
}

/** Type of the page; d.lookupMfn goes with it. The page that faulted was looked up already, and is locked. */
function pageType(v: Vcpu, gfn: u64): u32 {
  return gfn == v.mmioGfn ? v.mmioType : P2m.lookup(v.domain, gfn, P2M_ALLOC | P2M_UNSHARE);
}

/** Reads of a page whose writes are watched or dropped come from RAM, also the read half of a read-modify-write. */
function isPlainRam(type: u32, isRead: bool): bool {
  switch (type) {
    case P2M_RAM_RW:
    case P2M_RAM_LOGDIRTY:
      return true;
    case P2M_RAM_RO:
    case P2M_GRANT_MAP_RO:
    case P2M_RAM_SHARED:
    case P2M_IOREQ_SERVER:
      return isRead;
    default:
      return false;
  }
}

function ram(answer: Answer, mfn: u32, isRead: bool, size: u32): u32 {
  const offset = <u32>answer.addr & 0xfff;
  if (isRead) {
    switch (size) {
      case 1:
        answer.data = frameRead8(mfn, offset);
        break;
      case 2:
        answer.data = frameRead16(mfn, offset);
        break;
      case 4:
        answer.data = frameRead32(mfn, offset);
        break;
      default:
        answer.data = frameRead64(mfn, offset);
    }
    return IO_OKAY;
  }
  switch (size) {
    case 1:
      frameWrite8(mfn, offset, <u32>answer.data);
      break;
    case 2:
      frameWrite16(mfn, offset, <u32>answer.data);
      break;
    case 4:
      frameWrite32(mfn, offset, <u32>answer.data);
      break;
    default:
      frameWrite64(mfn, offset, answer.data);
  }
  return IO_OKAY;
}
