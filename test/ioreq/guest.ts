/**
 * The unit-test build hv-core/units/replay.ts as the tests use it: a vCPU in 64-bit mode with an identity map of 4 GiB, and a device
 * model that answers its slot from a byte array.
 */
import {
  IO_RANGE_MEMORY,
  IO_RANGE_PCI,
  IO_RANGE_PORT,
  IOREQ_ADDR,
  IOREQ_BITS,
  IOREQ_COUNT,
  IOREQ_DATA,
  IOREQ_REQ_SIZE,
  IOREQ_TYPE,
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_PCI_CONFIG,
  STATE_IOREQ_READY,
  STATE_IOREQ_RESP_READY,
} from "../../hv-core/abi/ioreq.ts";
import { loadUnits } from "../support/units.ts";

interface Exports {
  setKnob(index: number, value: number): void;
  setup64(deviceAt: number): void;
  guestAddress(gpa: number): number;
  guestWritten(gpa: number): void;
  addPage(gfn: bigint): number;
  memType(gfn: bigint): number;
  trackWrites(): number;
  isDirty(gpa: number): number;
  setReg(index: number, value: bigint): void;
  reg(index: number): bigint;
  setRip(rip: bigint, rflags: number): void;
  rip(): bigint;
  rflags(): number;
  counter(index: number): bigint;
  replays(): number;
  go(budget: number): number;
  dm(domid: number, nrBufs: number, bufs: number): number;
  dom0Address(gpa: number): number;
  resource(caller: number, id: number, frame: bigint): number;
  frameHost(mfn: number): number;
  clearPauseFlags(vcpu: number): void;
  crashReason(): number;
}

/** What a device model sees of one request. */
export interface Request {
  readonly type: number;
  readonly addr: bigint;
  readonly data: bigint;
  readonly count: number;
  readonly size: number;
  readonly isRead: boolean;
  readonly isDown: boolean;
  readonly isPointer: boolean;
}

export type Outcome = "halt" | "crash" | "livelock" | `exit ${number}`;

export const CODE = 0x10000;
const STUBS = 0x50000;
const IDT = 0x60000;
const GUEST = 7;
const HLT = 0xf4;
export const RAX = 0;
export const RCX = 1;
export const RDX = 2;
export const RBX = 3;
export const RSP = 4;
export const RSI = 6;
export const RDI = 7;
export const R15 = 15;

export async function createGuest() {
  const { exports: core, memory } = await loadUnits<Exports>("replay", 8192);
  const view = () => new DataView(memory.buffer);
  const bytes = () => new Uint8Array(memory.buffer);
  /** The device behind memory and ports; addresses are taken modulo its size. */
  const device = { read: (_r: Request, _i: number) => 0n, write: (_r: Request, _i: number, _v: bigint) => {} };
  const requests: Request[] = [];
  let slot = 0;

  function poke(gpa: number, data: ArrayLike<number>): void {
    for (let i = 0; i < data.length; i++) view().setUint8(core.guestAddress(gpa + i), data[i]!);
    core.guestWritten(gpa);
    core.guestWritten(gpa + data.length);
  }
  const poke64 = (gpa: number, value: bigint) => view().setBigUint64(core.guestAddress(gpa), value, true);
  const peek64 = (gpa: number) => view().getBigUint64(core.guestAddress(gpa), true);

  function dm(
    op: number,
    fields: readonly (readonly [offset: number, bytes: 1 | 2 | 4 | 8, value: bigint | number])[],
  ) {
    const at = core.dom0Address(0x2000);
    bytes().fill(0, at, at + 64);
    view().setUint32(at, op, true);
    for (const [offset, size, value] of fields)
      for (let i = 0; i < size; i++)
        view().setUint8(at + 8 + offset + i, Number((BigInt(value) >> BigInt(i * 8)) & 0xffn));
    const bufs = core.dom0Address(0x1000);
    view().setBigUint64(bufs, 0x2000n, true);
    view().setBigUint64(bufs + 8, 32n, true);
    return core.dm(GUEST, 1, 0x1000);
  }
  const range = (type: number, start: bigint, end: bigint, op = 3) =>
    dm(op, [
      [4, 4, type],
      [8, 8, start],
      [16, 8, end],
    ]);

  /** A fresh guest with page tables, an IDT whose gates end in HLT, and one enabled server. */
  function setup(deviceAt = 0): void {
    core.setup64(deviceAt);
    requests.length = 0;
    poke64(0x1000, 0x2003n);
    for (let i = 0; i < 4; i++) poke64(0x2000 + i * 8, BigInt(0x3003 + i * 0x1000));
    for (let i = 0; i < 2048; i++) poke64(0x3000 + i * 8, (BigInt(i) << 21n) | 0x83n);
    poke64(0x61008, 0x00af9b000000ffffn);
    poke64(0x61010, 0x00cf93000000ffffn);
    for (let vector = 0; vector < 32; vector++) {
      const stub = BigInt(STUBS + vector * 16);
      poke64(IDT + vector * 16, (stub & 0xffffn) | (8n << 16n) | (0x8e00n << 32n) | ((stub >> 16n) << 48n));
      poke(Number(stub), [HLT]);
    }
    dm(1, []);
    slot = core.frameHost(core.resource(0, 0, 1n));
    dm(5, [[2, 1, 1]]);
  }

  function current(): Request {
    const v = view();
    const bits = v.getUint8(slot + IOREQ_BITS);
    return {
      type: v.getUint8(slot + IOREQ_TYPE),
      addr: v.getBigUint64(slot + IOREQ_ADDR, true),
      data: v.getBigUint64(slot + IOREQ_DATA, true),
      count: v.getUint32(slot + IOREQ_COUNT, true),
      size: v.getUint32(slot + IOREQ_REQ_SIZE, true),
      isRead: (bits & 32) !== 0,
      isDown: (bits & 64) !== 0,
      isPointer: (bits & 16) !== 0,
    };
  }

  function serve(): void {
    const v = view();
    const bits = v.getUint8(slot + IOREQ_BITS);
    if ((bits & 15) === STATE_IOREQ_READY) {
      const request = current();
      requests.push(request);
      const step = BigInt(request.size) * (request.isDown ? -1n : 1n);
      for (let i = 0; i < request.count; i++) {
        const memoryAt = Number(request.data + BigInt(i) * step);
        if (request.isPointer && request.isRead) {
          const value = device.read(request, i);
          for (let b = 0; b < request.size; b++)
            v.setUint8(core.guestAddress(memoryAt + b), Number((value >> BigInt(b * 8)) & 255n));
        } else if (request.isPointer) {
          let value = 0n;
          for (let b = 0; b < request.size; b++)
            value |= BigInt(v.getUint8(core.guestAddress(memoryAt + b))) << BigInt(b * 8);
          device.write(request, i, value);
        } else if (request.isRead) v.setBigUint64(slot + IOREQ_DATA, device.read(request, i), true);
        else device.write(request, i, request.data);
      }
      v.setUint8(slot + IOREQ_BITS, (bits & 0xf0) | STATE_IOREQ_RESP_READY);
    }
    core.clearPauseFlags(0);
  }

  /** Runs until HLT; the device model answers in between. */
  function finish(maxRequests = 5000): Outcome {
    for (let i = 0; i < maxRequests; i++) {
      const stop = core.go(100_000);
      if (stop === 0) return "halt";
      if (stop === 2) return "crash";
      if (stop === 3) return "livelock";
      if (stop !== 1) return `exit ${stop >>> 8}`;
      serve();
    }
    return "livelock";
  }

  /** Runs `code` (a HLT is put behind it) with the given registers. */
  function run(code: readonly number[], registers: Readonly<Record<number, bigint>> = {}, rflags = 2): Outcome {
    poke(CODE, [...code, HLT]);
    core.setReg(RSP, 0x7fff8n);
    core.setReg(R15, 0x80000n);
    for (const [index, value] of Object.entries(registers)) core.setReg(Number(index), value);
    core.setRip(BigInt(CODE), rflags);
    requests.length = 0;
    return finish();
  }

  /** The exception whose stub the vCPU halted in, -1 for none. */
  function fault(): number {
    const at = Number(core.rip()) - STUBS;
    return at >= 0 && at < 32 * 16 ? Math.floor(at / 16) : -1;
  }

  const knob = (index: number, value: number) => core.setKnob(index, value);
  const reg = (index: number) => BigInt.asUintN(64, core.reg(index));
  return { core, knob, view, device, requests, poke, poke64, peek64, dm, range, setup, run, fault, finish, reg };
}

export type Guest = Awaited<ReturnType<typeof createGuest>>;
export {
  IO_RANGE_MEMORY as MEMORY,
  IO_RANGE_PCI as PCI,
  IO_RANGE_PORT as PORT,
  IOREQ_TYPE_COPY as COPY,
  IOREQ_TYPE_PCI_CONFIG as PCI_CONFIG,
};
