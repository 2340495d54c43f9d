/**
 * HYPERVISOR_multicall: a list of hypercalls in one. Entry: {op ulong, result ulong, args[6] ulong}. Each piece does a bounded
 * number of entries; an entry that is itself preempted has its arguments rewritten in guest memory and is done first in the next.
 */
import { EFAULT, EINVAL, ENOSYS, ERESTART, OK } from "../../abi/errno";
import { HC_MULTICALL } from "../../abi/hypercalls";
import { Vcpu } from "../vcpu";
import { continueWith, countWork, WORK_PER_CALL } from "./continuation";
import { hypercallDispatch } from "./dispatch";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";

/** Entries live above what the called operations use of the scratch memory. */
const ENTRY: usize = 0xfe00;

class Entry {
  @inline static word(v: Vcpu, index: u32): u64 {
    const at = Scratch.at + ENTRY;
    return v.hypercall64 != 0 ? load<u64>(at + ((<usize>index) << 3)) : load<u32>(at + ((<usize>index) << 2));
  }

  @inline static setWord(v: Vcpu, index: u32, value: u64): void {
    const at = Scratch.at + ENTRY;
    if (v.hypercall64 != 0) store<u64>(at + ((<usize>index) << 3), value);
    else store<u32>(at + ((<usize>index) << 2), <u32>value);
  }

  @inline static bytes(v: Vcpu): u32 {
    return v.hypercall64 != 0 ? 64 : 32;
  }
}

function callEntry(v: Vcpu): i64 {
  const nr = <u32>Entry.word(v, 0);
  if (nr == <u32>HC_MULTICALL) return -ENOSYS; // no lists inside lists
  return hypercallDispatch(
    v,
    nr,
    Entry.word(v, 2),
    Entry.word(v, 3),
    Entry.word(v, 4),
    Entry.word(v, 5),
    Entry.word(v, 6),
  );
}

export function multicall(v: Vcpu, list: u64, count: u32): i64 {
  const bytes = Entry.bytes(v);
  const at = Scratch.at + ENTRY;
  if (count > 0x00ff_ffff) return -EINVAL;
  for (let i: u32 = 0; i < count; i++) {
    if (i >= WORK_PER_CALL) return continueWith(v, list, count - i, 0);
    if (copyFromGuest(v, at, list, bytes) != 0) return -EFAULT;
    countWork(1);
    const result = callEntry(v);
    if (result == -ERESTART) {
      copyFromGuest(v, at, list, bytes);
      Entry.setWord(v, 2, v.continueArg1);
      Entry.setWord(v, 3, v.continueArg2);
      Entry.setWord(v, 4, v.continueArg3);
      if (copyToGuest(v, list, at, bytes) != 0) return -EFAULT;
      return continueWith(v, list, count - i, 0);
    }
    if (copyFromGuest(v, at, list, bytes) != 0) return -EFAULT;
    Entry.setWord(v, 1, result);
    if (copyToGuest(v, list, at, bytes) != 0) return -EFAULT;
    list += bytes;
    if (v.pauseFlags != 0 || v.pausedForShutdown != 0) {
      return i + 1 == count ? OK : continueWith(v, list, count - i - 1, 0);
    }
  }
  return OK;
}
