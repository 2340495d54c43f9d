/**
 * A party that writes to shared memory as it likes: a hostile or dying device model. Its program is a list of writes; a looping one
 * starts again after the last and never has work that somebody must wait for. Slab: counter @8.
 */
import { ACTOR_RACE_WRITER, allocActor, slabOf } from "../actors.ts";
import { DOM0 } from "../ids.ts";
import { type Actor, setWord, word } from "./actors.ts";
import type { World } from "./world.ts";

const COUNTER = 8;

export interface WriteStep {
  readonly text: string;
  /** False: the write waits until it becomes true. */
  when?(world: World): boolean;
  run(world: World): void;
}

export function writerActor(
  world: World,
  options: {
    readonly name: string;
    readonly index: number;
    readonly program: readonly WriteStep[];
    readonly loops: boolean;
  },
): Actor {
  const { program } = options;
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_WRITER, DOM0));
  const counter = (): number => word(world, slab + COUNTER);
  return {
    name: options.name,
    index: options.index,
    role: `somebody who shares memory with it, and ${program.map(({ text }) => text).join(", then ")}${options.loops ? ", and so on" : ""}`,
    processor: 0,
    isReady: () => counter() < program.length && (program[counter()]!.when?.(world) ?? true),
    hasWork: () => false,
    next: () => ({ word: `write${counter()}`, text: program[counter()]?.text ?? "has nothing left to do" }),
    begin() {
      program[counter()]!.run(world);
      const next = counter() + 1;
      setWord(world, slab + COUNTER, options.loops ? next % program.length : next);
    },
    ended() {},
  };
}
