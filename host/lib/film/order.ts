/**
 * Orders: who moves, step by step. As words for people ("guest0*3 toolstack*2"), as one letter a step for addresses of the page
 * ("00011": digits and letters count the actors from 0), and played: exactly, or as far as possible in another variant.
 */
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import type { Film } from "./film.ts";

type Named = readonly { readonly name: string }[];

const LONGEST_RUN = 2000;

/** "guest0*3 toolstack" as actors. @throws UsageError that names the word that is wrong. */
export function parseOrder(text: string, actors: Named): number[] {
  return text
    .trim()
    .split(/[\s,]+/)
    .filter((word) => word !== "")
    .flatMap((word) => {
      const match = /^([A-Za-z][\w-]*)(?:\*(\d+))?$/.exec(word);
      if (!match) throw new UsageError(`"${word}" in the order is no actor: write guest0, or guest0*3 for three steps`);
      const [, name, times = "1"] = match;
      const actor = actors.findIndex((a) => a.name === name);
      const names = actors.map((a) => a.name);
      const meant = nearest(name!, names);
      if (actor < 0)
        throw new UsageError(
          `no actor is called "${name}": ${meant === undefined ? `they are ${names.join(", ")}` : `did you mean ${meant}?`}`,
        );
      const count = Number(times);
      if (count < 1 || count > LONGEST_RUN) throw new UsageError(`${word}: from 1 to ${LONGEST_RUN} steps`);
      return Array<number>(count).fill(actor);
    });
}

/** The other direction, runs of one actor put together. */
export function formatOrder(choices: readonly number[], actors: Named): string {
  const runs: { actor: number; count: number }[] = [];
  for (const actor of choices) {
    const last = runs.at(-1);
    if (last?.actor === actor) last.count++;
    else runs.push({ actor, count: 1 });
  }
  return runs.map(({ actor, count }) => `${actors[actor]!.name}${count > 1 ? `*${count}` : ""}`).join(" ");
}

/** One letter a step. */
export const packOrder = (choices: readonly number[]): string => choices.map((actor) => actor.toString(36)).join("");

/** @throws UsageError for a letter that is no actor: a cut or foreign address. */
export function unpackOrder(text: string, actors: number): number[] {
  return [...text].map((letter, i) => {
    const actor = /[0-9a-z]/.test(letter) ? Number.parseInt(letter, 36) : Number.NaN;
    if (!(actor < actors))
      throw new UsageError(
        `letter ${i + 1} of the steps is "${letter}": the ${actors} actors are ${packOrder(Array.from({ length: actors }, (_, n) => n))}`,
      );
    return actor;
  });
}

/** Plays an order exactly. @throws UsageError that names the first step that cannot be taken. */
export function playOrder(film: Film, order: readonly number[]): void {
  for (const [i, actor] of order.entries()) {
    try {
      film.choose(actor);
    } catch (cause) {
      throw new UsageError(`step ${i + 1}: ${(cause as Error).message}`, { cause });
    }
  }
}

/**
 * Plays an order as far as this hypervisor allows: who cannot go on when it is its turn is left out. Then everybody goes on in turn until
 * nobody can. So a losing order is tried again with the fix.
 * @returns how many steps of the order could not be taken.
 */
export function tryOrder(film: Film, order: readonly number[]): number {
  const last = () => film.frames.at(-1)!;
  const canMove = (actor: number): boolean => last().lanes[actor]?.status === "runnable";
  let left = 0;
  for (const actor of order) {
    if (last().verdict.kind !== "open") break;
    if (canMove(actor)) film.choose(actor);
    else left++;
  }
  runToEnd(film);
  return left;
}

/** Everybody in turn, from the one after who moved last, until the film is over or comes round to a frame it has had. */
export function runToEnd(film: Film): void {
  const count = film.instance.actors.length;
  let turn = film.choices.at(-1) ?? -1;
  while (film.frames.at(-1)!.verdict.kind === "open" && film.choices.length < LONGEST_RUN) {
    const { lanes } = film.frames.at(-1)!;
    do turn = (turn + 1) % count;
    while (lanes[turn]!.status !== "runnable");
    if (film.choose(turn).sameAs !== undefined) return;
  }
}
