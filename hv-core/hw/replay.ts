/**
 * The hardware side of replay: an access that the machine's memory cannot satisfy takes its answer from the list in
 * hw/answers.ts, or puts its question there. Callers: hw/access.ts for memory, hw/system-io.ts for ports.
 */
import { EXIT_NEED_ANSWER, EXIT_UNHANDLEABLE } from "../abi/exits";
import { KNOB_REPLAY, REPLAY_BY_RIGHTS } from "../abi/knobs";
import { PAGE_SHIFT } from "../abi/layout";
import { Variant } from "../base/variant";
import {
  ANSWER_DONE,
  ANSWER_MEMORY,
  ANSWER_NEED,
  ANSWER_OWN,
  ANSWER_READ,
  ANSWER_WRITE,
  Answer,
  Answers,
  MAX_ANSWERS,
  TO_NOBODY,
} from "./answers";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { DENY_SUPER_READ, DENY_SUPER_WRITE, DENY_USER_READ, DENY_USER_WRITE } from "./tlb";

export class Replay {
  @inline private static isSame(answer: Answer, space: u8, dir: u8, addr: u64, size: u32): bool {
    return answer.addr == addr && <u32>answer.size == size && answer.dir == dir && answer.space == space;
  }

  /** What the instruction has read at `lin`: `data`, or what an earlier pass found there. */
  static remember(c: Cpu, lin: u64, size: u32, data: u64): u64 {
    const answers = Answers.of(c);
    const index = answers.used;
    if (index < answers.count) {
      const answer = answers.entry(index);
      if (Replay.isSame(answer, ANSWER_OWN, ANSWER_READ, lin, size)) {
        answers.used = index + 1;
        return answer.data;
      }
      answers.mismatch = 1;
      Fault.exit(c, EXIT_UNHANDLEABLE, 0);
      return 0;
    }
    if (index >= MAX_ANSWERS) {
      Fault.exit(c, EXIT_UNHANDLEABLE, 0);
      return 0;
    }
    const answer = answers.entry(index);
    answer.addr = lin;
    answer.data = data;
    answer.gla = lin;
    answer.size = <u8>size;
    answer.dir = ANSWER_READ;
    answer.space = ANSWER_OWN;
    answer.state = ANSWER_DONE;
    answer.goesTo = TO_NOBODY;
    answers.count = index + 1;
    answers.used = index + 1;
    return data;
  }

  /**
   * Whether an answer for this access is there or asked for: it is then used whatever the page is by now. A page may become RAM while
   * the instruction waits, and its write must not happen a second time (spec 03 section 3.5, fix 522a2f3c5c). Sets c.accessGpa.
   */
  static isAnswered(c: Cpu, lin: u64, dir: u8): bool {
    if (Variant.is(KNOB_REPLAY, REPLAY_BY_RIGHTS)) return false;
    const answers = Answers.of(c);
    for (let i = answers.used; i < answers.count; i++) {
      const answer = answers.entry(i);
      if (answer.gla != lin || answer.dir != dir || answer.space != ANSWER_MEMORY) continue;
      c.accessGpa = answer.addr;
      return true;
    }
    return false;
  }

  /** Whether the write at `next` was answered before the one at `lin`, the other part of the same access, or alone. */
  static isLater(c: Cpu, lin: u64, next: u64): bool {
    return c.replay != 0 && Replay.findWrite(c, next) < Replay.findWrite(c, lin);
  }

  /** Index of the answer for a write at `lin` that this pass has not used yet; beyond all when there is none. */
  private static findWrite(c: Cpu, lin: u64): u32 {
    const answers = Answers.of(c);
    for (let i = answers.used; i < answers.count; i++) {
      const answer = answers.entry(i);
      if (answer.gla == lin && answer.dir == ANSWER_WRITE && answer.space == ANSWER_MEMORY) return i;
    }
    return MAX_ANSWERS;
  }

  /** Deny bits for a translation cached during a replay: accesses to the page that have answers must not find it. */
  static denied(c: Cpu, lin: u64): u64 {
    if (Variant.is(KNOB_REPLAY, REPLAY_BY_RIGHTS)) return 0;
    const answers = Answers.of(c);
    let deny: u64 = 0;
    for (let i: u32 = 0; i < answers.count; i++) {
      const answer = answers.entry(i);
      if ((answer.gla ^ lin) >> PAGE_SHIFT != 0 || answer.space != ANSWER_MEMORY) continue;
      deny |= answer.dir == ANSWER_READ ? DENY_SUPER_READ | DENY_USER_READ : DENY_SUPER_WRITE | DENY_USER_WRITE;
    }
    return deny;
  }

  /**
   * One access of `size` (1, 2, 4 or 8) bytes that lies inside a page. For a write `data` is what is written.
   * Returns the data read; c.fault = 2 when the answer is missing (EXIT_NEED_ANSWER) or does not fit (EXIT_UNHANDLEABLE).
   */
  static access(c: Cpu, space: u8, dir: u8, addr: u64, gla: u64, size: u32, data: u64): u64 {
    const answers = Answers.of(c);
    const index = answers.used;
    const value = size == 8 ? data : data & (((<u64>1) << (size << 3)) - 1);
    if (index >= MAX_ANSWERS) {
      Fault.exit(c, EXIT_UNHANDLEABLE, 0);
      return 0;
    }
    const answer = answers.entry(index);
    if (index < answers.count) {
      // What was written before stays: its source may have changed in memory since, but the write has happened.
      if (!Replay.isSame(answer, space, dir, addr, size)) {
        if (dir == ANSWER_READ && Replay.isSame(answer, ANSWER_OWN, ANSWER_READ, gla, size)) {
          answers.used = index + 1; // the processor has read it itself before the page was taken from it
          return answer.data;
        }
        answers.mismatch = 1;
        Fault.exit(c, EXIT_UNHANDLEABLE, 0);
        return 0;
      }
      if (answer.state == ANSWER_DONE) {
        answers.used = index + 1;
        return answer.data;
      }
      Fault.exit(c, EXIT_NEED_ANSWER, 0);
      return 0;
    }
    answer.addr = addr;
    answer.data = value;
    answer.gla = gla;
    answer.size = <u8>size;
    answer.dir = dir;
    answer.space = space;
    answer.state = ANSWER_NEED;
    answer.goesTo = TO_NOBODY;
    answers.count = index + 1;
    Fault.exit(c, EXIT_NEED_ANSWER, 0);
    return 0;
  }
}
