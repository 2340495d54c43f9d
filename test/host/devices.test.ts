/** The small device models as functions of their slab. */
import { describe, expect, it } from "vitest";
import { ACTOR_COUNTER, ACTOR_UART, allocActor, getField, slabOf } from "../../host/lib/actors.ts";
import { consoleText, createConsoleLog, type DeviceContext } from "../../host/lib/device/context.ts";
import { counter } from "../../host/lib/device/counter.ts";
import { READ_HIGH } from "../../host/lib/device/model.ts";
import { uart, uartReceive } from "../../host/lib/device/uart.ts";
import {
  COUNTER_LAST,
  COUNTER_READS,
  COUNTER_SCRATCH,
  COUNTER_VALUE,
  COUNTER_WRITES,
} from "../../hv-core/abi/devices.ts";
import { fakeCore, fakeDom0 } from "./fake-core.ts";

function context(): DeviceContext {
  const core = fakeCore();
  return { dom0: fakeDom0(core), log: createConsoleLog() };
}

describe("UART", () => {
  const c = context();
  const slab = slabOf(allocActor(c.dom0.core, ACTOR_UART, 1));
  const read = (register: number): number => uart.read(c, slab, register, 1);
  const write = (register: number, value: number): void => uart.write(c, slab, register, 1, value, 0);

  it("transmits at once and is always idle", () => {
    for (const char of "hi") write(0, char.charCodeAt(0));
    expect(consoleText(c.log)).toBe("hi");
    expect(read(5)).toBe(0x60);
  });

  it("keeps the divisor behind DLAB", () => {
    write(3, 0x83);
    write(0, 0x34);
    write(1, 0x12);
    expect([read(0), read(1)]).toEqual([0x34, 0x12]);
    write(3, 3);
    write(1, 0xff);
    expect(read(1)).toBe(0x0f);
  });

  it("receives what was typed, in order", () => {
    for (const char of "ok") uartReceive(c.dom0.core, slab, char.charCodeAt(0));
    expect(read(5)).toBe(0x61);
    expect([read(0), read(0), read(0)]).toEqual([0x6f, 0x6b, 0]);
    expect(read(5)).toBe(0x60);
  });

  it("loops back, and keeps the scratch register", () => {
    write(4, 0x1b);
    write(0, 0x77);
    expect(read(0)).toBe(0x77);
    expect(read(6)).toBe(0xb0);
    write(7, 0xa5);
    expect(read(7)).toBe(0xa5);
    expect(consoleText(c.log)).toBe("hi");
  });
});

describe("counter", () => {
  const c = context();
  const slab = slabOf(allocActor(c.dom0.core, ACTOR_COUNTER, 1));
  const read = (offset: number, size: number): number => counter.read(c, slab, offset, size);

  it("keeps 64-bit values and counts every access", () => {
    counter.write(c, slab, COUNTER_VALUE, 8, 0x11223344, 0x55667788);
    expect(read(COUNTER_VALUE, 8)).toBe(0x11223344);
    expect(getField(c.dom0.core, slab, READ_HIGH)).toBe(0x55667788);
    expect(read(COUNTER_VALUE + 2, 2)).toBe(0x1122);
    expect(read(COUNTER_READS, 4)).toBe(2);
    expect(read(COUNTER_WRITES, 4)).toBe(1);
  });

  it("tells the last access, and does not let anybody write the counts", () => {
    counter.write(c, slab, COUNTER_WRITES, 4, 99, 0);
    expect(read(COUNTER_LAST, 4)).toBe(COUNTER_WRITES | (4 << 16));
    expect(read(COUNTER_WRITES, 4)).toBe(2);
  });

  it("has scratch bytes and zeros elsewhere", () => {
    counter.write(c, slab, COUNTER_SCRATCH + 3, 2, 0xbeef, 0);
    expect(read(COUNTER_SCRATCH, 4)).toBe(0xef000000);
    expect(read(0xfff, 1)).toBe(0);
    expect(read(0x400, 8)).toBe(0);
  });
});
