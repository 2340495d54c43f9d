/**
 * A toolstack program: a list of hypercalls by dom0 with a counter. Slab: counter @8, results from 64 on, one i32 a call.
 * Each program has a page of dom0 of its own for its arguments, because they must outlive a suspension.
 */
import { CONT_FIRST_PROCESSOR, CONT_HYPERCALL } from "../../../hv-core/abi/continuation.ts";
import { HC_DM_OP } from "../../../hv-core/abi/hypercalls.ts";
import { ACTOR_RACE_TOOLSTACK, allocActor, slabOf } from "../actors.ts";
import { errnoName } from "../errors.ts";
import { DOM0 } from "../ids.ts";
import { type Actor, setWord, word } from "./actors.ts";
import type { World } from "./world.ts";

const COUNTER = 8;
const RESULTS = 64;
/** Bytes of its page that a call may use. */
const ARGUMENTS = 256;

export interface HypercallStep {
  /** What it is for, as a sentence without a subject: "unmaps the page type". */
  readonly text: string;
  /** Writes the arguments at linear address `at` = dom0 address `gpa`. @returns number and arguments of the hypercall. */
  prepare(world: World, at: number, gpa: number): readonly number[];
  /** Results that are fine, beside 0 and above. */
  readonly mayFail?: readonly number[];
  /** False: the call waits until it becomes true. */
  when?(world: World): boolean;
}

/** A dm_op with its buffer: `fill` writes the union. */
export function dmOpStep(
  text: string,
  op: number,
  fill: (view: DataView, at: number) => void,
  mayFail: readonly number[] = [],
): HypercallStep {
  return {
    text,
    mayFail,
    prepare(world, at, gpa) {
      const { view } = world.core;
      view.setUint32(at, gpa + 16, true);
      view.setUint32(at + 8, 32, true);
      view.setUint32(at + 16, op, true);
      fill(view, at + 24);
      return [HC_DM_OP, world.domid, 1, gpa];
    },
  };
}

export interface ToolstackActor extends Actor {
  /** How many calls have ended. */
  done(): number;
  /** The first call that failed although it may not, as a sentence. */
  failure(): string | undefined;
  resultOf(call: number): number;
}

export function toolstackActor(
  world: World,
  options: { readonly name: string; readonly index: number; readonly program: readonly HypercallStep[] },
): ToolstackActor {
  const { program, index } = options;
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_TOOLSTACK, DOM0));
  const processor = CONT_FIRST_PROCESSOR + index + 1;
  const gpa = (world.dom0.pages - 1 - index) * 4096;
  const at = world.dom0.ramAt + gpa;
  const done = (): number => word(world, slab + COUNTER);
  const resultOf = (call: number): number => word(world, slab + RESULTS + call * 4) | 0;
  function ended(result: number): void {
    setWord(world, slab + RESULTS + done() * 4, result);
    setWord(world, slab + COUNTER, done() + 1);
    world.core.u8.fill(0, at, at + ARGUMENTS);
  }
  return {
    name: options.name,
    index,
    role: `a program in the control domain, which ${program.map(({ text }) => text).join(", then ")}`,
    processor,
    done,
    resultOf,
    isReady: () => done() < program.length && (program[done()]!.when?.(world) ?? true),
    hasWork: () => done() < program.length,
    next: () => ({ word: `call${done()}`, text: program[done()]?.text ?? "has nothing left to do" }),
    begin() {
      const [nr, ...args] = program[done()]!.prepare(world, at, gpa);
      const result = world.continuations.start(index, { kind: CONT_HYPERCALL, args: [nr!, ...args], processor });
      if (result !== undefined) ended(result);
    },
    ended,
    failure() {
      for (let call = 0; call < done(); call++) {
        const result = resultOf(call);
        if (result < 0 && !program[call]!.mayFail?.includes(result))
          return `"${program[call]!.text}" failed: ${errnoName(-result) ?? result}`;
      }
      return undefined;
    },
  };
}
