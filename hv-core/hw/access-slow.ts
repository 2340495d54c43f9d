/**
 * Accesses that the TLB compare did not settle: misses, page borders, refused rights, stores to pages with decoded code, frames
 * that do not exist, and answers of a replay. Before: hw/access.ts. After: hw/translate.ts, hw/replay.ts.
 *
 * An access over a page border is translated on both pages before anything is read or written.
 */
import { SEG_CS, SEG_SS, VEC_GP, VEC_SS } from "../abi/cpu";
import { QUAL_EPT_R_BIT } from "../abi/exits";
import { FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { Watch } from "../base/watch";
import { CodePages } from "../mem/code-pages";
import { ACCESS_FETCH, ACCESS_READ, ACCESS_READ_HALF, ACCESS_USER, ACCESS_WRITE } from "./access-kind";
import { ANSWER_MEMORY, ANSWER_READ, ANSWER_WRITE } from "./answers";
import { Bus } from "./bus";
import { Cpu } from "./cpu";
import { FAULT_EXIT, Fault } from "./exceptions";
import { Mode } from "./mode";
import { Replay } from "./replay";
import { DENY_SMC, TLB_BUS_TYPE_SHIFT, Tlb } from "./tlb";
import { HOST_FAULT, HOST_NOWHERE, HOST_REFUSED, Translate } from "./translate";
import { WatchAccess } from "./watch-access";

export class AccessSlow {
  /** A load by the instruction. */
  static read(c: Cpu, lin: u64, seg: u32, size: u32): u64 {
    if (!AccessSlow.isAddressable(c, lin, seg, size)) return 0;
    if (Watch.isOn() && WatchAccess.stops(c, lin, size, ACCESS_READ)) return 0;
    return AccessSlow.readAs(c, lin, size, AccessSlow.user(c) | ACCESS_READ);
  }

  /** A store by the instruction. */
  static write(c: Cpu, lin: u64, seg: u32, size: u32, value: u64): void {
    if (!AccessSlow.isAddressable(c, lin, seg, size)) return;
    if (Watch.isOn() && WatchAccess.stops(c, lin, size, ACCESS_WRITE)) return;
    AccessSlow.writeAs(c, lin, size, value, AccessSlow.user(c) | ACCESS_WRITE);
  }

  /** The read half of a read-modify-write. */
  static readForWrite(c: Cpu, lin: u64, seg: u32, size: u32): u64 {
    if (!AccessSlow.isAddressable(c, lin, seg, size)) return 0;
    if (Watch.isOn() && WatchAccess.stops(c, lin, size, ACCESS_READ | ACCESS_WRITE)) return 0;
    return AccessSlow.readAs(c, lin, size, AccessSlow.user(c) | ACCESS_READ | ACCESS_WRITE | ACCESS_READ_HALF);
  }

  static probeWrite(c: Cpu, lin: u64, seg: u32, size: u32): void {
    if (size == 0 || !AccessSlow.isAddressable(c, lin, seg, size)) return;
    const access = AccessSlow.user(c) | ACCESS_WRITE;
    if (Translate.resolve(c, lin, access) == HOST_FAULT) return;
    const first = AccessSlow.bytesLeft(lin);
    if (size > first) Translate.resolve(c, AccessSlow.nextPage(c, lin), access);
  }

  static fetch(c: Cpu, lin: u64): u32 {
    if (!AccessSlow.isAddressable(c, lin, SEG_CS, 1)) return 0;
    return Translate.resolve(c, lin, AccessSlow.user(c) | ACCESS_FETCH);
  }

  /** A load from a descriptor table or TSS: supervisor, whatever CPL is. */
  static sysRead(c: Cpu, lin: u64, size: u32): u64 {
    const at = AccessSlow.systemAddress(c, lin, size);
    if (c.fault) return 0;
    if (Watch.isOn()) WatchAccess.note(c, at, size, ACCESS_READ);
    return AccessSlow.readAs(c, at, size, ACCESS_READ);
  }

  static sysWrite(c: Cpu, lin: u64, size: u32, value: u64): void {
    const at = AccessSlow.systemAddress(c, lin, size);
    if (c.fault) return;
    if (Watch.isOn()) WatchAccess.note(c, at, size, ACCESS_WRITE);
    AccessSlow.writeAs(c, at, size, value, ACCESS_WRITE);
  }

  /** A push by a far transfer: `access` has the rights of the privilege that the stack belongs to. */
  static writeStack(c: Cpu, lin: u64, size: u32, value: u64, access: u32): void {
    if (!AccessSlow.isAddressable(c, lin, SEG_SS, size)) return;
    if (Watch.isOn()) WatchAccess.note(c, lin, size, ACCESS_WRITE);
    AccessSlow.writeAs(c, lin, size, value, access);
  }

  /** A load of 1, 2, 4 or 8 bytes with the given access kind (access-kind.ts); 0 with c.fault set when it fails. */
  private static readAs(c: Cpu, lin: u64, size: u32, access: u32): u64 {
    const host = Translate.resolve(c, lin, access);
    if (host == HOST_FAULT) {
      AccessSlow.describe(c, lin, size, access, ANSWER_READ, 0);
      return 0;
    }
    const gpa = c.accessGpa;
    const first = AccessSlow.bytesLeft(lin);
    if (size <= first) return AccessSlow.readPart(c, host, gpa, lin, size, access);

    const next = AccessSlow.nextPage(c, lin);
    const nextHost = Translate.resolve(c, next, access);
    if (nextHost == HOST_FAULT) return 0;
    const nextGpa = c.accessGpa;
    const low = AccessSlow.readPart(c, host, gpa, lin, first, access);
    if (c.fault) return 0;
    return low | (AccessSlow.readPart(c, nextHost, nextGpa, next, size - first, access) << (first << 3));
  }

  /** A store of 1, 2, 4 or 8 bytes with the given access kind. */
  private static writeAs(c: Cpu, lin: u64, size: u32, value: u64, access: u32): void {
    const host = Translate.resolve(c, lin, access);
    if (host == HOST_FAULT) {
      AccessSlow.describe(c, lin, size, access, ANSWER_WRITE, value);
      return;
    }
    const gpa = c.accessGpa;
    const first = AccessSlow.bytesLeft(lin);
    if (size <= first) {
      AccessSlow.writePart(c, host, gpa, lin, size, value);
      return;
    }
    const next = AccessSlow.nextPage(c, lin);
    const nextHost = Translate.resolve(c, next, access);
    if (nextHost == HOST_FAULT) return;
    const nextGpa = c.accessGpa;
    const high = value >> (first << 3);
    // Questions first: a part in RAM is written only when every answer is there.
    if (host == HOST_REFUSED) AccessSlow.writePart(c, host, gpa, lin, first, value);
    if (c.fault) return;
    if (nextHost == HOST_REFUSED) AccessSlow.writePart(c, nextHost, nextGpa, next, size - first, high);
    if (c.fault) return;
    if (host != HOST_REFUSED) AccessSlow.writePart(c, host, gpa, lin, first, value);
    if (nextHost != HOST_REFUSED) AccessSlow.writePart(c, nextHost, nextGpa, next, size - first, high);
  }

  /**
   * An EPT violation says what was wanted, as far as the first answer of a replay would be exactly that: so hv can get it without
   * running the instruction only to learn it. Not so for an access over a page border, and for a read half that memory can serve.
   */
  private static describe(c: Cpu, lin: u64, size: u32, access: u32, dir: u8, value: u64): void {
    if (c.fault != FAULT_EXIT || c.replay != 0 || size > AccessSlow.bytesLeft(lin)) return;
    if ((access & ACCESS_READ_HALF) != 0 && ((c.exitQualification >> QUAL_EPT_R_BIT) & 1) != 0) return;
    c.exitAccessSize = size;
    c.exitAccessDir = dir;
    c.exitAccessData = size == 8 ? value : value & (((<u64>1) << (size << 3)) - 1);
  }

  /**
   * Reads `size` (1..8) bytes inside one page. The read half of a read-modify-write is remembered during replay: when the write has
   * been answered, the device model may have carried it out, and memory holds the result.
   */
  private static readPart(c: Cpu, host: u32, gpa: u64, lin: u64, size: u32, access: u32): u64 {
    if (host == HOST_NOWHERE) return 0xffff_ffff_ffff_ffff >> (64 - (size << 3));
    if (Bus.isHost(host)) return Bus.read(host, c.slot + 1, size, AccessSlow.memoryType(c, lin));
    let value: u64 = 0;
    let done: u32 = 0;
    while (done < size) {
      const piece = AccessSlow.piece(size - done);
      let data: u64;
      if (host == HOST_REFUSED) {
        data = Replay.access(c, ANSWER_MEMORY, ANSWER_READ, gpa + done, lin + done, piece, 0);
        if (c.fault) return 0;
        if (piece < 8) data &= ((<u64>1) << (piece << 3)) - 1;
      } else {
        data = AccessSlow.loadPiece(host + done, piece);
        if (c.replay != 0 && (access & ACCESS_READ_HALF) != 0) data = Replay.remember(c, lin + done, piece, data);
        if (c.fault) return 0;
      }
      value |= data << (done << 3);
      done += piece;
    }
    return value;
  }

  /** Writes the low `size` (1..8) bytes of `value` inside one page. */
  private static writePart(c: Cpu, host: u32, gpa: u64, lin: u64, size: u32, value: u64): void {
    if (host == HOST_NOWHERE) return;
    if (Bus.isHost(host)) {
      Bus.write(host, c.slot + 1, size, value, AccessSlow.memoryType(c, lin));
      return;
    }
    let done: u32 = 0;
    while (done < size) {
      const piece = AccessSlow.piece(size - done);
      const data = value >> (done << 3);
      if (host == HOST_REFUSED) {
        Replay.access(c, ANSWER_MEMORY, ANSWER_WRITE, gpa + done, lin + done, piece, data);
        if (c.fault) return;
      } else AccessSlow.storePiece(host + done, piece, data);
      done += piece;
    }
    if (host != HOST_REFUSED) AccessSlow.wroteRam(c, host, lin, size);
  }

  /** Memory type of a page of the bus that has just been resolved. */
  @inline private static memoryType(c: Cpu, lin: u64): u32 {
    return (Tlb.entry(c, lin).meta >> TLB_BUS_TYPE_SHIFT) & 7;
  }

  /** After a store to RAM: decoded code that it touched is dropped, and the page loses its protection when none is left. */
  private static wroteRam(c: Cpu, host: u32, lin: u64, size: u32): void {
    const mfn = (host - <u32>FRAMES_BASE) >> PAGE_SHIFT;
    if (CodePages.has(mfn)) CodePages.written(mfn, host & 0xfff, size);
    if (CodePages.has(mfn)) return;
    const e = Tlb.entry(c, lin);
    if (Tlb.holds(e, lin)) e.tag &= ~DENY_SMC;
  }

  /** In 64-bit mode an access outside the canonical halves is #SS(0) through the stack segment and #GP(0) otherwise. */
  private static isAddressable(c: Cpu, lin: u64, seg: u32, size: u32): bool {
    // An access over the end of a flat segment of 4 GiB crosses a page, so it always comes here.
    const isOver = !Mode.is64(c) && lin + <u64>size > 0x1_0000_0000 && c.seg(seg).base == 0;
    if (!isOver && (!Mode.isLong(c) || (Mode.isCanonical(lin) && Mode.isCanonical(lin + size - 1)))) return true;
    Fault.raiseError(c, seg == SEG_SS ? VEC_SS : VEC_GP, 0);
    return false;
  }

  /** Descriptor tables have 64-bit bases in long mode, in compatibility mode too; elsewhere the linear space has 32 bits. */
  private static systemAddress(c: Cpu, lin: u64, size: u32): u64 {
    if (!Mode.isLong(c)) return lin & 0xffff_ffff;
    if (!Mode.isCanonical(lin) || !Mode.isCanonical(lin + size - 1)) Fault.gp0(c);
    return lin;
  }

  /** Start of the page after that of `lin`; the linear space of 32-bit code ends at 4 GiB and wraps. */
  private static nextPage(c: Cpu, lin: u64): u64 {
    const next = lin + AccessSlow.bytesLeft(lin);
    return !Mode.is64(c) && lin <= 0xffff_ffff ? next & 0xffff_ffff : next;
  }

  @inline private static bytesLeft(lin: u64): u32 {
    return 0x1000 - (<u32>lin & 0xfff);
  }

  @inline private static user(c: Cpu): u32 {
    return c.cpl == 3 ? ACCESS_USER : 0;
  }

  /** The largest of 8, 4, 2, 1 that fits. */
  @inline private static piece(left: u32): u32 {
    return left >= 8 ? 8 : left >= 4 ? 4 : left >= 2 ? 2 : 1;
  }

  @inline private static loadPiece(host: u32, size: u32): u64 {
    if (size == 8) return load<u64>(host);
    if (size == 4) return load<u32>(host);
    return size == 2 ? <u64>load<u16>(host) : <u64>load<u8>(host);
  }

  @inline private static storePiece(host: u32, size: u32, value: u64): void {
    if (size == 8) store<u64>(host, value);
    else if (size == 4) store<u32>(host, <u32>value);
    else if (size == 2) store<u16>(host, <u16>value);
    else store<u8>(host, <u8>value);
  }
}
