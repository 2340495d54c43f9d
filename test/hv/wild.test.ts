/** Hypercalls with nonsense in them: whatever dom0 asks for, the answer is a number, the machine goes on, and the same seed gives the same. */
import { expect, it } from "vitest";
import { HC_DOMCTL, HC_MULTICALL, HC_SCHED_OP, NR_HYPERCALLS, SCHEDOP_SHUTDOWN } from "../../hv-core/abi/hypercalls.ts";
import { ARG, openDoor } from "./door.ts";

const CALLS = 20_000;

/** Numbers that sit on some edge: of pages, of domids, of structures, of 32 bits. */
const EDGES = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  16,
  63,
  64,
  127,
  128,
  255,
  511,
  512,
  4095,
  4096,
  0x7ff0,
  0x7ff4,
  0xffff,
  0x10000,
  0xfffff,
  0x7fffffff,
  0x80000000,
  0xfffffffe,
  0xffffffff,
  ARG,
  ARG + 4090,
  0x3ffff,
];

function generator(seed: number) {
  let state = seed | 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
  return {
    below: (n: number) => next() % n,
    word: () => (next() % 3 === 0 ? next() : EDGES[next() % EDGES.length]!),
  };
}

function wildRun(seed: number) {
  const door = openDoor(2048);
  const random = generator(seed);
  const guests = [door.createDomain({ vcpus: 2, pages: 300 }), door.createDomain({ vcpus: 1, pages: 64 })];
  for (const g of guests)
    door.populate(
      g,
      Array.from({ length: 32 }, (_, i) => i),
    );
  const results = new Map<number, number>();
  for (let i = 0; i < CALLS; i++) {
    for (let word = 0; word < 40; word++) {
      const value = random.below(4) === 0 ? guests[random.below(2)]! : random.word();
      door.view.setUint32(door.at(ARG) + word * 4, value, true);
    }
    const nr = random.below(NR_HYPERCALLS + 4);
    let first = random.below(3) === 0 ? random.word() : random.below(48);
    if (nr === HC_DOMCTL) {
      first = ARG;
      door.view.setUint32(door.at(ARG), random.below(90), true);
      door.view.setUint32(door.at(ARG) + 4, 0x15, true);
      door.view.setUint16(door.at(ARG) + 8, guests[random.below(2)]!, true);
    }
    if (nr === HC_SCHED_OP && first === SCHEDOP_SHUTDOWN) continue; // it would end dom0
    if (nr === HC_MULTICALL) first = ARG;
    const second = nr === HC_MULTICALL ? random.below(4) : random.below(2) === 0 ? ARG : random.word();
    const third = random.below(2) === 0 ? ARG : random.word();
    const result = door.call(nr, first, second, third, random.word(), random.word());
    results.set(result, (results.get(result) ?? 0) + 1);
  }
  door.core.run(1000);
  door.core.stateHash();
  return { results: [...results].sort(), hash: door.view.getBigUint64(0x07a0_0000, true) };
}

it.each([1, 2, 3])("survives seed %i, the same way twice", (seed) => {
  const first = wildRun(seed);
  expect(first.results.length).toBeGreaterThan(10);
  expect(wildRun(seed)).toEqual(first);
});
