/** Monitor events beside page accesses: control registers, MSRs, INT3, descriptor tables; DENY, and what happens without a listener. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Instruction } from "../../host/lib/explore/code.ts";
import { CTR_EXITS } from "../../hv-core/abi/counters.ts";
import { DOMCTL_MONITOR_OP } from "../../hv-core/abi/domctl.ts";
import { EEXIST, EINVAL } from "../../hv-core/abi/errno.ts";
import { EXIT_TRIPLE_FAULT } from "../../hv-core/abi/exits.ts";
import { COUNTERS_BASE } from "../../hv-core/abi/layout.ts";
import {
  EV_BREAKPOINT_LENGTH,
  EV_BREAKPOINT_TYPE,
  EV_DATA,
  EV_DESCRIPTOR,
  EV_DESCRIPTOR_WRITE,
  EV_NEW_VALUE,
  EV_OLD_VALUE,
  EV_REGISTER,
  EVF_DENY,
  EVF_EMULATE,
  EVF_SET_REGISTERS,
  EVF_VCPU_PAUSED,
  MONITOR_DESC_ACCESS,
  MONITOR_DISABLE,
  MONITOR_ENABLE,
  MONITOR_MOV_TO_MSR,
  MONITOR_SOFTWARE_BREAKPOINT,
  MONITOR_WRITE_CTRLREG,
  REASON_DESCRIPTOR_ACCESS,
  REASON_MOV_TO_MSR,
  REASON_SOFTWARE_BREAKPOINT,
  REASON_WRITE_CTRLREG,
  REGS_RIP,
  VM_EVENT_DISABLE,
  VM_EVENT_MODE_MONITOR,
} from "../../hv-core/abi/vm-event.ts";
import { CODE, type Event, Guest, type Ring } from "./listener.ts";

const u32 = (x: number) => [x & 0xff, (x >> 8) & 0xff, (x >> 16) & 0xff, (x >>> 24) & 0xff];
const code = (text: string, ...bytes: number[]): Instruction => ({ text, bytes });
const movEax = (x: number) => code("mov eax, ...", 0xb8, ...u32(x));
const toCr = (cr: number) => code(`mov cr${cr}, eax`, 0x0f, 0x22, 0xc0 | (cr << 3));
const fromCr = (cr: number) => code(`mov ebx, cr${cr}`, 0x0f, 0x20, 0xc3 | (cr << 3));
const movEcx = (x: number) => code("mov ecx, ...", 0xb9, ...u32(x));
const movEdx = (x: number) => code("mov edx, ...", 0xba, ...u32(x));
const wrmsr = code("wrmsr", 0x0f, 0x30);
const rdmsr = code("rdmsr", 0x0f, 0x32);
const int3 = code("int3", 0xcc);
const nop = code("nop", 0x90);
const CR0 = 0;
const CR3 = 1;
const CR4 = 2;
const TSD = 4;
const SYSENTER_CS = 0x174;
const EBX = 3;
const PAUSED = EVF_VCPU_PAUSED;

let guest: Guest;
let ring: Ring;
const start = (...body: Instruction[]): void => {
  guest = new Guest({ body });
  ring = guest.listen(VM_EVENT_MODE_MONITOR);
};
const monitor = (
  op: number,
  event: number,
  ...fields: (readonly [offset: number, bytes: 1 | 2 | 4 | 8, value: number | bigint])[]
): number => guest.door.domctl(DOMCTL_MONITOR_OP, guest.domid, [[0, 4, op], [4, 4, event], ...fields]);
const watchCr = (index: number, { sync = 1, onChange = 0, mask = 0n, op = MONITOR_ENABLE } = {}): number =>
  monitor(op, MONITOR_WRITE_CTRLREG, [8, 1, index], [9, 1, sync], [10, 1, onChange], [16, 8, mask]);
const watchMsr = (msr: number, onChange = 0, op = MONITOR_ENABLE): number =>
  monitor(op, MONITOR_MOV_TO_MSR, [8, 4, msr], [12, 1, onChange]);
const value = (event: Event, offset: number): number => ring.view.getUint32(event.at + offset, true);
const takeOne = (): Event => {
  const events = ring.take();
  expect(events.length).toBe(1);
  return events[0]!;
};

describe("writes to control registers", () => {
  beforeEach(() => start(movEax(TSD), toCr(4), fromCr(4)));

  it("the listener sees register, new and old value; the write is made when the vCPU goes on", () => {
    expect(watchCr(CR4)).toBe(0);
    guest.run();
    const event = takeOne();
    expect([
      event.reason,
      event.flags,
      value(event, EV_REGISTER),
      value(event, EV_NEW_VALUE),
      value(event, EV_OLD_VALUE),
    ]).toEqual([REASON_WRITE_CTRLREG, PAUSED, CR4, TSD, 0]);
    expect(guest.rip()).toBe(CODE + 8); // the instruction is over
    guest.run();
    expect(guest.register(EBX)).toBe(0);
    ring.answer(event);
    guest.run();
    expect([guest.isDone(), guest.register(EBX)]).toEqual([true, TSD]);
  });

  it("DENY: the register keeps what it has", () => {
    watchCr(CR4);
    guest.run();
    ring.answer(takeOne(), { flags: PAUSED | EVF_DENY });
    guest.run();
    expect([guest.isDone(), guest.register(EBX), ring.take()]).toEqual([true, 0, []]);
  });

  it("a response that sets the registers leaves the write alone", () => {
    watchCr(CR4);
    guest.run();
    ring.answer(takeOne(), {
      flags: PAUSED | EVF_SET_REGISTERS,
      fill: (view, at) => view.setUint32(at + EV_DATA + REGS_RIP, CODE + 8, true),
    });
    guest.run();
    expect([guest.isDone(), guest.register(EBX)]).toEqual([true, TSD]);
  });

  it("asynchronous: the guest goes on at once", () => {
    watchCr(CR4, { sync: 0 });
    guest.run();
    expect([takeOne().flags, guest.isDone(), guest.register(EBX)]).toEqual([0, true, TSD]);
  });

  it("only changes, and only of bits that matter", () => {
    start(movEax(TSD), toCr(4), toCr(4), movEax(TSD | 8), toCr(4));
    expect(watchCr(CR4, { sync: 0, onChange: 1, mask: 8n })).toBe(0);
    guest.run();
    const events = ring.take();
    expect(events.map((e) => value(e, EV_NEW_VALUE))).toEqual([TSD]); // the second is no change, the third changes bit 3 only
  });

  it("a value that the processor refuses is #GP when the write is made", () => {
    start(movEax(0x2000), toCr(4)); // VMXE; without an IDT the #GP is a triple fault
    watchCr(CR4);
    guest.run();
    expect(guest.crashReason()).toBe(0);
    ring.answer(takeOne());
    guest.run();
    const tripleFaults = guest.door.view.getBigUint64(COUNTERS_BASE + (CTR_EXITS + EXIT_TRIPLE_FAULT) * 8, true);
    expect([ring.take(), tripleFaults]).toEqual([[], 1n]);
  });

  it("CR0 by MOV, CLTS and LMSW, and CR3", () => {
    const CLTS = code("clts", 0x0f, 0x06);
    const LMSW = code("lmsw ax", 0x0f, 0x01, 0xf0);
    start(movEax(0x19), toCr(0), CLTS, LMSW, movEax(0x5000), toCr(3), fromCr(0));
    watchCr(CR0, { sync: 0 });
    watchCr(CR3, { sync: 0 });
    guest.run();
    const events = ring.take();
    expect(events.map((e) => [value(e, EV_REGISTER), value(e, EV_NEW_VALUE), value(e, EV_OLD_VALUE)])).toEqual([
      [CR0, 0x19, 0x11],
      [CR0, 0x11, 0x19],
      [CR0, 0x19, 0x11],
      [CR3, 0x5000, 0],
    ]);
    expect([guest.isDone(), guest.register(EBX)]).toEqual([true, 0x19]);
  });

  it("EEXIST for what is so already, EINVAL for registers that do not exist", () => {
    expect([watchCr(CR4), watchCr(CR4)]).toEqual([0, -EEXIST]);
    expect([watchCr(CR4, { op: MONITOR_DISABLE }), watchCr(CR4, { op: MONITOR_DISABLE })]).toEqual([0, -EEXIST]);
    expect([watchCr(4), watchCr(32)]).toEqual([-EINVAL, -EINVAL]);
    expect(monitor(MONITOR_ENABLE, MONITOR_WRITE_CTRLREG, [8, 1, 0], [13, 1, 1])).toBe(-EINVAL);
    guest.run();
    expect([ring.take(), guest.isDone()]).toEqual([[], true]);
  });
});

describe("writes to MSRs", () => {
  beforeEach(() => start(movEcx(SYSENTER_CS), movEax(0x1234), movEdx(0), wrmsr, movEax(0), rdmsr));

  it("the listener sees the MSR, its new and its old value; it is written when the vCPU goes on", () => {
    expect(watchMsr(SYSENTER_CS)).toBe(0);
    guest.run();
    const event = takeOne();
    expect([event.reason, value(event, EV_REGISTER), value(event, EV_NEW_VALUE), value(event, EV_OLD_VALUE)]).toEqual([
      REASON_MOV_TO_MSR,
      SYSENTER_CS,
      0x1234,
      0,
    ]);
    ring.answer(event);
    guest.run();
    expect([guest.isDone(), guest.register(0)]).toEqual([true, 0x1234]);
  });

  it("DENY: the MSR keeps what it has", () => {
    watchMsr(SYSENTER_CS);
    guest.run();
    ring.answer(takeOne(), { flags: PAUSED | EVF_DENY });
    guest.run();
    expect([guest.isDone(), guest.register(0)]).toEqual([true, 0]);
  });

  it("only those on the list, and only changes if that is wanted", () => {
    start(movEcx(SYSENTER_CS), movEax(0), movEdx(0), wrmsr, movEcx(SYSENTER_CS + 1), movEax(5), wrmsr);
    expect([watchMsr(SYSENTER_CS, 1), watchMsr(0x10)]).toEqual([0, 0]);
    guest.run();
    expect([ring.take(), guest.isDone()]).toEqual([[], true]);
  });

  it("EEXIST, EINVAL; another MSR stays on the list when one is taken off it", () => {
    expect([watchMsr(SYSENTER_CS), watchMsr(SYSENTER_CS), watchMsr(0x2000), watchMsr(0xc000_0080)]).toEqual([
      0,
      -EEXIST,
      -EINVAL,
      0,
    ]);
    expect(watchMsr(0xc000_0080, 0, MONITOR_DISABLE)).toBe(0);
    expect(watchMsr(0xc000_0080, 0, MONITOR_DISABLE)).toBe(-EEXIST);
    guest.run();
    expect(takeOne().reason).toBe(REASON_MOV_TO_MSR);
  });
});

describe("INT3", () => {
  it("stops before the guest's handler; the listener moves rip on", () => {
    start(int3, nop);
    expect(monitor(MONITOR_ENABLE, MONITOR_SOFTWARE_BREAKPOINT)).toBe(0);
    guest.run();
    const event = takeOne();
    expect([event.reason, event.flags, event.gfn, guest.rip()]).toEqual([
      REASON_SOFTWARE_BREAKPOINT,
      PAUSED,
      CODE >> 12,
      CODE,
    ]);
    expect([value(event, EV_BREAKPOINT_LENGTH), ring.view.getUint8(event.at + EV_BREAKPOINT_TYPE)]).toEqual([1, 6]);
    ring.answer(event, {
      flags: PAUSED | EVF_SET_REGISTERS,
      fill: (view, at) => view.setUint32(at + EV_DATA + REGS_RIP, CODE + 1, true),
    });
    guest.run();
    expect(guest.isDone()).toBe(true);
  });
});

describe("descriptor tables", () => {
  const SGDT = code("sgdt [0x4000]", 0x0f, 0x01, 0x05, ...u32(0x4000));
  const LGDT = code("lgdt [0x4000]", 0x0f, 0x01, 0x15, ...u32(0x4000));
  const SIDT = code("sidt [0x4000]", 0x0f, 0x01, 0x0d, ...u32(0x4000));
  const STR = code("str eax", 0x0f, 0x00, 0xc8);

  it.each([
    ["SGDT", SGDT, 2, 0],
    ["LGDT", LGDT, 2, 1],
    ["SIDT", SIDT, 1, 0],
    ["STR", STR, 4, 0],
  ] as const)("%s: which table and how; EMULATE lets it happen", (_, instruction, table, isWrite) => {
    start(instruction, nop);
    guest.setWord(0x4000, 0xffff_ffff);
    expect(monitor(MONITOR_ENABLE, MONITOR_DESC_ACCESS)).toBe(0);
    guest.run();
    const event = takeOne();
    const byte = (offset: number) => ring.view.getUint8(event.at + offset);
    expect([event.reason, byte(EV_DESCRIPTOR), byte(EV_DESCRIPTOR_WRITE), guest.rip()]).toEqual([
      REASON_DESCRIPTOR_ACCESS,
      table,
      isWrite,
      CODE,
    ]);
    ring.answer(event, { flags: PAUSED | EVF_EMULATE });
    guest.run();
    expect([guest.isDone(), ring.take()]).toEqual([true, []]);
    if (table < 3 && isWrite === 0) expect(guest.word(0x4000) & 0xffff).not.toBe(0xffff);
  });

  it("without EMULATE the instruction exits again", () => {
    start(SGDT);
    monitor(MONITOR_ENABLE, MONITOR_DESC_ACCESS);
    guest.run();
    ring.answer(takeOne());
    guest.run();
    expect([takeOne().reason, guest.rip()]).toEqual([REASON_DESCRIPTOR_ACCESS, CODE]);
  });
});

describe("the listener goes", () => {
  it("and with it all that was asked for: the guest runs as if nobody had listened", () => {
    start(
      movEax(TSD),
      toCr(4),
      movEcx(SYSENTER_CS),
      movEdx(0),
      wrmsr,
      code("sgdt [0x4000]", 0x0f, 0x01, 0x05, ...u32(0x4000)),
    );
    const free = guest.door.freeFrames();
    watchCr(CR4);
    watchMsr(SYSENTER_CS);
    monitor(MONITOR_ENABLE, MONITOR_DESC_ACCESS);
    expect(guest.door.freeFrames()).toBe(free - 1);
    expect(guest.vmEvent(VM_EVENT_DISABLE, VM_EVENT_MODE_MONITOR)).toBe(0);
    guest.run();
    expect([guest.isDone(), guest.crashReason(), guest.door.freeFrames()]).toEqual([true, 0, free]);
  });
});
