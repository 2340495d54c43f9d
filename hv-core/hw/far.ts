/**
 * Far JMP, CALL and RET (SDM 2A/2B). Direct transfers to code segments; a task gate or TSS leaves the guest with EXIT_TASK_SWITCH,
 * a call gate is refused with #GP(selector). `opSize` is 2, 4 or 8 bytes. c.rip changes only on success.
 */
import { SEG_CS, VEC_GP, VEC_NP } from "../abi/cpu";
import { EXIT_TASK_SWITCH } from "../abi/exits";
import { ATTR_EXPAND_DOWN, ATTR_P, ATTR_S, ATTR_TYPE, TYPE_TASK_GATE, TYPE_TSS, TYPE_TSS16 } from "../abi/regs";
import { Cpu } from "./cpu";
import { Descriptor } from "./descriptor";
import { Fault } from "./exceptions";
import { Mode } from "./mode";
import { Returns } from "./returns";
import { Segments } from "./segments";
import { Stack } from "./stack";

/** Source of a task switch, bits 31:30 of its exit qualification. */
const TASK_SWITCH_CALL: u64 = 0;
const TASK_SWITCH_JMP: u64 = (<u64>2) << 30;

export class Far {
  static jump(c: Cpu, selector: u32, offset: u64, opSize: u32): void {
    selector &= 0xffff;
    const rip = Far.truncate(offset, opSize);
    if (!Mode.isProtected(c)) {
      Far.realTarget(c, selector, rip);
      return;
    }
    const raw = Far.target(c, selector, rip, TASK_SWITCH_JMP);
    if (c.fault) return;
    Segments.setCode(c, selector, raw, c.cpl);
    c.rip = rip;
  }

  /** `nextRip` is pushed after the old CS. */
  static call(c: Cpu, selector: u32, offset: u64, opSize: u32, nextRip: u64): void {
    selector &= 0xffff;
    const rip = Far.truncate(offset, opSize);
    let raw: u64 = 0;
    if (Mode.isProtected(c)) {
      raw = Far.target(c, selector, rip, TASK_SWITCH_CALL);
      if (c.fault) return;
    }
    const mask = Mode.stackMask(c);
    const base = Stack.base(c);
    Stack.write(c, base, mask, c.rsp - opSize, opSize, c.seg(SEG_CS).selector, c.cpl);
    if (c.fault) return;
    Stack.write(c, base, mask, c.rsp - 2 * opSize, opSize, nextRip, c.cpl);
    if (c.fault) return;
    c.rsp = Stack.merge(c.rsp, mask, c.rsp - 2 * opSize);
    if (!Mode.isProtected(c)) {
      Far.realTarget(c, selector, rip);
      return;
    }
    Segments.setCode(c, selector, raw, c.cpl);
    c.rip = rip;
  }

  /** RET far, releasing `imm` more bytes; to the same or an outer privilege. */
  static ret(c: Cpu, opSize: u32, imm: u32): void {
    const rip = Stack.read(c, c.rsp, opSize);
    if (c.fault) return;
    const selector = <u32>Stack.read(c, c.rsp + opSize, opSize) & 0xffff;
    if (c.fault) return;
    const after = c.rsp + 2 * opSize + imm;
    if (!Mode.isProtected(c)) {
      c.rsp = Stack.merge(c.rsp, Mode.stackMask(c), after);
      Far.realTarget(c, selector, rip);
      return;
    }
    const raw = Returns.checkCode(c, selector, rip);
    if (c.fault) return;
    if ((selector & 3) == c.cpl) {
      Returns.same(c, selector, raw, rip, after);
      return;
    }
    const sp = Stack.read(c, after, opSize);
    if (c.fault) return;
    const ss = <u32>Stack.read(c, after + opSize, opSize) & 0xffff;
    if (c.fault) return;
    Returns.outer(c, selector, raw, rip, ss, sp + imm, opSize);
  }

  /** Checks the target of a jump or call; c.fault on failure. */
  private static target(c: Cpu, selector: u32, rip: u64, source: u64): u64 {
    if (Descriptor.isNull(selector)) {
      Fault.gp0(c);
      return 0;
    }
    const raw = Descriptor.read(c, selector, VEC_GP, 0);
    if (c.fault) return 0;
    const attr = Descriptor.attr(raw);
    if ((attr & ATTR_S) == 0) {
      const type = attr & ATTR_TYPE;
      const isTask = type == TYPE_TASK_GATE || type == TYPE_TSS || type == TYPE_TSS16;
      if (isTask && !Mode.isLong(c) && (attr & ATTR_P) != 0) {
        Fault.exit(c, EXIT_TASK_SWITCH, source | selector);
      } else Segments.refuse(c, VEC_GP, selector, 0);
      return 0;
    }
    Segments.readCode(c, selector, 0);
    if (c.fault) return 0;
    const dpl = Descriptor.dpl(raw);
    const isConforming = (attr & ATTR_EXPAND_DOWN) != 0;
    const isAllowed = isConforming ? dpl <= c.cpl : (selector & 3) <= c.cpl && dpl == c.cpl;
    if (!isAllowed) Segments.refuse(c, VEC_GP, selector, 0);
    else if ((attr & ATTR_P) == 0) Segments.refuse(c, VEC_NP, selector, 0);
    else if (!Segments.isTargetLegal(c, raw, rip)) Fault.gp0(c);
    else Descriptor.markAccessed(c, selector, raw);
    return raw;
  }

  private static realTarget(c: Cpu, selector: u32, rip: u64): void {
    const cs = c.seg(SEG_CS);
    cs.selector = selector;
    cs.base = (<u64>selector) << 4;
    c.rip = rip & 0xffff_ffff;
  }

  @inline private static truncate(offset: u64, opSize: u32): u64 {
    return opSize == 8 ? offset : opSize == 4 ? offset & 0xffff_ffff : offset & 0xffff;
  }
}
