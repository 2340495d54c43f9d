/**
 * The decoder: instruction bytes to blocks of records. It runs without touching the guest: bytes come from host memory, and what
 * lies beyond the page is asked for by hw/code-cache.ts.
 *
 * Here: prefixes, opcode, ModRM, SIB, displacement, immediate, and the loop over a block. Then hw/decode-emit.ts (and
 * hw/decode-system.ts) choose the operation. All state is in a workspace in derived memory.
 */
import {
  CPU_RIP,
  CPU_SEG_SIZE,
  CPU_SEGS,
  CPU_ZERO_REG,
  SEG_CS,
  SEG_DS,
  SEG_FS,
  SEG_SS,
  VEC_GP,
  VEC_UD,
} from "../abi/cpu";
import { Block, RECORD_SIZE } from "../mem/block";
import { DECODER_BASE } from "../mem/code-pages";
import { Cpu } from "./cpu";
import { MemoryUse } from "./decode-check";
import { Emit } from "./decode-emit";
import { Quiet } from "./decode-quiet";
import { B, D, Ib, Ie, IMM_SHIFT, Io, Ip, Iv, Iw, Iz, K_UD, M, OpcodeMap, X } from "./decode-tables";
import { MODE_CODE_MASK, MODE_NULL_SHIFT, MODE_PE, MODE_STACK32 } from "./mode";
import { OP_EA, OP_END, OP_RAISE, OP_SYSTEM } from "./ops";
import { Rec, SEG_SHIFT, WRAP_32 } from "./record";

/** An instruction has at most this many bytes; a longer one is #GP(0). */
const MAX_LENGTH: u32 = 15;

const NO_SEGMENT: u32 = 8;

/** Where an OP_EA record leaves the address. */
export const CPU_SCRATCH: u32 = <u32>offsetof<Cpu>("scratch");

@unmanaged
export class Decoder {
  // The bytes.
  /** Host address of the next byte. */
  at: u32;
  /** One past the last byte that may be read. */
  end: u32;
  /** Host address of the instruction's first byte. */
  start: u32;
  /** 1 = a byte at or after `end` was wanted. */
  overrun: u32;

  // The block.
  /** Address of the next record. */
  record: usize;
  /** Distance of the instruction from the block's start. */
  offset: u32;
  /** Number of instructions before it. */
  ordinal: u32;
  /** 16, 32 or 64. */
  codeSize: u32;
  /** 1 = the stack pointer is ESP (or RSP). */
  isWideStack: u32;
  /** 1 = the instruction ends the block. */
  isLast: u32;

  // The instruction. Sizes: 0 = 8 bits, 1 = 16, 2 = 32, 3 = 64.
  rex: u32;
  /** 1 = operand-size prefix. */
  has66: u32;
  /** F2 or F3, the last one seen, else 0. */
  rep: u32;
  hasLock: u32;
  segment: u32;
  size: u32;
  addressSize: u32;
  /** 0x100 + second byte after 0F. */
  opcode: u32;
  modrm: u32;
  /** ModRM.reg and ModRM.rm (or the opcode's low three bits) with their REX bits. */
  reg: u32;
  rm: u32;
  isMemory: u32;
  /** 1 = LOCK is legal. */
  isLockable: u32;
  isProtected: u32;
  immediate: u64;
  /** Bit n: segment register n is null where that matters. */
  nullSegments: u32;
  private _pad: u32;

  // The memory operand.
  base: u32;
  index: u32;
  scale: u32;
  displacement: i32;
  memorySegment: u32;
  isRipRelative: u32;

  /** The last bytes of a page and the first ones of the next, for an instruction that runs over. */
  buffer0: u64;
  buffer1: u64;
  buffer2: u64;
  buffer3: u64;

  @inline static get(): Decoder {
    return changetype<Decoder>(DECODER_BASE);
  }

  @inline get is64(): bool {
    return this.codeSize == 64;
  }

  /** Which group member: ModRM bits 5:3 without REX. */
  @inline get extension(): u32 {
    return (this.modrm >> 3) & 7;
  }

  /**
   * Decodes into the block at `address` up to the end of the page, a jump, or `limit` instructions; `host` is the first byte.
   * block.insns = 0 afterwards: the first instruction runs over the end of the page.
   * @returns the end of the block in memory.
   */
  decodeBlock(mode: u32, address: u32, host: u32, limit: u32): u32 {
    const pageEnd = (host & ~4095) + 4096;
    this.begin(mode, address);
    let at = host;
    while (true) {
      this.start = at;
      this.at = at;
      const isPageShort = pageEnd - at < MAX_LENGTH;
      this.end = isPageShort ? pageEnd : at + MAX_LENGTH;
      this.decodeInstruction(isPageShort);
      if (this.overrun != 0 && isPageShort) break;
      this.ordinal += 1;
      at = this.at;
      this.offset = at - host;
      if (this.isLast != 0 || this.ordinal == limit || at == pageEnd) break;
    }
    return this.finish(address);
  }

  /** Decodes the one instruction that starts at `host` and goes on in the page at host address `second`. */
  decodeCrossing(mode: u32, address: u32, host: u32, second: u32): u32 {
    this.begin(mode, address);
    const first = 4096 - (host & 4095);
    const buffer = changetype<usize>(this) + offsetof<Decoder>("buffer0");
    memory.copy(buffer, host, first);
    memory.copy(buffer + first, second, 16);
    this.start = <u32>buffer;
    this.at = <u32>buffer;
    this.end = <u32>buffer + MAX_LENGTH;
    this.decodeInstruction(false);
    this.ordinal = 1;
    this.offset = this.at - this.start;
    return this.finish(address);
  }

  private begin(mode: u32, address: u32): void {
    this.record = Block.firstRecord(address);
    this.codeSize = mode & MODE_CODE_MASK;
    this.isWideStack = this.codeSize == 64 || (mode & MODE_STACK32) != 0 ? 1 : 0;
    this.isProtected = mode & MODE_PE;
    this.nullSegments = mode >> MODE_NULL_SHIFT;
    this.offset = 0;
    this.ordinal = 0;
    this.isLast = 0;
  }

  private finish(address: u32): u32 {
    const block = Block.at(address);
    block.insns = <u16>this.ordinal;
    block.bytes = <u16>this.offset;
    if (this.isLast == 0) {
      // Nothing of the last instruction, or of one that did not fit, may show in it: length 0, no operand, no link.
      this.start = this.at;
      this.isMemory = 0;
      this.clearMemory();
      this.put(OP_END);
    }
    Quiet.drop(Block.firstRecord(address), this.record);
    block.records = <u16>(<u32>(this.record - Block.firstRecord(address)) / RECORD_SIZE);
    return <u32>this.record;
  }

  /** A new record for the current instruction, with its memory operand if it has one. */
  put(op: i32): Rec {
    const length = this.at - this.start;
    if (this.isMemory != 0) this.preparePlainAddress(op, length);
    const r = Rec.at(this.record);
    this.record += RECORD_SIZE;
    this.fill(r, op, length);
    r.base = <u16>this.base;
    r.index = <u8>this.index;
    r.disp = this.displacement;
    const seg = this.memorySegment;
    const isFlat = this.is64 && seg < <u32>SEG_FS;
    r.segBase = <u16>(isFlat ? <u32>CPU_ZERO_REG : <u32>CPU_SEGS + seg * <u32>CPU_SEG_SIZE);
    r.scaleSeg = <u8>(this.scale | (seg << SEG_SHIFT) | (this.is64 ? 0 : WRAP_32));
    r.imm = this.immediate;
    return r;
  }

  private fill(r: Rec, op: i32, length: u32): void {
    r.op = <u16>op;
    r.len = <u8>length;
    r.ord = <u8>this.ordinal;
    r.d = 0;
    r.s = 0;
    r.off = <u16>this.offset;
    r.form = 0;
    r.link = 0;
  }

  /** Reduces an address that one sum cannot express to the result of an OP_EA record. */
  private preparePlainAddress(op: i32, length: u32): void {
    const codeAddressSize: u32 = this.codeSize == 64 ? 3 : this.codeSize == 32 ? 2 : 1;
    let extra: u32 = 0;
    if (this.isRipRelative != 0) {
      // Cpu.rip is the block's start while its records run.
      extra = this.offset + length;
      this.isRipRelative = 0;
      if (this.displacement < 0x7fff_0000 && this.addressSize == 3) {
        // (A system instruction runs with Cpu.rip at its own start.)
        this.displacement += <i32>(op == OP_SYSTEM ? length : extra);
        return;
      }
    } else if (this.base == CPU_SCRATCH || (this.addressSize == codeAddressSize && this.addressSize != 1)) return;

    const r = this.putAddress(length);
    r.link = extra;
    r.imm = 0xffff_ffff_ffff_ffff >> (64 - (8 << this.addressSize));
  }

  /** An OP_EA record for the address so far; the memory operand becomes its result. */
  private putAddress(length: u32): Rec {
    const r = Rec.at(this.record);
    this.record += RECORD_SIZE;
    this.fill(r, OP_EA, length);
    r.base = <u16>this.base;
    r.index = <u8>this.index;
    r.scaleSeg = <u8>this.scale;
    r.segBase = <u16>CPU_ZERO_REG;
    r.disp = this.displacement;
    this.base = CPU_SCRATCH;
    this.index = CPU_ZERO_REG;
    this.scale = 0;
    this.displacement = 0;
    return r;
  }

  /** Replaces whatever the instruction has emitted by an exception. */
  raise(vector: u32, hasError: bool): void {
    this.isMemory = 0;
    const r = this.put(OP_RAISE);
    r.imm = vector;
    r.d = hasError ? 1 : 0;
    this.isLast = 1;
  }

  @inline invalid(): void {
    this.raise(VEC_UD, false);
  }

  /**
   * Decodes one instruction and emits its records. With overrun and isPageShort nothing has been emitted: more bytes are needed.
   */
  private decodeInstruction(isPageShort: bool): void {
    const firstRecord = this.record;
    this.overrun = 0;
    this.isMemory = 0;
    this.isLockable = 0;
    this.immediate = 0;
    this.modrm = 0;
    this.clearMemory();
    this.readPrefixes();
    const entry = this.readOpcode();
    const isUndefined = (entry & 0xff) == K_UD || ((entry & X) != 0 && this.is64);
    if (!isUndefined) {
      this.chooseSizes(entry);
      if (entry & M) this.readModrm();
      else this.rm = (this.opcode & 7) | ((this.rex & 1) << 3);
      this.readImmediate(this.immediateKind(entry));
    }
    if (this.overrun != 0) {
      if (!isPageShort) this.raise(VEC_GP, true);
      return;
    }
    if (isUndefined) {
      this.invalid();
      return;
    }
    Emit.instruction(this, entry);
    if (this.hasLock != 0 && this.isLockable == 0) {
      this.record = firstRecord;
      this.invalid();
    } else if (this.isMemory != 0 && this.isSegmentRefused()) {
      this.record = firstRecord;
      this.raise(VEC_GP, true);
    }
  }

  /** The last record's memory operand is in a null segment, or it stores through CS: #GP(0) whatever the address. */
  private isSegmentRefused(): bool {
    const r = Rec.at(this.record - RECORD_SIZE);
    const seg = this.memorySegment;
    if (MemoryUse.isPop(r)) return false; // decided after the stack has been read (hw/exec-stack.ts)
    if (((this.nullSegments >> seg) & 1) != 0) return MemoryUse.isAccess(r);
    return seg == <u32>SEG_CS && this.isProtected != 0 && !this.is64 && MemoryUse.isWrite(r);
  }

  byte(): u32 {
    if (this.at >= this.end) {
      this.overrun = 1;
      return 0;
    }
    const value = <u32>load<u8>(<usize>this.at);
    this.at += 1;
    return value;
  }

  /** `bytes` (1, 2, 4, 8) little-endian, zero-extended. */
  private bytes(bytes: u32): u64 {
    if (this.at + bytes > this.end) {
      this.overrun = 1;
      return 0;
    }
    const at = <usize>this.at;
    this.at += bytes;
    if (bytes == 1) return load<u8>(at);
    if (bytes == 2) return load<u16>(at);
    if (bytes == 4) return load<u32>(at);
    return load<u64>(at);
  }

  private clearMemory(): void {
    this.base = CPU_ZERO_REG;
    this.index = CPU_ZERO_REG;
    this.scale = 0;
    this.displacement = 0;
    this.memorySegment = SEG_DS;
    this.isRipRelative = 0;
  }

  /** Leaves the first opcode byte in `opcode`. A REX prefix counts only directly before the opcode. */
  private readPrefixes(): void {
    this.rex = 0;
    this.has66 = 0;
    this.rep = 0;
    this.hasLock = 0;
    this.segment = NO_SEGMENT;
    this.addressSize = this.codeSize == 64 ? 3 : this.codeSize == 32 ? 2 : 1;
    const otherAddressSize: u32 = this.codeSize == 32 ? 1 : 2;
    while (true) {
      const b = this.byte();
      if (this.is64 && (b & 0xf0) == 0x40) {
        this.rex = b;
        continue;
      }
      if (b == 0x66) this.has66 = 1;
      else if (b == 0x67) this.addressSize = otherAddressSize;
      else if (b == 0xf2 || b == 0xf3) this.rep = b;
      else if (b == 0xf0) this.hasLock = 1;
      else if ((b & 0xe7) == 0x26) {
        // 26 ES, 2E CS, 36 SS, 3E DS: nothing in 64-bit mode.
        if (!this.is64) this.segment = (b >> 3) & 3;
      } else if (b == 0x64 || b == 0x65) this.segment = b - 0x60;
      else {
        this.opcode = b;
        return;
      }
      this.rex = 0;
    }
  }

  private readOpcode(): u32 {
    if (this.opcode != 0x0f) return OpcodeMap.oneByte(this.opcode);
    const second = this.byte();
    this.opcode = 0x100 | second;
    return OpcodeMap.twoByte(second);
  }

  private chooseSizes(entry: u32): void {
    if (entry & B) this.size = 0;
    else if (this.codeSize == 64) {
      if (this.rex & 8) this.size = 3;
      else if (this.has66 != 0) this.size = 1;
      else this.size = entry & D ? 3 : 2;
    } else this.size = (this.codeSize == 32) != (this.has66 != 0) ? 2 : 1;
  }

  /** TEST in group 3 (F6 and F7, members 0 and 1) is the only member of its group with an immediate. */
  private immediateKind(entry: u32): u32 {
    if ((this.opcode == 0xf6 || this.opcode == 0xf7) && this.extension < 2) return this.size == 0 ? Ib : Iz;
    return entry & (15 << IMM_SHIFT);
  }

  private readImmediate(kind: u32): void {
    if (kind == Ib) this.immediate = <u64>(<i64>(<i8>this.byte()));
    else if (kind == Iz) {
      if (this.size == 1) this.immediate = <u64>(<i64>(<i16>this.bytes(2)));
      else this.immediate = <u64>(<i64>(<i32>this.bytes(4)));
    } else if (kind == Iw) this.immediate = this.bytes(2);
    else if (kind == Iv) this.immediate = this.bytes((<u32>1) << this.size);
    else if (kind == Io) this.immediate = this.bytes((<u32>1) << this.addressSize);
    else if (kind == Ip) {
      const offset = this.bytes(this.size == 1 ? 2 : 4);
      this.immediate = offset | (this.bytes(2) << 32);
    } else if (kind == Ie) {
      const frame = this.bytes(2);
      this.immediate = frame | (this.bytes(1) << 16);
    }
  }

  /** The memory operand of a string instruction or XLAT: DS, or the prefix's segment. */
  sourceSegment(): void {
    if (this.segment != NO_SEGMENT) this.memorySegment = this.segment;
  }

  /** The memory operand is the absolute address in `immediate`. */
  absoluteAddress(): void {
    this.isMemory = 1;
    this.sourceSegment();
    const address = this.immediate;
    this.addressSize = this.codeSize == 64 ? 3 : 2;
    if (!this.is64 || <u64>(<i64>(<i32>address)) == address) {
      this.displacement = <i32>address;
      return;
    }
    // All ones and the address as the mask.
    const r = this.putAddress(this.at - this.start);
    r.disp = -1;
    r.imm = address;
  }

  private readModrm(): void {
    const modrm = this.byte();
    this.modrm = modrm;
    this.reg = ((modrm >> 3) & 7) | ((this.rex & 4) << 1);
    this.rm = (modrm & 7) | ((this.rex & 1) << 3);
    // MOV to and from control and debug registers knows registers only.
    if (modrm >= 0xc0 || (this.opcode >= 0x120 && this.opcode <= 0x123)) return;
    this.isMemory = 1;
    if (this.addressSize == 1) this.readAddress16(modrm);
    else this.readAddress(modrm);
    if (this.segment != NO_SEGMENT) this.memorySegment = this.segment;
  }

  private readAddress(modrm: u32): void {
    const mod = modrm >> 6;
    let base = modrm & 7;
    let hasBase = true;
    if (base == 4) {
      const sib = this.byte();
      base = sib & 7;
      const index = ((sib >> 3) & 7) | ((this.rex & 2) << 2);
      if (index != 4) {
        this.index = index << 3;
        this.scale = sib >> 6;
      }
      if (base == 5 && mod == 0) {
        hasBase = false;
        this.displacement = <i32>this.bytes(4);
      }
    } else if (base == 5 && mod == 0) {
      hasBase = false;
      this.displacement = <i32>this.bytes(4);
      if (this.is64) {
        this.isRipRelative = 1;
        this.base = CPU_RIP;
      }
    }
    if (hasBase) {
      if (base == 4 || base == 5) {
        if ((this.rex & 1) == 0) this.memorySegment = SEG_SS;
      }
      this.base = (base | ((this.rex & 1) << 3)) << 3;
    }
    if (mod == 1) this.displacement = <i32>(<i8>this.byte());
    else if (mod == 2) this.displacement = <i32>this.bytes(4);
  }

  /** The eight forms of SDM 2A, table 2-1. */
  private readAddress16(modrm: u32): void {
    const mod = modrm >> 6;
    const rm = modrm & 7;
    if (mod == 0 && rm == 6) {
      this.displacement = <i32>(<u32>this.bytes(2));
      return;
    }
    // Base BX BX BP BP SI DI BP BX, index SI DI SI DI: byte offsets in the register file.
    const isBp = rm == 2 || rm == 3 || rm == 6;
    if (rm == 4) this.base = 6 << 3;
    else if (rm == 5) this.base = 7 << 3;
    else this.base = isBp ? 5 << 3 : 3 << 3;
    if (rm < 4) this.index = (rm & 1 ? 7 : 6) << 3;
    if (isBp) this.memorySegment = SEG_SS;
    if (mod == 1) this.displacement = <i32>(<i8>this.byte());
    else if (mod == 2) this.displacement = <i32>(<i16>this.bytes(2));
  }
}

/** Bytes of the arena that the workspace may use. */
if (<u32>offsetof<Decoder>() > 0x400) ERROR("Decoder outgrew its place");
