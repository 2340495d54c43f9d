/**
 * A guest that runs while its pages are put away all the time (vmexit pager): slice by slice it runs, a hand goes round its RAM and puts the
 * next pages away, and what it touches is brought back. The pager can be killed before one of its steps; another one takes over.
 */
import type { DomId } from "../ids.ts";
import type { Machine } from "../machine.ts";
import { readP2m } from "../p2m-map.ts";
import { createPager, type Pager } from "./pager.ts";
import type { PageStore } from "./store.ts";

export interface PagingOptions {
  readonly machine: Machine;
  readonly domid: DomId;
  /** Instructions that the guest runs between two turns of the hand. */
  readonly slice: number;
  /** Pages that the hand tries to put away in a turn. */
  readonly batch: number;
  readonly maxInstructions: number;
  readonly store: PageStore;
  /** The pager dies before this step (counted from 0), and the store is opened anew with `reopen`. */
  readonly killAt?: number;
  readonly reopen: () => PageStore;
  readonly onProgress?: (progress: PagingProgress) => void;
}

export interface PagingProgress {
  readonly instructions: number;
  /** Pages of RAM, and how many of them are out now. */
  readonly pages: number;
  readonly out: number;
  readonly evicted: number;
  readonly loaded: number;
  /** Pages that could not be put away when their turn came: in use, touched meanwhile, or of another type. */
  readonly refused: number;
  /** Steps of the pager; the one it died before. */
  readonly steps: number;
  readonly killedBefore: string | undefined;
}

class Killed extends Error {}

/** Guest frames that hold RAM, in order. */
function ramOf(machine: Machine, domid: DomId): number[] {
  const ranges = readP2m(machine.core, domid)?.ranges ?? [];
  return ranges.flatMap(({ type, gfn, pages }) =>
    type === "ram_rw" ? Array.from({ length: pages }, (_, i) => gfn + i) : [],
  );
}

/** @throws HvError what enabling the ring answers. */
export function runPaged(options: PagingOptions): PagingProgress {
  const { machine, domid, slice, batch } = options;
  const ram = ramOf(machine, domid);
  let { store } = options;
  let steps = 0;
  let evicted = 0;
  let loaded = 0;
  let refused = 0;
  let killedBefore: string | undefined;

  const onStep = (step: string): void => {
    if (steps++ === options.killAt) {
      killedBefore = step;
      throw new Killed(step);
    }
    if (step === "prep") loaded++;
  };
  const start = (): Pager => {
    const pager = createPager({ dom0: machine.dom0, window: machine.window, domid, store, onStep });
    machine.attachListener(pager.listener, () => void alive(() => void pager.serve()));
    return pager;
  };
  function alive(body: () => void): void {
    try {
      body();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      store = options.reopen();
      pager = start();
      pager.serve(); // what the dead one had begun
    }
  }
  let pager = start();
  let instructions = 0;
  let hand = 0;
  const progress = (): PagingProgress => ({
    instructions,
    pages: ram.length,
    out: store.size,
    evicted,
    loaded,
    refused,
    steps,
    killedBefore,
  });
  while (!machine.ended(domid) && instructions < options.maxInstructions) {
    machine.run({ maxInstructions: slice });
    instructions += slice;
    if (machine.ended(domid)) break;
    for (let i = 0; i < batch && ram.length > 0; i++) {
      const gfn = ram[hand++ % ram.length]!;
      alive(() => {
        if (pager.evict(gfn)) evicted++;
        else refused++;
      });
    }
    alive(() => void pager.serve());
    options.onProgress?.(progress());
  }
  return progress();
}
