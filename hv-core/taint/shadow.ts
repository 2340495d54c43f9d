/**
 * The shadow of the hypervisor's memory (spec 05, "What information leak means"). scripts/taint.mjs makes build/taint.wasm: the debug
 * build in which every load and store of the core goes through the functions here, which are a module of their own beside it. So
 * the taint costs the other builds nothing, and no line of the hypervisor can forget it.
 *
 * Work memory (the scratch of hypercalls) has a shadow byte for each byte: at the start of a hypercall nobody has written it. A
 * store makes a byte clean; a store of what was just loaded hands the taint on. The rest has a taint by its place: a free frame is
 * what its last owner left, a frame of a third domain is that domain's, a domain's or vCPU's record is the hypervisor's.
 *
 * A leak is a tainted byte that is stored into a frame a domain can read.
 */
import {
  DOMAINS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  FRAMES_BASE,
  MACHINE_BASE,
  PAGE_SHIFT,
  SHADOW_BASE,
  SLABS_BASE,
  VCPUS_BASE,
  WORK_BASE,
  WORK_SIZE,
} from "../abi/layout";
import {
  TAINT_ANY,
  TAINT_CALLER,
  TAINT_COUNT,
  TAINT_HYPERVISOR,
  TAINT_KIND,
  TAINT_LOAD_AT,
  TAINT_LOAD_KIND,
  TAINT_LOAD_VALUE,
  TAINT_NONE,
  TAINT_ON,
  TAINT_OTHER,
  TAINT_SOURCE,
  TAINT_STATE,
  TAINT_STORE_AT,
  TAINT_STORE_BYTES,
  TAINT_TARGET,
  TAINT_TO,
  TAINT_UNINITIALISED,
} from "../abi/taint";
import "../base/abort";

/** Flags of a frame, and owners that are no domain (mem/frame-table.ts). */
const FRAME_FREE: u32 = 16;
const FRAME_XEN_HEAP: u32 = 2;
const FRAME_TABLE: u32 = 8;
const FRAME_SHOWN: u32 = 32;
const FIRST_SPECIAL_OWNER: u32 = 0xfffd;
const OWNER_XEN: u32 = 0xfffe;

class Word {
  @inline static get(offset: usize): u32 {
    return load<u32>(TAINT_STATE + offset);
  }

  @inline static set(offset: usize, value: u32): void {
    store<u32>(TAINT_STATE + offset, value);
  }
}

class Work {
  @inline static has(at: u32): bool {
    return at - <u32>WORK_BASE < <u32>WORK_SIZE;
  }

  @inline static shadow(at: u32): usize {
    return SHADOW_BASE + <usize>(at - <u32>WORK_BASE);
  }
}

/** A hypercall of the domain in slot `caller` about the one in slot `target` begins: its work memory holds what others left. */
export function taintBegin(caller: u32, target: u32): void {
  memory.fill(SHADOW_BASE, <u8>TAINT_UNINITIALISED, WORK_SIZE);
  memory.fill(TAINT_STATE, 0, 64);
  Word.set(TAINT_CALLER, caller);
  Word.set(TAINT_TARGET, target);
  Word.set(TAINT_ON, 1);
}

/** @returns how many tainted bytes went out. The first one: TAINT_KIND, TAINT_SOURCE and TAINT_TO in the state. */
export function taintEnd(): u32 {
  Word.set(TAINT_ON, 0);
  return Word.get(TAINT_COUNT);
}

/** Objects in the hypervisor's heap are records like those with fixed places: see taintOf. */
function frameTaint(at: u32, bytes: u32): u32 {
  const record: usize = FRAME_TABLE_BASE + <usize>((at - <u32>FRAMES_BASE) >> PAGE_SHIFT) * FRAME_RECORD_SIZE;
  const owner: u32 = load<u16>(record);
  if ((<u32>load<u16>(record, 2) & FRAME_FREE) != 0) return TAINT_UNINITIALISED;
  if (owner == Word.get(TAINT_CALLER) || owner == Word.get(TAINT_TARGET)) return TAINT_NONE;
  if (owner == OWNER_XEN && bytes != 1) return TAINT_NONE;
  if (owner >= FIRST_SPECIAL_OWNER) return TAINT_HYPERVISOR;
  return Word.get(TAINT_TARGET) == <u32>TAINT_ANY ? TAINT_NONE : TAINT_OTHER;
}

/** Taint of the bytes at `at`: of any of them in work memory, by their place elsewhere. */
function taintOf(at: u32, bytes: u32): u32 {
  if (Work.has(at)) {
    let kind: u32 = TAINT_NONE;
    for (let i: u32 = 0; i < bytes; i++) kind |= load<u8>(Work.shadow(at) + i);
    return kind;
  }
  if (at >= <u32>FRAMES_BASE) return frameTaint(at, bytes);
  // Records are read all the time to compute answers; only a byte by byte copy of one is a leak.
  if (bytes != 1 || at < <u32>MACHINE_BASE) return TAINT_NONE;
  const isRecord = at >= <u32>DOMAINS_BASE || at < <u32>SLABS_BASE;
  return isRecord && at >= <u32>VCPUS_BASE ? TAINT_HYPERVISOR : TAINT_NONE;
}

/** Whether a domain's page tables can show the frame at `at` to it: its memory, and of the hypervisor's own frames those it is shown. */
function isVisible(at: u32): bool {
  if (at < <u32>FRAMES_BASE) return false;
  const record: usize = FRAME_TABLE_BASE + <usize>((at - <u32>FRAMES_BASE) >> PAGE_SHIFT) * FRAME_RECORD_SIZE;
  const flags: u32 = load<u16>(record, 2);
  if ((flags & FRAME_TABLE) != 0) return false;
  return (flags & FRAME_XEN_HEAP) == 0 || (flags & FRAME_SHOWN) != 0;
}

export function load_ptr(_id: u32, bytes: u32, offset: u32, ptr: u32): u32 {
  if (Word.get(TAINT_ON) != 0) {
    Word.set(TAINT_LOAD_AT, ptr + offset);
    Word.set(TAINT_LOAD_KIND, taintOf(ptr + offset, bytes));
  }
  return ptr;
}

export function load_val_i32(_id: u32, value: u32): u32 {
  store<u64>(TAINT_STATE + TAINT_LOAD_VALUE, value);
  return value;
}

export function load_val_i64(_id: u32, value: u64): u64 {
  store<u64>(TAINT_STATE + TAINT_LOAD_VALUE, value);
  return value;
}

export function store_ptr(_id: u32, bytes: u32, offset: u32, ptr: u32): u32 {
  Word.set(TAINT_STORE_AT, ptr + offset);
  Word.set(TAINT_STORE_BYTES, bytes);
  return ptr;
}

function stored(value: u64): void {
  const at = Word.get(TAINT_STORE_AT);
  const bytes = Word.get(TAINT_STORE_BYTES);
  const kind = Word.get(TAINT_LOAD_KIND);
  const mask: u64 = bytes >= 8 ? ~(<u64>0) : ((<u64>1) << (bytes * 8)) - 1;
  const isCopy = kind != TAINT_NONE && ((load<u64>(TAINT_STATE + TAINT_LOAD_VALUE) ^ value) & mask) == 0;
  if (Work.has(at)) memory.fill(Work.shadow(at), isCopy ? <u8>kind : 0, bytes);
  else if (isCopy && isVisible(at)) leaked(kind, at, bytes);
  Word.set(TAINT_LOAD_KIND, TAINT_NONE);
}

function leaked(kind: u32, at: u32, bytes: u32): void {
  if (Word.get(TAINT_COUNT) == 0) {
    Word.set(TAINT_KIND, kind);
    Word.set(TAINT_SOURCE, Word.get(TAINT_LOAD_AT));
    Word.set(TAINT_TO, at);
  }
  Word.set(TAINT_COUNT, Word.get(TAINT_COUNT) + bytes);
}

export function store_val_i32(_id: u32, value: u32): u32 {
  if (Word.get(TAINT_ON) != 0) stored(value);
  return value;
}

export function store_val_i64(_id: u32, value: u64): u64 {
  if (Word.get(TAINT_ON) != 0) stored(value);
  return value;
}

export function load_val_f32(_id: u32, value: f32): f32 {
  return value;
}

export function load_val_f64(_id: u32, value: f64): f64 {
  return value;
}

export function store_val_f32(_id: u32, value: f32): f32 {
  return value;
}

export function store_val_f64(_id: u32, value: f64): f64 {
  return value;
}
