/**
 * One memory access of an emulated instruction: the p2m type of its page decides whether it is I/O, RAM or nothing
 * (spec 03 section 3.5 step 7, and what Xen's guest copy does with read-only pages).
 *
 * Before: emulate/emulate.ts. After: emulate/do-io.ts for I/O, emulate/ram-writes.ts for what is written to RAM.
 */

import { DMOP_MEM_ACCESS_WRITE } from "../../abi/hypercalls";
import { IOREQ_TYPE_COPY } from "../../abi/ioreq";
import {
  AS_FIXED,
  KNOB_EMULATE_CACHE,
  KNOB_NO_SERVER,
  KNOB_PIECES,
  KNOB_RMW_READ,
  KNOB_TYPE_READ,
  NO_SERVER_COPY,
  PIECES_BY_FIRST,
} from "../../abi/knobs";
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
import { W_COPY_DECIDED } from "../../abi/windows";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { ANSWER_READ, Answer, Answers, TO_DEVICE, TO_RAM } from "../../hw/answers";
import { frameRead8, frameRead16, frameRead32, frameRead64 } from "../../mem/frame-access";
import { Frame } from "../../mem/frame-table";
import { accessOverrides } from "../access/emulate";
import { Domain, NO_SERVER } from "../domain";
import { TypeOwner } from "../ioreq/type-owner";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";
import { Vcpu } from "../vcpu";
import { ioDo } from "./do-io";
import { Internal } from "./internal";
import { IO_KIND_READ } from "./io-kind";
import { IO_OKAY, IO_RETRY, IO_UNHANDLEABLE } from "./io-result";
import { RamWrites } from "./ram-writes";

/** Entries of Xen's cache of device accesses (struct hvm_mmio_cache). */
const XEN_CACHE_ENTRIES: u32 = 3;
const PAGE_OFFSET: u64 = 0xfff;

/** No page is latched in Vcpu.mmioGfn. */
export const NO_LATCH: u64 = 0xffff_ffff_ffff_ffff;

/** What fromMemory says beside IO_*: a page that is out, and (plus the page's type) that the access is not for memory. */
const PAGED: u32 = 0x100;
const NOT_MEMORY: u32 = 0x200;

/** Gets the last answer of the list, a memory access. @returns IO_*; with IO_OKAY a read's data is in its `data`. */
export function memoryAnswer(v: Vcpu, answers: Answers): u32 {
  const answer = answers.entry(answers.count - 1);
  const d = v.domain;
  const isRead = answer.dir == ANSWER_READ;
  const gpa = answer.addr;
  let type: u32 = 0;
  if (!Internal.claimsMemory(v, gpa)) {
    // From the look at its page until it is made, nothing may happen to a write (ram-writes.ts).
    const isLocked = !isRead && RamWrites.lock(d, answers);
    const result = fromMemory(v, answers, answer);
    if (isLocked && answer.goesTo != TO_RAM) P2m.unlock(d);
    if (result == PAGED) {
      pagingPopulate(d, gpa >> 12);
      return IO_RETRY; // without a request: the instruction is run again when the page is back
    }
    if (result < NOT_MEMORY) return result;
    type = result - NOT_MEMORY;
  }
  answer.goesTo = TO_DEVICE;
  if (isBeyondCache(answers)) return IO_UNHANDLEABLE;
  RamWrites.commit(d, answers);
  const result = ioDo(v, memoryKind(isRead), gpa, isRead ? 0 : answer.data, 1, <u32>answer.size, type);
  if (result == IO_OKAY && isRead) answer.data = v.ioData;
  return result;
}

/** What the p2m says about an access: RAM has the answer, the page is away, or it is for a device. */
function fromMemory(v: Vcpu, answers: Answers, answer: Answer): u32 {
  const d = v.domain;
  const isRead = answer.dir == ANSWER_READ;
  const type = goesWithTheFirst(answers) ? P2M_IOREQ_SERVER : pageType(v, answer.addr >> 12, isRead);
  if (!isRead && P2mType.isShared(type)) return IO_RETRY; // no memory for a copy of its own
  const mfn = d.lookupMfn;
  if (P2mType.isPaging(type)) return PAGED;
  if (isRamOfGuest(type, mfn) && accessOverrides(v, answer, skipped(answers))) return IO_OKAY;
  if (isPlainRam(d, type, isRead) && Frame.isValid(mfn)) {
    // Knob unmap.onNoServer=copy (spec 03 section 3.7 D): somebody may become the type's server before the write is made.
    if (!isRead && type == <u32>P2M_IOREQ_SERVER) Window.at(W_COPY_DECIDED, changetype<usize>(d), ACCESS_READ);
    return ram(answer, mfn, isRead, <u32>answer.size);
  }
  if (!isRead && (type == <u32>P2M_RAM_RO || type == <u32>P2M_GRANT_MAP_RO)) return IO_OKAY; // silently dropped
  return NOT_MEMORY + type;
}

function isRamOfGuest(type: u32, mfn: u32): bool {
  return P2mType.isRam(type) && Frame.isValid(mfn);
}

/** Bytes of the same access that answers before the last one have had: pieces of sixteen bytes, or of an odd length. */
function skipped(answers: Answers): u32 {
  let i = answers.count - 1;
  let bytes: u32 = 0;
  while (i != 0 && isPieceOf(answers.entry(i - 1), answers.entry(i))) bytes += answers.entry(--i).size;
  return bytes;
}

/**
 * Xen remembers three device accesses of an instruction while it waits, each by its linear address and direction and inside one
 * page; an instruction with more of them never ends (N-2).
 */
function isBeyondCache(answers: Answers): bool {
  if (Knobs.get(KNOB_EMULATE_CACHE) == <u32>AS_FIXED || answers.count <= XEN_CACHE_ENTRIES) return false;
  let entries: u32 = 0;
  for (let i: u32 = 0; i < answers.count; i++) {
    const answer = answers.entry(i);
    if (answer.goesTo == TO_DEVICE && (i == 0 || !isPartOf(answers.entry(i - 1), answer))) entries++;
  }
  return entries > XEN_CACHE_ENTRIES;
}

/** Whether two answers are pieces of one access inside a page: the lower half of 16 bytes, or the larger piece of an odd length. */
function isPartOf(before: Answer, answer: Answer): bool {
  return before.goesTo == TO_DEVICE && isPieceOf(before, answer);
}

function isPieceOf(before: Answer, answer: Answer): bool {
  if (before.dir != answer.dir || before.gla + <u64>before.size != answer.gla) return false;
  if (((before.gla ^ answer.gla) & ~PAGE_OFFSET) != 0) return false;
  return answer.size < before.size || (answer.size == 8 && before.size == 8);
}

/** Variant C-1 B: the second half of a split access follows the first one to the device model, whatever the page is by now. */
function goesWithTheFirst(answers: Answers): bool {
  if (!Variant.is(KNOB_PIECES, PIECES_BY_FIRST) || answers.count < 2) return false;
  const last = answers.count - 1;
  answers.entry(last).goesTo = TO_DEVICE;
  return isPartOf(answers.entry(last - 1), answers.entry(last));
}

export function memoryKind(isRead: bool): u32 {
  return isRead ? IOREQ_TYPE_COPY | IO_KIND_READ : IOREQ_TYPE_COPY;
}

/** Type of the page; d.lookupMfn goes with it. The page that faulted was looked up already, and is locked. */
function pageType(v: Vcpu, gfn: u64, isRead: bool): u32 {
  if (gfn == v.mmioGfn) return v.mmioType;
  return P2m.lookup(v.domain, gfn, isRead ? P2M_ALLOC : P2M_ALLOC | P2M_UNSHARE);
}

/** Reads of a page whose writes are watched or dropped come from RAM, also the read half of a read-modify-write. */
function isPlainRam(d: Domain, type: u32, isRead: bool): bool {
  switch (type) {
    case P2M_RAM_RW:
    case P2M_RAM_LOGDIRTY:
      return true;
    case P2M_RAM_RO:
    case P2M_GRANT_MAP_RO:
    case P2M_RAM_SHARED:
      return isRead;
    case P2M_IOREQ_SERVER:
      return isUnwatched(d, isRead);
    default:
      return false;
  }
}

/**
 * Whether nobody wants this access to a page of type ioreq_server. Reads come here as the read half of a read-modify-write, or because
 * the server asked for reads as well.
 */
function isUnwatched(d: Domain, isRead: bool): bool {
  const isAsXen = Knobs.get(KNOB_TYPE_READ) == 0 && Knobs.get(KNOB_RMW_READ) == 0;
  if (isAsXen && Knobs.get(KNOB_NO_SERVER) != <u32>NO_SERVER_COPY) return isRead; // whoever has the type
  const owner = TypeOwner.of(d);
  if (TypeOwner.server(owner) == NO_SERVER) return isRead || Knobs.get(KNOB_NO_SERVER) == <u32>NO_SERVER_COPY;
  if (!isRead) return (TypeOwner.flags(owner) & DMOP_MEM_ACCESS_WRITE) == 0;
  return !TypeOwner.wantsReads(owner) && Knobs.get(KNOB_RMW_READ) == 0;
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
  answer.goesTo = TO_RAM; // not yet: the instruction is run again from its start
  return IO_OKAY;
}
