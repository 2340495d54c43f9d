/**
 * A machine: one instance of the core, its dom0, and the guests in it. The stable API of vmexit:
 *
 *   using machine = createMachine(wasm, { memoryBytes: 64 * 2 ** 20 });
 *   const guest = machine.createGuest({ image, memoryBytes: 64 * 2 ** 20, vcpus: 1, cmdline: "", modules: [] });
 *   const end = machine.run({ maxInstructions: 1e9 });
 *
 * run() plays dom0 as well: whenever a dom0 event is pending it serves the device models and the toolstack.
 * A guest that crashes is a value (GuestEnd), never an exception. Read next: dom0.ts, toolstack/build.ts, device/platform.ts.
 */
import { CTR_INSTRUCTIONS } from "../../hv-core/abi/counters.ts";
import { MACHINE_NOW } from "../../hv-core/abi/domain.ts";
import { VIRQ_DOM_EXC } from "../../hv-core/abi/hypercalls.ts";
import { DEVICE_AT_HOST } from "../../hv-core/abi/knobs.ts";
import { MACHINE_BASE, TRACE_BASE } from "../../hv-core/abi/layout.ts";
import { RUN_BREAK, RUN_BUDGET, RUN_IDLE } from "../../hv-core/abi/run.ts";
import { TRACE_HASH } from "../../hv-core/abi/trace-events.ts";
import { ACTOR_TOOLSTACK, type ActorId, allocActor, getField, setField, slabOf, TOOLSTACK_DOM_EXC } from "./actors.ts";
import { forgetBlocks } from "./buffers/arena.ts";
import { type Core, type CoreOptions, instantiateCore, mailboxHex, refreshViews } from "./core.ts";
import { drainCoreConsole } from "./core-console.ts";
import { readCounter, readCounters, readExits } from "./counters.ts";
import {
  type ConsoleLog,
  consoleText,
  createConsoleLog,
  type DeviceContext,
  putConsole,
  restoreConsole,
} from "./device/context.ts";
import { feedCoreUarts, isCoreInputWaiting } from "./device/core-input.ts";
import { attachPlatform, detachPlatform, serveActor, typeToGuest } from "./device/platform.ts";
import { bindActor, createDom0, type Dom0, handleEvents, isEventPending } from "./dom0.ts";
import { crashReason, liveDomains, shutdownCode } from "./domains.ts";
import { check } from "./errors.ts";
import { endOf, type GuestEnd } from "./guest-end.ts";
import type { DomId } from "./ids.ts";
import { DOM0 } from "./ids.ts";
import {
  instructionPointer,
  pauseFlags,
  peek,
  peekVirtual,
  type Registers,
  registers,
  translateGva,
  vcpuDomain,
  vcpuSlots,
  type WalkStep,
  walk,
} from "./inspect.ts";
import { grantAtBoot, type IoRight } from "./iocap/rights-file.ts";
import { type IoreqServerView, readIoreqServers } from "./ioreq-view.ts";
import { DEFAULT_ERA, type EraName, eraKnobs, type KnobValues, knobSettings } from "./knobs.ts";
import { type P2mMap, readP2m } from "./p2m-map.ts";
import { restoreSnapshot, type Snapshot, takeSnapshot } from "./snapshot.ts";
import { readTlb, type TlbEntryView } from "./tlb-view.ts";
import { type BuiltDomain, buildDomain, type DomainSpec, overheadFrames } from "./toolstack/build.ts";
import { domainDestroy, domainUnpause } from "./toolstack/domctl.ts";
import { evtchnBindVirq } from "./toolstack/evtchn.ts";
import { createForeignWindow, type ForeignWindow } from "./toolstack/foreign.ts";
import { forgetListeners, type Listener } from "./vm-event/listener.ts";

export type { GuestEnd, Outcome } from "./guest-end.ts";

export interface MachineOptions {
  /** RAM of all guests together, in bytes: decides the number of machine frames. */
  readonly memoryBytes: number;
  /** Machine frames, if their number is to be exact: otherwise memoryBytes and what guests need beside their RAM. */
  readonly frameCount?: number;
  /** vCPUs of all guests together. Default 8. */
  readonly vcpus?: number;
  readonly era?: EraName;
  readonly knobs?: KnobValues;
  /** Pages of RAM of dom0: its bounce arena. Default 64. */
  readonly dom0Pages?: number;
  /** I/O rights of dom0 and reservations that a boot loader's list names (iocap/rights-file.ts), with knob iocap.dom0=listed. */
  readonly ioRights?: readonly IoRight[];
  /** Imports of builds that can be suspended. */
  readonly hooks?: Pick<CoreOptions, "suspend" | "imports">;
  /** More knobs, by index in abi/knobs.ts: those that only races have. */
  readonly settings?: readonly (readonly [index: number, value: number])[];
}

export interface RunOptions {
  /** Stop after about this many guest instructions; exits and long hypercalls use it up too. */
  readonly maxInstructions: number;
}

/** Why run() returned. */
export type RunEnd =
  | { readonly kind: "ended" } // every guest has ended
  | { readonly kind: "idle" } // nothing can run before the outside does something
  | { readonly kind: "budget" };

/** How far advance() goes: whichever comes first. */
export interface AdvanceOptions {
  /** The first place that is not before this virtual time. */
  readonly time?: number;
  /** As many instructions as were ever retired by then (stats().instructions). */
  readonly instructions?: number;
  /** Ticks at most: exits take some too, so even a guest that never retires anything comes to an end. */
  readonly maxTicks?: number;
}

/** "reached": time or instructions; "break": a breakpoint or watch was hit (travel/watch.ts). */
export type AdvanceEnd = "reached" | "budget" | "break" | "idle" | "ended";

/** "ran": one instruction retired, or the hypervisor carried it out. */
export type StepResult = { readonly kind: "ran" | "blocked" | "ended" };

export interface Stats {
  readonly instructions: number;
  /** Exits by name, only those that happened. */
  readonly exits: Readonly<Record<string, number>>;
  readonly counters: Readonly<Record<string, number>>;
}

export interface Machine extends Disposable {
  readonly core: Core;
  readonly dom0: Dom0;
  readonly window: ForeignWindow;
  readonly era: EraName;
  readonly knobs: KnobValues;
  /** Builds a domain, attaches its devices and lets it run. @throws UsageError, HvError */
  createGuest(spec: DomainSpec): BuiltDomain;
  /** Takes a guest away, whatever it does, with its devices. */
  destroyGuest(domid: DomId): void;
  /** Runs all guests and serves dom0 until one of the ends of RunEnd. */
  run(options: RunOptions): RunEnd;
  /**
   * As run(), to an exact place: what comes before and after is the same however often it is stopped on the way. Time travel is made of it.
   */
  advance(options: AdvanceOptions): AdvanceEnd;
  /** Virtual time in TSC ticks. */
  now(): number;
  /** Runs one instruction of one vCPU (by slot: see vcpus()), and serves dom0 as far as that makes it go on. */
  step(slot: number): StepResult;
  /** Plays dom0 once: device models and the toolstack answer the events that are pending. @returns whether there were any. */
  serve(): boolean;
  /** How a guest ended, undefined while it lives. */
  ended(domid: DomId): GuestEnd | undefined;
  vcpus(domid: DomId): readonly number[];
  regs(slot: number): Registers;
  /** Guest-physical memory, without side effects. */
  peek(domid: DomId, gpa: number, bytes: number): Uint8Array;
  walk(domid: DomId, gpa: number): readonly WalkStep[];
  /** Guest-physical address of a linear one under the vCPU's page tables, undefined when it is not mapped. */
  translate(slot: number, linear: bigint): number | undefined;
  /** Memory by linear address, as the vCPU's supervisor sees it; ends before the first byte that is not mapped. */
  peekLinear(slot: number, linear: bigint, bytes: number): Uint8Array;
  /** The whole p2m as ranges, undefined when there is no such domain. */
  p2m(domid: DomId): P2mMap | undefined;
  /** The valid entries of a vCPU's TLB; stale ones are marked. */
  tlb(slot: number): readonly TlbEntryView[];
  /** The ioreq servers of a domain with their ranges, slots and rings. */
  ioreq(domid: DomId): readonly IoreqServerView[];
  /** Everything written on any console so far, from byte `from` on. */
  console(from?: number): string;
  /** Bytes not yet taken by takeConsole, as the terminal wants them. */
  takeConsole(): Uint8Array;
  /** Runs `serve` whenever the ring of a listener (a pager, a monitor) has something. */
  attachListener(listener: Listener, serve: () => void): void;
  /** Types on the guest's consoles. */
  type(domid: DomId, bytes: Uint8Array): void;
  stats(): Stats;
  snapshot(): Snapshot;
  restore(snapshot: Snapshot): void;
  /** What restore() does around putting memory back, for who keeps images of another kind (travel/image.ts). */
  restoreWith(putBack: () => void): void;
  /** Sixteen hexadecimal digits. */
  stateHash(): string;
  traceHash(): string;
}

/** Frames beyond what the guests need, so that a guest that gave back pages can get a large extent again. Untouched memory costs nothing. */
const SPARE_FRAMES = 1536;
/** Instructions between two looks at the budget, when nothing else stops the core. */
const SLICE = 50_000_000;
/** Input for a UART inside the core is handed over at multiples of so many ticks, so that slices do not matter. */
const INPUT_GRID = 4096;
/** Device answers that one step() may need before its instruction retires. */
const STEP_TRIES = 200;

/** @throws UsageError for bad options; HvError when the core refuses to start. */
export function createMachine(wasm: WebAssembly.Module, options: MachineOptions): Machine {
  const era = options.era ?? DEFAULT_ERA;
  const knobs = { ...eraKnobs(era), ...options.knobs };
  const settings = knobSettings(era, options.knobs ?? {});
  const dom0Pages = options.dom0Pages ?? 64;
  const frameCount =
    options.frameCount ??
    Math.ceil(options.memoryBytes / 4096) +
      overheadFrames(options.memoryBytes, options.vcpus ?? 8) +
      dom0Pages +
      SPARE_FRAMES;
  const core = instantiateCore(wasm, { frameCount, ...options.hooks });
  for (const [index, value] of [...settings, ...(options.settings ?? [])]) core.exports.setKnob(index, value);
  check(core.exports.machineInit(frameCount, dom0Pages), "machineInit", "the machine is too small for its dom0");
  refreshViews(core);
  for (const right of options.ioRights ?? []) grantAtBoot(core, right);

  const dom0 = createDom0(core, dom0Pages);
  const log: ConsoleLog = createConsoleLog();
  const context: DeviceContext = { dom0, log };
  const toolstack = allocActor(core, ACTOR_TOOLSTACK, DOM0);
  bindActor(dom0, evtchnBindVirq(dom0, VIRQ_DOM_EXC), toolstack);
  const window = createForeignWindow(dom0);
  const hostDevices = knobs["device.at"] === DEVICE_AT_HOST;
  let taken = 0;

  const onCoreByte = (byte: number): void => putConsole(context, byte);
  const listeners = new Map<ActorId, () => void>();
  const onEvent = (actor: number, data: number): void => {
    const serve = listeners.get(actor);
    if (serve) serve();
    else serveActor(context, actor, data);
  };
  const toolstackSlab = slabOf(toolstack);

  /** Whether VIRQ_DOM_EXC said that some domain stopped, since the last time this was asked. */
  function hasDomainStopped(): boolean {
    const seen = getField(core, toolstackSlab, TOOLSTACK_DOM_EXC) !== 0;
    if (seen) setField(core, toolstackSlab, TOOLSTACK_DOM_EXC, 0);
    return seen;
  }

  /** Plays dom0: console first, so that the order of output is the order of execution. @returns whether anything was pending. */
  function serve(): boolean {
    refreshViews(core);
    drainCoreConsole(core, onCoreByte);
    if (!isEventPending(dom0)) return false;
    handleEvents(dom0, onEvent);
    return true;
  }

  function isOver(): boolean {
    return liveDomains(core).every((domid) => shutdownCode(core, domid) !== undefined);
  }

  const now = (): number => readNow(core);

  function restoreWith(putBack: () => void): void {
    putBack();
    forgetBlocks(dom0.arena);
    restoreConsole(core, log);
    taken = Math.min(taken, log.length);
  }

  function advance({
    time = Number.POSITIVE_INFINITY,
    instructions = Number.POSITIVE_INFINITY,
    maxTicks = Number.POSITIVE_INFINITY,
  }: AdvanceOptions): AdvanceEnd {
    let left = maxTicks;
    while (true) {
      const start = now();
      const missing = instructions - readCounter(core, CTR_INSTRUCTIONS);
      if (start >= time || missing <= 0) return "reached";
      if (left <= 0) return "budget";
      const hasInput = !hostDevices && isCoreInputWaiting(core);
      if (hasInput && start % INPUT_GRID === 0) feedCoreUarts(core);
      const until = hasInput ? Math.min(time, start - (start % INPUT_GRID) + INPUT_GRID) : time;
      const slice = Math.min(left, missing, SLICE);
      const why = core.exports.runTo(slice, low32(until), high32(until));
      const wasPending = serve();
      const hasStopped = hasDomainStopped();
      // Skipped idle time is free; how much of the slice was used is not told, so it counts as used up only when it is.
      left -= why === RUN_BUDGET && now() < until ? slice : 1;
      if (why === RUN_BREAK) return "break";
      if (why === RUN_IDLE && !wasPending) {
        if (isOver()) return "ended";
        if (!hasInput) return "idle";
        feedCoreUarts(core);
      } else if (hasStopped && isOver()) return "ended";
    }
  }

  return {
    core,
    dom0,
    window,
    era,
    knobs,
    createGuest(spec) {
      const domain = buildDomain(dom0, window, spec, knobs["p2m.superpages"] === 1);
      attachPlatform(context, domain, { vcpus: spec.vcpus, memoryBytes: spec.memoryBytes, smallDevices: hostDevices });
      domainUnpause(dom0, domain.domid);
      return domain;
    },
    destroyGuest(domid) {
      for (const actor of forgetListeners(dom0, domid)) listeners.delete(actor);
      detachPlatform(context, domid);
      domainDestroy(dom0, domid);
    },
    run({ maxInstructions }) {
      let left = maxInstructions;
      let counted = readCounter(core, CTR_INSTRUCTIONS);
      while (left > 0) {
        const slice = Math.min(left, SLICE);
        if (!hostDevices) feedCoreUarts(core);
        const why = core.exports.run(slice);
        const wasPending = serve();
        const now = readCounter(core, CTR_INSTRUCTIONS);
        // Exits and long hypercalls take ticks and retire nothing: a slice that is spent is spent, so that every run comes to an end.
        left -= why === RUN_BUDGET ? slice : Math.max(1, now - counted);
        counted = now;
        if (why === RUN_IDLE && !wasPending) return { kind: isOver() ? "ended" : "idle" };
        if (hasDomainStopped() && isOver()) return { kind: "ended" };
      }
      return { kind: "budget" };
    },
    advance,
    now,
    step(slot) {
      const rip = instructionPointer(core, slot);
      for (let i = 0; i < STEP_TRIES; i++) {
        const retired = core.exports.runVcpu(slot, 1);
        const wasPending = serve();
        hasDomainStopped(); // taken note of: isOver looks itself
        if (retired > 0 || instructionPointer(core, slot) !== rip) return { kind: "ran" };
        if (isOver()) return { kind: "ended" };
        if (!wasPending && pauseFlags(core, slot) !== 0) return { kind: "blocked" };
      }
      return { kind: "blocked" };
    },
    serve,
    ended: (domid) => guestEnd(core, domid),
    vcpus: (domid) => vcpuSlots(core, domid),
    regs: (slot) => registers(core, slot),
    peek: (domid, gpa, bytes) => peek(core, domid, gpa, bytes).data,
    walk: (domid, gpa) => walk(core, domid, gpa),
    translate: (slot, linear) => translateGva(core, slot, linear),
    peekLinear: (slot, linear, bytes) => peekVirtual(core, vcpuDomain(core, slot), slot, linear, bytes),
    p2m: (domid) => readP2m(core, domid),
    tlb: (slot) => readTlb(core, vcpuDomain(core, slot), slot),
    ioreq: (domid) => readIoreqServers(core, domid),
    console: (from = 0) => consoleText(log, from),
    takeConsole() {
      const bytes = log.bytes.slice(taken, log.length);
      taken = log.length;
      return bytes;
    },
    attachListener: (listener, serve) => void listeners.set(listener.actor, serve),
    type: (domid, bytes) => typeToGuest(context, domid, bytes),
    stats: () => ({
      instructions: readCounter(core, CTR_INSTRUCTIONS),
      exits: readExits(core),
      counters: readCounters(core),
    }),
    snapshot: () => takeSnapshot(core),
    restore: (snapshot) => restoreWith(() => restoreSnapshot(core, snapshot)),
    restoreWith,
    stateHash() {
      core.exports.stateHash();
      return mailboxHex(core);
    },
    traceHash: () =>
      core.view
        .getBigUint64(TRACE_BASE + TRACE_HASH, true)
        .toString(16)
        .padStart(16, "0"),
    // The linear memory goes with the instance; what a machine holds outside it is only the console text.
    [Symbol.dispose]() {
      log.bytes = new Uint8Array(0);
      log.length = 0;
    },
  };
}

function guestEnd(core: Core, domid: DomId): GuestEnd | undefined {
  const code = shutdownCode(core, domid);
  return code === undefined ? undefined : endOf(code, crashReason(core, domid));
}

function readNow(core: Core): number {
  return Number(core.view.getBigUint64(MACHINE_BASE + MACHINE_NOW, true));
}

/** Halves of a time for the core; later than everything when it is infinite. */
const low32 = (time: number): number => (Number.isFinite(time) ? (time % 2 ** 32) | 0 : -1);
const high32 = (time: number): number => (Number.isFinite(time) ? Math.floor(time / 2 ** 32) | 0 : -1);
