/**
 * The slow path of every access: linear address -> host address of the byte, through the guest walk and the EPT walk, filling
 * the TLB. Before: a miss in hw/access.ts. What it refuses becomes #PF, an EPT violation or an EPT misconfiguration.
 */
import { CTR_TLB_MISSES } from "../abi/counters";
import { VEC_UD } from "../abi/cpu";
import {
  EXIT_EPT_MISCONFIG,
  EXIT_EPT_VIOLATION,
  EXIT_UNHANDLEABLE,
  QUAL_EPT_R_BIT,
  QUAL_GLA_FINAL_BIT,
  QUAL_GLA_VALID_BIT,
} from "../abi/exits";
import { FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { CR4_PGE } from "../abi/regs";
import { Count } from "../base/counters";
import { EPTE_MFN_MASK, EPTE_R, EPTE_RWX, EPTE_W, EPTE_X } from "../base/epte";
import { Machine } from "../base/machine";
import { Watch } from "../base/watch";
import { CodePages } from "../mem/code-pages";
import { ACCESS_FETCH, ACCESS_READ, ACCESS_READ_HALF, ACCESS_RWX, AccessKind } from "./access-kind";
import { ANSWER_READ, ANSWER_WRITE } from "./answers";
import { Bus } from "./bus";
import { Cpu } from "./cpu";
import { EPT_MISCONFIG, Ept } from "./ept-walk";
import { Fault } from "./exceptions";
import { GuestWalk, WALK_DENY, WALK_FAILED, WALK_GLOBAL, WALK_LARGE, WALK_PAGE } from "./guest-walk";
import { Replay } from "./replay";
import {
  DENY_ALL,
  DENY_SMC,
  DENY_SUPER_FETCH,
  DENY_SUPER_READ,
  DENY_SUPER_WRITE,
  DENY_USER_FETCH,
  DENY_USER_READ,
  DENY_USER_WRITE,
  DENY_WATCH,
  TLB_BUS,
  TLB_BUS_DENY_SHIFT,
  TLB_BUS_TYPE_SHIFT,
  TLB_GLOBAL,
  TLB_LARGE,
  Tlb,
  TlbEntry,
} from "./tlb";

// What Translate.resolve answers instead of a host address (those begin at FRAMES_BASE).
/** A fault is queued. */
export const HOST_FAULT: u32 = 0;
/** Replay: the EPT refuses, c.accessGpa says where; the answers decide. */
export const HOST_REFUSED: u32 = 1;
/** The frame does not exist: reads give all ones, writes vanish. */
export const HOST_NOWHERE: u32 = 2;

export class Translate {
  /** Host address of the byte at `lin` (canonical, and 32-bit outside 64-bit mode), or HOST_*. Valid to the end of the page. */
  static resolve(c: Cpu, lin: u64, access: u32): u32 {
    if (c.replay != 0 && Translate.isLatched(c, lin, access)) {
      c.accessGpa = c.latchGpa | (lin & 0xfff);
      return HOST_REFUSED;
    }
    if (c.replay != 0 && (access & ACCESS_FETCH) == 0) {
      const isRead = (access & (ACCESS_READ | ACCESS_READ_HALF)) != 0;
      if (Replay.isAnswered(c, lin, isRead ? ANSWER_READ : ANSWER_WRITE)) return HOST_REFUSED;
    }
    const isAsked = c.asksAll != 0 && c.replay != 0 && (access & ACCESS_FETCH) == 0;
    const cached = Tlb.entry(c, lin);
    if (!isAsked && Tlb.holds(cached, lin)) {
      if ((cached.tag & AccessKind.denied(access)) == 0) return cached.delta + <u32>lin;
      if (Translate.isBusHit(c, cached, access)) return Bus.host(Tlb.mfn(cached)) + (<u32>lin & 0xfff);
    }
    Count.one(CTR_TLB_MISSES);

    const page = GuestWalk.walk(c, lin, access);
    if (page == WALK_FAILED) return HOST_FAULT;
    const gpa = (page & WALK_PAGE) | (lin & 0xfff);

    if (isAsked) {
      c.accessGpa = gpa;
      return HOST_REFUSED;
    }
    const entry = Ept.counted(c.eptRoot, gpa);
    const wanted = c.replay != 0 && Translate.isReadHalf(c, access) ? ACCESS_READ : access & ACCESS_RWX;
    if ((<u32>entry & wanted) != wanted) return Translate.refuse(c, entry, gpa, lin, access);

    const mfn = (entry & EPTE_MFN_MASK) >> PAGE_SHIFT;
    if (mfn >= <u64>Machine.get().frameCount) {
      if (access & ACCESS_FETCH) Fault.raise(c, VEC_UD); // all ones is no instruction
      return access & ACCESS_FETCH ? HOST_FAULT : Translate.bus(c, page, entry, <u32>mfn, lin, gpa);
    }

    let deny = page & WALK_DENY;
    if ((entry & EPTE_R) == 0) deny |= DENY_SUPER_READ | DENY_USER_READ;
    if ((entry & EPTE_W) == 0) deny |= DENY_SUPER_WRITE | DENY_USER_WRITE;
    if ((entry & EPTE_X) == 0) deny |= DENY_SUPER_FETCH | DENY_USER_FETCH;
    if (CodePages.has(<u32>mfn)) deny |= DENY_SMC;
    if (Watch.isOn()) deny |= DENY_WATCH;
    if (c.replay != 0) deny |= Replay.denied(c, lin);
    let meta: u32 = 0;
    if ((page & WALK_GLOBAL) != 0 && (c.cr4 & CR4_PGE) != 0) meta |= TLB_GLOBAL;
    if (page & WALK_LARGE) meta |= TLB_LARGE;
    Tlb.fill(c, lin, deny, <u32>mfn, meta);
    return <u32>FRAMES_BASE + ((<u32>mfn) << PAGE_SHIFT) + <u32>(lin & 0xfff);
  }

  /** A cached translation of a page of the bus allows this access. An instruction that is emulated does not reach real devices. */
  @inline private static isBusHit(c: Cpu, cached: TlbEntry, access: u32): bool {
    if ((cached.meta & TLB_BUS) == 0 || c.replay != 0) return false;
    return (
      (<u64>(cached.meta >> TLB_BUS_DENY_SHIFT) & AccessKind.denied(access)) == 0 && Bus.host(Tlb.mfn(cached)) != 0
    );
  }

  /** A frame that is no RAM: a device's, cached with the memory type of its entry, or nobody's. */
  private static bus(c: Cpu, page: u64, entry: u64, mfn: u32, lin: u64, gpa: u64): u32 {
    const host = Bus.host(mfn);
    if (host == 0) return HOST_NOWHERE;
    if (c.replay != 0) {
      c.accessGpa = gpa;
      return HOST_REFUSED;
    }
    let deny = page & WALK_DENY;
    if ((entry & EPTE_R) == 0) deny |= DENY_SUPER_READ | DENY_USER_READ;
    if ((entry & EPTE_W) == 0) deny |= DENY_SUPER_WRITE | DENY_USER_WRITE;
    let meta = TLB_BUS | ((<u32>deny) << TLB_BUS_DENY_SHIFT) | (Ept.memoryType(c.eptRoot, gpa) << TLB_BUS_TYPE_SHIFT);
    if ((page & WALK_GLOBAL) != 0 && (c.cr4 & CR4_PGE) != 0) meta |= TLB_GLOBAL;
    if (page & WALK_LARGE) meta |= TLB_LARGE;
    Tlb.fill(c, lin, DENY_ALL, mfn, meta);
    return host + (<u32>lin & 0xfff);
  }

  /** During replay the read half of a read-modify-write is a plain read, unless hv wants to be asked for it. */
  @inline private static isReadHalf(c: Cpu, access: u32): bool {
    return (access & ACCESS_READ_HALF) != 0 && c.asksReadHalf == 0;
  }

  /** Replay: hv knows from the exit where this page is and that the EPT refuses such an access. */
  private static isLatched(c: Cpu, lin: u64, access: u32): bool {
    const kinds = access & ACCESS_RWX;
    if ((kinds & ~c.latchRights) != 0 || (lin ^ c.latchGla) >> PAGE_SHIFT != 0) return false;
    const wanted = Translate.isReadHalf(c, access) ? ACCESS_READ : kinds;
    return (wanted & ~(c.latchRights >> QUAL_EPT_R_BIT)) != 0;
  }

  /** The EPT has no such right: exit with the architectural qualification, or leave it to the answers during replay. */
  private static refuse(c: Cpu, entry: u64, gpa: u64, lin: u64, access: u32): u32 {
    c.exitGpa = gpa;
    c.exitGla = lin;
    if (entry & EPT_MISCONFIG) {
      Fault.exit(c, EXIT_EPT_MISCONFIG, 0);
      return HOST_FAULT;
    }
    if (c.replay) {
      if (access & ACCESS_FETCH) {
        // Not for the TLB: this right is only lent.
        if (c.fetchGfn == (gpa >> PAGE_SHIFT) + 1 && c.fetchMfn != 0)
          return <u32>FRAMES_BASE + (c.fetchMfn << PAGE_SHIFT) + <u32>(lin & 0xfff);
        Fault.exit(c, EXIT_UNHANDLEABLE, 0);
        return HOST_FAULT;
      }
      c.accessGpa = gpa;
      return HOST_REFUSED;
    }
    c.exitAccessSize = 0;
    c.exitStringKind = 0;
    const rights = (entry & EPTE_RWX) << QUAL_EPT_R_BIT;
    const linear: u64 = (1 << QUAL_GLA_VALID_BIT) | (1 << QUAL_GLA_FINAL_BIT);
    Fault.exit(c, EXIT_EPT_VIOLATION, <u64>(access & ACCESS_RWX) | rights | linear);
    return HOST_FAULT;
  }
}
