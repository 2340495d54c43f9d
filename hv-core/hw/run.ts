/**
 * Running the processor: everything that happens between instructions. This is door 1 of docs/architecture.md: hv calls cpuRun, cpuReplay
 * and skip, and gets an exit reason (abi/exits.ts) with the exit fields of hw/cpu.ts filled.
 *
 * Events at entry, interrupt window, single-stepping and interrupt shadows are looked at here, before a block is entered; while
 * blocks follow each other inside hw/exec.ts nothing can change any of these, because whatever could ends the block there.
 */
import { CTR_INSTRUCTIONS } from "../abi/counters";
import { SEG_CS, VEC_DB } from "../abi/cpu";
import { EXIT_ATTENTION, EXIT_BUDGET, EXIT_INTERRUPT_WINDOW, EXIT_REPLAYED } from "../abi/exits";
import { FRAMES_BASE, PAGE_SHIFT } from "../abi/layout";
import { FLAG_IF, FLAG_RF, FLAG_TF } from "../abi/regs";
import { Count } from "../base/counters";
import { Machine } from "../base/machine";
import { Watch } from "../base/watch";
import { Block } from "../mem/block";
import { CodeArena, CodePages } from "../mem/code-pages";
import { Answers } from "./answers";
import { Blocks } from "./code-cache";
import { Cpu } from "./cpu";
import { Deliver } from "./deliver";
import { FAULT_EXCEPTION, FAULT_NONE, FAULT_WATCH, Fault } from "./exceptions";
import { Exec } from "./exec";
import { SYS_INT, SYS_INTO } from "./exec-system";
import { Flags } from "./flags";
import { Mode } from "./mode";
import { OP_SYSTEM } from "./ops";
import { Rec } from "./record";
import { BLOCKED_BY_MOV_SS, BLOCKED_BY_STI } from "./system-flags";
import { WatchCode } from "./watch-code";

/** DR6: the single-step bit. */
const DR6_BS: u64 = 0x4000;

const SHADOW: u32 = BLOCKED_BY_STI | BLOCKED_BY_MOV_SS;

export class Run {
  /**
   * Runs at most `budget` instructions. Virtual time and the counters advance by what was retired.
   * @returns an exit reason; EXIT_BUDGET when nothing happened.
   */
  static cpuRun(c: Cpu, budget: u32): u32 {
    Run.begin(c, budget < 0x7fff_ffff ? budget : 0x7fff_ffff);
    const reason = Run.loop(c);
    Run.end(c);
    c.exitReason = reason;
    return reason;
  }

  /**
   * Runs exactly one instruction (one element of a repeated one) against the answers.
   * @returns EXIT_REPLAYED, also when an exception was delivered; EXIT_NEED_ANSWER, EXIT_UNHANDLEABLE, or a real exit reason.
   */
  static cpuReplay(c: Cpu): u32 {
    Run.begin(c, 1);
    Answers.of(c).used = 0;
    c.replay = 1;
    let reason: u32 = <u32>EXIT_REPLAYED;
    let isDone = Run.step(c);
    // The exit came from this instruction: a breakpoint at it has been told.
    if (!isDone && c.fault == FAULT_WATCH) isDone = Run.unwatched(c);
    if (!isDone) {
      const handled = Deliver.fault(c);
      if (handled != 0) reason = handled;
    }
    c.replay = 0;
    Run.end(c);
    c.exitReason = reason;
    return reason;
  }

  /** Ends the instruction that exited, as if it had run: rip behind it, shadows and RF gone. Costs no virtual time. */
  static skip(c: Cpu): void {
    c.rip = (c.rip + <u64>c.exitInsnLength) & Mode.addressMask(c);
    c.interruptibility &= ~SHADOW;
    c.rflags &= ~(<u32>FLAG_RF);
  }

  /** The next instruction is fetched through the TLB: a right to fetch was lent for one instruction only. */
  static forgetFetch(c: Cpu): void {
    Blocks.forgetPage(c);
  }

  /** Forgets all decoded code: after a restore, or when somebody wants to see it decoded. */
  static resetCode(): void {
    CodeArena.reset();
  }

  @inline private static begin(c: Cpu, budget: u32): void {
    c.fault = FAULT_NONE;
    c.runBudget = budget;
    c.runLeft = budget;
    c.tscBase = Machine.get().now;
  }

  /** Leaves no trace of how the instructions were run, so that equal states are equal bytes. */
  @inline private static end(c: Cpu): void {
    Flags.settle(c);
    const retired = <u64>(c.runBudget - c.runLeft);
    c.retired += retired;
    Machine.get().now += retired;
    Count.add(CTR_INSTRUCTIONS, retired);
    c.runBudget = 0;
    c.runLeft = 0;
    c.tscBase = 0;
    c.scratch = 0;
    c.fault = FAULT_NONE;
  }

  private static loop(c: Cpu): u32 {
    if (c.attention) return EXIT_ATTENTION;
    if (c.entryEvent) {
      const reason = Deliver.entryEvent(c);
      if (reason != 0) return reason;
    }
    while (true) {
      if (c.interruptWindow != 0 && Run.isInterruptible(c)) return EXIT_INTERRUPT_WINDOW;
      if (Watch.isStopping()) Run.endBudget(c);
      if (c.runLeft == 0) return EXIT_BUDGET;
      const isStepping = (c.rflags & (FLAG_TF | FLAG_RF)) != 0 || (c.interruptibility & SHADOW) != 0;
      let isDone = isStepping ? Run.step(c) : Run.blocks(c);
      if (!isDone && c.fault == FAULT_WATCH) isDone = Run.watched(c);
      if (!isDone) {
        // Entering a handler costs one instruction, so that a guest whose handlers only fault spends its budget too. A
        // single-step trap does not: the instruction before it has been counted.
        const cost: u32 = c.fault == FAULT_EXCEPTION && c.faultVector != <u32>VEC_DB ? 1 : 0;
        const reason = Deliver.fault(c);
        if (reason != 0) return reason;
        c.runLeft -= cost;
      }
      if (c.attention) return EXIT_ATTENTION;
    }
  }

  /** The budget ends here, as if it had been no larger. */
  private static endBudget(c: Cpu): void {
    c.runBudget -= c.runLeft;
    c.runLeft = 0;
  }

  @inline private static isInterruptible(c: Cpu): bool {
    return (c.rflags & FLAG_IF) != 0 && (c.interruptibility & SHADOW) == 0;
  }

  /** The block at rip, 0 with c.fault set when it cannot be fetched. */
  @inline private static currentBlock(c: Cpu): u32 {
    if (Blocks.isFull()) CodeArena.reset();
    const base: u64 = Mode.is64(c) ? 0 : c.seg(SEG_CS).base;
    return Blocks.enter(c, (c.rip + base) & Mode.addressMask(c), 0);
  }

  /** Runs blocks until something is to be looked at. @returns false when c.fault is set. */
  private static blocks(c: Cpu): bool {
    let block = Run.currentBlock(c);
    if (block == 0) return c.fault == 0;
    if (<u32>Block.at(block).insns > c.runLeft) block = Blocks.firstPart(block, c.runLeft);
    return Watch.isOn() ? Run.watching(c, block) : Exec.run(c, block);
  }

  /** As Exec.run, and watched accesses stop it before their instruction, of which then no trace is left. */
  private static watching(c: Cpu, block: u32): bool {
    const length = c.exitInsnLength;
    Watch.trap(true);
    const isDone = Exec.run(c, block);
    Watch.trap(false);
    if (!isDone && c.fault == FAULT_WATCH) c.exitInsnLength = length;
    return isDone;
  }

  /**
   * The instruction at rip is watched and has not begun. A breakpoint stops the machine before it, unless that has been told; otherwise it is run
   * alone, so that the machine can stop right after it. @returns false when c.fault is set.
   */
  private static watched(c: Cpu): bool {
    const base: u64 = Mode.is64(c) ? 0 : c.seg(SEG_CS).base;
    const lin = (c.rip + base) & Mode.addressMask(c);
    const host = c.fetchHost + (<u32>lin & 4095);
    const before = Watch.hits();
    const isTold = Watch.isTold(c.slot, c.retired + <u64>(c.runBudget - c.runLeft));
    if (!isTold && Watch.hasCode() && WatchCode.note(c, lin, host)) {
      c.fault = FAULT_NONE;
      return true;
    }
    const isDone = Run.unwatched(c);
    if (!isDone && c.fault == FAULT_EXCEPTION && c.faultVector != <u32>VEC_DB) Watch.forget(before);
    return isDone;
  }

  /** One instruction, whatever breakpoint is at it: the code of its page is decoded once without any. */
  private static unwatched(c: Cpu): bool {
    const mfn = (c.fetchHost - <u32>FRAMES_BASE) >> PAGE_SHIFT;
    c.fault = FAULT_NONE;
    Watch.passing(true);
    CodePages.invalidate(mfn);
    const isDone = Run.step(c);
    Watch.passing(false);
    CodePages.invalidate(mfn);
    return isDone;
  }

  /**
   * Runs one instruction, with what is true for just one: RF and the interrupt shadows end after it, and TF traps after it.
   * @returns false when c.fault is set.
   */
  private static step(c: Cpu): bool {
    const flags = c.rflags;
    const shadow = c.interruptibility & SHADOW;
    const left = c.runLeft;
    const length = c.exitInsnLength;
    let block = Run.currentBlock(c);
    if (block == 0) return false;
    if (<u32>Block.at(block).insns > 1) block = Blocks.firstPart(block, 1);
    const system = Run.systemOperation(block);
    c.rflags = flags & ~(<u32>FLAG_RF);
    c.interruptibility &= ~SHADOW;
    c.runLeft = 1;
    const isDone = Exec.run(c, block);
    c.runLeft = left - (1 - c.runLeft);
    if (!isDone) {
      // It has not happened: what was true before it still is.
      if (c.fault == FAULT_WATCH) c.exitInsnLength = length;
      c.rflags |= flags & FLAG_RF;
      c.interruptibility |= shadow;
      return false;
    }
    const isSoftware = system >= SYS_INT && system <= SYS_INTO;
    if ((flags & FLAG_TF) != 0 && !isSoftware && (c.interruptibility & BLOCKED_BY_MOV_SS) == 0) {
      c.dr6 |= DR6_BS;
      Fault.raise(c, VEC_DB);
      return false;
    }
    return true;
  }

  /** SYS_* of the block's first instruction, -1 when it is no system instruction. */
  @inline private static systemOperation(block: u32): i32 {
    const first = Rec.at(Block.firstRecord(block));
    return <i32>first.op == OP_SYSTEM ? <i32>first.sub : -1;
  }
}
