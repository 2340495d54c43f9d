/**
 * HYPERVISOR_xen_version, as a Xen 4.17.7 answers an HVM guest (spec 08 section 8.6). Every buffer is zeroed before it is filled:
 * the tails of its strings must not show older contents.
 */
import { EFAULT, EINVAL, ENOSYS, EPERM, OK } from "../../abi/errno";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";

const XENVER_VERSION = 0;
const XENVER_EXTRAVERSION = 1;
const XENVER_COMPILE_INFO = 2;
const XENVER_CAPABILITIES = 3;
const XENVER_CHANGESET = 4;
const XENVER_PLATFORM_PARAMETERS = 5;
const XENVER_GET_FEATURES = 6;
const XENVER_PAGESIZE = 7;
const XENVER_GUEST_HANDLE = 8;
const XENVER_COMMANDLINE = 9;
const XENVER_BUILD_ID = 10;

/** 4.17 */
export const XEN_VERSION_WORD: u32 = (4 << 16) | 17;

// Text constants; the bytes after the NUL of each are not used.
const EMPTY = memory.data<u8>([0]);
const EXTRAVERSION = memory.data<u8>([0x2e, 0x37, 0]); // ".7"
const COMPILER = memory.data<u8>([0x61, 0x73, 0x63, 0]); // "asc"
const COMPILE_BY = memory.data<u8>([0x76, 0x6d, 0x65, 0x78, 0x69, 0x74, 0]); // "vmexit"
const COMPILE_DATE = memory.data<u8>([0x32, 0x30, 0x32, 0x36, 0]); // "2026"
// "xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 "
const CAPABILITIES = memory.data<u8>([
  0x78, 0x65, 0x6e, 0x2d, 0x33, 0x2e, 0x30, 0x2d, 0x78, 0x38, 0x36, 0x5f, 0x36, 0x34, 0x20, 0x68, 0x76, 0x6d, 0x2d,
  0x33, 0x2e, 0x30, 0x2d, 0x78, 0x38, 0x36, 0x5f, 0x33, 0x32, 0x20, 0x68, 0x76, 0x6d, 0x2d, 0x33, 0x2e, 0x30, 0x2d,
  0x78, 0x38, 0x36, 0x5f, 0x33, 0x32, 0x70, 0x20, 0x68, 0x76, 0x6d, 0x2d, 0x33, 0x2e, 0x30, 0x2d, 0x78, 0x38, 0x36,
  0x5f, 0x36, 0x34, 0x20, 0,
]);
// "<denied>": what an unprivileged caller reads where the answer would tell about the host.
const DENIED = memory.data<u8>([0x3c, 0x64, 0x65, 0x6e, 0x69, 0x65, 0x64, 0x3e, 0]);

// XENFEAT_* bits of submap 0.
const FEATURE_WRITABLE_PAGE_TABLES: u32 = 1 << 0;
const FEATURE_AUTO_TRANSLATED: u32 = 1 << 2;
const FEATURE_HVM_CALLBACK_VECTOR: u32 = 1 << 8;
const FEATURE_HVM_SAFE_PVCLOCK: u32 = 1 << 9;
const FEATURE_DOM0: u32 = 1 << 11;
const FEATURE_MEMORY_OP_VNODE: u32 = 1 << 13;
const FEATURE_NOT_DIRECT_MAPPED: u32 = 1 << 16;

/** Start of the hypervisor's own virtual addresses, as 64-bit guests are told. */
const HYPERVISOR_VIRT_START: u64 = 0xffff_8000_0000_0000;

/** Copies a NUL-ended text of at most `size` bytes into a zeroed buffer and that to the guest. */
function text(v: Vcpu, arg: u64, from: usize, size: u32): i32 {
  const at = Scratch.at;
  memory.fill(at, 0, size);
  append(at, from);
  return copyToGuest(v, arg, at, size) != 0 ? -EFAULT : OK;
}

function append(to: usize, from: usize): void {
  for (; load<u8>(from) != 0; from++, to++) store<u8>(to, load<u8>(from));
}

/** {compiler[64], compile_by[16], compile_domain[32], compile_date[32]}. */
function compileInfo(v: Vcpu, arg: u64): i32 {
  const at = Scratch.at;
  memory.fill(at, 0, 144);
  append(at, COMPILER);
  append(at + 64, COMPILE_BY);
  append(at + 112, COMPILE_DATE);
  return copyToGuest(v, arg, at, 144) != 0 ? -EFAULT : OK;
}

function features(d: Domain): u32 {
  const common =
    FEATURE_WRITABLE_PAGE_TABLES |
    FEATURE_AUTO_TRANSLATED |
    FEATURE_HVM_CALLBACK_VECTOR |
    FEATURE_HVM_SAFE_PVCLOCK |
    FEATURE_MEMORY_OP_VNODE |
    FEATURE_NOT_DIRECT_MAPPED;
  return d.isPrivileged != 0 ? common | FEATURE_DOM0 : common;
}

/** {submap_idx u32 in, submap u32 out}; 4.17 knows submap 0 only. */
function getFeatures(v: Vcpu, arg: u64): i32 {
  const at = Scratch.at;
  if (copyFromGuest(v, at, arg, 8) != 0) return -EFAULT;
  if (load<u32>(at) != 0) return -EINVAL;
  store<u32>(at, features(v.domain), 4);
  return copyToGuest(v, arg, at, 8) != 0 ? -EFAULT : OK;
}

/** {virt_start ulong}: where the hypervisor's own area starts; 0 for 32-bit callers, who share no address space with it. */
function platformParameters(v: Vcpu, arg: u64): i32 {
  store<u64>(Scratch.at, v.hypercall64 != 0 ? HYPERVISOR_VIRT_START : 0);
  return copyToGuest(v, arg, Scratch.at, v.hypercall64 != 0 ? 8 : 4) != 0 ? -EFAULT : OK;
}

function guestHandle(v: Vcpu, arg: u64): i32 {
  const d = v.domain;
  store<u64>(Scratch.at, d.handle0);
  store<u64>(Scratch.at, d.handle1, 8);
  return copyToGuest(v, arg, Scratch.at, 16) != 0 ? -EFAULT : OK;
}

/** Guests may not ask; dom0 gives no buffer that could hold one, because no build id was linked in. */
function buildId(v: Vcpu): i32 {
  return v.domain.isPrivileged != 0 ? -EINVAL : -EPERM;
}

export function xenVersion(v: Vcpu, cmd: u32, arg: u64): i64 {
  switch (cmd) {
    case XENVER_VERSION:
      return XEN_VERSION_WORD;
    case XENVER_EXTRAVERSION:
      return text(v, arg, EXTRAVERSION, 16);
    case XENVER_COMPILE_INFO:
      return compileInfo(v, arg);
    case XENVER_CAPABILITIES:
      return text(v, arg, CAPABILITIES, 1024);
    case XENVER_CHANGESET:
      return text(v, arg, EMPTY, 64);
    case XENVER_PLATFORM_PARAMETERS:
      return platformParameters(v, arg);
    case XENVER_GET_FEATURES:
      return getFeatures(v, arg);
    case XENVER_PAGESIZE:
      return arg == 0 ? 4096 : -EINVAL;
    case XENVER_GUEST_HANDLE:
      return guestHandle(v, arg);
    case XENVER_COMMANDLINE:
      return text(v, arg, v.domain.isPrivileged != 0 ? EMPTY : DENIED, 1024);
    case XENVER_BUILD_ID:
      return buildId(v);
    default:
      return -ENOSYS;
  }
}
