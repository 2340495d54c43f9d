/** A process as an actor: one system call, access or hypercall a step; a hypercall suspends where the hypervisor does. */
import { CONT_FIRST_PROCESSOR, CONT_HYPERCALL } from "../../../hv-core/abi/continuation.ts";
import type { Actor } from "../explore/actors.ts";
import { isMoving, type ProcessMemory } from "./memory.ts";
import type { Program } from "./program.ts";

export interface ProcessActor extends Actor {
  isRunning(): boolean;
  /** Hypercalls that have ended. */
  calls(): readonly { readonly text: string; readonly result: number }[];
}

export function processActor(memory: ProcessMemory, program: Program, name: string, index: number): ProcessActor {
  const { ops } = program;
  const processor = CONT_FIRST_PROCESSOR + index + 1;
  const isRunning = (): boolean => memory.pc < ops.length;
  const callOps = ops.flatMap((op, at) => (op.hypercall ? [{ op, at }] : []));
  function ended(result: number): void {
    memory.setResult(
      callOps.findIndex(({ at }) => at === memory.pc),
      result,
    );
    memory.pc++;
  }
  return {
    name,
    index,
    processor,
    isRunning,
    calls: () =>
      callOps.filter(({ at }) => at < memory.pc).map(({ op }, i) => ({ text: op.text, result: memory.result(i) })),
    isReady: () => isRunning() && !ops[memory.pc]!.pages.some((page) => isMoving(memory, page)),
    hasWork: isRunning,
    next: () => ops[memory.pc] ?? { word: "through", text: "has nothing left to do" },
    begin() {
      const op = ops[memory.pc]!;
      op.run(memory);
      if (!op.hypercall) {
        memory.pc++;
        return;
      }
      const call = { kind: CONT_HYPERCALL, args: op.hypercall, processor };
      const result = memory.world.continuations.start(index, call);
      if (result !== undefined) ended(result);
    },
    ended,
  };
}
