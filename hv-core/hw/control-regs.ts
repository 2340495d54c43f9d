/**
 * Control registers: which values are legal, what a change entails for paging, long mode and the TLB (SDM 3A, 2.5 and 4.1).
 * Instructions come from hw/system.ts with the privilege checked already.
 */
import { SEG_CS } from "../abi/cpu";
import {
  ATTR_L,
  CR0_CD,
  CR0_ET,
  CR0_NW,
  CR0_PE,
  CR0_WP,
  CR4_DE,
  CR4_MCE,
  CR4_OSFXSR,
  CR4_OSXMMEXCPT,
  CR4_PAE,
  CR4_PCE,
  CR4_PGE,
  CR4_PSE,
  CR4_PVI,
  CR4_TSD,
  CR4_VME,
  EFER_LMA,
  EFER_LME,
} from "../abi/regs";
import { Cpu } from "./cpu";
import { FAULT_NONE, Fault } from "./exceptions";
import { GuestWalk } from "./guest-walk";
import { CR0_PG, Mode, PAGING_PAE } from "./mode";
import { Tlb } from "./tlb";

/** Bits of CR0 that exist. */
const CR0_DEFINED: u64 = 0xe005_003f;
/** Bits of CR4 that this processor has; every other one faults, and CPUID hides its feature. */
export const CR4_DEFINED: u64 =
  CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | CR4_MCE | CR4_PGE | CR4_PCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
const CR4_PAGING: u64 = CR4_PSE | CR4_PAE | CR4_PGE;
/** PAE page-directory-pointer entries: bits 2:1 and 8:5 are reserved. */
const PDPTE_RESERVED: u64 = 0x1e6;

export class ControlRegs {
  static write0(c: Cpu, value: u64): void {
    if (value >> 32 != 0) {
      Fault.gp0(c);
      return;
    }
    value = (value & CR0_DEFINED) | CR0_ET;
    const isPaging = (value & CR0_PG) != 0;
    const isIllegal = (isPaging && (value & CR0_PE) == 0) || ((value & CR0_NW) != 0 && (value & CR0_CD) == 0);
    if (isIllegal) {
      Fault.gp0(c);
      return;
    }
    const wasPaging = (c.cr0 & CR0_PG) != 0;
    if (isPaging && !wasPaging) {
      if (!ControlRegs.enablePaging(c)) return;
    } else if (!isPaging && wasPaging) {
      if (Mode.is64(c)) {
        Fault.gp0(c);
        return;
      }
      c.efer &= ~(<u64>EFER_LMA);
    }
    // The TLB's deny bits were computed under the old WP.
    const changed = c.cr0 ^ value;
    c.cr0 = value;
    Mode.update(c);
    if (changed & (CR0_PG | CR0_WP)) Tlb.flushAll(c);
  }

  /** PG from 0 to 1: into long mode when EFER.LME is set, otherwise with PAE the four pointers are loaded. False = #GP is queued. */
  private static enablePaging(c: Cpu): bool {
    if (c.efer & EFER_LME) {
      if ((c.cr4 & CR4_PAE) == 0 || (c.seg(SEG_CS).attr & ATTR_L) != 0) {
        Fault.gp0(c);
        return false;
      }
      c.efer |= EFER_LMA;
      return true;
    }
    if ((c.cr4 & CR4_PAE) != 0) return ControlRegs.loadPdptes(c, c.cr3);
    return true;
  }

  static write3(c: Cpu, value: u64): void {
    if (Mode.isLong(c)) {
      if (value >> c.paddrBits != 0) {
        Fault.gp0(c);
        return;
      }
    } else {
      value &= 0xffff_ffff;
      const isPae = (c.cr0 & CR0_PG) != 0 && (c.cr4 & CR4_PAE) != 0;
      if (isPae && !ControlRegs.loadPdptes(c, value)) return;
    }
    c.cr3 = value;
    Tlb.flushNonGlobal(c);
  }

  static write4(c: Cpu, value: u64): void {
    if ((value & ~CR4_DEFINED) != 0 || (Mode.isLong(c) && (value & CR4_PAE) == 0)) {
      Fault.gp0(c);
      return;
    }
    const changed = c.cr4 ^ value;
    const isPaging = (c.cr0 & CR0_PG) != 0;
    if (isPaging && !Mode.isLong(c) && (value & CR4_PAE) != 0 && (changed & CR4_PAGING) != 0) {
      if (!ControlRegs.loadPdptes(c, c.cr3)) return;
    }
    c.cr4 = value;
    Mode.update(c);
    if (changed & CR4_PAGING) Tlb.flushAll(c);
  }

  /**
   * To be called after control registers, EFER, CS, SS or CPL were set from outside (a context loaded by the hypervisor): derives the
   * mode, loads the PDPTEs and empties the TLB. PDPTEs that cannot be loaded are left as not present.
   */
  static refresh(c: Cpu): void {
    Mode.update(c);
    Tlb.flushAll(c);
    if (Mode.paging(c) != PAGING_PAE) return;
    c.fault = FAULT_NONE;
    if (ControlRegs.loadPdptes(c, c.cr3)) return;
    c.fault = FAULT_NONE;
    c.pdpte0 = 0;
    c.pdpte1 = 0;
    c.pdpte2 = 0;
    c.pdpte3 = 0;
  }

  /** Loads the four PDPTEs of PAE paging from the table at `cr3`. False = a fault is queued and none has changed. */
  private static loadPdptes(c: Cpu, cr3: u64): bool {
    const table = cr3 & 0xffff_ffe0;
    const reserved = PDPTE_RESERVED | ~(((<u64>1) << c.paddrBits) - 1);
    for (let i: u32 = 0; i < 4; i++) {
      const entry = GuestWalk.readPhysical64(c, table + i * 8);
      if (c.fault) return false;
      if ((entry & 1) != 0 && (entry & reserved) != 0) {
        Fault.gp0(c);
        return false;
      }
    }
    c.pdpte0 = GuestWalk.readPhysical64(c, table);
    c.pdpte1 = GuestWalk.readPhysical64(c, table + 8);
    c.pdpte2 = GuestWalk.readPhysical64(c, table + 16);
    c.pdpte3 = GuestWalk.readPhysical64(c, table + 24);
    return true;
  }
}
