/**
 * HYPERVISOR_grant_table_op(command, list of structures, count): the table of its operations (spec 08 section 8.6).
 *
 * Lists are worked off one structure at a time, each fetched once and answered in its own status; a long list goes on as another call. An
 * HVM guest has the operations of Xen's hvm_grant_table_op; the rest is for PV, or for Arm. dom0, which is PV on a real machine but has
 * translated memory here, may also ask where its status frames are.
 */
import { CTR_GRANT_REFUSED } from "../../abi/counters";
import { EFAULT, EINVAL, ENOSYS, OK } from "../../abi/errno";
import {
  GNTST_OKAY,
  GNTTAB_COPY_BYTES,
  GNTTAB_COPY32_BYTES,
  GNTTAB_MAP_BYTES,
  GNTTAB_UNMAP_BYTES,
  GNTTABOP_COPY,
  GNTTABOP_GET_STATUS_FRAMES,
  GNTTABOP_GET_VERSION,
  GNTTABOP_MAP_GRANT_REF,
  GNTTABOP_MASK,
  GNTTABOP_QUERY_SIZE,
  GNTTABOP_SET_VERSION,
  GNTTABOP_SETUP_TABLE,
  GNTTABOP_SWAP_GRANT_REF,
  GNTTABOP_UNMAP_GRANT_REF,
} from "../../abi/grant";
import { Count } from "../../base/counters";
import { continueWith, countWork, WORK_PER_CALL } from "../hypercall/continuation";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { CopyOp, grantCopy } from "./copy";
import { COPY_RESTART } from "./copy-acquire";
import { grantMap, grantUnmap, MapOp, UnmapOp } from "./map";
import { grantGetVersion, grantQuerySize, grantSetupTable, grantStatusFrames } from "./setup";
import { grantSwap } from "./swap";
import { Grants } from "./table";
import { grantSetVersion } from "./version";

/** Where the running operation keeps what is not in registers: its structure, a 32-bit one before it is widened, what it works on. */
const NARROW: usize = 0x100;
const WORK: usize = 0x140;

function isKnown(v: Vcpu, op: u32): bool {
  switch (op) {
    case GNTTABOP_MAP_GRANT_REF:
    case GNTTABOP_UNMAP_GRANT_REF:
    case GNTTABOP_SETUP_TABLE:
    case GNTTABOP_COPY:
    case GNTTABOP_QUERY_SIZE:
    case GNTTABOP_SET_VERSION:
    case GNTTABOP_GET_VERSION:
    case GNTTABOP_SWAP_GRANT_REF:
      return true;
    default:
      return op == <u32>GNTTABOP_GET_STATUS_FRAMES && v.domain.isPrivileged != 0;
  }
}

/** {source, dest: {ref or gfn u32, domid u16, offset u16}, len u16, flags u16, status i16, pad}: 24 bytes, made 40. */
function widenCopy(from: usize, to: usize): void {
  for (let side: usize = 0; side < 2; side++) {
    store<u64>(to + side * 16, load<u32>(from + side * 8));
    store<u32>(to + side * 16, load<u32>(from + side * 8, 4), 8);
  }
  store<u64>(to, load<u64>(from, 16), 32);
}

/** Bytes of a structure of the lists. */
function sizeOf(op: u32, is64: bool): u32 {
  switch (op) {
    case GNTTABOP_MAP_GRANT_REF:
      return GNTTAB_MAP_BYTES;
    case GNTTABOP_UNMAP_GRANT_REF:
      return GNTTAB_UNMAP_BYTES;
    case GNTTABOP_COPY:
      return is64 ? GNTTAB_COPY_BYTES : GNTTAB_COPY32_BYTES;
    default:
      return 12; // swap
  }
}

/** One operation on the structure at `at`, and the offset at which its status belongs. @returns GNTST_* or COPY_RESTART. */
function perform(v: Vcpu, op: u32, at: usize): i32 {
  switch (op) {
    case GNTTABOP_MAP_GRANT_REF:
      return grantMap(v, changetype<MapOp>(at));
    case GNTTABOP_UNMAP_GRANT_REF:
      return grantUnmap(v, changetype<UnmapOp>(at));
    case GNTTABOP_COPY:
      return grantCopy(v, CopyOp.at(at), Scratch.at + WORK);
    default:
      return grantSwap(v.domain, load<u32>(at), load<u32>(at, 4));
  }
}

/** Where the status of a structure is, as the caller sees it. */
function statusOffset(op: u32, is64: bool): u32 {
  switch (op) {
    case GNTTABOP_MAP_GRANT_REF:
      return 18;
    case GNTTABOP_UNMAP_GRANT_REF:
      return 20;
    case GNTTABOP_COPY:
      return is64 ? 36 : 20;
    default:
      return 8;
  }
}

/** Answers structure number `i`: a map's goes back whole, of others only the status. */
function answer(v: Vcpu, op: u32, arg: u64, status: i32): bool {
  const at = Scratch.at;
  const is64 = v.hypercall64 != 0;
  const offset = statusOffset(op, is64);
  if (op == <u32>GNTTABOP_MAP_GRANT_REF) {
    changetype<MapOp>(at).status = <i16>status;
    return copyToGuest(v, arg, at, GNTTAB_MAP_BYTES) == 0;
  }
  store<i16>(at + NARROW, <i16>status);
  return copyToGuest(v, arg + offset, at + NARROW, 2) == 0;
}

function isFetched(v: Vcpu, op: u32, arg: u64): bool {
  const is64 = v.hypercall64 != 0;
  const isNarrow = op == <u32>GNTTABOP_COPY && !is64;
  const to = Scratch.at + (isNarrow ? NARROW : 0);
  if (copyFromGuest(v, to, arg, sizeOf(op, is64)) != 0) return false;
  if (isNarrow) widenCopy(to, Scratch.at);
  return true;
}

function list(v: Vcpu, cmd: u32, arg: u64, count: u32): i64 {
  const size = <u64>sizeOf(cmd, v.hypercall64 != 0);
  for (let i: u32 = 0; i < count; i++) {
    if (i >= WORK_PER_CALL) return continueWith(v, cmd, arg, count - i);
    countWork(1);
    if (!isFetched(v, cmd, arg)) return -EFAULT;
    const status = perform(v, cmd, Scratch.at);
    if (status == COPY_RESTART) return continueWith(v, cmd, arg, count - i);
    if (status != GNTST_OKAY) Count.one(CTR_GRANT_REFUSED);
    if (!answer(v, cmd, arg, status)) return -EFAULT;
    arg += size;
  }
  return OK;
}

/** {IN/OUT version u32}: what the table has afterwards goes back whatever happened. */
function setVersion(v: Vcpu, arg: u64): i64 {
  const at = Scratch.at;
  if (copyFromGuest(v, at, arg, 4) != 0) return -EFAULT;
  const result = grantSetVersion(v.domain, load<u32>(at), at + WORK);
  store<u32>(at, Grants.version(v.domain));
  return copyToGuest(v, arg, at, 4) != 0 ? -EFAULT : result;
}

/** @returns 0, or an errno of the call as a whole: -ENOSYS (not for this caller), -EINVAL (count, continuation bits), -EFAULT. */
export function grantTableOp(v: Vcpu, cmd: u32, arg: u64, count: u32): i64 {
  const op = cmd & GNTTABOP_MASK;
  const isHvm = v.domain.isPrivileged == 0;
  if (isHvm && !isKnown(v, cmd)) return -ENOSYS; // with continuation bits it is no operation of theirs
  if (<i32>count < 0 || cmd != op) return -EINVAL;
  if (!isKnown(v, op)) return -ENOSYS;
  switch (op) {
    case GNTTABOP_SETUP_TABLE:
      return grantSetupTable(v, arg, count);
    case GNTTABOP_QUERY_SIZE:
      return grantQuerySize(v, arg, count);
    case GNTTABOP_SET_VERSION:
      return setVersion(v, arg);
    case GNTTABOP_GET_VERSION:
      return grantGetVersion(v, arg);
    case GNTTABOP_GET_STATUS_FRAMES:
      return grantStatusFrames(v, arg, count);
    default:
      return list(v, op, arg, count);
  }
}
