/** Event channels: answers as recorded from Xen 4.17, and the bits of the 2-level ABI step by step. */
import { beforeEach, describe, expect, it } from "vitest";
import { frameAddress } from "../../host/lib/core.ts";
import { DOM_DOMID, DOM_EVTCHN_LOCK } from "../../hv-core/abi/domain.ts";
import { EEXIST, EFAULT, EINVAL, ENOENT, ENOSPC, ENOSYS, EOPNOTSUPP, ESRCH } from "../../hv-core/abi/errno.ts";
import {
  EVTCHNOP_ALLOC_UNBOUND,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_BIND_IPI,
  EVTCHNOP_BIND_VCPU,
  EVTCHNOP_BIND_VIRQ,
  EVTCHNOP_CLOSE,
  EVTCHNOP_EXPAND_ARRAY,
  EVTCHNOP_INIT_CONTROL,
  EVTCHNOP_RESET,
  EVTCHNOP_SEND,
  EVTCHNOP_STATUS,
  EVTCHNOP_UNMASK,
  HC_EVENT_CHANNEL_OP,
  HC_MEMORY_OP,
  VIRQ_DOM_EXC,
  VIRQ_TIMER,
  XENMAPSPACE_SHARED_INFO,
  XENMEM_ADD_TO_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { DOMAIN_SIZE, DOMAINS_BASE } from "../../hv-core/abi/layout.ts";
import { RUN_ATTENTION, RUN_IDLE } from "../../hv-core/abi/run.ts";
import { ARG, type Door, NOWHERE, openDoor } from "./door.ts";

const ABSENT = 0x7000;
const SELF = 0x7ff0;
let door: Door;
let h: number;
let h2: number;
let shared: number;

beforeEach(() => {
  door = openDoor();
  h = door.createDomain();
  h2 = door.createDomain();
  const arg = door.put(ARG, 24, [
    [0, 2, SELF],
    [4, 4, XENMAPSPACE_SHARED_INFO],
    [16, 8, 0x1000],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, arg)).toBe(0);
  shared = frameAddress(door.core.dom0Mfn(0x1000));
});

const op = (cmd: number) => door.call(HC_EVENT_CHANNEL_OP, cmd, ARG);
const alloc = (dom: number, remote: number) => {
  door.put(ARG, 8, [
    [0, 2, dom],
    [2, 2, remote],
  ]);
  const result = op(EVTCHNOP_ALLOC_UNBOUND);
  return result === 0 ? door.u32(ARG + 4) : result;
};
const bind = (dom: number, port: number) => {
  door.put(ARG, 12, [
    [0, 2, dom],
    [4, 4, port],
  ]);
  const result = op(EVTCHNOP_BIND_INTERDOMAIN);
  return result === 0 ? door.u32(ARG + 8) : result;
};
const status = (dom: number, port: number) => {
  door.put(ARG, 24, [
    [0, 2, dom],
    [4, 4, port],
  ]);
  const result = op(EVTCHNOP_STATUS);
  return {
    result,
    status: door.u32(ARG + 8),
    vcpu: door.u32(ARG + 12),
    dom: door.u16(ARG + 16),
    port: door.u32(ARG + 20),
  };
};
const onPort = (cmd: number, port: number) => {
  door.put(ARG, 24, [[0, 4, port]]);
  return op(cmd);
};
const virq = (number: number, vcpu = 0) => {
  door.put(ARG, 12, [
    [0, 4, number],
    [4, 4, vcpu],
  ]);
  const result = op(EVTCHNOP_BIND_VIRQ);
  return result === 0 ? door.u32(ARG + 8) : result;
};
const bit = (base: number, port: number) => (door.view.getUint8(shared + base + (port >> 3)) >> (port & 7)) & 1;
const PENDING = 2048;
const MASK = 2560;
const setMask = (port: number) => {
  const at = shared + MASK + (port >> 3);
  door.view.setUint8(at, door.view.getUint8(at) | (1 << (port & 7)));
};
const upcall = () => door.view.getUint8(shared);
const selector = () => door.view.getBigUint64(shared + 8, true);
const clearAll = () => {
  door.view.setUint8(shared, 0);
  door.view.setBigUint64(shared + 8, 0n, true);
  for (let i = 0; i < 512; i++) door.view.setUint8(shared + PENDING + i, 0);
};

describe("recorded", () => {
  it("V1233..V1240 alloc_unbound does not look at the remote domain", () => {
    expect([alloc(h, 0), alloc(h, 0), alloc(h, h2), alloc(h, h)]).toEqual([1, 2, 3, 4]);
    expect(alloc(ABSENT, 0)).toBe(-ESRCH);
    expect(alloc(h, ABSENT)).toBe(5);
    expect(alloc(h, SELF)).toBe(6);
    expect(alloc(0x7ff1, 0)).toBe(-ESRCH);
  });

  it("V1241..V1256 status and bind_interdomain", () => {
    const first = alloc(h, 0);
    const third = alloc(h, h2);
    expect(status(h, first)).toMatchObject({ result: 0, status: 1, vcpu: 0, dom: 0 });
    expect(status(h, third)).toMatchObject({ result: 0, status: 1, dom: h2 });
    expect(status(h, 0)).toMatchObject({ result: 0, status: 0 });
    for (const port of [500, 100000, 0xffffffff]) expect(status(h, port).result).toBe(-EINVAL);
    expect(status(ABSENT, 1).result).toBe(-ESRCH);
    const local = bind(h, first);
    expect(local).toBeGreaterThan(0);
    expect(status(h, first)).toMatchObject({ result: 0, status: 2, dom: 0, port: local });
    expect(status(0, local)).toMatchObject({ result: 0, status: 2, dom: h, port: first });
    for (const port of [first, third, 0, 500, 100000]) expect(bind(h, port)).toBe(-EINVAL);
    expect(bind(ABSENT, 1)).toBe(-ESRCH);
  });

  it("V1257..V1270 send, bind_vcpu, unmask, close", () => {
    const local = bind(h, alloc(h, 0));
    expect(onPort(EVTCHNOP_SEND, local)).toBe(0);
    for (const port of [100000, 0, 3000]) expect(onPort(EVTCHNOP_SEND, port)).toBe(-EINVAL);
    const bindVcpu = (port: number, vcpu: number) => {
      door.put(ARG, 8, [
        [0, 4, port],
        [4, 4, vcpu],
      ]);
      return op(EVTCHNOP_BIND_VCPU);
    };
    expect(bindVcpu(local, 99)).toBe(-ENOENT);
    expect(bindVcpu(local, 0)).toBe(0);
    expect(bindVcpu(3000, 0)).toBe(-EINVAL);
    expect(onPort(EVTCHNOP_UNMASK, 3000)).toBe(-EINVAL);
    expect(onPort(EVTCHNOP_UNMASK, 1 << 20)).toBe(-EINVAL);
    expect(onPort(EVTCHNOP_CLOSE, local)).toBe(0);
    expect(onPort(EVTCHNOP_CLOSE, local)).toBe(-EINVAL);
    expect(status(h, 1)).toMatchObject({ result: 0, status: 1, dom: 0 }); // unbound again
    for (const port of [0, 100000]) expect(onPort(EVTCHNOP_CLOSE, port)).toBe(-EINVAL);
  });

  it("V1271..V1277 VIRQs and IPIs", () => {
    expect(virq(99)).toBe(-EINVAL);
    expect(virq(24)).toBe(-EINVAL);
    expect(virq(VIRQ_TIMER, 99)).toBe(-ENOENT);
    expect(virq(VIRQ_DOM_EXC, 1)).toBe(-EINVAL);
    expect(virq(VIRQ_TIMER)).toBeGreaterThan(0);
    expect(virq(VIRQ_TIMER)).toBe(-EEXIST);
    expect(onPort(EVTCHNOP_BIND_IPI, 99)).toBe(-ENOENT);
    expect(onPort(EVTCHNOP_BIND_IPI, 0)).toBe(0);
  });

  it("V1278..V1286 reset, unknown operations, the last port", () => {
    const reset = (dom: number) => onPort(EVTCHNOP_RESET, dom);
    expect(reset(ABSENT)).toBe(-ESRCH);
    alloc(h, 0);
    expect(reset(h)).toBe(0);
    expect(status(h, 1)).toMatchObject({ result: 0, status: 0 });
    expect(op(99)).toBe(-ENOSYS);
    expect(onPort(EVTCHNOP_INIT_CONTROL, 0x5000)).toBe(-EINVAL); // no RAM there
    expect(op(EVTCHNOP_EXPAND_ARRAY)).toBe(-EOPNOTSUPP);
    expect(door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, NOWHERE)).toBe(-EFAULT);
    let last = 0;
    for (let port = alloc(h2, 0); port > 0; port = alloc(h2, 0)) last = port;
    expect(last).toBe(1023);
    expect(alloc(h2, 0)).toBe(-ENOSPC);
    expect(reset(h2)).toBe(0);
    expect(alloc(h2, 0)).toBe(1);
  });
});

describe("the event lock", () => {
  it("of the domain that is reset is taken, not its controller's", () => {
    const lockOf = (slot: number): number => DOMAINS_BASE + slot * DOMAIN_SIZE + DOM_EVTCHN_LOCK;
    const slot = Array.from({ length: 16 }, (_, i) => i).find(
      (i) => door.view.getUint32(DOMAINS_BASE + i * DOMAIN_SIZE + DOM_DOMID, true) === h,
    )!;
    const somebody = 5 | 0x1_0000;
    alloc(h, 0);
    door.view.setUint32(lockOf(0), somebody, true);
    expect(onPort(EVTCHNOP_RESET, h)).toBe(0);
    door.view.setUint32(lockOf(0), 0, true);
    door.view.setUint32(lockOf(slot), somebody, true);
    expect(() => onPort(EVTCHNOP_RESET, h)).toThrow(); // one processor: a lock that is held can only be a bug
  });
});

describe("the bits", () => {
  /** Two ports of dom0 connected to each other: sending on one raises the other. */
  const loop = () => {
    const far = alloc(SELF, SELF);
    const near = bind(SELF, far);
    clearAll();
    return { near, far };
  };

  it("a new connection starts pending, because earlier events may be lost", () => {
    const near = bind(h, alloc(h, 0));
    expect([bit(PENDING, near), selector(), upcall()]).toEqual([1, 1n, 1]);
  });

  it("an event sets pending, selector and upcall", () => {
    const { near, far } = loop();
    expect(onPort(EVTCHNOP_SEND, near)).toBe(0);
    expect([bit(PENDING, far), bit(PENDING, near), selector(), upcall()]).toEqual([1, 0, 1n, 1]);
  });

  it("a masked port only becomes pending; unmask raises it", () => {
    const { near, far } = loop();
    setMask(far);
    onPort(EVTCHNOP_SEND, near);
    expect([bit(PENDING, far), selector(), upcall()]).toEqual([1, 0n, 0]);
    expect(onPort(EVTCHNOP_UNMASK, far)).toBe(0);
    expect([bit(MASK, far), selector(), upcall()]).toEqual([0, 1n, 1]);
  });

  it("a pending port swallows further events", () => {
    const { near, far } = loop();
    onPort(EVTCHNOP_SEND, near);
    door.view.setUint8(shared, 0);
    door.view.setBigUint64(shared + 8, 0n, true);
    onPort(EVTCHNOP_SEND, near);
    expect([bit(PENDING, far), selector(), upcall()]).toEqual([1, 0n, 0]);
  });

  it("the selector bit names the word of 64 ports", () => {
    while (alloc(SELF, SELF) < 130);
    const near = bind(SELF, 130);
    clearAll();
    onPort(EVTCHNOP_SEND, near);
    expect([bit(PENDING, 130), selector()]).toEqual([1, 1n << 2n]);
  });

  it("closing clears what was pending", () => {
    const { near, far } = loop();
    onPort(EVTCHNOP_SEND, near);
    onPort(EVTCHNOP_CLOSE, far);
    expect(bit(PENDING, far)).toBe(0);
    expect(onPort(EVTCHNOP_SEND, near)).toBe(0); // unbound: swallowed
  });

  it("run() comes back once for each arrival, and not when dom0 has looked already", () => {
    const { near } = loop();
    expect(door.core.run(100)).toBe(RUN_IDLE);
    onPort(EVTCHNOP_SEND, near);
    expect(door.core.run(100)).toBe(RUN_ATTENTION);
    expect(door.core.run(100)).toBe(RUN_IDLE);
    clearAll();
    onPort(EVTCHNOP_SEND, near);
    clearAll();
    expect(door.core.run(100)).toBe(RUN_IDLE);
  });
});
