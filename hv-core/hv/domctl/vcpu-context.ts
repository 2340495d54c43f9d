/**
 * DOMCTL_setvcpucontext and getvcpucontext: {vcpu u32, pad, handle u64} of a vcpu_guest_context (64-bit, 5168 bytes). For an HVM vCPU
 * the general registers, RIP, RFLAGS, debug registers and the on-line flag are taken; control registers and segments come from an
 * HVM context (hvm-context.ts). Rows V212..V221.
 */
import { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS } from "../../abi/cpu";
import { VCPU_CONTEXT_SIZE, VGCF_IN_KERNEL, VGCF_ONLINE } from "../../abi/domctl";
import { EFAULT, EINVAL, ENODATA, EOPNOTSUPP, ESRCH, OK } from "../../abi/errno";
import { FLAG_FIXED } from "../../abi/regs";
import { Cpu } from "../../hw/cpu";
import { Flags } from "../../hw/flags";
import { Domain } from "../domain";
import { findVcpu, isPvDomain } from "../domain/find";
import { domainPauseSync, domainUnpause } from "../domain/pause";
import { cpuReset } from "../domain/vcpu-create";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { lapicReset } from "../irq/lapic";
import { Vcpu, VPF_DOWN } from "../vcpu";
import { xstateReset } from "../xstate";

/** The structure, above the domctl's own. */
const CONTEXT: usize = 0x1000;
const FLAGS: usize = 512;
const USER_REGS: usize = 520;
const RIP: usize = USER_REGS + 128;
const CS: usize = USER_REGS + 136;
const RFLAGS: usize = USER_REGS + 144;
const RSP: usize = USER_REGS + 152;
const SS: usize = USER_REGS + 160;
const CONTROL: usize = 4984;
const DEBUG_REGS: usize = 5048;

/** Order of the first fifteen registers: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi, as encodings. */
function registerAt(i: u32): u32 {
  if (i < 4) return 15 - i;
  if (i == 4) return 5;
  if (i == 5) return 3;
  if (i < 10) return 17 - i;
  if (i == 10) return 0;
  return i < 13 ? i - 10 : i - 7;
}

/** es ds fs gs, after ss. */
function dataSegmentAt(i: u32): u32 {
  return i == 0 ? <u32>SEG_ES : i == 1 ? <u32>SEG_DS : i == 2 ? <u32>SEG_FS : <u32>SEG_GS;
}

function writeRegisters(c: Cpu, to: usize): void {
  for (let i: u32 = 0; i < 15; i++) store<u64>(to + USER_REGS + ((<usize>i) << 3), c.reg(registerAt(i)));
  store<u64>(to + RIP, c.rip);
  store<u16>(to + CS, <u16>c.seg(SEG_CS).selector);
  store<u64>(to + RFLAGS, <u64>(c.rflags | Flags.image(c)));
  store<u64>(to + RSP, c.reg(4));
  store<u64>(to + SS, c.seg(SEG_SS).selector);
  for (let i: u32 = 0; i < 4; i++) store<u64>(to + SS + 8 + ((<usize>i) << 3), c.seg(dataSegmentAt(i)).selector);
  store<u64>(to + CONTROL, c.cr0);
  store<u64>(to + CONTROL + 16, c.cr2);
  store<u64>(to + CONTROL + 24, c.cr3);
  store<u64>(to + CONTROL + 32, c.cr4);
  store<u64>(to + DEBUG_REGS, c.dr0);
  store<u64>(to + DEBUG_REGS + 8, c.dr1);
  store<u64>(to + DEBUG_REGS + 16, c.dr2);
  store<u64>(to + DEBUG_REGS + 24, c.dr3);
  store<u64>(to + DEBUG_REGS + 48, c.dr6);
  store<u64>(to + DEBUG_REGS + 56, c.dr7);
}

function readRegisters(c: Cpu, from: usize): void {
  for (let i: u32 = 0; i < 15; i++) c.setReg(registerAt(i), load<u64>(from + USER_REGS + ((<usize>i) << 3)));
  c.rip = load<u64>(from + RIP);
  c.rflags = <u32>load<u64>(from + RFLAGS) | FLAG_FIXED;
  c.flagKind = 0;
  c.setReg(4, load<u64>(from + RSP));
  c.dr0 = load<u64>(from + DEBUG_REGS);
  c.dr1 = load<u64>(from + DEBUG_REGS + 8);
  c.dr2 = load<u64>(from + DEBUG_REGS + 16);
  c.dr3 = load<u64>(from + DEBUG_REGS + 24);
  c.dr6 = (load<u64>(from + DEBUG_REGS + 48) & 0xffff_ffff) | 0xffff_0ff0;
  c.dr7 = (load<u64>(from + DEBUG_REGS + 56) & 0xffff_ffff) | 0x400;
}

export function getVcpuContext(v: Vcpu, d: Domain, u: usize): i32 {
  const found = findVcpu(d, load<u32>(u));
  if (d.slot == v.domainSlot || load<u32>(u) >= d.maxVcpus) return -EINVAL;
  if (found == 0) return -ESRCH;
  const subject = changetype<Vcpu>(found);
  if (subject.initialised == 0) return -ENODATA;
  const context = Scratch.at + CONTEXT;
  memory.fill(context, 0, VCPU_CONTEXT_SIZE);
  writeRegisters(subject.cpu, context);
  let flags: u64 = (subject.pauseFlags & VPF_DOWN) == 0 ? VGCF_ONLINE : 0;
  if (subject.cpu.cpl == 0) flags |= VGCF_IN_KERNEL;
  store<u64>(context + FLAGS, flags);
  return copyToGuest(v, load<u64>(u, 8), context, VCPU_CONTEXT_SIZE) != 0 ? -EFAULT : OK;
}

/** NULL resets the vCPU. One that was never initialised stays so: only an HVM context or VCPUOP_initialise starts an HVM vCPU. */
export function setVcpuContext(v: Vcpu, d: Domain, u: usize): i32 {
  if (d.slot == v.domainSlot) return -EINVAL;
  const found = findVcpu(d, load<u32>(u));
  if (found == 0) return -EINVAL;
  if (isPvDomain(d)) return -EOPNOTSUPP; // nothing here can run it
  const subject = changetype<Vcpu>(found);
  const from = load<u64>(u, 8);
  if (from == 0) return resetVcpu(v, subject);
  const context = Scratch.at + CONTEXT;
  if (copyFromGuest(v, context, from, VCPU_CONTEXT_SIZE) != 0) return -EFAULT;
  domainPauseSync(v, d);
  readRegisters(subject.cpu, context);
  if ((load<u64>(context + FLAGS) & VGCF_ONLINE) != 0 && subject.initialised != 0) subject.pauseFlags &= ~VPF_DOWN;
  else subject.pauseFlags |= VPF_DOWN;
  domainUnpause(d);
  return OK;
}

function resetVcpu(v: Vcpu, subject: Vcpu): i32 {
  const d = subject.domain;
  domainPauseSync(v, d);
  subject.initialised = 0;
  subject.pauseFlags = VPF_DOWN;
  cpuReset(subject.cpu, d.p2mRoot);
  xstateReset(subject.cpu);
  lapicReset(subject);
  domainUnpause(d);
  return OK;
}
