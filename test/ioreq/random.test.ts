/** Random lives of ioreq servers (1,000; more in the long tier), and a planted fault for each invariant: the checks can fail. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { EOPNOTSUPP } from "../../hv-core/abi/errno.ts";
import {
  IO_RANGE_MEMORY,
  IOREQ_TYPE_COPY,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_NONE,
  STATE_IOREQ_READY,
  STATE_IOREQ_RESP_READY,
} from "../../hv-core/abi/ioreq.ts";
import { P2M_MMIO_DM } from "../../hv-core/abi/p2m-types.ts";
import { liveRandomly, Mismatch, Model } from "./random.ts";
import { createWorld, READ, RETRY, type World } from "./world.ts";

const MMIO = 0xf000_0000n;
let w: World;
beforeAll(async () => {
  w = await createWorld();
});

it("I-*, V-b: hold after each step of random lives, and the servers do what the model says", () => {
  liveRandomly(w, 1000, 1);
});

describe("broken on purpose", () => {
  beforeEach(() => {
    w.core.setup(2, 0);
    for (let id = 0; id < 2; id++) {
      w.create(2);
      w.core.resource(0, id, 0n);
      w.core.resource(0, id, 1n);
      w.enable(id, 1);
      w.range(3, id, IO_RANGE_MEMORY, MMIO, MMIO + 0xfffn);
    }
    expect(broken()).toEqual([]);
  });
  const broken = (): (number | string)[] => {
    const bits = w.core.invariants() >>> 0;
    return [
      ...Array.from({ length: 9 }, (_, i) => i + 1).filter((n) => (bits >> (n - 1)) & 1),
      ...(bits >> 16 ? ["V-b"] : []),
    ];
  };
  const send = () => w.core.request(0, IOREQ_TYPE_COPY | READ, MMIO, 0n, 1, 4, P2M_MMIO_DM);

  it("I-1: a slot that is busy, and nobody waits for it", () => {
    w.slot(0, 1).setState(STATE_IOREQ_READY);
    expect(broken()).toEqual([1]);
  });

  it("I-2: a vCPU sleeps for a request that no server has; an answer that was taken and not used", () => {
    expect(send()).toBe(RETRY);
    w.slot(1, 0).setState(STATE_IOREQ_NONE);
    expect(broken()).toEqual([]);
    w.core.setIoPending(0, 0);
    expect(broken()).toEqual([2]);
    w.core.setIoState(0, STATE_IOREQ_RESP_READY);
    expect(broken()).toEqual([2]);
  });

  it("I-3: a request that two servers have", () => {
    expect(send()).toBe(RETRY);
    expect(broken()).toEqual([]);
    w.slot(0, 0).setState(STATE_IOREQ_READY);
    w.core.setIoPending(0, 3);
    expect(broken()).toEqual([3]);
  });

  it("I-6: a ring with more entries than it has room for", () => {
    const ring = w.core.frameHost(w.core.resource(0, 0, 0n));
    w.view().setUint32(ring + 4, 511, true);
    expect(broken()).toEqual([]);
    w.view().setUint32(ring + 4, 512, true);
    expect(broken()).toEqual([6]);
  });

  it("I-7: pages of the type, and no server", () => {
    w.core.setTypedPages(1n);
    expect(broken()).toEqual([7]);
  });

  it("I-8: a server's page that somebody else holds", () => {
    w.core.addReference(w.core.resource(0, 0, 1n));
    expect(broken()).toEqual([8]);
  });

  it.each([0, 1])("V-b: lock %i is never let go", (which) => {
    w.core.leaveLocked(which);
    expect(broken()).toEqual(["V-b"]);
  });

  it("V-c: an event under the p2m lock stops the machine", () => {
    expect(w.core.sendEvent(0)).toBe(-EOPNOTSUPP);
    expect(() => w.core.sendEvent(1)).toThrow(/unreachable/);
  });

  it("I-4: a slot that goes back; I-5: an answer that is another one", () => {
    const life = () => {
      const model = new Model(w);
      for (const op of [
        { kind: "create", id: 0 },
        { kind: "enable", id: 0 },
        { kind: "range", id: 0, first: 0, units: 1 },
        { kind: "access", vcpu: 0, unit: 0, isRead: true, data: 0 },
      ] as const) {
        model.apply(op);
        model.check();
      }
      return model;
    };
    const back = life();
    back.apply({ kind: "process", id: 0 });
    back.check();
    expect(w.slot(0, 0).state()).toBe(STATE_IOREQ_INPROCESS);
    w.slot(0, 0).setState(STATE_IOREQ_READY);
    expect(() => back.check()).toThrow(Mismatch);
    const other = life();
    other.apply({ kind: "answer", id: 0 });
    w.slot(0, 0).answer(0x77n);
    expect(() => other.apply({ kind: "complete", vcpu: 0 })).toThrow(/what is read: 119/);
  });
});
