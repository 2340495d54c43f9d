/** The unit-test build hv-core/units/ioreq.ts as the tests use it: dm_op with its buffers, slots and rings of a server's pages. */
import {
  IOREQ_ADDR,
  IOREQ_BITS,
  IOREQ_COUNT,
  IOREQ_DATA,
  IOREQ_REQ_SIZE,
  IOREQ_SIZE,
  IOREQ_TYPE,
  IOREQ_VP_EPORT,
  STATE_IOREQ_RESP_READY,
} from "../../hv-core/abi/ioreq.ts";
import { loadUnits } from "../support/units.ts";

export interface Exports {
  setup(vcpus: number, deviceAt: number): void;
  dom0Address(gpa: number): number;
  dm(domid: number, nrBufs: number, bufs: number): number;
  dmByGuest(domid: number, nrBufs: number, bufs: number): number;
  resource(caller: number, id: number, frame: bigint): number;
  frameHost(mfn: number): number;
  frameRefs(mfn: number): number;
  setGuestParam(index: number, value: bigint): void;
  memType(gfn: bigint): number;
  giveBack(gfn: bigint): void;
  typedPages(): number;
  request(vcpu: number, kind: number, addr: bigint, data: bigint, count: number, size: number, type: number): number;
  complete(vcpu: number): number;
  invalidate(vcpu: number): void;
  ioData(vcpu: number): bigint;
  ioState(vcpu: number): number;
  ioPending(vcpu: number): number;
  pauseFlags(vcpu: number): number;
  clearPauseFlags(vcpu: number): void;
  crashReason(): number;
  isShuttingDown(): number;
  setShuttingDown(): void;
  isShutDown(): number;
  frameOf(gfn: bigint): number;
  frameGfn(mfn: number): bigint;
  setDying(): void;
  cf8(): number;
  injectEvent(vcpu: number): number;
  bind(remotePort: number): number;
  send(port: number): number;
  invariants(): number;
  setIoState(vcpu: number, state: number): void;
  setIoPending(vcpu: number, servers: number): void;
  setTypedPages(count: bigint): void;
  addReference(mfn: number): void;
  leaveLocked(which: number): void;
  sendEvent(isLocked: number): number;
  setKnob(index: number, value: number): void;
  buffered(id: number, kind: number, addr: bigint, data: bigint, size: number, count: number): number;
}

export const GUEST = 7;
/** Results of one access (hv-core/hv/emulate/io-result.ts) and its kinds (io-kind.ts). */
export const OKAY = 0;
export const RETRY = 1;
export const UNHANDLEABLE = 2;
export const READ = 1 << 8;
export const PTR = 1 << 9;
export const DOWN = 1 << 10;

const BUFS = 0x1000;
const OP = 0x2000;

export interface Slot {
  readonly at: number;
  state(): number;
  setState(state: number): void;
  read(): { addr: bigint; data: bigint; count: number; size: number; type: number; bits: number; port: number };
  answer(data: bigint): void;
}

export async function createWorld() {
  const { exports: core, memory } = await loadUnits<Exports>("ioreq", 1024);
  const view = () => new DataView(memory.buffer);

  /** One dm_op of dom0 about the guest with its arguments written by `fill` (offsets in the union). */
  function dm(op: number, fill?: (at: (offset: number) => DataViewField) => void, size = 32, nrBufs = 1): number {
    const v = view();
    const opAt = core.dom0Address(OP);
    const bufsAt = core.dom0Address(BUFS);
    for (let i = 0; i < 64; i++) v.setUint8(opAt + i, 0);
    v.setUint32(opAt, op, true);
    fill?.((offset) => field(opAt + 8 + offset));
    v.setBigUint64(bufsAt, BigInt(OP), true);
    v.setBigUint64(bufsAt + 8, BigInt(size), true);
    v.setBigUint64(bufsAt + 16, 0x3000n, true);
    v.setBigUint64(bufsAt + 24, 64n, true);
    return core.dm(GUEST, nrBufs, BUFS);
  }

  function field(at: number): DataViewField {
    const v = view();
    return {
      u8: (value) => v.setUint8(at, value),
      u16: (value) => v.setUint16(at, value, true),
      u32: (value) => v.setUint32(at, value, true),
      u64: (value) => v.setBigUint64(at, value, true),
    };
  }

  const out = {
    u16: (offset: number) => view().getUint16(core.dom0Address(OP) + 8 + offset, true),
    u32: (offset: number) => view().getUint32(core.dom0Address(OP) + 8 + offset, true),
    u64: (offset: number) => view().getBigUint64(core.dom0Address(OP) + 8 + offset, true),
  };

  const range = (op: number, id: number, type: number, start: bigint, end: bigint) =>
    dm(op, (at) => {
      at(0).u16(id);
      at(4).u32(type);
      at(8).u64(start);
      at(16).u64(end);
    });

  function create(handling: number): number {
    const rc = dm(1, (at) => at(0).u8(handling));
    return rc === 0 ? out.u16(4) : rc;
  }

  const enable = (id: number, enabled: number) =>
    dm(5, (at) => {
      at(0).u16(id);
      at(2).u8(enabled);
    });

  function slot(id: number, vcpu: number): Slot {
    const at = core.frameHost(core.resource(0, id, 1n)) + vcpu * IOREQ_SIZE;
    return {
      at,
      state: () => view().getUint8(at + IOREQ_BITS) & 15,
      setState: (state) => view().setUint8(at + IOREQ_BITS, (view().getUint8(at + IOREQ_BITS) & 0xf0) | state),
      read: () => ({
        addr: view().getBigUint64(at + IOREQ_ADDR, true),
        data: view().getBigUint64(at + IOREQ_DATA, true),
        count: view().getUint32(at + IOREQ_COUNT, true),
        size: view().getUint32(at + IOREQ_REQ_SIZE, true),
        type: view().getUint8(at + IOREQ_TYPE),
        bits: view().getUint8(at + IOREQ_BITS),
        port: view().getUint32(at + IOREQ_VP_EPORT, true),
      }),
      answer(data) {
        view().setBigUint64(at + IOREQ_DATA, data, true);
        this.setState(STATE_IOREQ_RESP_READY);
      },
    };
  }

  return { core, view, dm, out, range, create, enable, slot, field };
}

export interface DataViewField {
  u8(value: number): void;
  u16(value: number): void;
  u32(value: number): void;
  u64(value: bigint): void;
}

export type World = Awaited<ReturnType<typeof createWorld>>;
