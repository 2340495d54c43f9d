/**
 * What happened last before a place: the last hit of a watch, the last write of an address. Segments between checkpoints are run again with the
 * watches on, the newest first; the last hit of the first segment that has one is the answer.
 */
import type { DomId } from "../ids.ts";
import type { Recorder } from "./recorder.ts";
import type { LastWrite } from "./types.ts";
import type { WatchHit } from "./watch.ts";

export interface FoundHit {
  readonly time: number;
  readonly hits: readonly WatchHit[];
}

/** The last place before `time` where a watch stops the machine. */
export function findLastHit(recorder: Recorder, time: number, cancel?: () => boolean): FoundHit | undefined {
  const { watches } = recorder;
  let end = time;
  for (let index = recorder.ladder.indexBefore(time - 1); index >= 0; index--) {
    recorder.restore(index);
    const begin = recorder.machine.now();
    let found: FoundHit | undefined;
    while (recorder.machine.now() < end) {
      const reason = recorder.forward({ time: end, isWatched: true, ...(cancel ? { cancel } : {}) });
      if (reason === "cancelled") return undefined;
      if (reason !== "break") break;
      const hits = watches.takeHits(recorder.machine.now());
      if (recorder.machine.now() < time) found = { time: recorder.machine.now(), hits };
      watches.passCurrent();
    }
    if (found) return found;
    end = begin;
  }
  return undefined;
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i]);

/** Who wrote last before where the machine is. Moves the machine. */
export function findLastWrite(recorder: Recorder, domid: DomId, gpa: number, bytes: number): LastWrite | undefined {
  const { machine, watches } = recorder;
  const here = machine.now();
  const value = machine.peek(domid, gpa, bytes);
  const id = watches.add({ kind: "physical", domid, gpa, bytes, access: "w" }, { isAlone: true });
  let found: FoundHit | undefined;
  try {
    found = findLastHit(recorder, here + 1);
  } finally {
    watches.remove(id);
  }
  const from = found?.time ?? recorder.start().time;
  recorder.goTo(from);
  if (!same(machine.peek(domid, gpa, bytes), value)) return outsideWrite(recorder, domid, gpa, value, from, here);
  const hit = found?.hits.findLast((h) => h.kind === "write");
  if (!found || !hit) return undefined;
  const position = recorder.position();
  recorder.goTo(found.time - 1);
  const before = recorder.position();
  return { position, before, by: "guest", slot: hit.slot, rip: machine.regs(hit.slot).rip };
}

/** The value changed and no guest wrote it: the first place that shows the new one, by bisection. */
function outsideWrite(
  recorder: Recorder,
  domid: DomId,
  gpa: number,
  value: Uint8Array,
  from: number,
  to: number,
): LastWrite {
  const { machine } = recorder;
  let low = from;
  let high = to;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    recorder.goTo(middle);
    if (same(machine.peek(domid, gpa, value.length), value)) high = middle;
    else low = middle;
  }
  recorder.goTo(low);
  const before = recorder.position();
  recorder.goTo(high);
  return { position: recorder.position(), before, by: "outside", slot: -1, rip: 0n };
}
