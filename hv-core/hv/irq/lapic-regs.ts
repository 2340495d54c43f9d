/** Local APIC: register offsets and bits (SDM 3A, chapter 11), and scans of its 256-bit vectors. State: Vcpu.lapic. */
import { Vcpu } from "../vcpu";

export const APIC_ID: u32 = 0x20;
export const APIC_VERSION: u32 = 0x30;
export const APIC_TPR: u32 = 0x80;
export const APIC_APR: u32 = 0x90;
export const APIC_PPR: u32 = 0xa0;
export const APIC_EOI: u32 = 0xb0;
export const APIC_LDR: u32 = 0xd0;
export const APIC_DFR: u32 = 0xe0;
export const APIC_SVR: u32 = 0xf0;
/** Eight registers each. */
export const APIC_ISR: u32 = 0x100;
export const APIC_TMR: u32 = 0x180;
export const APIC_IRR: u32 = 0x200;
export const APIC_ESR: u32 = 0x280;
export const APIC_ICR: u32 = 0x300;
export const APIC_ICR2: u32 = 0x310;
export const APIC_LVT_TIMER: u32 = 0x320;
export const APIC_LVT_ERROR: u32 = 0x370;
export const APIC_TIMER_INITIAL: u32 = 0x380;
export const APIC_TIMER_CURRENT: u32 = 0x390;
export const APIC_TIMER_DIVIDE: u32 = 0x3e0;
export const APIC_LAST: u32 = 0x3f0;

/** Version 0x14, six LVT entries: what Xen shows. */
export const APIC_VERSION_VALUE: u32 = 0x0005_0014;

export const SVR_ENABLED: u32 = 0x100;
export const SVR_WRITABLE: u32 = 0x1ff;
export const LVT_MASKED: u32 = 1 << 16;
export const LVT_PERIODIC: u32 = 1 << 17;
export const LVT_DEADLINE: u32 = 2 << 17;
export const LVT_MODE: u32 = 3 << 17;

export const ESR_SEND_ILLEGAL: u32 = 1 << 5;
export const ESR_RECEIVE_ILLEGAL: u32 = 1 << 6;

/** IA32_APIC_BASE: bits 11:10 are enable and x2APIC. */
export const APIC_BASE_MODE_MASK: u32 = 0xc00;
export const APIC_BASE_MODE_XAPIC: u32 = 0x800;
export const APIC_BASE_BSP: u32 = 0x100;
export const APIC_BASE_ADDRESS: u32 = 0xfee0_0000;

export class ApicVector {
  /** Highest vector whose bit is set in the group of eight registers at `group`, -1 for none. */
  static highest(v: Vcpu, group: u32): i32 {
    const at = changetype<usize>(v) + offsetof<Vcpu>("lapic") + ((group >> 4) << 2);
    for (let word: i32 = 3; word >= 0; word--) {
      const bits = load<u64>(at + (word << 3));
      if (bits != 0) return (word << 6) + 63 - <i32>clz<u64>(bits);
    }
    return -1;
  }

  @inline static has(v: Vcpu, group: u32, vector: u32): bool {
    return ((v.lapicReg(group + ((vector >> 5) << 4)) >> (vector & 31)) & 1) != 0;
  }

  @inline static set(v: Vcpu, group: u32, vector: u32): void {
    const reg = group + ((vector >> 5) << 4);
    v.setLapicReg(reg, v.lapicReg(reg) | (1 << (vector & 31)));
  }

  @inline static clear(v: Vcpu, group: u32, vector: u32): void {
    const reg = group + ((vector >> 5) << 4);
    v.setLapicReg(reg, v.lapicReg(reg) & ~(1 << (vector & 31)));
  }
}
