/**
 * Random life of ioreq servers against a model: two vCPUs, up to three servers, ranges that overlap, the page type, answers in any order. The
 * model knows who should get an access (the newest enabled server that claims all of it; for pages of the type its owner) and what comes
 * back. After each step: the core's own invariants (hv/ioreq/check.ts), I-4 (slots only go forward), I-5 (every access reaches one device
 * model, once, as it was made; what is read is what was answered). Used by random.test.ts and its long sibling.
 */
import * as fc from "fast-check";
import { EBUSY, EINVAL } from "../../hv-core/abi/errno.ts";
import {
  IO_RANGE_MEMORY,
  IOREQ_TYPE_COPY,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_NONE,
  STATE_IOREQ_READY,
} from "../../hv-core/abi/ioreq.ts";
import { AS_FIXED, KNOB_DESTROY_PENDING, KNOB_DESTROY_TYPE } from "../../hv-core/abi/knobs.ts";
import { P2M_IOREQ_SERVER, P2M_MMIO_DM, P2M_RAM_RW } from "../../hv-core/abi/p2m-types.ts";
import { OKAY, READ, RETRY, type World } from "./world.ts";

const SERVERS = 3;
const VCPUS = 2;
const MMIO = 0xf000_0000n;
/** Ranges in units of 16 bytes from MMIO on. */
const UNITS = 8;
const TYPED = [4, 5, 6];
const ALL_ONES = 0xffff_ffff_ffff_ffffn;

type Op =
  | { kind: "create" | "destroy" | "enable" | "disable" | "map" | "unmap" | "process" | "answer"; id: number }
  | { kind: "range" | "unrange"; id: number; first: number; units: number }
  | { kind: "type" | "untype"; page: number }
  | { kind: "access"; vcpu: number; unit: number; isRead: boolean; data: number }
  | { kind: "write"; vcpu: number; page: number; data: number }
  | { kind: "complete"; vcpu: number };

const id = fc.nat(SERVERS - 1);
const vcpu = fc.nat(VCPUS - 1);
const simple = <K extends Op["kind"]>(kind: K, weight: number) => ({
  weight,
  arbitrary: id.map((n) => ({ kind, id: n }) as unknown as Op),
});
export const operation: fc.Arbitrary<Op> = fc.oneof(
  simple("create", 3),
  simple("enable", 4),
  simple("disable", 1),
  simple("destroy", 1),
  simple("map", 2),
  simple("unmap", 1),
  simple("process", 2),
  simple("answer", 5),
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constantFrom("range" as const, "range" as const, "unrange" as const),
      id,
      first: fc.nat(UNITS - 1),
      units: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("type" as const, "type" as const, "untype" as const),
      page: fc.nat(TYPED.length - 1),
    }),
  },
  {
    weight: 7,
    arbitrary: fc.record({
      kind: fc.constant("access" as const),
      vcpu,
      unit: fc.nat(UNITS + 1),
      isRead: fc.boolean(),
      data: fc.nat(0xffff),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("write" as const),
      vcpu,
      page: fc.nat(TYPED.length - 1),
      data: fc.nat(0xffff),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("complete" as const), vcpu }) },
);

interface Server {
  isEnabled: boolean;
  readonly claimed: Set<number>;
}
interface Sent {
  readonly server: number;
  readonly addr: bigint;
  readonly data: bigint;
  readonly isRead: boolean;
  answered?: bigint;
}

/** Transitions of a slot: from << 2 | to. A device model may skip INPROCESS. */
const FORWARD = new Set([0b0001, 0b0110, 0b0111, 0b1011, 0b1100]);

export class Mismatch extends Error {}
const same = (what: string, actual: unknown, expected: unknown): void => {
  if (actual !== expected) throw new Mismatch(`${what}: ${String(actual)} instead of ${String(expected)}`);
};

export class Model {
  private readonly servers: (Server | undefined)[] = [undefined, undefined, undefined];
  private readonly sent: (Sent | undefined)[] = [undefined, undefined];
  private owner: number | undefined;
  private readonly typed = new Set<number>();
  private states: number[][] = [];
  private readonly w: World;

  constructor(w: World) {
    this.w = w;
    w.core.setup(VCPUS, 0);
    w.core.setKnob(KNOB_DESTROY_TYPE, AS_FIXED);
    w.core.setKnob(KNOB_DESTROY_PENDING, AS_FIXED);
    this.states = this.slotStates();
  }

  private slotStates(): number[][] {
    return this.servers.map((server, n) =>
      Array.from({ length: VCPUS }, (_, v) => (server ? this.w.slot(n, v).state() : STATE_IOREQ_NONE)),
    );
  }

  apply(op: Op): void {
    const { w } = this;
    const server = "id" in op ? this.servers[op.id] : undefined;
    switch (op.kind) {
      case "create": {
        const free = this.servers.indexOf(undefined);
        if (free < 0) return;
        same("create", w.create(0), free);
        same("page", w.core.resource(0, free, 1n) > 0, true);
        this.servers[free] = { isEnabled: false, claimed: new Set() };
        return;
      }
      case "destroy":
        if (!server) return;
        same(
          "destroy",
          w.dm(6, (at) => at(0).u16(op.id)),
          0,
        );
        this.forget(op.id);
        return;
      case "enable":
      case "disable":
        if (!server) return;
        same("set state", w.enable(op.id, op.kind === "enable" ? 1 : 0), 0);
        server.isEnabled = op.kind === "enable";
        return;
      case "range":
      case "unrange":
        if (server) this.range(op.id, server, op.first, Math.min(op.units, UNITS - op.first), op.kind === "range");
        return;
      case "map":
        this.mapType(op.id, 2, this.owner === undefined ? 0 : -EBUSY);
        return;
      case "unmap":
        this.mapType(op.id, 0, this.owner === op.id ? 0 : -EINVAL);
        return;
      case "type":
      case "untype":
        this.setType(TYPED[op.page]!, op.kind === "type");
        return;
      case "access":
        this.access(op.vcpu, MMIO + BigInt(op.unit) * 16n, BigInt(op.data), op.isRead);
        return;
      case "write":
        this.write(op.vcpu, TYPED[op.page]!, BigInt(op.data));
        return;
      case "process":
      case "answer":
        if (server) this.device(op.id, op.kind === "answer");
        return;
      case "complete":
        this.complete(op.vcpu);
    }
  }

  private forget(id: number): void {
    this.servers[id] = undefined;
    if (this.owner === id) {
      this.owner = undefined;
      this.typed.clear();
    }
    for (let v = 0; v < VCPUS; v++) {
      const sent = this.sent[v];
      if (sent?.server === id) sent.answered = ALL_ONES; // reads of it end with all ones (N-5, fixed)
      this.states[id]![v] = STATE_IOREQ_NONE;
    }
  }

  private range(id: number, server: Server, first: number, units: number, isMap: boolean): void {
    const wanted = Array.from({ length: units }, (_, i) => first + i);
    const start = MMIO + BigInt(first) * 16n;
    const has = (unit: number): boolean => server.claimed.has(unit);
    const rc = this.w.range(isMap ? 3 : 4, id, IO_RANGE_MEMORY, start, start + BigInt(units) * 16n - 1n);
    if (isMap ? wanted.some(has) : !wanted.every(has)) {
      same("range", rc < 0, true);
      return;
    }
    same("range", rc, 0);
    for (const unit of wanted) {
      if (isMap) server.claimed.add(unit);
      else server.claimed.delete(unit);
    }
  }

  private mapType(id: number, flags: number, expected: number): void {
    if (!this.servers[id]) return;
    const rc = this.w.dm(15, (at) => {
      at(0).u16(id);
      at(2).u16(4);
      at(4).u32(flags);
    });
    same("map type", rc, expected);
    if (rc !== 0) return;
    this.owner = flags === 0 ? undefined : id;
    if (flags === 0) this.typed.clear(); // the sweep makes them RAM
  }

  private setType(gfn: number, isTyped: boolean): void {
    const rc = this.w.dm(12, (at) => {
      at(0).u32(1);
      at(4).u16(isTyped ? 4 : 0);
      at(8).u64(BigInt(gfn));
    });
    const isRefused = isTyped && (this.owner === undefined || this.typed.has(gfn));
    same("set type", rc, isRefused ? -EINVAL : 0);
    if (rc !== 0) return;
    if (isTyped) this.typed.add(gfn);
    else this.typed.delete(gfn);
  }

  private isFree(v: number): boolean {
    return this.sent[v] === undefined && this.w.core.ioState(v) === 0;
  }

  private access(v: number, addr: bigint, data: bigint, isRead: boolean): void {
    if (!this.isFree(v)) return;
    const unit = Number((addr - MMIO) / 16n);
    const who = this.servers.findLastIndex((s) => s?.isEnabled === true && s.claimed.has(unit));
    const kind = IOREQ_TYPE_COPY | (isRead ? READ : 0);
    const rc = this.w.core.request(v, kind, addr, isRead ? 0n : data, 1, 4, P2M_MMIO_DM);
    same("access", rc, who < 0 ? OKAY : RETRY);
    if (who >= 0) this.arrived(v, who, addr, isRead ? 0n : data, isRead);
    else if (isRead) same("nobody's read", BigInt.asUintN(64, this.w.core.ioData(v)), ALL_ONES);
  }

  private write(v: number, gfn: number, data: bigint): void {
    if (!this.isFree(v)) return;
    const type = this.w.core.memType(BigInt(gfn));
    same(`type of ${gfn}`, type, this.typed.has(gfn) ? P2M_IOREQ_SERVER : P2M_RAM_RW);
    if (type !== P2M_IOREQ_SERVER) return;
    const addr = BigInt(gfn) * 4096n;
    const rc = this.w.core.request(v, IOREQ_TYPE_COPY, addr, data, 1, 4, type);
    // The owner of the type gets it, enabled or not: a server without channels cannot be sent to.
    same("typed write", rc === RETRY || !this.servers[this.owner!]!.isEnabled, true);
    if (this.w.core.ioPending(v) !== 0) this.arrived(v, this.owner!, addr, data, false);
  }

  /** I-5: the request stands in the slot of that server, as it was made, and nowhere else. */
  private arrived(v: number, server: number, addr: bigint, data: bigint, isRead: boolean): void {
    same("pending at", this.w.core.ioPending(v), 1 << server);
    const slot = this.w.slot(server, v);
    same("slot", slot.state(), STATE_IOREQ_READY);
    const request = slot.read();
    same("address", request.addr, addr);
    if (!isRead) same("data", request.data, data);
    same("direction", (request.bits & 32) !== 0, isRead);
    this.sent[v] = { server, addr, data, isRead };
  }

  private device(id: number, isAnswer: boolean): void {
    for (let v = 0; v < VCPUS; v++) {
      const slot = this.w.slot(id, v);
      const sent = this.sent[v];
      const state = slot.state();
      if (!isAnswer && state === STATE_IOREQ_READY) slot.setState(STATE_IOREQ_INPROCESS);
      if (!isAnswer || (state !== STATE_IOREQ_READY && state !== STATE_IOREQ_INPROCESS)) continue;
      const data = BigInt(id * 0x1000 + v + 1);
      slot.answer(data);
      if (sent?.server === id) sent.answered = data;
    }
  }

  private complete(v: number): void {
    const { core } = this.w;
    core.clearPauseFlags(v);
    const sent = this.sent[v];
    const mayRun = core.complete(v) !== 0;
    if (!sent) return;
    same("may run", mayRun, sent.answered !== undefined);
    if (sent.answered === undefined) return;
    // The instruction is replayed: the same access finds its answer.
    const kind = IOREQ_TYPE_COPY | (sent.isRead ? READ : 0);
    same("replayed", core.request(v, kind, sent.addr, sent.data, 1, 4, P2M_MMIO_DM), OKAY);
    if (sent.isRead) same("what is read", BigInt.asUintN(64, core.ioData(v)), sent.answered);
    this.sent[v] = undefined;
  }

  /** After each step. */
  check(): void {
    const { core } = this.w;
    same("crash", core.crashReason(), 0);
    same("broken invariants", core.invariants() >>> 0, 0);
    const states = this.slotStates();
    for (let server = 0; server < SERVERS; server++) {
      for (let v = 0; v < VCPUS; v++) {
        const edge = (this.states[server]![v]! << 2) | states[server]![v]!;
        if (edge >> 2 !== (edge & 3)) same(`I-4, slot ${v} of ${server}`, FORWARD.has(edge), true);
      }
    }
    this.states = states;
  }
}

/** Runs `sequences` random lives; a failure shows the smallest one. */
export function liveRandomly(w: World, sequences: number, seed: number): void {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 40, size: "max" }), (ops) => {
      const model = new Model(w);
      for (const op of ops) {
        model.apply(op);
        model.check();
      }
    }),
    { numRuns: sequences, seed },
  );
}
