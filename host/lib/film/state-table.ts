/** The facts beside a step as a table: "page ram_rw" is the row `page` with the value `ram_rw`; locks that were ever held keep their row. */

export interface StateRow {
  /** "page", "slot", "p2m lock". */
  readonly name: string;
  /** "ram_rw", "NONE"; of a lock who holds it, or "free". */
  readonly value: string;
  /** The value before the step, where the step changed it. */
  readonly was?: string;
}

const FREE = "free";

/** A fact that is no lock: its first word is the name, unless it has only one. */
function splitFact(fact: string): StateRow {
  const lock = /^(.* lock): (.*)$/.exec(fact);
  if (lock) return { name: lock[1]!, value: lock[2]! };
  const space = fact.indexOf(" ");
  return space < 0 ? { name: "state", value: fact } : { name: fact.slice(0, space), value: fact.slice(space + 1) };
}

const isLock = (row: StateRow): boolean => row.name.endsWith(" lock");

/** Facts of the race keep their places from step to step: the n-th one is the same fact. @param before the table one step earlier. */
export function stateTable(facts: readonly string[], before: readonly StateRow[] = []): StateRow[] {
  const rows = facts.map(splitFact);
  const state = rows.filter((row) => !isLock(row));
  const stateBefore = before.filter((row) => !isLock(row));
  const changed = (row: StateRow, old: StateRow | undefined): StateRow =>
    old === undefined || (old.name === row.name && old.value === row.value)
      ? row
      : { ...row, was: old.name === row.name ? old.value : `${old.name} ${old.value}` };
  const held = rows.filter(isLock);
  const known = before.filter(isLock).map(({ name }) => name);
  const locks = [...known, ...held.map(({ name }) => name).filter((name) => !known.includes(name))];
  return [
    ...state.map((row, i) => changed(row, stateBefore[i])),
    ...locks.map((name) => {
      const value = held.find((row) => row.name === name)?.value ?? FREE;
      const old = before.find((row) => row.name === name)?.value ?? FREE;
      return changed({ name, value }, before.length === 0 ? undefined : { name, value: old });
    }),
  ];
}
