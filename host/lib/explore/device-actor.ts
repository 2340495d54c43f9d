/**
 * A device model as an actor: it waits for the event of a slot, then READY -> INPROCESS, does the access, RESP_READY, notifies;
 * each of these is a step. What guests wrote to it stands in a log in its slab, so that losses and duplicates can be counted.
 *
 * Slab: phase @8, vCPU of the request under way @12, slots page @16, log length @20, request address @24, reads answered @28, INVALIDATE
 * requests answered @32, dom0 ports from 64 on (u32 for each vCPU), log from 512 on {address u32, data u32}.
 */
import { CONT_FIRST_PROCESSOR, CONT_HYPERCALL } from "../../../hv-core/abi/continuation.ts";
import { EVTCHNOP_SEND, HC_EVENT_CHANNEL_OP } from "../../../hv-core/abi/hypercalls.ts";
import {
  IO_RANGE_MEMORY,
  IOREQ_ADDR,
  IOREQ_BITS,
  IOREQ_DATA,
  IOREQ_SIZE,
  IOREQ_TYPE,
  IOREQ_TYPE_INVALIDATE,
  IOREQ_VP_EPORT,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_READY,
  STATE_IOREQ_RESP_READY,
} from "../../../hv-core/abi/ioreq.ts";
import { ACTOR_RACE_DEVICE, allocActor, slabOf } from "../actors.ts";
import { allocGfns, mappedAddress } from "../dom0.ts";
import { Port, type ServerId } from "../ids.ts";
import { createIoreqServer, mapIoRange, setIoreqServerState } from "../toolstack/dm-op.ts";
import { evtchnBindInterdomain } from "../toolstack/evtchn.ts";
import { acquireIoreqPage } from "../toolstack/memory.ts";
import { type Actor, setWord, word } from "./actors.ts";
import type { World } from "./world.ts";

const PHASE = 8;
const VCPU = 12;
const SLOTS_AT = 16;
const LOG_LENGTH = 20;
const ADDRESS = 24;
const READS = 28;
const INVALIDATES = 32;
const PORTS = 64;
const LOG = 512;
const LOG_MAX = 400;

const IDLE = 0;
const NOTIFIED = 1;
const IN_PROCESS = 2;
const ANSWERED = 3;

/** Pending bits in dom0's shared_info. */
const EVTCHN_PENDING = 2048;
const BUFIOREQ_OFF = 0;
/** What the device answers to reads. */
const READ_VALUE = 0x5a5a_5a5a;

export interface ServerOptions {
  /** MMIO that the server answers for: [first, last] guest-physical; undefined = none (a page type is mapped to it). */
  readonly range?: readonly [start: number, end: number];
  /** BUFIOREQ_*: whether it has a buffered ring as well, and who moves its pointers how. Default: none. */
  readonly buffered?: number;
}

export interface IoreqEnd {
  readonly server: ServerId;
  /** Linear address of the page with the slots. */
  readonly slotsAt: number;
  /** dom0's port for each vCPU. */
  readonly ports: readonly number[];
  /** Linear address of the buffered ring; 0 = none. */
  readonly ringAt: number;
}

/** An enabled ioreq server with its page mapped into dom0 and its ports bound. */
export function createServer(world: World, options: ServerOptions): IoreqEnd {
  const { dom0, domid } = world;
  const server = createIoreqServer(dom0, domid, options.buffered ?? BUFIOREQ_OFF);
  const gfn = allocGfns(dom0, 1);
  acquireIoreqPage(dom0, domid, server, 1, gfn);
  const slotsAt = mappedAddress(dom0, gfn);
  const ringGfn = options.buffered ? allocGfns(dom0, 1) : undefined;
  if (ringGfn !== undefined) acquireIoreqPage(dom0, domid, server, 0, ringGfn);
  if (options.range)
    mapIoRange(dom0, domid, server, { space: IO_RANGE_MEMORY, start: options.range[0], end: options.range[1] });
  setIoreqServerState(dom0, domid, server, true);
  const ports = world.vcpus.map((_, vcpu) =>
    evtchnBindInterdomain(dom0, domid, Port(word(world, slotsAt + vcpu * IOREQ_SIZE + IOREQ_VP_EPORT))),
  );
  return { server, slotsAt, ports, ringAt: ringGfn === undefined ? 0 : mappedAddress(dom0, ringGfn) };
}

export const slotState = (world: World, end: IoreqEnd, vcpu: number): number =>
  world.core.u8[end.slotsAt + vcpu * IOREQ_SIZE + IOREQ_BITS]! & 15;

export function setSlotState(world: World, slot: number, state: number): void {
  world.core.u8[slot + IOREQ_BITS] = (world.core.u8[slot + IOREQ_BITS]! & 0xf0) | state;
}

export interface DeviceActor extends Actor {
  /** Every write the device was asked for, in order. */
  log(): readonly { readonly address: number; readonly data: number }[];
  /** How many reads it has answered. */
  reads(): number;
  /** How often it has been told to drop its mappings of guest memory. */
  invalidates(): number;
}

export function deviceActor(
  world: World,
  options: {
    readonly name: string;
    readonly index: number;
    readonly end: IoreqEnd;
    /** False: what comes is not counted, so that doing the same again leads to the same state. */
    readonly keepsLog?: boolean;
    /** It has been told to drop its mappings. What it does then is in linear memory. */
    onInvalidate?(): void;
  },
): DeviceActor {
  const { index, end, keepsLog = true } = options;
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_DEVICE, world.domid));
  const processor = CONT_FIRST_PROCESSOR + index + 1;
  const gpa = (world.dom0.pages - 1 - index) * 4096;
  setWord(world, slab + SLOTS_AT, end.slotsAt);
  end.ports.forEach((port, vcpu) => {
    setWord(world, slab + PORTS + vcpu * 4, port);
    setWord(world, pendingAt(port), word(world, pendingAt(port)) & ~bitOf(port));
  });

  function pendingAt(port: number): number {
    return world.dom0.sharedInfoAt + EVTCHN_PENDING + (port >> 5) * 4;
  }
  function bitOf(port: number): number {
    return 1 << (port & 31);
  }
  const phase = (): number => word(world, slab + PHASE);
  const portOf = (vcpu: number): number => word(world, slab + PORTS + vcpu * 4);
  const slot = (): number => word(world, slab + SLOTS_AT) + word(world, slab + VCPU) * IOREQ_SIZE;
  /** The first vCPU whose event is pending, -1 for none. */
  function notified(): number {
    for (let vcpu = 0; vcpu < world.vcpus.length; vcpu++)
      if ((word(world, pendingAt(portOf(vcpu))) & bitOf(portOf(vcpu))) !== 0) return vcpu;
    return -1;
  }

  function takeEvent(): void {
    const vcpu = notified();
    setWord(world, pendingAt(portOf(vcpu)), word(world, pendingAt(portOf(vcpu))) & ~bitOf(portOf(vcpu)));
    setWord(world, slab + VCPU, vcpu);
    setWord(world, slab + PHASE, NOTIFIED);
  }

  function takeRequest(): void {
    const at = slot();
    if ((world.core.u8[at + IOREQ_BITS]! & 15) !== STATE_IOREQ_READY) {
      setWord(world, slab + PHASE, IDLE);
      return;
    }
    setSlotState(world, at, STATE_IOREQ_INPROCESS);
    setWord(world, slab + ADDRESS, word(world, at + IOREQ_ADDR));
    setWord(world, slab + PHASE, IN_PROCESS);
  }

  function answer(): void {
    const at = slot();
    const count = (field: number): void => {
      if (keepsLog) setWord(world, slab + field, word(world, slab + field) + 1);
    };
    if (world.core.u8[at + IOREQ_TYPE] === IOREQ_TYPE_INVALIDATE) {
      count(INVALIDATES);
      options.onInvalidate?.();
    } else if ((world.core.u8[at + IOREQ_BITS]! & 32) !== 0) {
      setWord(world, at + IOREQ_DATA, READ_VALUE);
      setWord(world, at + IOREQ_DATA + 4, 0);
      count(READS);
    } else if (keepsLog) {
      const length = word(world, slab + LOG_LENGTH);
      if (length < LOG_MAX) {
        setWord(world, slab + LOG + length * 8, word(world, slab + ADDRESS));
        setWord(world, slab + LOG + length * 8 + 4, word(world, at + IOREQ_DATA));
        setWord(world, slab + LOG_LENGTH, length + 1);
      }
    }
    setWord(world, slab + ADDRESS, 0);
    setSlotState(world, at, STATE_IOREQ_RESP_READY);
    setWord(world, slab + PHASE, ANSWERED);
  }

  function notify(): void {
    setWord(world, world.dom0.ramAt + gpa, portOf(word(world, slab + VCPU)));
    const call = { kind: CONT_HYPERCALL, args: [HC_EVENT_CHANNEL_OP, EVTCHNOP_SEND, gpa], processor };
    if (world.continuations.start(index, call) !== undefined) ended();
  }

  function ended(): void {
    setWord(world, world.dom0.ramAt + gpa, 0);
    setWord(world, slab + VCPU, 0);
    setWord(world, slab + PHASE, IDLE);
  }

  const steps = [
    { word: "event", text: "takes the event of a slot", run: takeEvent },
    { word: "take", text: "looks at the slot: READY -> INPROCESS", run: takeRequest },
    { word: "answer", text: "does the access: INPROCESS -> RESP_READY", run: answer },
    { word: "notify", text: "notifies the hypervisor", run: notify },
  ];
  return {
    name: options.name,
    index,
    role: "a device model (ioreq server) in the control domain: it is notified, takes the request, carries it out, answers, notifies",
    processor,
    isReady: () => phase() !== IDLE || notified() >= 0,
    hasWork: () => phase() !== IDLE || world.continuations.suspension(index) !== undefined,
    next: () => steps[phase()]!,
    begin: () => steps[phase()]!.run(),
    ended,
    reads: () => word(world, slab + READS),
    invalidates: () => word(world, slab + INVALIDATES),
    log: () =>
      Array.from({ length: word(world, slab + LOG_LENGTH) }, (_, i) => ({
        address: word(world, slab + LOG + i * 8),
        data: word(world, slab + LOG + i * 8 + 4),
      })),
  };
}
