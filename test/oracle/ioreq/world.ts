/**
 * dom0's side of the recorded ioreq scenario: a domain with 4 MiB that runs program.ts, a device model that does no more than keep
 * bytes, and what it has seen. Every hypercall goes through dom0's own pages and gives its plain result, so that errors are values.
 *
 * Read next: scenario.ts (what is done with it), record.ts (the rows).
 */
import { frameAddress } from "../../../host/lib/core.ts";
import {
  DMOP_CREATE_IOREQ_SERVER,
  DMOP_DESTROY_IOREQ_SERVER,
  DMOP_MAP_IO_RANGE_TO_IOREQ_SERVER,
  DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
  DMOP_SET_IOREQ_SERVER_STATE,
  DMOP_SET_MEM_TYPE,
  DMOP_UNMAP_IO_RANGE_FROM_IOREQ_SERVER,
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GETDOMAININFO,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_SHADOW_OP,
  DOMCTL_UNPAUSEDOMAIN,
  DOMID_SELF,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_SEND,
  HC_DM_OP,
  HC_EVENT_CHANNEL_OP,
  HC_HVM_OP,
  HC_MEMORY_OP,
  HVMOP_GET_MEM_TYPE,
  XENMAPSPACE_GMFN_FOREIGN,
  XENMEM_ACQUIRE_RESOURCE,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
} from "../../../hv-core/abi/hypercalls.ts";
import {
  BUFIOREQ_READ_POINTER,
  BUFIOREQ_SLOT_COUNT,
  BUFIOREQ_SLOTS,
  BUFIOREQ_WRITE_POINTER,
  IOREQ_ADDR,
  IOREQ_BITS,
  IOREQ_COUNT,
  IOREQ_DATA,
  IOREQ_REQ_SIZE,
  IOREQ_TYPE,
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_PCI_CONFIG,
  IOREQ_TYPE_PIO,
  IOREQ_VP_EPORT,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_READY,
  STATE_IOREQ_RESP_READY,
} from "../../../hv-core/abi/ioreq.ts";
import { creation, type Door, type Field, openDoor } from "../../hv/door.ts";
import { longModeContext } from "./context.ts";
import {
  buildScenarioGuest,
  FINISHED,
  HEARTBEAT,
  IMAGE_AT,
  MAILBOX,
  POSTED,
  REGISTERS_IN,
  SNIPPET,
} from "./program.ts";

const GUEST_PAGES = 0x400;
/** dom0 gfns of the mapped guest pages and of the server's pages. */
const RAM_GFN = 0x1000;
const RING_GFN = 0x2000;
const SLOT_GFN = 0x2001;
const SCRATCH = 0x8000;
const BITMAP = 0x10000;
/** Device memory: behind the addresses below, and the page behind the end of RAM. */
const DEVICE_BYTES = 0x10000;
const DEVICE_AT = 0xf0000000n;
const BEHIND_RAM = BigInt(GUEST_PAGES * 4096);
const BEHIND_RAM_OFFSET = 0x8000;
/** What any other address reads. */
const ELSEWHERE = 0xd3d2d1d0c3c2c1c0n;
/** Guest instructions between two looks of the device model, and looks before a snippet counts as stuck. */
const SLICE = 2000;
const PATIENCE = 400;
/** Requests of one snippet that are written down. */
const LISTED = 20;

export interface Request {
  readonly type: number;
  readonly addr: bigint;
  readonly data: bigint;
  readonly count: number;
  readonly size: number;
  readonly dir: number;
  readonly df: number;
  readonly isPointer: number;
}

const hex = (value: bigint): string => (value === 0n ? "0" : `0x${value.toString(16)}`);
const ones = (size: number): bigint => (1n << BigInt(size * 8)) - 1n;
export type Registers = readonly [rax: bigint, rbx: bigint, rcx: bigint, rdx: bigint, rsi: bigint, rdi: bigint];

export class ScenarioWorld {
  readonly door: Door;
  readonly rows: string[] = [];
  readonly device = new Uint8Array(DEVICE_BYTES);
  readonly program = buildScenarioGuest();
  /** Rows of the snippet that runs now go under this name. */
  test = "-";
  requests = 0;
  /** Requests are answered but not written down. */
  isQuiet = false;
  domid = 0;
  server = 0;
  private port = 0;
  private slotAt = 0;
  private ringAt = 0;

  constructor(knobs: readonly (readonly [index: number, value: number])[] = []) {
    this.door = openDoor(8192, knobs);
  }

  // --- hypercalls ------------------------------------------------------------------------------------------------

  /** One dm_op with the union's fields; the union stays readable with `result`. */
  dm(op: number, fields: readonly Field[] = [], buffer1 = 0): number {
    const { door } = this;
    const at = door.put(SCRATCH, 256, [[0, 4, op], ...fields.map(([o, n, v]): Field => [o + 8, n, v])]);
    const bufs = door.put(SCRATCH + 0x100, 32, [
      [0, 8, at],
      [8, 8, 32],
      [16, 8, SCRATCH + 0x200],
      [24, 8, buffer1],
    ]);
    return door.call(HC_DM_OP, this.domid, buffer1 === 0 ? 1 : 2, bufs);
  }
  result16(offset: number): number {
    return this.door.u16(SCRATCH + 8 + offset);
  }

  createServer(handling: number): number {
    const rc = this.dm(DMOP_CREATE_IOREQ_SERVER, [[0, 1, handling]]);
    if (rc === 0) this.server = this.result16(4);
    return rc;
  }
  range(type: number, start: bigint, end: bigint, op = DMOP_MAP_IO_RANGE_TO_IOREQ_SERVER): number {
    return this.dm(op, [
      [0, 2, this.server],
      [4, 4, type],
      [8, 8, start],
      [16, 8, end],
    ]);
  }
  unmapRange(type: number, start: bigint, end: bigint): number {
    return this.range(type, start, end, DMOP_UNMAP_IO_RANGE_FROM_IOREQ_SERVER);
  }
  setState(enabled: number): number {
    return this.dm(DMOP_SET_IOREQ_SERVER_STATE, [
      [0, 2, this.server],
      [2, 1, enabled],
    ]);
  }
  destroyServer(): number {
    return this.dm(DMOP_DESTROY_IOREQ_SERVER, [[0, 2, this.server]]);
  }
  /** @param flags 2 = writes, 0 = unmap */
  mapType(flags: number): number {
    return this.dm(DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER, [
      [0, 2, this.server],
      [2, 2, 4],
      [4, 4, flags],
    ]);
  }
  setType(gfn: number, count: number, type: number): number {
    return this.dm(DMOP_SET_MEM_TYPE, [
      [0, 4, count],
      [4, 2, type],
      [8, 8, gfn],
    ]);
  }
  getType(gfn: number): number {
    const at = this.door.put(SCRATCH, 16, [
      [0, 2, this.domid],
      [8, 8, gfn],
    ]);
    const rc = this.door.call(HC_HVM_OP, HVMOP_GET_MEM_TYPE, at);
    return rc < 0 ? rc : this.door.u16(at + 2);
  }
  /** Log-dirty mode: 0 off, 2 on, 11 clean, 12 peek. The last two leave the bitmap for isDirty. */
  shadowOp(op: number): number {
    this.door.put(BITMAP, 4096, []);
    return this.door.domctl(DOMCTL_SHADOW_OP, this.domid, [
      [0, 4, op],
      [16, 8, BITMAP],
      [24, 8, GUEST_PAGES],
    ]);
  }
  isDirty(gfn: number): boolean {
    return ((this.door.view.getUint8(this.door.at(BITMAP + (gfn >> 3))) >> (gfn & 7)) & 1) !== 0;
  }
  domainFlags(): number {
    this.door.domctl(DOMCTL_GETDOMAININFO, this.domid);
    return this.door.result32(4);
  }

  // --- the domain ------------------------------------------------------------------------------------------------

  /** A paused domain with the program in it. @param emulation 1 = local APIC only, 0x3ff = everything */
  createDomain(emulation = 1): void {
    const { door } = this;
    if (door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ emulation })) !== 0) throw new Error("createdomain");
    this.domid = door.u16(0x1000 + 8);
    const done = [
      door.domctl(DOMCTL_MAX_VCPUS, this.domid, [[0, 4, 1]]),
      door.domctl(DOMCTL_MAX_MEM, this.domid, [[0, 8, 65536]]),
      door.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, this.domid, [[0, 8, 4 << 20]]),
    ];
    if (done.some((rc) => rc !== 0)) throw new Error(`domain: ${done}`);
    for (let first = 0; first < GUEST_PAGES; first += 256) {
      const gfns = Array.from({ length: 256 }, (_, i) => first + i);
      if (door.populate(this.domid, gfns) !== 256) throw new Error("populate");
      this.mapGuest(first, 256);
    }
    this.poke64(0x1000, 0x2003n);
    for (let i = 0; i < 4; i++) this.poke64(0x2000 + i * 8, BigInt(0x3003 + i * 0x1000));
    for (let i = 0; i < 2048; i++) this.poke64(0x3000 + i * 8, (BigInt(i) << 21n) | 0x83n);
    this.write(IMAGE_AT, this.program.image);
    const context = longModeContext(this.program.entry);
    for (const [i, byte] of context.entries()) door.view.setUint8(door.at(SCRATCH + i), byte);
    const rc = door.domctl(DOMCTL_SETHVMCONTEXT, this.domid, [
      [0, 4, context.length],
      [8, 8, SCRATCH],
    ]);
    if (rc !== 0) throw new Error(`sethvmcontext: ${rc}`);
  }

  private mapGuest(first: number, count: number): void {
    const { door } = this;
    door.put(
      SCRATCH,
      count * 8,
      Array.from({ length: count }, (_, i): Field => [i * 8, 8, first + i]),
    );
    door.put(
      SCRATCH + 0x1000,
      count * 8,
      Array.from({ length: count }, (_, i): Field => [i * 8, 8, RAM_GFN + first + i]),
    );
    const arg = door.put(SCRATCH + 0x2000, 40, [
      [0, 2, DOMID_SELF],
      [2, 2, XENMAPSPACE_GMFN_FOREIGN],
      [4, 2, count],
      [6, 2, this.domid],
      [8, 8, SCRATCH],
      [16, 8, SCRATCH + 0x1000],
      [24, 8, SCRATCH + 0x3000],
    ]);
    const rc = door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, arg);
    if (rc !== 0) throw new Error(`map: ${rc}`);
  }

  /** Creates and enables a server, maps its pages and binds its port. @param handling of the buffered ring, 0 = none */
  attach(handling: number): void {
    const { door } = this;
    if (this.createServer(handling) !== 0) throw new Error("create server");
    this.slotAt = this.acquire(1, SLOT_GFN);
    this.ringAt = handling === 0 ? 0 : this.acquire(0, RING_GFN);
    if (this.setState(1) !== 0) throw new Error("enable server");
    const remote = door.view.getUint32(this.slotAt + IOREQ_VP_EPORT, true);
    const arg = door.put(SCRATCH, 12, [
      [0, 2, this.domid],
      [4, 4, remote],
    ]);
    if (door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_INTERDOMAIN, arg) !== 0) throw new Error("bind");
    this.port = door.u32(arg + 8);
  }

  private acquire(frame: number, gfn: number): number {
    const { door } = this;
    door.put(SCRATCH + 0x100, 8, [[0, 8, gfn]]);
    const arg = door.put(SCRATCH, 40, [
      [0, 2, this.domid],
      [2, 2, 0],
      [4, 4, this.server],
      [8, 4, 1],
      [16, 8, frame],
      [24, 8, SCRATCH + 0x100],
    ]);
    const rc = door.call(HC_MEMORY_OP, XENMEM_ACQUIRE_RESOURCE, arg);
    if (rc !== 0) throw new Error(`acquire: ${rc}`);
    return frameAddress(door.core.dom0Mfn(gfn));
  }

  /** Lets the domain run until it answers with its heartbeat. */
  start(): void {
    this.door.domctl(DOMCTL_UNPAUSEDOMAIN, this.domid);
    for (let i = 0; i < PATIENCE && this.mailbox(HEARTBEAT) === 0n; i++) this.door.core.run(SLICE);
    if (this.mailbox(HEARTBEAT) === 0n)
      throw new Error(`the guest does not run: flags ${this.domainFlags().toString(16)}`);
  }

  destroyDomain(): void {
    this.slotAt = 0;
    this.ringAt = 0;
    this.door.domctl(DOMCTL_DESTROYDOMAIN, this.domid);
  }

  // --- guest memory ----------------------------------------------------------------------------------------------

  private at(gpa: number): number {
    const mfn = this.door.core.dom0Mfn(RAM_GFN + (gpa >> 12));
    if (mfn === 0) throw new Error(`gpa ${gpa.toString(16)} is not mapped`);
    return frameAddress(mfn) + (gpa & 4095);
  }
  write(gpa: number, bytes: ArrayLike<number>): void {
    for (let i = 0; i < bytes.length; i++) this.door.view.setUint8(this.at(gpa + i), bytes[i]!);
  }
  peek64(gpa: number): bigint {
    return this.door.view.getBigUint64(this.at(gpa), true);
  }
  poke64(gpa: number, value: bigint): void {
    this.door.view.setBigUint64(this.at(gpa), value, true);
  }
  mailbox(offset: number): bigint {
    return this.peek64(MAILBOX + offset);
  }
  fill(): void {
    for (let i = 0; i < DEVICE_BYTES; i++) this.device[i] = 0x40 + (i & 0x3f);
    const page = Uint8Array.from({ length: 0x1000 }, (_, i) => 0x80 + (i & 0x7f));
    this.write(0x200000, page);
    this.write(0x201000, page);
  }

  // --- the device model ------------------------------------------------------------------------------------------

  /** Index in `device`, -1 for an address that is none of ours. */
  private index(addr: bigint, size: number): number {
    if (addr >= DEVICE_AT && addr + BigInt(size) <= DEVICE_AT + BigInt(DEVICE_BYTES)) return Number(addr - DEVICE_AT);
    if (addr >= BEHIND_RAM && addr + BigInt(size) <= BEHIND_RAM + 0x1000n)
      return BEHIND_RAM_OFFSET + Number(addr - BEHIND_RAM);
    return -1;
  }
  private readDevice(addr: bigint, size: number): bigint {
    const index = this.index(addr, size);
    if (index < 0) return ELSEWHERE & ones(size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.device[index + i]!);
    return value;
  }
  private writeDevice(addr: bigint, value: bigint, size: number): void {
    const index = this.index(addr, size);
    if (index >= 0) for (let i = 0; i < size; i++) this.device[index + i] = Number((value >> BigInt(8 * i)) & 255n);
  }

  slotState(): number {
    return this.slotAt === 0 ? 0 : this.door.view.getUint8(this.slotAt + IOREQ_BITS) & 15;
  }
  setSlotState(state: number): void {
    const bits = this.door.view.getUint8(this.slotAt + IOREQ_BITS);
    this.door.view.setUint8(this.slotAt + IOREQ_BITS, (bits & 0xf0) | state);
  }
  setSlotData(data: bigint): void {
    this.door.view.setBigUint64(this.slotAt + IOREQ_DATA, data, true);
  }
  notify(): void {
    this.door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_SEND, this.door.put(SCRATCH, 4, [[0, 4, this.port]]));
  }

  private request(): Request {
    const { view } = this.door;
    const bits = view.getUint8(this.slotAt + IOREQ_BITS);
    return {
      type: view.getUint8(this.slotAt + IOREQ_TYPE),
      addr: view.getBigUint64(this.slotAt + IOREQ_ADDR, true),
      data: view.getBigUint64(this.slotAt + IOREQ_DATA, true),
      count: view.getUint32(this.slotAt + IOREQ_COUNT, true),
      size: view.getUint32(this.slotAt + IOREQ_REQ_SIZE, true),
      dir: (bits >> 5) & 1,
      df: (bits >> 6) & 1,
      isPointer: (bits >> 4) & 1,
    };
  }

  /** Answers one request, if there is one. */
  serve(): void {
    if (this.slotState() !== STATE_IOREQ_READY) return;
    const r = this.request();
    this.requests++;
    if (!this.isQuiet && this.requests <= LISTED) {
      this.row("req", [r.type, hex(r.addr), hex(r.data), r.count, r.size, r.dir, r.df, r.isPointer], "-");
    }
    this.setSlotState(STATE_IOREQ_INPROCESS);
    if (r.type === IOREQ_TYPE_COPY || r.type === IOREQ_TYPE_PIO || r.type === IOREQ_TYPE_PCI_CONFIG) this.carryOut(r);
    this.setSlotState(STATE_IOREQ_RESP_READY);
    this.notify();
  }

  private carryOut(r: Request): void {
    const step = BigInt(r.df ? -r.size : r.size);
    if (r.isPointer === 0 && r.dir === 1) {
      this.setSlotData(this.readDevice(r.type === IOREQ_TYPE_PCI_CONFIG ? 0n : r.addr, r.size));
      return;
    }
    for (let i = 0n; i < BigInt(r.count); i++) {
      const addr = r.type === IOREQ_TYPE_COPY ? r.addr + step * i : r.addr;
      if (r.isPointer === 0) this.writeDevice(addr, r.data, r.size);
      else if (r.dir === 1) this.toMemory(r.data + step * i, this.readDevice(addr, r.size), r.size);
      else this.writeDevice(addr, this.fromMemory(r.data + step * i, r.size), r.size);
    }
  }
  private toMemory(gpa: bigint, value: bigint, size: number): void {
    if (gpa + BigInt(size) > BEHIND_RAM) this.writeDevice(gpa, value, size);
    else
      this.write(
        Number(gpa),
        Array.from({ length: size }, (_, i) => Number((value >> BigInt(8 * i)) & 255n)),
      );
  }
  private fromMemory(gpa: bigint, size: number): bigint {
    if (gpa + BigInt(size) > BEHIND_RAM) return this.readDevice(gpa, size);
    let value = 0n;
    for (let i = size - 1; i >= 0; i--)
      value = (value << 8n) | BigInt(this.door.view.getUint8(this.at(Number(gpa) + i)));
    return value;
  }

  /** Writes down what is in the buffered ring, and takes it out. */
  drainRing(): void {
    if (this.ringAt === 0) return;
    const { view } = this.door;
    for (;;) {
      const read = view.getUint32(this.ringAt + BUFIOREQ_READ_POINTER, true);
      const write = view.getUint32(this.ringAt + BUFIOREQ_WRITE_POINTER, true);
      if (read === write) return;
      const raw = view.getBigUint64(this.ringAt + BUFIOREQ_SLOTS + (read % BUFIOREQ_SLOT_COUNT) * 8, true);
      const header = Number(raw & 0xffffffffn);
      this.requests++;
      const size = 1 << ((header >>> 10) & 3);
      this.row(
        "buf",
        [header & 255, hex(BigInt(header >>> 12)), hex(raw >> 32n), 1, size, (header >>> 9) & 1, "-", "-"],
        `raw=${raw.toString(16).padStart(16, "0")} rp=${read} wp=${write}`,
      );
      view.setUint32(this.ringAt + BUFIOREQ_READ_POINTER, read + 1, true);
    }
  }

  // --- snippets --------------------------------------------------------------------------------------------------

  row(kind: string, fields: readonly (string | number)[], note: string): void {
    this.rows.push([this.test, this.requests, kind, ...fields, note].join("\t"));
  }

  post(snippet: string, registers: Registers): void {
    this.poke64(MAILBOX + SNIPPET, BigInt(this.program.snippet(snippet)));
    for (const [i, value] of registers.entries()) this.poke64(MAILBOX + REGISTERS_IN + i * 8, value);
    this.poke64(MAILBOX + POSTED, this.mailbox(POSTED) + 1n);
  }

  isFinished(): boolean {
    return this.mailbox(POSTED) === this.mailbox(FINISHED);
  }

  /** Runs and answers until the snippet is over. @returns false when that does not happen. */
  finish(): boolean {
    for (let i = 0; i < PATIENCE; i++) {
      if (this.isFinished()) return true;
      this.serve();
      this.door.core.run(SLICE);
    }
    return this.isFinished();
  }

  /** Runs without answering anything. */
  wait(slices = 20): void {
    for (let i = 0; i < slices; i++) this.door.core.run(SLICE);
  }
}
