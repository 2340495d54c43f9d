/** FIFO event channels: the calls with every errno, the words and queues step by step, and the way back to two levels. */
import { beforeEach, describe, expect, it } from "vitest";
import { frameAddress } from "../../host/lib/core.ts";
import { DOM_EVTCHN_LOCK, DOM_MAX_EVTCHN_PORT } from "../../hv-core/abi/domain.ts";
import { EACCES, EFAULT, EINVAL, ENOENT, ENOMEM, ENOSPC, ENOSYS, EOPNOTSUPP } from "../../hv-core/abi/errno.ts";
import {
  FIFO_CONTROL_BLOCK_SIZE,
  FIFO_HEADS,
  FIFO_LINK_BITS,
  FIFO_LINK_MASK,
  FIFO_LINKED,
  FIFO_MASKED,
  FIFO_MAX_PAGES,
  FIFO_PENDING,
  FIFO_PRIORITY_DEFAULT,
} from "../../hv-core/abi/evtchn-fifo.ts";
import {
  DOMCTL_DESTROYDOMAIN,
  EVTCHNOP_ALLOC_UNBOUND,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_CLOSE,
  EVTCHNOP_EXPAND_ARRAY,
  EVTCHNOP_INIT_CONTROL,
  EVTCHNOP_RESET,
  EVTCHNOP_SEND,
  EVTCHNOP_SET_PRIORITY,
  EVTCHNOP_UNMASK,
  HC_EVENT_CHANNEL_OP,
  HC_MEMORY_OP,
  XENMAPSPACE_SHARED_INFO,
  XENMEM_ADD_TO_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { DOMAINS_BASE, FRAME_RECORD_SIZE, FRAME_TABLE_BASE } from "../../hv-core/abi/layout.ts";
import { CALLER_DATA, makeCaller } from "./caller.ts";
import { ARG, type Door, NOWHERE, openDoor } from "./door.ts";

const SELF = 0x7ff0;
/** Pages of dom0: the control block (at an offset), and the event array. */
const CONTROL_GFN = 20;
const CONTROL_OFFSET = 64;
const ARRAY_GFN = 21;
let door: Door;
let shared: number;

beforeEach(() => {
  door = openDoor();
  const arg = door.put(ARG, 24, [
    [0, 2, SELF],
    [4, 4, XENMAPSPACE_SHARED_INFO],
    [16, 8, 0x1000],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, arg)).toBe(0);
  shared = frameAddress(door.core.dom0Mfn(0x1000));
});

const op = (cmd: number) => door.call(HC_EVENT_CHANNEL_OP, cmd, ARG);
const onPort = (cmd: number, port: number) => {
  door.put(ARG, 24, [[0, 4, port]]);
  return op(cmd);
};
const init = (gfn = CONTROL_GFN, offset = CONTROL_OFFSET, vcpu = 0) => {
  door.put(ARG, 24, [
    [0, 8, gfn],
    [8, 4, offset],
    [12, 4, vcpu],
  ]);
  return op(EVTCHNOP_INIT_CONTROL);
};
const expand = (gfn = ARRAY_GFN) => {
  door.put(ARG, 8, [[0, 8, gfn]]);
  return op(EVTCHNOP_EXPAND_ARRAY);
};
const priority = (port: number, value: number) => {
  door.put(ARG, 8, [
    [0, 4, port],
    [4, 4, value],
  ]);
  return op(EVTCHNOP_SET_PRIORITY);
};
const reset = () => {
  door.put(ARG, 2, [[0, 2, SELF]]);
  return op(EVTCHNOP_RESET);
};
/** Two ports connected to each other: sending on `near` raises `far`. */
const loop = () => {
  door.put(ARG, 8, [
    [0, 2, SELF],
    [2, 2, SELF],
  ]);
  expect(op(EVTCHNOP_ALLOC_UNBOUND)).toBe(0);
  const far = door.u32(ARG + 4);
  door.put(ARG, 12, [
    [0, 2, SELF],
    [4, 4, far],
  ]);
  expect(op(EVTCHNOP_BIND_INTERDOMAIN)).toBe(0);
  const near = door.u32(ARG + 8);
  return { far, near };
};
const wordAt = (port: number) => door.at(ARRAY_GFN * 4096 + port * 4);
const word = (port: number) => door.view.getUint32(wordAt(port), true);
const setWord = (port: number, value: number) => door.view.setUint32(wordAt(port), value, true);
const has = (port: number, bit: number) => (word(port) >>> bit) & 1;
const control = () => door.at(CONTROL_GFN * 4096 + CONTROL_OFFSET);
const ready = () => door.view.getUint32(control(), true);
const head = (queue: number) => door.view.getUint32(control() + FIFO_HEADS + queue * 4, true);
const link = (port: number) => word(port) & FIFO_LINK_MASK;
const upcall = () => door.view.getUint8(shared);
const clearUpcall = () => door.view.setUint8(shared, 0);
const refs = (gfn: number) =>
  door.view.getUint32(FRAME_TABLE_BASE + door.core.dom0Mfn(gfn) * FRAME_RECORD_SIZE + 4, true);

/** What a guest does: takes the first port of a queue off. */
function take(queue: number): number {
  const port = head(queue);
  const next = link(port);
  setWord(port, word(port) & ~FIFO_LINK_MASK & ~(1 << FIFO_LINKED) & ~(1 << FIFO_PENDING));
  door.view.setUint32(control() + FIFO_HEADS + queue * 4, next, true);
  if (next === 0) door.view.setUint32(control(), ready() & ~(1 << queue), true);
  return port;
}

describe("init_control", () => {
  it("-ENOENT for no vCPU, -EINVAL for a bad offset or no RAM, before anything changes", () => {
    expect(init(CONTROL_GFN, 0, 9)).toBe(-ENOENT);
    expect(init(CONTROL_GFN, 4)).toBe(-EINVAL);
    expect(init(CONTROL_GFN, 4096 - FIFO_CONTROL_BLOCK_SIZE + 8)).toBe(-EINVAL);
    expect(init(0x5000, 0)).toBe(-EINVAL);
    expect(expand()).toBe(-EOPNOTSUPP); // still two levels
  });

  it("says how many bits a link has, once", () => {
    expect(init(CONTROL_GFN, 4096 - FIFO_CONTROL_BLOCK_SIZE)).toBe(0);
    expect(door.view.getUint8(door.at(ARG + 16))).toBe(FIFO_LINK_BITS);
    expect(init()).toBe(-EINVAL);
  });

  it("-EFAULT when the structure cannot be read, -ENOMEM without memory, and two levels stay", () => {
    expect(door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_INIT_CONTROL, NOWHERE)).toBe(-EFAULT);
    const small = openDoor(256);
    const d = small.createDomain({ pages: 256 });
    for (let gfn = 0; small.freeFrames() > 0; gfn++) if (small.populate(d, [gfn]) !== 1) break;
    small.put(ARG, 24, [[0, 8, CONTROL_GFN]]);
    const free = small.freeFrames();
    expect(small.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_INIT_CONTROL, ARG)).toBe(free === 0 ? -ENOMEM : 0);
    expect(free).toBe(0);
    expect(small.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_EXPAND_ARRAY, ARG)).toBe(-EOPNOTSUPP);
  });
});

describe("expand_array", () => {
  it("-EOPNOTSUPP before init_control, -EINVAL without RAM, -ENOSPC with 128 pages", () => {
    expect(expand()).toBe(-EOPNOTSUPP);
    init();
    expect(expand(0x5000)).toBe(-EINVAL);
    for (let i = 0; i < FIFO_MAX_PAGES; i++) expect(expand()).toBe(0);
    expect(expand()).toBe(-ENOSPC);
    expect(refs(ARRAY_GFN)).toBe(1 + FIFO_MAX_PAGES);
  });
});

describe("set_priority", () => {
  it("-EINVAL for no port, -ENOSYS with two levels, -EACCES for a closed port, -EINVAL above 15", () => {
    const { far } = loop();
    expect(priority(0x100000, 3)).toBe(-EINVAL);
    expect(priority(far, 3)).toBe(-ENOSYS);
    init();
    expect(priority(200, 3)).toBe(-EACCES);
    expect(priority(far, 16)).toBe(-EINVAL);
    expect(priority(far, 15)).toBe(0);
  });
});

describe("an event", () => {
  it("sets PENDING and LINKED, the head and the ready bit of its queue, and the upcall", () => {
    init();
    expand();
    const { near, far } = loop();
    while (ready() !== 0) take(FIFO_PRIORITY_DEFAULT); // the new connection's own event
    clearUpcall();
    expect(onPort(EVTCHNOP_SEND, near)).toBe(0);
    expect([has(far, FIFO_PENDING), has(far, FIFO_LINKED), head(FIFO_PRIORITY_DEFAULT)]).toEqual([1, 1, far]);
    expect([ready(), upcall()]).toEqual([1 << FIFO_PRIORITY_DEFAULT, 1]);
  });

  it("ports of one queue are linked in the order of their events, each once", () => {
    init();
    expand();
    const pairs = [loop(), loop(), loop()];
    while (ready() !== 0) take(FIFO_PRIORITY_DEFAULT);
    for (const { near } of [pairs[2]!, pairs[0]!, pairs[2]!, pairs[1]!]) onPort(EVTCHNOP_SEND, near);
    const order: number[] = [];
    while (ready() !== 0) order.push(take(FIFO_PRIORITY_DEFAULT));
    expect(order).toEqual([pairs[2]!.far, pairs[0]!.far, pairs[1]!.far]);
  });

  it("goes to the queue of its priority", () => {
    init();
    expand();
    const [a, b] = [loop(), loop()];
    while (ready() !== 0) take(FIFO_PRIORITY_DEFAULT);
    expect(priority(b.far, 0)).toBe(0);
    onPort(EVTCHNOP_SEND, a.near);
    onPort(EVTCHNOP_SEND, b.near);
    expect([head(0), head(FIFO_PRIORITY_DEFAULT), ready()]).toEqual([b.far, a.far, 1 | (1 << FIFO_PRIORITY_DEFAULT)]);
  });

  it("a masked port only becomes pending; unmask links it", () => {
    init();
    expand();
    const { near, far } = loop();
    while (ready() !== 0) take(FIFO_PRIORITY_DEFAULT);
    setWord(far, 2 ** FIFO_MASKED);
    onPort(EVTCHNOP_SEND, near);
    expect([has(far, FIFO_PENDING), has(far, FIFO_LINKED), ready()]).toEqual([1, 0, 0]);
    expect(onPort(EVTCHNOP_UNMASK, far)).toBe(0);
    expect([has(far, FIFO_MASKED), has(far, FIFO_LINKED), head(FIFO_PRIORITY_DEFAULT)]).toEqual([0, 1, far]);
  });

  it("an old tail whose priority has changed does not drag the new queue's ports with it", () => {
    init();
    expand();
    const [a, b] = [loop(), loop()];
    while (ready() !== 0) take(FIFO_PRIORITY_DEFAULT);
    onPort(EVTCHNOP_SEND, a.near);
    take(FIFO_PRIORITY_DEFAULT); // a is the old tail of queue 7
    priority(a.far, 3);
    onPort(EVTCHNOP_SEND, a.near); // linked on queue 3
    onPort(EVTCHNOP_SEND, b.near); // queue 7 is empty: b is its head, not a's successor
    expect([head(3), link(a.far), head(FIFO_PRIORITY_DEFAULT)]).toEqual([a.far, 0, b.far]);
  });

  it("without a page for its word it waits until there is one", () => {
    init();
    const { near, far } = loop();
    onPort(EVTCHNOP_SEND, near);
    expect([ready(), upcall()]).toEqual([0, 0]);
    expand();
    expect([has(far, FIFO_PENDING), has(near, FIFO_PENDING), ready()]).toEqual([1, 1, 1 << FIFO_PRIORITY_DEFAULT]);
  });

  it("what was pending in the bitmap comes over to the words", () => {
    const { near, far } = loop();
    onPort(EVTCHNOP_SEND, near);
    init();
    expand();
    expect([has(far, FIFO_PENDING), has(far, FIFO_LINKED)]).toEqual([1, 1]);
  });

  it("a guest that scribbles over words and heads harms its own events only", () => {
    init();
    expand();
    const { near, far } = loop();
    for (const value of [0xffffffff, FIFO_LINK_MASK, 2 ** FIFO_LINKED + 0x1ffff, 0]) {
      for (const port of [near, far, 0, 500]) setWord(port, value);
      for (let queue = 0; queue < 16; queue++)
        door.view.setUint32(control() + FIFO_HEADS + queue * 4, 0xffffffff, true);
      expect(onPort(EVTCHNOP_SEND, near)).toBe(0);
      expect(onPort(EVTCHNOP_UNMASK, far)).toBe(0);
    }
  });
});

describe("ports", () => {
  it("a closed port that is still on a queue is not given out again", () => {
    init();
    expand();
    const { far } = loop();
    onPort(EVTCHNOP_CLOSE, far);
    setWord(far, 2 ** FIFO_LINKED);
    expect(loop().far).not.toBe(far);
    setWord(far, 0);
    expect(loop().far).toBe(far);
  });

  it("go beyond the 4,096 of two levels, as far as the domain may have them", () => {
    const { core, view } = door;
    view.setUint32(DOMAINS_BASE + DOM_MAX_EVTCHN_PORT, 5000, true);
    init();
    let last = 0;
    for (let result = 0; result === 0; ) {
      door.put(ARG, 8, [
        [0, 2, SELF],
        [2, 2, SELF],
      ]);
      result = op(EVTCHNOP_ALLOC_UNBOUND);
      if (result === 0) last = door.u32(ARG + 4);
      else expect(result).toBe(-ENOSPC);
    }
    expect(last).toBe(5000);
    expect(onPort(EVTCHNOP_CLOSE, 5000)).toBe(0);
    expect(core.run(1)).toBeDefined();
  });
});

describe("reset", () => {
  it("gives the pages back and two levels again", () => {
    const free = door.freeFrames();
    init();
    expand();
    const { near } = loop();
    expect([refs(CONTROL_GFN), refs(ARRAY_GFN)]).toEqual([2, 2]);
    expect(reset()).toBe(0);
    expect([refs(CONTROL_GFN), refs(ARRAY_GFN), door.freeFrames()]).toEqual([1, 1, free]);
    expect(onPort(EVTCHNOP_SEND, near)).toBe(-EINVAL);
    expect(expand()).toBe(-EOPNOTSUPP);
    const again = loop();
    onPort(EVTCHNOP_SEND, again.near);
    expect((door.view.getUint8(shared + 2048) >> again.far) & 1).toBe(1);
    expect(init()).toBe(0);
  });

  it("a domain that dies with FIFO channels gives everything back", () => {
    const warm = makeCaller(door);
    warm.release();
    door.domctl(DOMCTL_DESTROYDOMAIN, warm.domid);
    const free = door.freeFrames();
    const guest = makeCaller(door);
    // Its argument page is zero: control block and words are in its page 0.
    for (const cmd of [EVTCHNOP_INIT_CONTROL, EVTCHNOP_EXPAND_ARRAY])
      expect(guest.call(HC_EVENT_CHANNEL_OP, cmd, CALLER_DATA)).toBe(0);
    guest.release();
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, guest.domid)).toBe(0);
    expect(door.freeFrames()).toBe(free);
  });

  it("leaves the event lock free", () => {
    init();
    init();
    expand(0x5000);
    priority(1, 99);
    reset();
    expect(door.view.getUint32(DOMAINS_BASE + DOM_EVTCHN_LOCK, true)).toBe(0);
  });
});
