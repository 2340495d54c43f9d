/**
 * IN, OUT, INS, OUTS as far as the silicon goes: I/O permission (IOPL, then the bitmap in the TSS: SDM 1, 19.5), then the exit; during
 * replay the answer instead. `flags` are the string, rep and immediate bits of the exit qualification.
 */
import { SEG_TR } from "../abi/cpu";
import { EXIT_IO_INSTRUCTION, QUAL_IO_IN_BIT, QUAL_IO_PORT_SHIFT, QUAL_IO_STRING_BIT } from "../abi/exits";
import { FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { ATTR_UNUSABLE } from "../abi/regs";
import { Mem } from "./access";
import { ANSWER_PORT, ANSWER_READ, ANSWER_WRITE } from "./answers";
import { Bus } from "./bus";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { Mode } from "./mode";
import { Replay } from "./replay";
import { SystemFlags } from "./system-flags";

/** Where the 32-bit and 64-bit TSS keep the offset of the bitmap; a 16-bit TSS has none. */
const TSS_IO_MAP_BASE: u32 = 0x66;

export class PortIo {
  /** Reads 1, 2 or 4 bytes: the value in replay, otherwise c.fault is set. */
  static input(c: Cpu, port: u32, size: u32, flags: u32): u32 {
    port &= 0xffff;
    if (!PortIo.isAllowed(c, port, size)) return 0;
    if (c.replay) return <u32>Replay.access(c, ANSWER_PORT, ANSWER_READ, port, 0, size, 0);
    if (PortIo.isLetThrough(c, port, size, flags)) return Bus.port(port, c.slot + 1, size, true, 0);
    PortIo.exit(c, port, size, flags | (1 << QUAL_IO_IN_BIT));
    return 0;
  }

  static output(c: Cpu, port: u32, size: u32, value: u32, flags: u32): void {
    port &= 0xffff;
    if (!PortIo.isAllowed(c, port, size)) return;
    if (c.replay) Replay.access(c, ANSWER_PORT, ANSWER_WRITE, port, 0, size, value);
    else if (PortIo.isLetThrough(c, port, size, flags)) Bus.port(port, c.slot + 1, size, false, value);
    else PortIo.exit(c, port, size, flags);
  }

  /**
   * The I/O bitmap of the VMCS has no bit set for these ports (SDM 3C, 25.1.3). Two frames: ports below 8000 and the others. An access over
   * the end of the ports exits always. String instructions exit here whatever the bitmap says.
   */
  @inline private static isLetThrough(c: Cpu, port: u32, size: u32, flags: u32): bool {
    if (c.ioBitmap == 0 || (flags & (1 << QUAL_IO_STRING_BIT)) != 0 || port + size > 0x1_0000) return false;
    for (let i: u32 = 0; i < size; i++) {
      const at = FRAMES_BASE + ((<usize>c.ioBitmap) << PAGE_SHIFT) + ((port + i) >> 3);
      if (((load<u8>(at) >> ((port + i) & 7)) & 1) != 0) return false;
    }
    return true;
  }

  private static exit(c: Cpu, port: u32, size: u32, flags: u32): void {
    Fault.exit(c, EXIT_IO_INSTRUCTION, <u64>(flags | (size - 1)) | ((<u64>port) << QUAL_IO_PORT_SHIFT));
    c.exitAccessSize = size;
    c.exitStringKind = 0;
  }

  /** #GP(0) is queued when this code may not touch the port. */
  private static isAllowed(c: Cpu, port: u32, size: u32): bool {
    if (!Mode.isProtected(c) || c.cpl <= SystemFlags.iopl(c)) return true;
    const tr = c.seg(SEG_TR);
    const is32 = (tr.attr & 8) != 0;
    if ((tr.attr & ATTR_UNUSABLE) != 0 || !is32 || tr.limit < TSS_IO_MAP_BASE + 1) {
      Fault.gp0(c);
      return false;
    }
    const map = Mem.sysRead16(c, tr.base + TSS_IO_MAP_BASE);
    if (c.fault) return false;
    const at = map + (port >> 3);
    if (at + 1 > tr.limit) {
      Fault.gp0(c);
      return false;
    }
    const bits = Mem.sysRead16(c, tr.base + at);
    if (c.fault) return false;
    if (((bits >> (port & 7)) & ((1 << size) - 1)) == 0) return true;
    Fault.gp0(c);
    return false;
  }
}
