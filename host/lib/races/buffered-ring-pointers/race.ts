/** C-10: the two pointers of a buffered ring, which the hypervisor and a device model both move. */
import {
  BUFIOREQ_ATOMIC,
  BUFIOREQ_LEGACY,
  BUFIOREQ_READ_POINTER,
  BUFIOREQ_SLOT_COUNT,
  BUFIOREQ_SLOTS,
  BUFIOREQ_WRITE_POINTER,
} from "../../../../hv-core/abi/ioreq.ts";
import { setWord, word } from "../../explore/actors.ts";
import { out8, program } from "../../explore/code.ts";
import { createServer } from "../../explore/device-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { ringActor } from "../../explore/ring-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld } from "../../explore/world.ts";
import { CODE } from "../mmio-guest.ts";

/** The guest sets its clock: index of the seconds, and 30 of them; device models hear of it through their rings, in two slots. */
const SET_CLOCK = [...out8(0x70, 0), ...out8(0x71, 0x30)];
const SLOTS_OF_REQUEST = 2;

interface Ring {
  readonly handling: number;
  /** The device model's pointer at first, and how many requests it has not taken. */
  readonly read: number;
  readonly unread: number;
  readonly isAtomic: boolean;
}

/** Just before the pointers wrap, where 2^32 is no multiple of 511: the 33rd slot on is slot 0 again. */
const AT_THE_WRAP = { read: 2 ** 32 - 32, unread: 31 };
/** Once round: pointers above 511 are made small again with the next request. */
const ONCE_ROUND = { read: BUFIOREQ_SLOT_COUNT, unread: 1 };

const RINGS: Readonly<Record<string, Ring>> = {
  "legacy-wrap": { handling: BUFIOREQ_LEGACY, ...AT_THE_WRAP, isAtomic: false },
  legacy: { handling: BUFIOREQ_LEGACY, ...ONCE_ROUND, isAtomic: false },
  "plain-store": { handling: BUFIOREQ_ATOMIC, ...ONCE_ROUND, isAtomic: true },
  "plain-consumer": { handling: BUFIOREQ_ATOMIC, ...ONCE_ROUND, isAtomic: false },
  fixed: { handling: BUFIOREQ_ATOMIC, ...ONCE_ROUND, isAtomic: true },
};

export const bufferedRingPointers = defineRace({
  name: "buffered-ring-pointers",
  id: "C-10",
  title: "A ring of 511 slots and pointers of 32 bits",
  lesson:
    "511 does not divide 2^32, so when the free-running pointers wrap, the numbering of the slots jumps, and requests that nobody has " +
    "taken yet are overwritten. The repair (b7007bc6f9) takes multiples of 511 off both pointers before they grow that large. But the " +
    "read pointer belongs to the device model, which moves it at any time: the hypervisor has to replace both with one " +
    "compare-and-swap, and the device model must add to its pointer, not store what it computed from an older value. Each side can " +
    "spoil it alone.",
  variants: {
    "legacy-wrap": {
      text: "the pointers run into the wrap, with 31 requests not yet taken",
      knobs: {},
      expect: "I-6",
    },
    legacy: {
      text: "far from the wrap: nothing is wrong, for the first 4 billion requests",
      knobs: {},
      expect: "clean",
    },
    "plain-store": {
      text: "the hypervisor stores both pointers without asking whether they are still what it read",
      knobs: { "bufioreq.canonicalise": 1 },
      expect: "I-6",
    },
    "plain-consumer": {
      text: "the device model stores its pointer plus one, instead of adding one",
      knobs: {},
      expect: "I-6",
    },
    fixed: { text: "compare-and-swap on one side, an atomic addition on the other", knobs: {}, expect: "clean" },
  },
  setup(module, knobs, variant) {
    const { handling, read, unread, isAtomic } = RINGS[variant]!;
    const programs = [program(CODE, SET_CLOCK)];
    const world = createWorld(module, { pages: 4, programs, knobs, isHvm: true });
    const { ringAt } = createServer(world, { buffered: handling });
    setWord(world, ringAt + BUFIOREQ_READ_POINTER, read);
    setWord(world, ringAt + BUFIOREQ_WRITE_POINTER, read + unread);
    // Requests of before: their data say which one it is.
    for (let i = 0; i < unread; i++)
      setWord(world, ringAt + BUFIOREQ_SLOTS + ((read + i) % BUFIOREQ_SLOT_COUNT) * 8 + 4, i + 1);
    const consumer = ringActor(world, { name: "device", index: 1, ringAt, isAtomic });
    const pointers = (): [number, number] => [
      word(world, ringAt + BUFIOREQ_READ_POINTER),
      word(world, ringAt + BUFIOREQ_WRITE_POINTER),
    ];
    return {
      world,
      describeState: () => `read ${pointers()[0]}, write ${pointers()[1]}`,
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }), consumer],
      invariants: [
        {
          name: "I-6",
          text: "the device model sees every request once, in order, and never more than 511 of them wait",
          always() {
            const [from, to] = pointers();
            if ((to - from) >>> 0 > BUFIOREQ_SLOT_COUNT)
              return `the read pointer is ${from} and the write pointer ${to}: ${(to - from) >>> 0} requests wait`;
            const log = consumer.log();
            const wrong = log.findIndex((data, i) => i < unread && data !== i + 1);
            if (wrong >= 0) return `request ${wrong + 1} was overwritten before it was taken`;
            if (log.length > unread && log[unread] === log[unread - 1]) return `request ${unread} was taken twice`;
            return log.length > unread + SLOTS_OF_REQUEST ? "a request was taken twice" : undefined;
          },
          atEnd: () =>
            consumer.log().length === unread + SLOTS_OF_REQUEST
              ? undefined
              : `the device model has taken ${consumer.log().length} slots of ${unread + SLOTS_OF_REQUEST}`,
        },
      ],
    };
  },
});
