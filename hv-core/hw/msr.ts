/**
 * The MSRs that belong to the silicon: EFER, SYSCALL and SYSENTER, segment bases, PAT, TSC. RDMSR and WRMSR exit; the hypervisor's
 * handler (hv/exits/on-msr.ts) asks here after its own. #GP(0) is the caller's to inject.
 */
import { SEG_FS, SEG_GS } from "../abi/cpu";
import {
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
  MSR_EXTENDED_HIGH,
  MSR_LOW_CSTAR,
  MSR_LOW_EFER,
  MSR_LOW_FS_BASE,
  MSR_LOW_GS_BASE,
  MSR_LOW_KERNEL_GS_BASE,
  MSR_LOW_LSTAR,
  MSR_LOW_SFMASK,
  MSR_LOW_STAR,
  MSR_LOW_TSC_AUX,
  MSR_PAT,
  MSR_SYSENTER_CS,
  MSR_SYSENTER_EIP,
  MSR_SYSENTER_ESP,
  MSR_TSC,
} from "../abi/regs";
import { Cpu } from "./cpu";
import { CR0_PG, Mode } from "./mode";
import { Tlb } from "./tlb";

export const MSR_OK: u32 = 0;
/** Not one of the silicon's. */
export const MSR_UNKNOWN: u32 = 1;
/** The value is not allowed: #GP(0). */
export const MSR_FAULT: u32 = 2;

const EFER_DEFINED: u64 = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;

export class Msr {
  /** Puts the value at host address `out` (8 bytes). @returns MSR_OK or MSR_UNKNOWN. */
  static read(c: Cpu, index: u32, out: usize): u32 {
    let value: u64 = 0;
    if (index == <u32>MSR_TSC) value = c.tscBase + c.tscOffset;
    else if (index == <u32>MSR_PAT) value = c.pat;
    else if (index == <u32>MSR_SYSENTER_CS) value = c.sysenterCs;
    else if (index == <u32>MSR_SYSENTER_ESP) value = c.sysenterEsp;
    else if (index == <u32>MSR_SYSENTER_EIP) value = c.sysenterEip;
    else if (index >> 16 != <u32>MSR_EXTENDED_HIGH) return MSR_UNKNOWN;
    else {
      const low = index & 0xffff;
      if (low == <u32>MSR_LOW_EFER) value = c.efer;
      else if (low == <u32>MSR_LOW_STAR) value = c.star;
      else if (low == <u32>MSR_LOW_LSTAR) value = c.lstar;
      else if (low == <u32>MSR_LOW_CSTAR) value = c.cstar;
      else if (low == <u32>MSR_LOW_SFMASK) value = c.sfmask;
      else if (low == <u32>MSR_LOW_FS_BASE) value = c.seg(SEG_FS).base;
      else if (low == <u32>MSR_LOW_GS_BASE) value = c.seg(SEG_GS).base;
      else if (low == <u32>MSR_LOW_KERNEL_GS_BASE) value = c.kernelGsBase;
      else if (low == <u32>MSR_LOW_TSC_AUX) value = c.tscAux;
      else return MSR_UNKNOWN;
    }
    store<u64>(out, value);
    return MSR_OK;
  }

  /** @returns MSR_OK, MSR_UNKNOWN or MSR_FAULT (nothing has changed then). */
  static write(c: Cpu, index: u32, value: u64): u32 {
    if (index == <u32>MSR_TSC) c.tscOffset = value - c.tscBase;
    else if (index == <u32>MSR_PAT) {
      if (!Msr.isPat(value)) return MSR_FAULT;
      c.pat = value;
    } else if (index == <u32>MSR_SYSENTER_CS) c.sysenterCs = value & 0xffff_ffff;
    else if (index == <u32>MSR_SYSENTER_ESP) {
      if (!Mode.isCanonical(value)) return MSR_FAULT;
      c.sysenterEsp = value;
    } else if (index == <u32>MSR_SYSENTER_EIP) {
      if (!Mode.isCanonical(value)) return MSR_FAULT;
      c.sysenterEip = value;
    } else if (index >> 16 != <u32>MSR_EXTENDED_HIGH) return MSR_UNKNOWN;
    else return Msr.writeExtended(c, index & 0xffff, value);
    return MSR_OK;
  }

  private static writeExtended(c: Cpu, low: u32, value: u64): u32 {
    if (low == <u32>MSR_LOW_EFER) return Msr.writeEfer(c, value);
    if (low == <u32>MSR_LOW_STAR) c.star = value;
    else if (low == <u32>MSR_LOW_SFMASK) {
      if (value >> 32 != 0) return MSR_FAULT;
      c.sfmask = value;
    } else if (low == <u32>MSR_LOW_TSC_AUX) {
      if (value >> 32 != 0) return MSR_FAULT;
      c.tscAux = value;
    } else {
      const isBase =
        low == <u32>MSR_LOW_LSTAR ||
        low == <u32>MSR_LOW_CSTAR ||
        low == <u32>MSR_LOW_FS_BASE ||
        low == <u32>MSR_LOW_GS_BASE ||
        low == <u32>MSR_LOW_KERNEL_GS_BASE;
      if (!isBase) return MSR_UNKNOWN;
      if (!Mode.isCanonical(value)) return MSR_FAULT;
      if (low == <u32>MSR_LOW_LSTAR) c.lstar = value;
      else if (low == <u32>MSR_LOW_CSTAR) c.cstar = value;
      else if (low == <u32>MSR_LOW_FS_BASE) c.seg(SEG_FS).base = value;
      else if (low == <u32>MSR_LOW_GS_BASE) c.seg(SEG_GS).base = value;
      else c.kernelGsBase = value;
    }
    return MSR_OK;
  }

  /** LMA is read-only (writes of it are ignored); LME must not change while paging is on; unknown bits fault. */
  private static writeEfer(c: Cpu, value: u64): u32 {
    if (value & ~EFER_DEFINED) return MSR_FAULT;
    const changed = c.efer ^ value;
    if ((changed & EFER_LME) != 0 && (c.cr0 & CR0_PG) != 0) return MSR_FAULT;
    c.efer = (value & ~(<u64>EFER_LMA)) | (c.efer & EFER_LMA);
    // Cached no-execute rights and reserved-bit verdicts were computed under the old NXE.
    if (changed & EFER_NXE) Tlb.flushAll(c);
    return MSR_OK;
  }

  /** Each byte is a memory type 0, 1, 4, 5, 6 or 7. */
  private static isPat(value: u64): bool {
    for (let i: u32 = 0; i < 8; i++) {
      const type = <u32>(value >> (i << 3)) & 0xff;
      if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
  }
}
