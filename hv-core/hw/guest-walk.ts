/**
 * The guest walk: linear address -> guest-physical page through the guest's own tables (SDM 3A, chapter 4), two-level with PSE,
 * PAE and four-level. Every entry read is itself translated by the EPT, so a walk can end in an EPT violation.
 *
 * Before: a miss in hw/translate.ts. After: the EPT walk of the page it found.
 * Accessed and dirty bits are set here and only here, with a write that the EPT must allow.
 */
import { CTR_GUEST_WALK_STEPS, CTR_GUEST_WALKS } from "../abi/counters";
import {
  EXIT_EPT_MISCONFIG,
  EXIT_EPT_VIOLATION,
  EXIT_UNHANDLEABLE,
  QUAL_EPT_R_BIT,
  QUAL_GLA_VALID_BIT,
} from "../abi/exits";
import { FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { CR0_WP, CR4_PSE, EFER_NXE, PF_I, PF_P, PF_RSVD, PF_U, PF_W } from "../abi/regs";
import { Count } from "../base/counters";
import { EPTE_MFN_MASK, EPTE_RWX } from "../base/epte";
import { Machine } from "../base/machine";
import { CodePages } from "../mem/code-pages";
import { ACCESS_FETCH, ACCESS_PEEK, ACCESS_READ, ACCESS_USER, ACCESS_WRITE } from "./access-kind";
import { Cpu } from "./cpu";
import { EPT_MISCONFIG, Ept } from "./ept-walk";
import { FAULT_EXIT, Fault } from "./exceptions";
import { FreeTables } from "./free-tables";
import { Mode, PAGING_FOUR_LEVEL, PAGING_OFF, PAGING_PAE } from "./mode";
import { Pml } from "./pml";
import { DENY_SUPER_FETCH, DENY_SUPER_WRITE, DENY_USER_FETCH, DENY_USER_READ, DENY_USER_WRITE } from "./tlb";

// A successful walk gives: 51..12 guest-physical page, 8 large page, 7 global, 5..0 the TLB's deny bits.
export const WALK_FAILED: u64 = 0xffff_ffff_ffff_ffff;
export const WALK_PAGE: u64 = 0x000f_ffff_ffff_f000;
export const WALK_LARGE: u64 = 0x100;
export const WALK_GLOBAL: u64 = 0x80;
export const WALK_DENY: u64 = 0x3f;

const PTE_P: u64 = 1;
const PTE_W: u64 = 2;
const PTE_U: u64 = 4;
const PTE_A: u64 = 0x20;
const PTE_D: u64 = 0x40;
const PTE_PS: u64 = 0x80;
const PTE_G: u64 = 0x100;
const PTE_NX: u64 = (<u64>1) << 63;
const PTE_ADDRESS: u64 = 0x000f_ffff_ffff_f000;

/** Where an entry lies when its frame does not exist: memory that reads all ones. */
const NO_MEMORY: u32 = 1;

export class GuestWalk {
  /**
   * Translates the page of `lin`, which must be canonical, for `access` (access-kind.ts). Returns WALK_FAILED after queueing #PF
   * or an exit; with ACCESS_PEEK it queues nothing and changes nothing.
   */
  static walk(c: Cpu, lin: u64, access: u32): u64 {
    const paging = Mode.paging(c);
    if (paging == PAGING_OFF) return lin & 0xffff_f000;
    if ((access & ACCESS_PEEK) == 0) Count.one(CTR_GUEST_WALKS);
    const nxReserved: u64 = c.efer & EFER_NXE ? 0 : PTE_NX;
    const highReserved = PTE_ADDRESS & ~(((<u64>1) << c.paddrBits) - 1);
    if (paging == PAGING_FOUR_LEVEL)
      return GuestWalk.walkLong(c, lin, access, c.cr3 & PTE_ADDRESS, 39, highReserved | nxReserved);
    if (paging == PAGING_PAE) {
      const at = changetype<usize>(c) + offsetof<Cpu>("pdpte0") + ((<usize>(<u32>lin >> 30)) << 3);
      const pdpte = load<u64>(at);
      if ((pdpte & PTE_P) == 0) return GuestWalk.fail(c, lin, access, 0);
      const ignoredInLong: u64 = 0x7ff0_0000_0000_0000;
      return GuestWalk.walkLong(c, lin, access, pdpte & PTE_ADDRESS, 21, highReserved | nxReserved | ignoredInLong);
    }
    return GuestWalk.walkTwoLevel(c, lin, access);
  }

  /**
   * Guest-physical address of `lin` as an access of this kind would find it now, for the hypervisor; all ones when it would fault.
   * Without side effects.
   */
  static translate(c: Cpu, lin: u64, write: bool, user: bool): u64 {
    if (Mode.is64(c)) {
      if (!Mode.isCanonical(lin)) return WALK_FAILED;
    } else lin &= 0xffff_ffff;
    let access = ACCESS_PEEK | (write ? ACCESS_WRITE : ACCESS_READ);
    if (user) access |= ACCESS_USER;
    const page = GuestWalk.walk(c, lin, access);
    return page == WALK_FAILED ? WALK_FAILED : (page & WALK_PAGE) | (lin & 0xfff);
  }

  /** Eight bytes at an aligned guest-physical address, for loads of PDPTEs; c.fault when the EPT refuses. */
  static readPhysical64(c: Cpu, gpa: u64): u64 {
    const host = GuestWalk.locate(c, gpa, 0, ACCESS_READ);
    if (host == 0) {
      // No linear address belongs to this access; during emulation such a table cannot be read at all.
      if (c.fault == FAULT_EXIT) c.exitQualification &= ~(<u64>(1 << QUAL_GLA_VALID_BIT));
      else Fault.exit(c, EXIT_UNHANDLEABLE, 0);
      return 0;
    }
    return host == NO_MEMORY ? WALK_FAILED : load<u64>(host);
  }

  /** Tables of 8-byte entries from the level whose index starts at bit `shift` downwards. */
  private static walkLong(c: Cpu, lin: u64, access: u32, table: u64, shift: u64, reserved: u64): u64 {
    let rights: u64 = PTE_W | PTE_U;
    let noExecute: u64 = 0;
    while (true) {
      const gpa = table + ((lin >> (shift - 3)) & 0xff8);
      const host = GuestWalk.locate(c, gpa, lin, access);
      if (host == 0) return WALK_FAILED;
      const e = host == NO_MEMORY ? WALK_FAILED : load<u64>(host);
      if ((e & PTE_P) == 0) return GuestWalk.fail(c, lin, access, 0);
      rights &= e;
      noExecute |= e & PTE_NX;
      const isLarge = shift != 12 && (e & PTE_PS) != 0;
      let forbidden = reserved;
      if (isLarge) forbidden |= shift == 39 ? PTE_PS : (((<u64>1) << shift) - 1) & 0x3fff_e000;
      if (e & forbidden) return GuestWalk.fail(c, lin, access, PF_P | PF_RSVD);
      if (shift == 12 || isLarge) {
        const offset = (((<u64>1) << shift) - 1) & 0x3fff_f000;
        const page = (e & PTE_ADDRESS & ~offset) | (lin & offset);
        return GuestWalk.leaf(c, lin, access, page, rights, noExecute, e, host, gpa, isLarge);
      }
      if ((e & PTE_A) == 0 && !GuestWalk.setBits(c, host, gpa, lin, access, <u32>PTE_A)) return WALK_FAILED;
      table = e & PTE_ADDRESS;
      shift -= 9;
    }
  }

  /** 32-bit tables: 4 KiB pages, and 4 MiB pages with PSE-36 addresses when CR4.PSE is set. */
  private static walkTwoLevel(c: Cpu, lin: u64, access: u32): u64 {
    const gpa1 = (c.cr3 & 0xffff_f000) + ((lin >> 20) & 0xffc);
    const host1 = GuestWalk.locate(c, gpa1, lin, access);
    if (host1 == 0) return WALK_FAILED;
    const e1: u64 = host1 == NO_MEMORY ? 0xffff_ffff : load<u32>(host1);
    if ((e1 & PTE_P) == 0) return GuestWalk.fail(c, lin, access, 0);
    if ((e1 & PTE_PS) != 0 && (c.cr4 & CR4_PSE) != 0) {
      const high = (e1 >> 13) & 0xff;
      const width = c.paddrBits < 40 ? c.paddrBits - 32 : 8;
      if ((e1 & 0x0020_0000) != 0 || high >> width != 0) return GuestWalk.fail(c, lin, access, PF_P | PF_RSVD);
      const page = (high << 32) | (e1 & 0xffc0_0000) | (lin & 0x003f_f000);
      return GuestWalk.leaf(c, lin, access, page, e1 & (PTE_W | PTE_U), 0, e1, host1, gpa1, true);
    }
    if ((e1 & PTE_A) == 0 && !GuestWalk.setBits(c, host1, gpa1, lin, access, <u32>PTE_A)) return WALK_FAILED;
    const gpa0 = (e1 & 0xffff_f000) + ((lin >> 10) & 0xffc);
    const host0 = GuestWalk.locate(c, gpa0, lin, access);
    if (host0 == 0) return WALK_FAILED;
    const e0: u64 = host0 == NO_MEMORY ? 0xffff_ffff : load<u32>(host0);
    if ((e0 & PTE_P) == 0) return GuestWalk.fail(c, lin, access, 0);
    return GuestWalk.leaf(c, lin, access, e0 & 0xffff_f000, e0 & e1 & (PTE_W | PTE_U), 0, e0, host0, gpa0, false);
  }

  /** The last entry: checks the rights gathered on the way, sets A and D, and says what the TLB may allow. */
  private static leaf(
    c: Cpu,
    lin: u64,
    access: u32,
    page: u64,
    rights: u64,
    noExecute: u64,
    e: u64,
    host: u32,
    gpa: u64,
    isLarge: bool,
  ): u64 {
    const protects = (c.cr0 & CR0_WP) != 0;
    const isUserPage = (rights & PTE_U) != 0;
    const isWritable = (rights & PTE_W) != 0;
    const isUser = (access & ACCESS_USER) != 0;
    let isRefused = isUser && !isUserPage;
    if ((access & ACCESS_WRITE) != 0 && !isWritable && (isUser || protects)) isRefused = true;
    if ((access & ACCESS_FETCH) != 0 && noExecute != 0) isRefused = true;
    if (isRefused) return GuestWalk.fail(c, lin, access, PF_P);

    const wanted = access & ACCESS_WRITE ? PTE_A | PTE_D : PTE_A;
    if ((e & wanted) != wanted) {
      if (!GuestWalk.setBits(c, host, gpa, lin, access, <u32>wanted)) return WALK_FAILED;
      e |= wanted;
    }
    let deny: u64 = 0;
    if (!isUserPage) deny |= DENY_USER_READ | DENY_USER_WRITE | DENY_USER_FETCH;
    if (noExecute != 0) deny |= DENY_SUPER_FETCH | DENY_USER_FETCH;
    if ((e & PTE_D) == 0) deny |= DENY_SUPER_WRITE | DENY_USER_WRITE;
    if (!isWritable) deny |= protects ? DENY_SUPER_WRITE | DENY_USER_WRITE : DENY_USER_WRITE;
    if (isLarge) page |= WALK_LARGE;
    if (e & PTE_G) page |= WALK_GLOBAL;
    return page | deny;
  }

  /** Host address of the table entry at `gpa`; NO_MEMORY when its frame does not exist; 0 after a fault. */
  private static locate(c: Cpu, gpa: u64, lin: u64, access: u32): u32 {
    let entry: u64;
    if (access & ACCESS_PEEK) entry = Ept.peek(c.eptRoot, gpa);
    else {
      Count.one(CTR_GUEST_WALK_STEPS);
      entry = Ept.counted(c.eptRoot, gpa);
    }
    // With dirty flags in the EPT, reading a table counts as writing it (SDM 3C, 28.3.3.2).
    const isWrite = Pml.isOn(c) && c.replay == 0 && (access & ACCESS_PEEK) == 0;
    const wanted: u32 = isWrite ? ACCESS_READ | ACCESS_WRITE : ACCESS_READ;
    if ((entry & wanted) != wanted) {
      const isPeek = (access & ACCESS_PEEK) != 0;
      const free = c.replay != 0 || isPeek ? FreeTables.find(c, gpa) : 0;
      if (FreeTables.mfn(free) != 0)
        return <u32>FRAMES_BASE + (FreeTables.mfn(free) << PAGE_SHIFT) + <u32>(gpa & 0xfff);
      if (isPeek && c.accessGpa == WALK_FAILED) c.accessGpa = gpa; // hv asked where: it may let this table through
      return GuestWalk.refused(c, entry, gpa, lin, access, wanted, free != 0);
    }
    const mfn = (entry & EPTE_MFN_MASK) >> PAGE_SHIFT;
    if (mfn >= <u64>Machine.get().frameCount) return NO_MEMORY;
    if (isWrite && !Pml.write(c, gpa)) return 0;
    return <u32>FRAMES_BASE + ((<u32>mfn) << PAGE_SHIFT) + <u32>(gpa & 0xfff);
  }

  /** The EPT does not let the walk touch a table: a misconfiguration, a violation, or #PF in a replay when hv says that it `isAbsent`. */
  private static refused(c: Cpu, entry: u64, gpa: u64, lin: u64, access: u32, wanted: u32, isAbsent: bool): u32 {
    if (access & ACCESS_PEEK) return 0;
    if ((entry & EPT_MISCONFIG) == 0 && isAbsent) GuestWalk.fail(c, lin, access, 0);
    else GuestWalk.violation(c, entry, gpa, lin, wanted);
    return 0;
  }

  /** Exit: the EPT has no such right for a table. */
  private static violation(c: Cpu, entry: u64, gpa: u64, lin: u64, wanted: u32): void {
    c.exitGpa = gpa;
    c.exitGla = lin;
    if (entry & EPT_MISCONFIG) {
      Fault.exit(c, EXIT_EPT_MISCONFIG, 0);
      return;
    }
    const rights = (entry & EPTE_RWX) << QUAL_EPT_R_BIT;
    Fault.exit(c, EXIT_EPT_VIOLATION, <u64>wanted | rights | (1 << QUAL_GLA_VALID_BIT));
  }

  /**
   * Sets accessed or dirty bits in the entry at `host` (= `gpa`); false after a fault. A table that the EPT does not let be written
   * is an EPT violation, during replay too: there hv then lets the write through (FreeTables), as its own walk would make it.
   */
  private static setBits(c: Cpu, host: u32, gpa: u64, lin: u64, access: u32, bits: u32): bool {
    if (access & ACCESS_PEEK || host == NO_MEMORY) return true;
    const entry = Ept.counted(c.eptRoot, gpa);
    if ((entry & ACCESS_WRITE) == 0 && (c.replay == 0 || FreeTables.find(c, gpa) == 0)) {
      GuestWalk.violation(c, entry, gpa, lin, ACCESS_READ | ACCESS_WRITE);
      return false;
    }
    store<u32>(host, load<u32>(host) | bits);
    const mfn = (host - <u32>FRAMES_BASE) >> PAGE_SHIFT;
    if (CodePages.has(mfn)) CodePages.written(mfn, host & 0xfff, 4);
    return true;
  }

  /** #PF with the error code of this access; `error` has P and RSVD. */
  private static fail(c: Cpu, lin: u64, access: u32, error: u32): u64 {
    if (access & ACCESS_PEEK) return WALK_FAILED;
    if (access & ACCESS_WRITE) error |= PF_W;
    if (access & ACCESS_USER) error |= PF_U;
    if ((access & ACCESS_FETCH) != 0 && (c.efer & EFER_NXE) != 0 && Mode.paging(c) >= PAGING_PAE) error |= PF_I;
    Fault.pageFault(c, lin, error);
    return WALK_FAILED;
  }
}
