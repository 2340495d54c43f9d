/**
 * The cache of decoded blocks: finding the block at an address, decoding it when it is not there, and the scratch copy for running
 * only the first instructions of a block. Derived memory: it can be dropped between any two instructions.
 *
 * A block lies in one page, except that a block of a single instruction may run over its end. Instruction fetch is translated when
 * control goes to another page than the one being executed (Cpu.fetchPage), never inside it; so what the TLB sees does not depend
 * on what happens to be decoded. Jumps are linked to their target only inside a page.
 *
 * Before: hw/run.ts, hw/exec.ts. After: hw/decode.ts.
 */
import { CTR_BLOCKS_DECODED } from "../abi/counters";
import { CODE_HASH_BASE, CODE_HASH_SLOTS, FRAMES_BASE } from "../abi/layout";
import { Count } from "../base/counters";
import { Watch } from "../base/watch";
import { BLOCK_HEADER_SIZE, Block, RECORD_SIZE, STALE_LIN } from "../mem/block";
import { CodeArena, CodePages, ROOM_FOR_ADD, SCRATCH_BLOCK } from "../mem/code-pages";
import { Mem } from "./access";
import { Cpu } from "./cpu";
import { Decoder } from "./decode";
import { Quiet } from "./decode-quiet";
import { Mode } from "./mode";
import { OP_END } from "./ops";
import { Rec } from "./record";
import { TLB_PAGE_MASK, Tlb } from "./tlb";
import { WatchCode } from "./watch-code";

/** Value of Cpu.fetchPage when the next fetch must be translated. */
export const NO_FETCH_PAGE: u64 = 0xffff_ffff_ffff_ffff;

/** Instructions of a block at most; an instruction has at most two records, and OP_END is one more. */
export const MAX_BLOCK_INSNS: u32 = 48;
const MAX_RECORDS: u32 = MAX_BLOCK_INSNS * 2 + 1;
const MAX_BLOCK_BYTES: u32 = BLOCK_HEADER_SIZE + MAX_RECORDS * RECORD_SIZE + 2 * ROOM_FOR_ADD;

export class Blocks {
  /** Makes the next instruction fetch go through the TLB: after whatever may change a translation or a right. */
  @inline static forgetPage(c: Cpu): void {
    c.fetchPage = NO_FETCH_PAGE;
  }

  /** Whether there may be no room for one more block: CodeArena.reset is due. */
  @inline static isFull(): bool {
    return CodeArena.room() < MAX_BLOCK_BYTES;
  }

  /**
   * The block at linear address `lin`; links the jump whose link is at `slot` (0 = none) to it when both are in one page.
   * @returns 0 when the fetch faulted (c.fault) or the arena is full.
   */
  static enter(c: Cpu, lin: u64, slot: usize): u32 {
    const page = lin & TLB_PAGE_MASK;
    const isSamePage = page == c.fetchPage;
    if (!isSamePage) {
      const host = Mem.fetchHost(c, lin);
      if (c.fault) return 0;
      c.fetchPage = page;
      c.fetchHost = host - (<u32>lin & 4095);
    }
    const host = c.fetchHost + (<u32>lin & 4095);
    const head = Blocks.hashSlot(lin, host);
    let block = Blocks.find(head, lin, host, c.mode);
    if (block != 0 && Block.at(block).second != 0) {
      const second = Mem.fetchHost(c, Blocks.nextPage(c, lin));
      if (c.fault) return 0;
      if (second != Block.at(block).second) {
        Block.drop(block);
        block = 0;
      }
    }
    if (block == 0) {
      if (Blocks.isFull()) return 0;
      block = Blocks.decode(c, lin, host);
      if (block == 0) return 0;
      Block.at(block).next = load<u32>(head);
      store<u32>(head, block);
    }
    if (isSamePage && slot != 0 && Block.at(block).second == 0) store<u32>(slot, block);
    return block;
  }

  @inline private static hashSlot(lin: u64, host: u32): usize {
    const h = <u32>lin ^ (<u32>lin >> 16) ^ (host >> 12);
    return CODE_HASH_BASE + ((h & (CODE_HASH_SLOTS - 1)) << 2);
  }

  /** Searches the chain at `head`, taking out dropped blocks on the way. */
  private static find(head: usize, lin: u64, host: u32, mode: u32): u32 {
    let link = head;
    let at = load<u32>(link);
    while (at != 0) {
      const b = Block.at(at);
      if (b.lin == STALE_LIN) store<u32>(link, b.next);
      else {
        if (b.lin == lin && b.host == host && b.mode == mode) return at;
        link = <usize>at + offsetof<Block>("next");
      }
      at = b.next;
    }
    return 0;
  }

  /** First byte of the page after that of `lin`. */
  @inline private static nextPage(c: Cpu, lin: u64): u64 {
    return ((lin & TLB_PAGE_MASK) + 4096) & Mode.addressMask(c);
  }

  private static decode(c: Cpu, lin: u64, host: u32): u32 {
    const address = CodeArena.mark();
    const block = Block.at(address);
    block.lin = lin;
    block.host = host;
    block.mode = c.mode;
    block.second = 0;
    const decoder = Decoder.get();
    let end = decoder.decodeBlock(c.mode, address, host, MAX_BLOCK_INSNS);
    if (<u32>block.insns == 0) {
      // The very first instruction needs bytes of the next page.
      const second = Mem.fetchHost(c, Blocks.nextPage(c, lin));
      if (c.fault) return 0;
      block.second = second;
      end = decoder.decodeCrossing(c.mode, address, host, second);
    }
    if (Watch.hasCode()) end = WatchCode.cut(address, end);
    CodeArena.trim(end);
    Count.one(CTR_BLOCKS_DECODED);
    const offset = host & 4095;
    const last = offset + <u32>block.bytes;
    Blocks.note(host, address, offset, min(last, 4096));
    if (block.second != 0) Blocks.note(block.second, address, 0, last > 4096 ? last - 4096 : 1);
    return address;
  }

  private static note(host: u32, block: u32, start: u32, end: u32): void {
    const mfn = (host - <u32>FRAMES_BASE) >> 12;
    if (CodePages.add(mfn, block, start, end)) Tlb.protectCode(mfn);
  }

  /** A copy in scratch memory of the first `insns` instructions of `block`, which has more. */
  static firstPart(block: u32, insns: u32): u32 {
    const whole = Block.at(block);
    const part = Block.at(SCRATCH_BLOCK);
    Blocks.copyUnit(SCRATCH_BLOCK, block);
    let from = Block.firstRecord(block);
    let to = Block.firstRecord(SCRATCH_BLOCK);
    let records: u32 = 0;
    while (records < <u32>whole.records && <u32>Rec.at(from).ord < insns) {
      Blocks.copyUnit(to, from);
      Rec.at(to).op = Quiet.full(Rec.at(from));
      from += RECORD_SIZE;
      to += RECORD_SIZE;
      records++;
    }
    Blocks.writeEnd(to, Rec.at(from).off);
    part.insns = <u16>insns;
    part.records = <u16>(records + 1);
    return SCRATCH_BLOCK;
  }

  /** Copies a header or a record, 32 bytes each. Every replay does this, and memory.copy is a call out of WebAssembly. */
  @inline private static copyUnit(to: usize, from: usize): void {
    store<u64>(to, load<u64>(from));
    store<u64>(to, load<u64>(from, 8), 8);
    store<u64>(to, load<u64>(from, 16), 16);
    store<u64>(to, load<u64>(from, 24), 24);
  }

  /** OP_END: control goes on `off` bytes after the block's start. */
  private static writeEnd(to: usize, off: u16): void {
    const end = Rec.at(to);
    end.op = <u16>OP_END;
    end.len = 0;
    end.off = off;
    end.disp = 0;
    end.link = 0;
  }
}
