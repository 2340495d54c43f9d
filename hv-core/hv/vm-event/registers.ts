/** The register snapshot in requests (struct vm_event_regs_x86), and the registers that a response may set. */
import { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS } from "../../abi/cpu";
import { ATTR_G, FLAG_FIXED } from "../../abi/regs";
import {
  EV_DATA,
  REGS_CR0,
  REGS_CR2,
  REGS_CR3,
  REGS_CR4,
  REGS_CS,
  REGS_CS_BASE,
  REGS_CS_SEL,
  REGS_DR6,
  REGS_DR7,
  REGS_DS_BASE,
  REGS_EFER,
  REGS_ES_BASE,
  REGS_FS_BASE,
  REGS_GDTR_BASE,
  REGS_GDTR_LIMIT,
  REGS_GS_BASE,
  REGS_LSTAR,
  REGS_RFLAGS,
  REGS_RIP,
  REGS_SHADOW_GS,
  REGS_SS_BASE,
  REGS_STAR,
  REGS_SYSENTER_CS,
  REGS_SYSENTER_EIP,
  REGS_SYSENTER_ESP,
  REGS_VMTRACE_POS,
} from "../../abi/vm-event";
import { Cpu } from "../../hw/cpu";
import { Mode } from "../../hw/mode";
import { Vcpu } from "../vcpu";
import { VcpuEvents } from "./vcpu-events";

const GPRS: u32 = 16;
const RFLAGS: u32 = 16;
const RIP: u32 = 17;
/** No processor trace is written. */
const NO_TRACE: u64 = 0xffff_ffff_ffff_ffff;
/** Flags that a guest may have: no VM86 entry through a response, no reserved bit. */
const SETTABLE_FLAGS: u32 = 0x0027_7fd5;

/** The order of the GPRs in the structure: rax rcx rdx rbx rsp rbp rsi rdi r8..r15, as the processor numbers them. */
function segment(c: Cpu, regs: usize, index: u32, place: u32, baseAt: u32, isWide: bool): void {
  const s = c.seg(index);
  if (isWide) store<u64>(regs + baseAt, s.base);
  else store<u32>(regs + baseAt, <u32>s.base);
  // Twenty bits of limit, in pages when G is set; twelve of rights: type S DPL P, AVL L D/B G.
  const limit = (s.attr & ATTR_G) != 0 ? s.limit >> 12 : s.limit & 0xf_ffff;
  const rights = (s.attr & 0xff) | ((s.attr >> 4) & 0xf00);
  store<u32>(regs + REGS_CS + place * 4, limit | (rights << 20));
  store<u16>(regs + REGS_CS_SEL + place * 2, <u16>s.selector);
}

/** Fills the data of the request at `request` with the registers of `v`, which made it. */
export function vmEventFillRegisters(v: Vcpu, request: usize): void {
  const c = v.cpu;
  const regs = request + EV_DATA;
  for (let i: u32 = 0; i < GPRS; i++) store<u64>(regs + ((<usize>i) << 3), c.reg(i));
  store<u64>(regs, c.rflags, REGS_RFLAGS);
  store<u64>(regs, c.dr6, REGS_DR6);
  store<u64>(regs, c.dr7, REGS_DR7);
  store<u64>(regs, c.rip, REGS_RIP);
  store<u64>(regs, c.cr0, REGS_CR0);
  store<u64>(regs, c.cr2, REGS_CR2);
  store<u64>(regs, c.cr3, REGS_CR3);
  store<u64>(regs, c.cr4, REGS_CR4);
  store<u64>(regs, c.sysenterCs, REGS_SYSENTER_CS);
  store<u64>(regs, c.sysenterEsp, REGS_SYSENTER_ESP);
  store<u64>(regs, c.sysenterEip, REGS_SYSENTER_EIP);
  store<u64>(regs, c.efer, REGS_EFER);
  store<u64>(regs, c.star, REGS_STAR);
  store<u64>(regs, c.lstar, REGS_LSTAR);
  store<u64>(regs, c.gdtrBase, REGS_GDTR_BASE);
  store<u64>(regs, NO_TRACE, REGS_VMTRACE_POS);
  segment(c, regs, SEG_CS, 0, REGS_CS_BASE, false);
  segment(c, regs, SEG_SS, 1, REGS_SS_BASE, false);
  segment(c, regs, SEG_DS, 2, REGS_DS_BASE, false);
  segment(c, regs, SEG_ES, 3, REGS_ES_BASE, false);
  segment(c, regs, SEG_FS, 4, REGS_FS_BASE, true);
  segment(c, regs, SEG_GS, 5, REGS_GS_BASE, true);
  store<u64>(regs, c.kernelGsBase, REGS_SHADOW_GS);
  store<u16>(regs, <u16>c.gdtrLimit, REGS_GDTR_LIMIT);
}

/** Keeps what the response at `response` wants the registers to be, until the vCPU runs again. */
export function vmEventLatchRegisters(v: Vcpu, response: usize): void {
  const events = VcpuEvents.of(v);
  const regs = response + EV_DATA;
  for (let i: u32 = 0; i < GPRS; i++) events.setRegister(i, load<u64>(regs + ((<usize>i) << 3)));
  events.setRegister(RFLAGS, load<u64>(regs, REGS_RFLAGS));
  events.setRegister(RIP, load<u64>(regs, REGS_RIP));
}

/** Writes the latched registers. What a processor could never hold is made so that it can: the listener is not trusted. */
export function vmEventApplyRegisters(v: Vcpu): void {
  const events = VcpuEvents.of(v);
  const c = v.cpu;
  const mask = Mode.addressMask(c);
  for (let i: u32 = 0; i < GPRS; i++) c.setReg(i, events.register(i));
  const isVm86 = c.rflags & 0x2_0000;
  c.rflags = (<u32>events.register(RFLAGS) & SETTABLE_FLAGS) | FLAG_FIXED | isVm86;
  c.flagKind = 0;
  const rip = events.register(RIP) & mask;
  if (Mode.isCanonical(rip) || !Mode.is64(c)) c.rip = rip;
}
