/**
 * VCPUOP_initialise for HVM vCPUs: the start state is given as registers of a 32-bit (or 16-bit, with CR0.PE clear) or a 64-bit
 * processor (public vcpu_hvm_context). Everything is checked before anything is changed.
 */
import { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_LDTR, SEG_SS, SEG_TR } from "../../abi/cpu";
import { EINVAL, OK } from "../../abi/errno";
import { CR0_PE, CR4_PAE, EFER_LMA, EFER_LME, EFER_NXE, EFER_SCE } from "../../abi/regs";
import { ControlRegs } from "../../hw/control-regs";
import { Cpu } from "../../hw/cpu";
import { CR0_PG, Mode } from "../../hw/mode";
import { cpuReset } from "../domain/vcpu-create";
import { Vcpu } from "../vcpu";
import { attrFromSave } from "./segment-attr";

export const VCPU_HVM_CONTEXT_SIZE: u32 = 128;
const MODE_32B: u32 = 0;
const MODE_64B: u32 = 1;
/** Offset of the registers in the structure. */
const REGS: usize = 8;

// Descriptor attributes, 12-bit format: 3:0 type, 4 S, 6:5 DPL, 7 P, 8 AVL, 9 L, 10 DB, 11 G.
const TYPE_CODE: u32 = 8;
const TYPE_WRITABLE_OR_READABLE: u32 = 2;
const TYPE_BUSY_TSS: u32 = 11;

class Ar {
  @inline static type(ar: u32): u32 {
    return ar & 15;
  }
  @inline static isSegment(ar: u32): bool {
    return ((ar >> 4) & 1) != 0;
  }
  @inline static dpl(ar: u32): u32 {
    return (ar >> 5) & 3;
  }
  @inline static isPresent(ar: u32): bool {
    return ((ar >> 7) & 1) != 0;
  }
}

/** Whether a segment may be loaded directly; DS and ES may be absent. */
function isSegmentValid(segment: u32, ar: u32): bool {
  if (ar >> 12 != 0) return false;
  if (!Ar.isPresent(ar)) return segment == <u32>SEG_DS || segment == <u32>SEG_ES;
  if (segment == <u32>SEG_TR) return !Ar.isSegment(ar) && Ar.type(ar) == TYPE_BUSY_TSS;
  if (!Ar.isSegment(ar)) return false;
  const isCode = (Ar.type(ar) & TYPE_CODE) != 0;
  const second = (Ar.type(ar) & TYPE_WRITABLE_OR_READABLE) != 0;
  if (segment == <u32>SEG_CS) return isCode;
  if (segment == <u32>SEG_SS) return !isCode && second;
  return !isCode || second;
}

/** Offsets inside the 32-bit registers: bases, limits and attributes in the order cs ds ss es tr. */
const BASES: usize = REGS + 64;
const LIMITS: usize = REGS + 84;
const ATTRIBUTES: usize = REGS + 104;

function orderedSegment(i: u32): u32 {
  switch (i) {
    case 0:
      return SEG_CS;
    case 1:
      return SEG_DS;
    case 2:
      return SEG_SS;
    case 3:
      return SEG_ES;
    default:
      return SEG_TR;
  }
}

function attributeOf(ctx: usize, i: u32): u32 {
  return load<u16>(ctx + ATTRIBUTES + ((<usize>i) << 1));
}

function check32(ctx: usize): i32 {
  for (let i: u32 = 0; i < 5; i++) if (!isSegmentValid(orderedSegment(i), attributeOf(ctx, i))) return -EINVAL;
  const cs = attributeOf(ctx, 0);
  let limit: u64 = load<u32>(ctx + LIMITS);
  if ((cs >> 11) & 1) limit = (limit << 12) | 0xfff;
  const eip: u64 = load<u32>(ctx + REGS, 32);
  if (eip > limit) return -EINVAL;
  const dpl = Ar.dpl(cs);
  if (Ar.dpl(attributeOf(ctx, 2)) != dpl) return -EINVAL;
  const ds = attributeOf(ctx, 1);
  if (Ar.isPresent(ds) && Ar.dpl(ds) > dpl) return -EINVAL;
  const es = attributeOf(ctx, 3);
  if (Ar.isPresent(es) && Ar.dpl(es) > dpl) return -EINVAL;
  const efer = load<u64>(ctx + REGS, 56);
  if ((efer & ~(<u64>EFER_NXE | <u64>EFER_SCE | <u64>EFER_LME)) != 0) return -EINVAL;
  const cr0: u64 = load<u32>(ctx + REGS, 40);
  if ((cr0 & CR0_PG) != 0 && (cr0 & CR0_PE) == 0) return -EINVAL;
  if ((cr0 & CR0_PG) != 0 && (efer & EFER_LME) != 0) return -EINVAL;
  return OK;
}

function load32(c: Cpu, ctx: usize): void {
  // eax ecx edx ebx esp ebp esi edi: the encoding order
  for (let i: u32 = 0; i < 8; i++) c.setReg(i, load<u32>(ctx + REGS + ((<usize>i) << 2)));
  c.rip = load<u32>(ctx + REGS, 32);
  c.rflags = load<u32>(ctx + REGS, 36) | 2;
  c.cr0 = load<u32>(ctx + REGS, 40) | 0x10;
  c.cr3 = load<u32>(ctx + REGS, 44);
  c.cr4 = load<u32>(ctx + REGS, 48);
  c.efer = load<u64>(ctx + REGS, 56);
  for (let i: u32 = 0; i < 5; i++) {
    const s = c.seg(orderedSegment(i));
    s.selector = 0;
    s.base = load<u32>(ctx + BASES + ((<usize>i) << 2));
    s.attr = attrFromSave(attributeOf(ctx, i));
    const limit = load<u32>(ctx + LIMITS + ((<usize>i) << 2));
    s.limit = (attributeOf(ctx, i) >> 11) & 1 ? (limit << 12) | 0xfff : limit;
  }
  absent(c, SEG_FS);
  absent(c, SEG_GS);
  absent(c, SEG_LDTR);
  c.cpl = Ar.dpl(attributeOf(ctx, 2));
}

function absent(c: Cpu, segment: u32): void {
  const s = c.seg(segment);
  s.selector = 0;
  s.base = 0;
  s.limit = 0;
  s.attr = attrFromSave(0);
}

function check64(ctx: usize): i32 {
  if (!Mode.isCanonical(load<u64>(ctx + REGS, 64))) return -EINVAL;
  const cr0 = load<u64>(ctx + REGS, 80);
  const cr4 = load<u64>(ctx + REGS, 96);
  const efer = load<u64>(ctx + REGS, 104);
  if ((cr0 & CR0_PG) == 0 || (cr0 & CR0_PE) == 0 || (cr4 & CR4_PAE) == 0) return -EINVAL;
  if ((efer & EFER_LME) == 0 || (efer & EFER_LMA) == 0) return -EINVAL;
  if ((efer & ~(<u64>EFER_NXE | <u64>EFER_SCE | <u64>EFER_LME | <u64>EFER_LMA)) != 0) return -EINVAL;
  return OK;
}

/** Flat segments as Xen gives them: 64-bit code, writable data, a busy TSS. */
function load64(c: Cpu, ctx: usize): void {
  for (let i: u32 = 0; i < 8; i++) c.setReg(i, load<u64>(ctx + REGS + ((<usize>i) << 3)));
  c.rip = load<u64>(ctx + REGS, 64);
  c.rflags = <u32>load<u64>(ctx + REGS, 72) | 2;
  c.cr0 = load<u64>(ctx + REGS, 80) | 0x10;
  c.cr3 = load<u64>(ctx + REGS, 88);
  c.cr4 = load<u64>(ctx + REGS, 96);
  c.efer = load<u64>(ctx + REGS, 104);
  for (let i: u32 = 0; i < 8; i++) {
    const s = c.seg(i);
    s.selector = 0;
    s.base = 0;
    s.limit = 0xffff_ffff;
    s.attr = attrFromSave(i == <u32>SEG_CS ? 0xa9b : 0xc93);
  }
  absent(c, SEG_LDTR);
  const tr = c.seg(SEG_TR);
  tr.limit = 0x67;
  tr.attr = attrFromSave(0x8b);
  c.cpl = 0;
}

/** Loads the context at `ctx` (VCPU_HVM_CONTEXT_SIZE bytes): OK or -EINVAL. */
export function vcpuLoadContext(v: Vcpu, ctx: usize): i32 {
  if (load<u32>(ctx, 4) != 0) return -EINVAL;
  const mode = load<u32>(ctx);
  if (mode != MODE_32B && mode != MODE_64B) return -EINVAL;
  const error = mode == MODE_32B ? check32(ctx) : check64(ctx);
  if (error != OK) return error;
  const c = v.cpu;
  cpuReset(c, v.domain.p2mRoot);
  if (mode == MODE_32B) load32(c, ctx);
  else load64(c, ctx);
  ControlRegs.refresh(c);
  v.initialised = 1;
  return OK;
}
