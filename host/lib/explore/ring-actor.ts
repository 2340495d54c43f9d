/**
 * A device model that empties a buffered ring (spec 03 section 3.3): it takes the oldest request, then moves its pointer; two steps.
 * Slab: phase @8, pointer it saw @12, requests taken @16, then from 64 on the data word of each.
 */
import {
  BUFIOREQ_READ_POINTER,
  BUFIOREQ_SLOT_COUNT,
  BUFIOREQ_SLOTS,
  BUFIOREQ_WRITE_POINTER,
} from "../../../hv-core/abi/ioreq.ts";
import { ACTOR_RACE_DEVICE, allocActor, slabOf } from "../actors.ts";
import { type Actor, setWord, word } from "./actors.ts";
import type { World } from "./world.ts";

const PHASE = 8;
const SEEN = 12;
const TAKEN = 16;
const LOG = 64;
const LOG_MAX = 900;

export interface RingActor extends Actor {
  /** Data words of the slots it has taken, in order. */
  log(): readonly number[];
}

export interface RingOptions {
  readonly name: string;
  readonly index: number;
  /** Linear address of the ring. */
  readonly ringAt: number;
  /** Its pointer is moved with one atomic addition, or by storing what was seen plus one. */
  readonly isAtomic: boolean;
}

export function ringActor(world: World, { name, index, ringAt, isAtomic }: RingOptions): RingActor {
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_DEVICE, world.domid));
  const readAt = ringAt + BUFIOREQ_READ_POINTER;
  const isEmpty = (): boolean => word(world, readAt) === word(world, ringAt + BUFIOREQ_WRITE_POINTER);
  const isTaking = (): boolean => word(world, slab + PHASE) !== 0;

  function take(): void {
    const pointer = word(world, readAt);
    const taken = word(world, slab + TAKEN);
    const slot = ringAt + BUFIOREQ_SLOTS + (pointer % BUFIOREQ_SLOT_COUNT) * 8;
    if (taken < LOG_MAX) setWord(world, slab + LOG + taken * 4, word(world, slot + 4));
    setWord(world, slab + TAKEN, taken + 1);
    setWord(world, slab + SEEN, pointer);
    setWord(world, slab + PHASE, 1);
  }
  function advance(): void {
    setWord(world, readAt, (isAtomic ? word(world, readAt) : word(world, slab + SEEN)) + 1);
    setWord(world, slab + SEEN, 0);
    setWord(world, slab + PHASE, 0);
  }
  return {
    name,
    index,
    role: "a device model that takes requests out of its ring and moves its pointer",
    processor: 0,
    isReady: () => isTaking() || !isEmpty(),
    hasWork: () => isTaking() || !isEmpty(),
    next() {
      if (!isTaking()) return { word: "take", text: `takes the request at read pointer ${word(world, readAt)}` };
      const seen = word(world, slab + SEEN);
      return isAtomic
        ? { word: "advance", text: "adds 1 to the read pointer" }
        : { word: "advance", text: `stores ${(seen + 1) >>> 0} into the read pointer` };
    },
    begin: () => (isTaking() ? advance() : take()),
    ended() {},
    log: () => Array.from({ length: word(world, slab + TAKEN) }, (_, i) => word(world, slab + LOG + i * 4)),
  };
}
