/** One request: select, the slot's states, completion, and what a hostile device model or guest can do (spec 03 section 3.5). */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CRASH_IO_MISMATCH, CRASH_IOREQ_STATE } from "../../hv-core/abi/crash.ts";
import {
  IO_RANGE_MEMORY,
  IO_RANGE_PCI,
  IO_RANGE_PORT,
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_INVALIDATE,
  IOREQ_TYPE_PCI_CONFIG,
  IOREQ_TYPE_PIO,
  IOREQ_VP_EPORT,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_NONE,
  STATE_IOREQ_READY,
  STATE_IOREQ_RESP_READY,
} from "../../hv-core/abi/ioreq.ts";
import { DEVICE_AT_CORE } from "../../hv-core/abi/knobs.ts";
import { P2M_IOREQ_SERVER, P2M_MMIO_DM } from "../../hv-core/abi/p2m-types.ts";
import { createWorld, DOWN, OKAY, PTR, READ, RETRY, UNHANDLEABLE, type World } from "./world.ts";

const BLOCKED_IN_XEN = 4;
const MAP = 3;
const MMIO = 0xf0000000n;

let w: World;
beforeAll(async () => {
  w = await createWorld();
});

/** Two servers with pages; 1 is the newer one. */
beforeEach(() => {
  w.core.setup(2, 0);
  for (let id = 0; id < 2; id++) {
    w.create(0);
    w.core.resource(0, id, 1n);
    w.enable(id, 1);
  }
  w.range(MAP, 0, IO_RANGE_MEMORY, MMIO, MMIO + 0x3fffn);
  w.range(MAP, 0, IO_RANGE_PORT, 0x500n, 0x50fn);
  w.core.clearPauseFlags(0);
  w.core.clearPauseFlags(1);
});

const mmioRead = (addr: bigint, size = 4, vcpu = 0) =>
  w.core.request(vcpu, IOREQ_TYPE_COPY | READ, addr, 0n, 1, size, P2M_MMIO_DM);
const mmioWrite = (addr: bigint, data: bigint, size = 4, vcpu = 0) =>
  w.core.request(vcpu, IOREQ_TYPE_COPY, addr, data, 1, size, P2M_MMIO_DM);
const portRead = (port: bigint, size = 1) => w.core.request(0, IOREQ_TYPE_PIO | READ, port, 0n, 1, size, 0);
const portWrite = (port: bigint, data: bigint, size = 1) => w.core.request(0, IOREQ_TYPE_PIO, port, data, 1, size, 0);
const ones = (value: bigint) => BigInt.asUintN(64, value);

describe("select", () => {
  it("gives all ones and drops writes where nobody claims the whole access", () => {
    expect(mmioRead(0xe0000000n)).toBe(OKAY);
    expect(ones(w.core.ioData(0))).toBe(0xffff_ffff_ffff_ffffn);
    expect(mmioWrite(0xe0000000n, 5n)).toBe(OKAY);
    expect(mmioRead(MMIO + 0x3ffen)).toBe(OKAY); // half inside
    expect(mmioRead(MMIO - 2n)).toBe(OKAY);
    expect(portRead(0x50fn, 2)).toBe(OKAY);
    expect(w.core.ioPending(0)).toBe(0);
  });

  it("takes the newest enabled server", () => {
    w.range(MAP, 1, IO_RANGE_MEMORY, MMIO + 0x1000n, MMIO + 0x1fffn);
    expect(mmioRead(MMIO + 0x1000n)).toBe(RETRY);
    expect(w.core.ioPending(0)).toBe(2);
    expect(mmioRead(MMIO, 4, 1)).toBe(RETRY);
    expect(w.core.ioPending(1)).toBe(1);
  });

  it("skips a disabled server", () => {
    w.range(MAP, 1, IO_RANGE_MEMORY, MMIO, MMIO + 0xfffn);
    w.enable(1, 0);
    expect(mmioRead(MMIO)).toBe(RETRY);
    expect(w.core.ioPending(0)).toBe(1);
  });

  it("looks at all elements of a repeated access, also downwards", () => {
    const rep = (kind: number, addr: bigint, count: number) =>
      w.core.request(0, IOREQ_TYPE_COPY | PTR | kind, addr, 0x2000n, count, 4, P2M_MMIO_DM);
    expect(rep(0, MMIO + 0x3ff8n, 3)).toBe(OKAY); // runs out of the range: dropped whole
    expect(w.core.ioPending(0)).toBe(0);
    expect(rep(DOWN, MMIO + 4n, 3)).toBe(OKAY);
    expect(w.core.ioPending(0)).toBe(0);
    expect(rep(DOWN, MMIO + 8n, 3)).toBe(OKAY);
    expect(w.core.ioPending(0)).toBe(1);
    expect(w.slot(0, 0).read()).toMatchObject({ addr: MMIO + 8n, data: 0x2000n, count: 3, size: 4, bits: 0x51 });
  });

  it("routes PCI configuration by the address in cf8", () => {
    w.range(MAP, 1, IO_RANGE_PCI, 0x18n, 0x18n);
    expect(portWrite(0xcf8n, 0x80001810n, 4)).toBe(OKAY);
    expect(w.core.cf8() >>> 0).toBe(0x80001810);
    expect(portWrite(0xcf8n, 0x12n, 1)).toBe(OKAY); // only 32-bit writes set it
    expect(w.core.cf8() >>> 0).toBe(0x80001810);
    expect(portWrite(0xcf8n, 0x80001813n, 4)).toBe(OKAY); // the two lowest bits are the data port's
    expect(portRead(0xcfen, 2)).toBe(RETRY);
    expect(w.slot(1, 0).read()).toMatchObject({ addr: 0x1800000012n, size: 2, type: IOREQ_TYPE_PCI_CONFIG });
  });

  it("leaves the data ports to port ranges when cf8 is disabled, and to nobody when no server has that function", () => {
    w.range(MAP, 1, IO_RANGE_PCI, 0x18n, 0x18n);
    expect(portWrite(0xcf8n, 0x1810n, 4)).toBe(OKAY);
    expect(portRead(0xcfcn, 4)).toBe(OKAY);
    w.range(MAP, 0, IO_RANGE_PORT, 0xcfcn, 0xcffn);
    expect(portWrite(0xcf8n, 0x80002010n, 4)).toBe(OKAY);
    expect(portRead(0xcfcn, 4)).toBe(OKAY);
    expect(ones(w.core.ioData(0))).toBe(0xffff_ffff_ffff_ffffn);
    expect(portWrite(0xcf8n, 0x2010n, 4)).toBe(OKAY);
    expect(portRead(0xcfdn, 2)).toBe(RETRY);
    expect(w.slot(0, 0).read()).toMatchObject({ addr: 0xcfdn, size: 2, type: IOREQ_TYPE_PIO });
  });
});

describe("a slot", () => {
  it("goes NONE, READY, INPROCESS, RESP_READY, NONE", () => {
    const slot = w.slot(0, 0);
    expect(mmioRead(MMIO + 0x10n, 8)).toBe(RETRY);
    expect(w.core.pauseFlags(0)).toBe(BLOCKED_IN_XEN);
    expect(slot.read()).toMatchObject({
      addr: MMIO + 0x10n,
      count: 1,
      size: 8,
      type: IOREQ_TYPE_COPY,
      bits: 0x20 | STATE_IOREQ_READY,
    });
    expect(w.core.complete(0)).toBe(0);
    slot.setState(STATE_IOREQ_INPROCESS);
    w.core.clearPauseFlags(0);
    expect(w.core.complete(0)).toBe(0);
    expect(w.core.pauseFlags(0)).toBe(BLOCKED_IN_XEN);
    slot.answer(0x1122334455667788n);
    expect(w.core.complete(0)).toBe(1);
    expect(slot.state()).toBe(STATE_IOREQ_NONE);
    expect(w.core.ioState(0)).toBe(STATE_IOREQ_RESP_READY);
    expect(mmioRead(MMIO + 0x10n, 8)).toBe(OKAY); // the access made again
    expect(w.core.ioData(0)).toBe(0x1122334455667788n);
    expect(w.core.ioState(0)).toBe(STATE_IOREQ_NONE);
  });

  it("wakes its vCPU by the event channel", () => {
    expect(mmioRead(MMIO)).toBe(RETRY);
    const slot = w.slot(0, 0);
    const port = w.core.bind(slot.read().port);
    expect(port).toBeGreaterThan(0);
    slot.answer(1n);
    expect(w.core.send(port)).toBe(0);
    expect(w.core.pauseFlags(0)).toBe(0);
  });

  it("posts port writes: the instruction does not wait, the vCPU does", () => {
    expect(portWrite(0x504n, 0x41n)).toBe(OKAY);
    expect(w.core.pauseFlags(0)).toBe(BLOCKED_IN_XEN);
    expect(w.slot(0, 0).read()).toMatchObject({ addr: 0x504n, data: 0x41n, type: IOREQ_TYPE_PIO, bits: 1 });
    expect(portWrite(0x504n, 0x42n)).toBe(UNHANDLEABLE); // nothing else before the answer
    w.slot(0, 0).setState(STATE_IOREQ_RESP_READY);
    expect(w.core.complete(0)).toBe(1);
    expect(w.core.ioState(0)).toBe(STATE_IOREQ_NONE);
  });

  it("crashes the domain in an impossible state", () => {
    for (const state of [4, 7, 15]) {
      w.core.setup(2, 0);
      w.create(0);
      w.core.resource(0, 0, 1n);
      w.enable(0, 1);
      w.range(MAP, 0, IO_RANGE_MEMORY, MMIO, MMIO + 0xfffn);
      expect(mmioRead(MMIO)).toBe(RETRY);
      w.slot(0, 0).setState(state);
      expect(w.core.complete(0)).toBe(0);
      expect(w.core.crashReason()).toBe(CRASH_IOREQ_STATE);
      expect(w.core.ioPending(0)).toBe(0);
    }
  });

  it("reads as all ones when the device model set it to NONE", () => {
    expect(mmioRead(MMIO)).toBe(RETRY);
    w.slot(0, 0).setState(STATE_IOREQ_NONE);
    expect(w.core.complete(0)).toBe(1);
    expect(mmioRead(MMIO)).toBe(OKAY);
    expect(ones(w.core.ioData(0))).toBe(0xffff_ffff_ffff_ffffn);
  });

  it("takes no request while it is not NONE or its port was changed", () => {
    w.slot(0, 0).setState(STATE_IOREQ_INPROCESS);
    expect(mmioRead(MMIO)).toBe(UNHANDLEABLE);
    expect(w.core.ioState(0)).toBe(STATE_IOREQ_NONE);
    w.slot(0, 0).setState(STATE_IOREQ_NONE);
    w.view().setUint32(w.slot(0, 0).at + IOREQ_VP_EPORT, 99, true);
    expect(mmioRead(MMIO)).toBe(UNHANDLEABLE);
    expect(w.core.crashReason()).toBe(0);
  });

  it("sends nothing when the domain shuts down", () => {
    w.core.setShuttingDown();
    expect(mmioRead(MMIO)).toBe(RETRY);
    expect(w.core.ioPending(0)).toBe(0);
    expect(w.core.ioState(0)).toBe(STATE_IOREQ_NONE);
    expect(w.slot(0, 0).state()).toBe(STATE_IOREQ_NONE);
  });

  it("puts a shutdown off until its request is answered", () => {
    expect(mmioRead(MMIO)).toBe(RETRY);
    expect(w.dm(16, (at) => at(0).u32(1))).toBe(0);
    expect([w.core.isShuttingDown(), w.core.isShutDown()]).toEqual([1, 0]);
    w.slot(0, 0).answer(0n);
    w.core.complete(0);
    expect(w.core.isShutDown()).toBe(1);
  });

  it("is not there when the server never got its pages: nothing is written, nobody waits", () => {
    w.create(0);
    w.enable(2, 1);
    w.range(MAP, 2, IO_RANGE_MEMORY, MMIO + 0x8000n, MMIO + 0x8fffn);
    expect(mmioWrite(MMIO + 0x8000n, 5n)).toBe(UNHANDLEABLE);
    expect([w.core.ioPending(0), w.core.ioState(0), w.core.pauseFlags(0)]).toEqual([0, STATE_IOREQ_NONE, 0]);
    expect(w.core.crashReason()).toBe(0);
  });

  it("has nothing to say to a request that nobody waits for", () => {
    expect(portWrite(0x500n, 0x41n)).toBe(OKAY);
    w.slot(0, 0).answer(0x99n);
    expect(w.core.complete(0)).toBe(1);
    expect([w.core.ioData(0), w.core.ioState(0)]).toEqual([0x41n, STATE_IOREQ_NONE]);
  });

  it("keeps vCPUs apart", () => {
    expect(mmioRead(MMIO, 4, 0)).toBe(RETRY);
    expect(mmioWrite(MMIO + 8n, 9n, 4, 1)).toBe(RETRY);
    w.slot(0, 1).answer(0n);
    expect(w.core.complete(1)).toBe(1);
    expect(w.core.complete(0)).toBe(0);
  });
});

describe("re-issue", () => {
  it.each([
    ["address", () => mmioRead(MMIO + 4n)],
    ["size", () => mmioRead(MMIO, 2)],
    ["direction", () => mmioWrite(MMIO, 0n)],
    ["space", () => w.core.request(0, IOREQ_TYPE_PIO | READ, MMIO, 0n, 1, 4, 0)],
    ["order", () => w.core.request(0, IOREQ_TYPE_COPY | READ | DOWN, MMIO, 0n, 1, 4, P2M_MMIO_DM)],
    ["count", () => w.core.request(0, IOREQ_TYPE_COPY | READ, MMIO, 0n, 0, 4, P2M_MMIO_DM)],
  ])("crashes the domain when the access differs from the one that was answered: its %s", (_, again) => {
    expect(mmioRead(MMIO)).toBe(RETRY);
    w.slot(0, 0).answer(5n);
    expect(w.core.complete(0)).toBe(1);
    expect(again()).toBe(UNHANDLEABLE);
    expect(w.core.crashReason()).toBe(CRASH_IO_MISMATCH);
  });

  it("refuses odd sizes", () => {
    for (const size of [0, 3, 5, 16]) expect(mmioRead(MMIO, size)).toBe(UNHANDLEABLE);
    expect(w.core.ioState(0)).toBe(STATE_IOREQ_NONE);
  });
});

describe("the page type", () => {
  it("goes to the type's server only, and asks for a retry without one", () => {
    expect(w.core.request(0, IOREQ_TYPE_COPY, 0x20008n, 1n, 1, 4, P2M_IOREQ_SERVER)).toBe(RETRY);
    expect(w.core.ioPending(0)).toBe(0);
    expect(w.core.ioState(0)).toBe(STATE_IOREQ_NONE);
    w.dm(15, (at) => {
      at(0).u16(1);
      at(2).u16(4);
      at(4).u32(2);
    });
    expect(w.core.request(0, IOREQ_TYPE_COPY, 0x20008n, 1n, 1, 4, P2M_IOREQ_SERVER)).toBe(RETRY);
    expect(w.core.ioPending(0)).toBe(2);
    expect(w.slot(1, 0).read()).toMatchObject({ addr: 0x20008n, data: 1n, type: IOREQ_TYPE_COPY });
  });
});

describe("servers that go", () => {
  it("leave a vCPU with a request in flight blocked for good (N-5)", () => {
    expect(mmioRead(MMIO)).toBe(RETRY);
    w.dm(6, (at) => at(0).u16(0));
    expect(w.core.ioPending(0)).toBe(0);
    expect(w.core.pauseFlags(0)).toBe(BLOCKED_IN_XEN);
  });

  it("that are only disabled can still answer", () => {
    expect(mmioRead(MMIO)).toBe(RETRY);
    w.enable(0, 0);
    w.enable(0, 1);
    w.slot(0, 0).answer(7n);
    expect(w.core.complete(0)).toBe(1);
    expect(mmioRead(MMIO)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(7n);
  });
});

describe("broadcast", () => {
  it("sends INVALIDATE to every enabled server and waits for all of them", () => {
    w.core.invalidate(0);
    expect(w.core.ioPending(0)).toBe(3);
    for (const id of [0, 1])
      expect(w.slot(id, 0).read()).toMatchObject({
        addr: 0n,
        data: 0xffff_ffff_ffff_ffffn,
        count: 0,
        size: 4,
        type: IOREQ_TYPE_INVALIDATE,
        bits: STATE_IOREQ_READY,
      });
    w.slot(1, 0).answer(0n);
    expect(w.core.complete(0)).toBe(0);
    w.slot(0, 0).answer(0n);
    expect(w.core.complete(0)).toBe(1);
    expect(w.core.ioState(0)).toBe(STATE_IOREQ_NONE);
  });
});

describe("devices in the core", () => {
  it("come before every server", () => {
    w.core.setup(1, DEVICE_AT_CORE);
    expect(portRead(0x3fdn)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(0x60n);
    expect(portRead(0xe9n)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(0xe9n);
    expect(portRead(0xe9n, 2)).toBe(OKAY); // wider than the device: nobody's
    expect(ones(w.core.ioData(0))).toBe(0xffff_ffff_ffff_ffffn);
    const counter = 0xfe000000n;
    expect(mmioWrite(counter, 0x1122334455667788n, 8)).toBe(OKAY);
    expect(mmioRead(counter + 2n, 4)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(0x33445566n);
    expect(mmioRead(counter + 8n, 8)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(1n);
    expect(mmioRead(counter + 0x10n, 8)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(1n);
    expect(mmioRead(counter + 0x18n, 4)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(0x1080010n);
    expect(mmioWrite(counter + 0xffcn, 0xaabbccddn)).toBe(OKAY);
    expect(mmioRead(counter + 0xffen, 2)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(0xaabbn);
    expect(mmioRead(counter + 0x40n, 8)).toBe(OKAY);
    expect(w.core.ioData(0)).toBe(0n);
    expect(portWrite(0xf4n, 0n)).toBe(OKAY);
    expect(w.core.isShuttingDown()).toBe(1);
  });
});
