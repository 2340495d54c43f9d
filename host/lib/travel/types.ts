/**
 * The types of time travel (docs/api.md): a session records a machine while it runs and brings it to any point of what was recorded.
 * Read next: session.ts.
 */
import type { DomId } from "../ids.ts";
import type { Machine } from "../machine.ts";
import type { TraceRecord } from "../trace/decode.ts";
import type { StateDiff } from "./diff.ts";
import type { WatchHit, WatchId, WatchSpec } from "./watch.ts";

/** A place in the recording. Equal places are equal states: the same bytes, the same hash. */
export interface Position {
  /** Virtual time in TSC ticks, as trace records have it. It orders everything; idle time is jumped over. */
  readonly time: number;
  /** Instructions retired by all vCPUs. */
  readonly instructions: number;
  /** Exits handled. */
  readonly exits: number;
}

/**
 * Why the machine stands still: the wanted place was reached; the budget is used up; a breakpoint or watch was hit (the hits say which); every
 * guest has ended; nothing can run before something is typed or done; the beginning of the recording; `cancel` said so.
 */
export type StopReason = "reached" | "budget" | "break" | "ended" | "idle" | "start" | "cancelled";

export interface Stop {
  readonly reason: StopReason;
  readonly position: Position;
  /** What was hit, in the order in which it happened; empty unless reason is "break". */
  readonly hits: readonly WatchHit[];
}

/** What the outside did, which replay does again at the same place. */
export interface OutsideAction {
  readonly time: number;
  /** For people: `type "ls"`. */
  readonly name: string;
}

/** One event of the timeline: a trace record, with its number in the timeline. */
export interface TimelineEvent extends TraceRecord {
  /** Number in the timeline, from 0. */
  readonly number: number;
  /** Virtual time as a number: session.seekTime(event.at) goes there. */
  readonly at: number;
  /** "exit", "p2m_set", "ioreq_state" ... */
  readonly name: string;
}

export interface TimelineQuery {
  /** First number, and how many at most. Default: all. */
  readonly from?: number;
  readonly count?: number;
  /** Only these, by name. */
  readonly names?: readonly string[];
}

/** Where an address got its value. */
export interface LastWrite {
  /** The instruction was retired here; `before` is the place just before it. */
  readonly position: Position;
  readonly before: Position;
  /** "guest": an instruction of a vCPU. "outside": the hypervisor, a device or dom0 wrote it; position is the first place that shows it. */
  readonly by: "guest" | "outside";
  /** Slot of the vCPU and rip of the instruction, when a guest wrote. */
  readonly slot: number;
  readonly rip: bigint;
}

export interface RunLimits {
  /** Stop after so many more instructions. */
  readonly maxInstructions?: number;
  /** Called now and then; true stops at the next place that is convenient. */
  readonly cancel?: () => boolean;
}

export interface SessionOptions {
  /** Bytes that checkpoints may take together, about. Default 512 MiB. */
  readonly memoryBytes?: number;
  /** Ticks between two checkpoints at first; it doubles when there are too many. Default 500,000. */
  readonly interval?: number;
  /** Checkpoints at most. Default 64. */
  readonly checkpoints?: number;
  /** Events that the timeline keeps at most. Default 1,000,000. */
  readonly events?: number;
}

export interface Session extends Disposable {
  /** For looking. What changes it goes through type() and act(), or the recording would not be true. */
  readonly machine: Machine;
  position(): Position;
  /** The furthest place that was recorded. */
  frontier(): Position;
  /** Where the recording begins. */
  start(): Position;

  /** Forwards until a breakpoint or watch is hit, or one of the limits; without limits until the guests end or wait for the outside. */
  run(limits?: RunLimits): Stop;
  /** Backwards to the last hit before here, or to the start. */
  runBack(limits?: Pick<RunLimits, "cancel">): Stop;
  /** `count` instructions on, of whichever vCPU has its turn. Breakpoints do not stop it. Default 1. */
  step(count?: number): Stop;
  stepBack(count?: number): Stop;
  /** One instruction of the vCPU in a slot; the others run as they would. */
  stepVcpu(slot: number): Stop;
  stepBackVcpu(slot: number): Stop;

  /** After the instruction with this number; 0 is the first place that has no instruction behind it. */
  seek(instructions: number, limits?: Pick<RunLimits, "cancel">): Stop;
  /** The first place that is not before this virtual time. */
  seekTime(time: number, limits?: Pick<RunLimits, "cancel">): Stop;
  /** After exit number k was handled (1 = the first of the recording). Only exits that the timeline has. */
  seekExit(k: number): Stop;
  /** To the place of a position that this session gave. */
  goTo(position: Position): Stop;
  /** To the next or the last event with one of these names (as in timeline()): "exit", "p2m_set" ... Forwards it runs on until one happens. */
  stepEvent(names: readonly string[], limits?: RunLimits): Stop;
  stepBackEvent(names: readonly string[]): Stop;

  /** Who wrote the byte at a guest-physical address last, before here; undefined when nobody since the start. The machine stays where it is. */
  lastWrite(domid: DomId, gpa: number, bytes?: number): LastWrite | undefined;

  /** Exits, p2m changes, requests, hypercalls ... of all that was recorded, by the trace (knob trace.mask decides which). */
  timeline(query?: TimelineQuery): TimelineEvent[];
  /** How many events there are, without building them. */
  timelineLength(): number;
  /** Events were dropped: more than option `events` allows. */
  readonly isTimelineCut: boolean;

  /** Types on the guest's consoles. Here in the recording: what was recorded after here is forgotten. */
  type(domid: DomId, bytes: Uint8Array): void;
  /**
   * Does something to the machine from outside (a hypercall of dom0, a new guest). Replay does it again, so it must depend on nothing but the
   * machine. What was recorded after here is forgotten.
   */
  act<T>(name: string, action: (machine: Machine) => T): T;
  actions(): readonly OutsideAction[];

  watch(spec: WatchSpec): WatchId;
  unwatch(id: WatchId): void;
  watches(): readonly (WatchSpec & { readonly id: WatchId })[];

  /** What differs between two places of the recording. The machine stays where it is. */
  diff(a: Position, b: Position): StateDiff;

  /** Checkpoints and the bytes that they take. */
  readonly usage: { readonly checkpoints: number; readonly bytes: number };
}
