/**
 * Hash of the machine's state: every semantic byte in use and nothing else. Derived values inside semantic structures are cleared
 * or masked first. Free frames are left out where nobody looks at them; in the race build they hold poison, and who wrote to one is
 * found at the end, so a path that did must not meet one that did not. Two runs that agree here are in the same state.
 */
import { CONT_ASYNCIFY, CONT_STACK, CONT_STATE, CONT_SUSPENDED } from "../abi/continuation";
import {
  CONTINUATION_SIZE,
  CONTINUATIONS_BASE,
  MAILBOX_BASE,
  MAX_CONTINUATIONS,
  PAGE_SIZE,
  TLB_ENTRY_SIZE,
  VCPU_SIZE,
  VCPU_TLB_OFFSET,
  VCPUS_BASE,
} from "../abi/layout";
import { Machine } from "../base/machine";
import { Cpu } from "../hw/cpu";
import { DENY_SMC, DENY_WATCH, TLB_EMPTY } from "../hw/tlb";
import { FRAME_FREE, Frame } from "../mem/frame-table";
import { EXTENT_FRAMES, EXTENT_SEMANTIC, EXTENT_VCPUS, EXTENTS, Extent } from "./extents";
import { forEachCpuDropDerived, forgetFetchPage } from "./snapshot";

const SEED: u64 = 0xcbf2_9ce4_8422_2325;
/** Odd numbers without a pattern, so that no two differences that occur in tables and registers cancel each other. */
const STIR: u64 = 0x9e37_79b9_7f4a_7c15;
const SPREAD: u64 = 0xc2b2_ae3d_27d4_eb4f;

/**
 * One round over a word, as xxHash's: the word is spread over all bits before it meets the sum. A plain exclusive or is not enough
 * here: states of a search often differ in single bits of neighbouring words, and those must not cancel.
 */
class Round {
  @inline static of(hash: u64, word: u64): u64 {
    return rotl<u64>(hash + word * SPREAD, 31) * STIR;
  }
}

/** Four chains side by side, because each round waits for the one before it; then the rest. */
function hashBytes(hash: u64, start: usize, bytes: u32): u64 {
  const end = start + bytes;
  let at = start;
  if (bytes >= 64) {
    // Told apart by more than a bit: what two chains have in exchange must not look the same.
    let a = hash;
    let b = hash + STIR;
    let c = hash + SPREAD;
    let d = hash - STIR;
    for (const last = end - 32; at <= last; at += 32) {
      a = Round.of(a, load<u64>(at));
      b = Round.of(b, load<u64>(at, 8));
      c = Round.of(c, load<u64>(at, 16));
      d = Round.of(d, load<u64>(at, 24));
    }
    hash = Round.of(Round.of(Round.of(Round.of(hash, a), b), c), d);
  }
  for (; at < end; at += 8) hash = Round.of(hash, load<u64>(at));
  return hash;
}

/** A vCPU: everything but the TLB as it stands, then the TLB without the bits that say "holds decoded code" and "is watched". */
function hashVcpu(hash: u64, base: usize): u64 {
  const c = changetype<Cpu>(base);
  const page = c.fetchPage;
  const host = c.fetchHost;
  forgetFetchPage(c);
  hash = hashBytes(hash, base, VCPU_TLB_OFFSET);
  if (!isDefined(RACE)) {
    c.fetchPage = page;
    c.fetchHost = host;
  }
  const entries = changetype<Cpu>(base).tlbMask + 1;
  for (let i: u32 = 0; i < entries; i++) {
    const at = base + VCPU_TLB_OFFSET + i * TLB_ENTRY_SIZE;
    const tag = load<u64>(at);
    if (tag == TLB_EMPTY) {
      hash = Round.of(hash, tag);
      continue;
    }
    hash = Round.of(hash, tag & ~(DENY_SMC | DENY_WATCH));
    hash = Round.of(hash, load<u64>(at, 8));
  }
  const rest: usize = VCPU_TLB_OFFSET + 1024 * TLB_ENTRY_SIZE;
  return hashBytes(hash, base + rest, <u32>(VCPU_SIZE - rest));
}

function hashVcpus(hash: u64): u64 {
  const mark = Machine.get().vcpuMark;
  for (let slot: u32 = 0; slot < mark; slot++) hash = hashVcpu(hash, VCPUS_BASE + slot * VCPU_SIZE);
  return hash;
}

/** Contents of frames that somebody owns; of all frames in the race build. */
function hashFrames(hash: u64): u64 {
  const mark = Machine.get().frameMark;
  for (let mfn: u32 = 1; mfn < mark; mfn++) {
    if (!isDefined(RACE) && (Frame.at(mfn).flags & FRAME_FREE) != 0) continue;
    hash = hashBytes(hash, Frame.host(mfn), PAGE_SIZE);
  }
  return hash;
}

/** Suspended continuations: header, scratch, and the part of the stack that is used. */
function hashContinuations(hash: u64): u64 {
  for (let i: usize = 0; i < <usize>MAX_CONTINUATIONS; i++) {
    const slot = CONTINUATIONS_BASE + i * CONTINUATION_SIZE;
    if (load<u32>(slot, CONT_STATE) != <u32>CONT_SUSPENDED) continue;
    const end = load<u32>(slot, CONT_ASYNCIFY);
    hash = Round.of(hash, i);
    hash = hashBytes(hash, slot, CONT_STACK);
    hash = hashBytes(hash, slot + CONT_STACK, end - <u32>slot - CONT_STACK);
  }
  return hash;
}

/** Leaves the hash in the first eight bytes of the mailbox. */
export function stateHash(): void {
  const m = Machine.get();
  forEachCpuDropDerived();
  const arena = m.decodedArenaMark;
  m.decodedArenaMark = 0;
  let hash = SEED;
  for (let i: u32 = 0; i < EXTENTS; i++) {
    if (Extent.kind(i) != EXTENT_SEMANTIC) continue;
    if (i == EXTENT_VCPUS) hash = hashVcpus(hash);
    else if (i == EXTENT_FRAMES) hash = hashFrames(hash);
    else hash = hashBytes(hash, Extent.start(i), Extent.bytes(i));
  }
  if (isDefined(RACE)) hash = hashContinuations(hash);
  m.decodedArenaMark = arena;
  store<u64>(MAILBOX_BASE, hash);
}
