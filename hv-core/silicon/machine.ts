/**
 * A machine without a hypervisor: one processor, identity EPT in real tables, one guest that owns everything but the tables.
 * Frames from the bottom: what the guest sees (gfn = mfn); its own page tables for long mode are the last six of these; the top
 * eighth of all frames is for EPT tables.
 */
import { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_LDTR, SEG_SS, SEG_TR } from "../abi/cpu";
import { EPTE_ACCESS_SHIFT } from "../abi/ept";
import { ENOMEM } from "../abi/errno";
import { FRAMES_BASE, MAX_TLB_ENTRIES, PAGE_SHIFT, VCPU_SIZE, VCPUS_BASE } from "../abi/layout";
import { P2M_ACCESS_RWX } from "../abi/p2m-types";
import {
  ATTR_ACCESSED,
  ATTR_CODE,
  ATTR_DB,
  ATTR_G,
  ATTR_L,
  ATTR_P,
  ATTR_S,
  ATTR_UNUSABLE,
  ATTR_WRITABLE,
  CR0_ET,
  CR0_PE,
  CR4_PAE,
  CR4_PGE,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
  TYPE_TSS_BUSY,
} from "../abi/regs";
import { EPTE_A, EPTE_MFN_MASK, EPTE_RWX, EPTE_SVE } from "../base/epte";
import { Machine } from "../base/machine";
import { Answers } from "../hw/answers";
import { ControlRegs } from "../hw/control-regs";
import { Cpu } from "../hw/cpu";
import { CR0_PG } from "../hw/mode";
import { Run } from "../hw/run";
import { Tlb } from "../hw/tlb";
import { CodeArena, CodePages } from "../mem/code-pages";

/** What a hypervisor keeps in the bits that the processor ignores: #VE suppressed, access rwx. The walk has to cope with them. */
export const SOFTWARE: u64 = EPTE_SVE | EPTE_A | ((<u64>P2M_ACCESS_RWX) << EPTE_ACCESS_SHIFT);

const FLAT: u32 = ATTR_S | ATTR_P | ATTR_G | ATTR_WRITABLE | ATTR_ACCESSED;
/** R, W, X and memory type WB. */
const LEAF_RWX_WB: u32 = 0x37;
const GUEST_TABLES: u32 = 6;
const PADDR_BITS: u32 = 40;
/** Present, writable, user, accessed, dirty. */
const PTE_OPEN: u64 = 0x67;
const PTE_LARGE: u64 = 0x80;

export class SiliconMachine {
  static create(frameCount: u32): i32 {
    const tables = (frameCount >> 3) + 8;
    const bytes = <u64>FRAMES_BASE + ((<u64>frameCount) << PAGE_SHIFT);
    if (frameCount < 64 || bytes > (<u64>memory.size()) << 16) return -ENOMEM;
    const m = Machine.get();
    m.frameCount = frameCount;
    m.vcpuMark = 1;
    m.now = 0;
    memory.fill(VCPUS_BASE, 0, VCPU_SIZE);
    CodeArena.reset();
    const guestFrames = frameCount - tables;
    m.frameMark = guestFrames;
    memory.fill(FRAMES_BASE + ((<usize>guestFrames) << PAGE_SHIFT), 0, (<usize>tables) << PAGE_SHIFT);
    const c = SiliconMachine.cpu();
    c.eptRoot = m.frameMark++;
    c.paddrBits = PADDR_BITS;
    Tlb.init(c, MAX_TLB_ENTRIES / 4);
    for (let gfn: u32 = 0; gfn < guestFrames; gfn++) {
      const error = SiliconMachine.map(gfn, gfn, LEAF_RWX_WB);
      if (error != 0) return error;
    }
    SiliconMachine.buildGuestTables(guestFrames - GUEST_TABLES);
    c.cr3 = (<u64>(guestFrames - GUEST_TABLES)) << PAGE_SHIFT;
    return <i32>guestFrames;
  }

  @inline static cpu(): Cpu {
    return Cpu.at(0);
  }

  static map(gfn: u32, mfn: u32, low12: u32): i32 {
    return SiliconMachine.setEntry(gfn, 1, SOFTWARE | ((<u64>mfn) << PAGE_SHIFT) | (low12 & 0xfff));
  }

  /** Writes the entry at `level`, making the tables above it. A large leaf on the way is replaced. */
  static setEntry(gfn: u32, level: u32, value: u64): i32 {
    const gpa = (<u64>gfn) << PAGE_SHIFT;
    let table = SiliconMachine.cpu().eptRoot;
    for (let l: u32 = 4; l > level; l--) {
      const at = SiliconMachine.entryAt(table, gpa, l);
      let e = load<u64>(at);
      if ((e & EPTE_RWX) == 0 || (e & 0x80) != 0) {
        const m = Machine.get();
        if (m.frameMark >= m.frameCount) return -ENOMEM;
        const fresh = m.frameMark++;
        memory.fill(FRAMES_BASE + ((<usize>fresh) << PAGE_SHIFT), 0, 1 << PAGE_SHIFT);
        e = SOFTWARE | ((<u64>fresh) << PAGE_SHIFT) | EPTE_RWX;
        store<u64>(at, e);
      }
      table = <u32>((e & EPTE_MFN_MASK) >> PAGE_SHIFT);
    }
    store<u64>(SiliconMachine.entryAt(table, gpa, level), value);
    return 0;
  }

  private static entryAt(table: u32, gpa: u64, level: u32): usize {
    const index = <usize>(gpa >> (12 + 9 * (level - 1))) & 511;
    return FRAMES_BASE + ((<usize>table) << PAGE_SHIFT) + (index << 3);
  }

  /** Identity map of 4 GiB in 2 MiB pages: PML4, PDPT, four page directories. */
  private static buildGuestTables(gfn: u32): void {
    const at: usize = FRAMES_BASE + ((<usize>gfn) << PAGE_SHIFT);
    memory.fill(at, 0, (<usize>GUEST_TABLES) << PAGE_SHIFT);
    store<u64>(at, ((<u64>(gfn + 1)) << PAGE_SHIFT) | PTE_OPEN);
    for (let i: u32 = 0; i < 4; i++) {
      store<u64>(at + 0x1000 + ((<usize>i) << 3), ((<u64>(gfn + 2 + i)) << PAGE_SHIFT) | PTE_OPEN);
    }
    for (let i: u32 = 0; i < 2048; i++) {
      store<u64>(at + 0x2000 + ((<usize>i) << 3), ((<u64>i) << 21) | PTE_OPEN | PTE_LARGE);
    }
  }

  static reset(mode: u32, rip: u32): void {
    const c = SiliconMachine.cpu();
    const is64 = mode == 64;
    SiliconMachine.flat(c, SEG_ES, FLAT | ATTR_DB);
    SiliconMachine.flat(c, SEG_CS, FLAT | ATTR_CODE | (is64 ? ATTR_L : ATTR_DB));
    SiliconMachine.flat(c, SEG_SS, FLAT | ATTR_DB);
    SiliconMachine.flat(c, SEG_DS, FLAT | ATTR_DB);
    SiliconMachine.flat(c, SEG_FS, FLAT | ATTR_DB);
    SiliconMachine.flat(c, SEG_GS, FLAT | ATTR_DB);
    SiliconMachine.flat(c, SEG_LDTR, ATTR_UNUSABLE);
    SiliconMachine.flat(c, SEG_TR, ATTR_P | TYPE_TSS_BUSY);
    c.seg(SEG_TR).limit = 0x67;
    c.cr0 = CR0_PE | CR0_ET;
    c.cr4 = 0;
    c.efer = 0;
    if (is64) {
      c.cr0 |= CR0_PG;
      c.cr4 = CR4_PAE | CR4_PGE;
      c.efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    }
    c.cr3 = (<u64>SiliconMachine.guestTables()) << PAGE_SHIFT;
    c.cpl = 0;
    c.rflags = 2;
    c.flagKind = 0;
    c.rip = rip;
    c.fault = 0;
    c.replay = 0;
    c.entryEvent = 0;
    c.interruptibility = 0;
    c.halted = 0;
    c.dr6 = 0xffff_0ff0;
    c.dr7 = 0x400;
    SiliconMachine.sync();
  }

  /** gfn of the long-mode tables that create() built. */
  private static guestTables(): u32 {
    return SiliconMachine.cpu().eptRoot - GUEST_TABLES;
  }

  private static flat(c: Cpu, index: u32, attr: u32): void {
    const seg = c.seg(index);
    seg.selector = 0;
    seg.base = 0;
    seg.limit = 0xffff_ffff;
    seg.attr = attr;
  }

  static sync(): void {
    ControlRegs.refresh(SiliconMachine.cpu());
  }

  static flush(): void {
    Tlb.flushAll(SiliconMachine.cpu());
  }

  static frameWritten(mfn: u32): void {
    CodePages.invalidate(mfn);
  }

  static run(budget: u32): u32 {
    return Run.cpuRun(SiliconMachine.cpu(), budget);
  }

  static replay(): u32 {
    const c = SiliconMachine.cpu();
    const answers = Answers.of(c);
    answers.used = 0;
    answers.mismatch = 0;
    return Run.cpuReplay(c);
  }
}
