/**
 * The CPU record of an HVM context: public struct hvm_hw_cpu, 1032 bytes, to and from the processor (hw/cpu.ts). The FPU image
 * (the first 512 bytes) is carried as the state after reset, because the FPU is hidden from guests.
 */
import { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_LDTR, SEG_SS, SEG_TR } from "../../abi/cpu";
import { EINVAL, OK } from "../../abi/errno";
import { HVM_SAVE_CPU_SIZE } from "../../abi/hypercalls";
import { CR0_PE, CR4_PAE, EFER_LMA, EFER_LME, EFER_NXE, EFER_SCE, FLAG_FIXED } from "../../abi/regs";
import { Machine } from "../../base/machine";
import { ControlRegs } from "../../hw/control-regs";
import { Cpu } from "../../hw/cpu";
import { Flags } from "../../hw/flags";
import { CR0_PG, Mode } from "../../hw/mode";
import { attrFromSave, attrToSave } from "../sched/segment-attr";
import { guestTsc } from "../time/pvclock";
import { Vcpu, VPF_DOWN } from "../vcpu";

const REGS: usize = 512;
const RIP: usize = 640;
const RFLAGS: usize = 648;
const CR0: usize = 656;
const CR2: usize = 664;
const CR3: usize = 672;
const CR4: usize = 680;
const DR: usize = 688;
const SELECTORS: usize = 736;
const LIMITS: usize = 768;
const BASES: usize = 808;
const ATTRIBUTES: usize = 888;
const SYSENTER: usize = 920;
const SHADOW_GS: usize = 944;
const MSRS: usize = 960; // lstar star cstar syscall_mask efer tsc_aux
const TSC: usize = 1008;
const PENDING_EVENT: usize = 1016;
const ERROR_CODE: usize = 1020;

/** x87 control word and MXCSR in the FXSAVE image. */
const FCW: usize = 0;
const MXCSR: usize = 24;

/** Where the general registers stand: rax rbx rcx rdx rbp rsi rdi rsp r8.. against our encoding order. */
function registerAt(i: u32): u32 {
  switch (i) {
    case 0:
      return 0;
    case 1:
      return 3;
    case 2:
      return 1;
    case 3:
      return 2;
    case 4:
      return 5;
    case 5:
      return 6;
    case 6:
      return 7;
    case 7:
      return 4;
    default:
      return i;
  }
}

/** Order of segments in the record: cs ds es fs gs ss tr ldtr, then idtr and gdtr in the limits and bases. */
function segmentAt(i: u32): u32 {
  switch (i) {
    case 0:
      return SEG_CS;
    case 1:
      return SEG_DS;
    case 2:
      return SEG_ES;
    case 3:
      return SEG_FS;
    case 4:
      return SEG_GS;
    case 5:
      return SEG_SS;
    case 6:
      return SEG_TR;
    default:
      return SEG_LDTR;
  }
}

/** Writes the record of `v` at `to`. */
export function cpuRecordWrite(v: Vcpu, to: usize): void {
  const c = v.cpu;
  memory.fill(to, 0, HVM_SAVE_CPU_SIZE);
  store<u16>(to + FCW, 0x40);
  store<u32>(to + MXCSR, 0x1f80);
  for (let i: u32 = 0; i < 16; i++) store<u64>(to + REGS + ((<usize>i) << 3), c.reg(registerAt(i)));
  store<u64>(to + RIP, c.rip);
  store<u64>(to + RFLAGS, <u64>(c.rflags | Flags.image(c)));
  store<u64>(to + CR0, c.cr0);
  store<u64>(to + CR2, c.cr2);
  store<u64>(to + CR3, c.cr3);
  store<u64>(to + CR4, c.cr4);
  writeDebug(c, to + DR);
  for (let i: u32 = 0; i < 8; i++) {
    const s = c.seg(segmentAt(i));
    store<u32>(to + SELECTORS + ((<usize>i) << 2), s.selector);
    store<u32>(to + LIMITS + ((<usize>i) << 2), s.limit);
    store<u64>(to + BASES + ((<usize>i) << 3), s.base);
    store<u32>(to + ATTRIBUTES + ((<usize>i) << 2), attrToSave(s.attr));
  }
  store<u32>(to + LIMITS + 32, c.idtrLimit);
  store<u32>(to + LIMITS + 36, c.gdtrLimit);
  store<u64>(to + BASES + 64, c.idtrBase);
  store<u64>(to + BASES + 72, c.gdtrBase);
  writeMsrs(v, c, to);
  store<u32>(to + PENDING_EVENT, c.entryEvent);
  store<u32>(to + ERROR_CODE, c.entryErrorCode);
}

function writeDebug(c: Cpu, to: usize): void {
  store<u64>(to, c.dr0);
  store<u64>(to, c.dr1, 8);
  store<u64>(to, c.dr2, 16);
  store<u64>(to, c.dr3, 24);
  store<u64>(to, c.dr6, 32);
  store<u64>(to, c.dr7, 40);
}

function writeMsrs(v: Vcpu, c: Cpu, to: usize): void {
  store<u64>(to + SYSENTER, c.sysenterCs);
  store<u64>(to + SYSENTER + 8, c.sysenterEsp);
  store<u64>(to + SYSENTER + 16, c.sysenterEip);
  store<u64>(to + SHADOW_GS, c.kernelGsBase);
  store<u64>(to + MSRS, c.lstar);
  store<u64>(to + MSRS + 8, c.star);
  store<u64>(to + MSRS + 16, c.cstar);
  store<u64>(to + MSRS + 24, c.sfmask);
  store<u64>(to + MSRS + 32, c.efer);
  store<u64>(to + MSRS + 40, c.tscAux);
  store<u64>(to + TSC, guestTsc(v, Machine.get().now));
}

/** Control registers that no processor could have: the record is refused before anything changes. */
function isValid(from: usize): bool {
  const cr0 = load<u64>(from + CR0);
  const cr4 = load<u64>(from + CR4);
  const efer = load<u64>(from + MSRS + 32);
  if (cr0 >> 32 != 0) return false;
  if ((cr0 & CR0_PG) != 0 && (cr0 & CR0_PE) == 0) return false;
  if ((efer & ~(<u64>EFER_SCE | <u64>EFER_LME | <u64>EFER_LMA | <u64>EFER_NXE)) != 0) return false;
  const isLong = (efer & EFER_LMA) != 0;
  const shouldBeLong = (efer & EFER_LME) != 0 && (cr0 & CR0_PG) != 0;
  if (isLong != shouldBeLong) return false;
  if (isLong && (cr4 & CR4_PAE) == 0) return false;
  return !isLong || Mode.isCanonical(load<u64>(from + RIP));
}

/** Loads the record at `from` into `v`, which is on-line afterwards. OK, or -EINVAL and nothing has changed. */
export function cpuRecordRead(v: Vcpu, from: usize): i32 {
  if (!isValid(from)) return -EINVAL;
  const c = v.cpu;
  for (let i: u32 = 0; i < 16; i++) c.setReg(registerAt(i), load<u64>(from + REGS + ((<usize>i) << 3)));
  c.rip = load<u64>(from + RIP);
  c.rflags = <u32>load<u64>(from + RFLAGS) | FLAG_FIXED;
  c.flagKind = 0;
  c.cr0 = load<u64>(from + CR0) | 0x10;
  c.cr2 = load<u64>(from + CR2);
  c.cr3 = load<u64>(from + CR3);
  c.cr4 = load<u64>(from + CR4);
  readDebug(c, from + DR);
  for (let i: u32 = 0; i < 8; i++) {
    const s = c.seg(segmentAt(i));
    s.selector = load<u32>(from + SELECTORS + ((<usize>i) << 2)) & 0xffff;
    s.limit = load<u32>(from + LIMITS + ((<usize>i) << 2));
    s.base = load<u64>(from + BASES + ((<usize>i) << 3));
    s.attr = attrFromSave(load<u32>(from + ATTRIBUTES + ((<usize>i) << 2)));
  }
  c.idtrLimit = load<u32>(from + LIMITS + 32) & 0xffff;
  c.gdtrLimit = load<u32>(from + LIMITS + 36) & 0xffff;
  c.idtrBase = load<u64>(from + BASES + 64);
  c.gdtrBase = load<u64>(from + BASES + 72);
  readMsrs(v, c, from);
  c.entryEvent = load<u32>(from + PENDING_EVENT);
  c.entryErrorCode = load<u32>(from + ERROR_CODE);
  c.cpl = (c.seg(SEG_SS).attr >> 5) & 3;
  ControlRegs.refresh(c);
  v.initialised = 1;
  v.pauseFlags &= ~VPF_DOWN;
  return OK;
}

function readDebug(c: Cpu, from: usize): void {
  c.dr0 = load<u64>(from);
  c.dr1 = load<u64>(from, 8);
  c.dr2 = load<u64>(from, 16);
  c.dr3 = load<u64>(from, 24);
  c.dr6 = (load<u64>(from, 32) & 0xffff_ffff) | 0xffff_0ff0;
  c.dr7 = (load<u64>(from, 40) & 0xffff_ffff) | 0x400;
}

function readMsrs(v: Vcpu, c: Cpu, from: usize): void {
  c.sysenterCs = load<u64>(from + SYSENTER);
  c.sysenterEsp = load<u64>(from + SYSENTER + 8);
  c.sysenterEip = load<u64>(from + SYSENTER + 16);
  c.kernelGsBase = load<u64>(from + SHADOW_GS);
  c.lstar = load<u64>(from + MSRS);
  c.star = load<u64>(from + MSRS + 8);
  c.cstar = load<u64>(from + MSRS + 16);
  c.sfmask = load<u64>(from + MSRS + 24);
  c.efer = load<u64>(from + MSRS + 32);
  c.tscAux = load<u64>(from + MSRS + 40);
  c.tscOffset = load<u64>(from + TSC) - Machine.get().now;
}
