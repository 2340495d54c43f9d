/**
 * One machine in a worker. The page asks for short slices of work and for views of the state; nothing here runs for longer than a slice,
 * so that a guest that never stops leaves both the page and the worker responsive.
 */
import { explainTrap } from "../../lib/assert-sites.ts";
import { HvError, UsageError } from "../../lib/errors.ts";
import type { GuestEnd } from "../../lib/machine.ts";
import type { StopReason } from "../../lib/travel/types.ts";
import { traceEnd } from "../model/records.ts";
import { guestListing, guestTitles } from "./guests.ts";
import { type Counts, readCounts } from "./look/counts.ts";
import { type CpuLook, readCpu } from "./look/cpu.ts";
import { type DomainsLook, readDomains } from "./look/domains.ts";
import { type IoreqLook, readIoreq } from "./look/ioreq.ts";
import { type MemoryLook, readMemory } from "./look/memory.ts";
import { type P2mLook, readP2mLook, readTable, readWalk, type TableLook, type WalkLook } from "./look/p2m.ts";
import { takeRecords } from "./look/records.ts";
import { readTlbs, type TlbLook } from "./look/tlb.ts";
import { MachinePool, openGuest } from "./machine-pool.ts";
import type { Answer, GuestTitle, MachineSpec, PathEvidence, Typed } from "./protocol.ts";
import { Session } from "./session.ts";
import { compileBuild } from "./wasm.ts";

/** Where the machine stands after the page asked for something. */
export interface Moved {
  /** Guest instructions retired since the machine was built. */
  readonly at: number;
  /** Virtual time in ticks, as trace records have it. */
  readonly time: number;
  /** The first place with so many instructions: `at` alone says where it is. */
  readonly isFirst: boolean;
  /** The slice was long enough; otherwise the same is to be asked again. */
  readonly isThere: boolean;
  /** idle: nothing can run before the outside does something. */
  readonly state: "ready" | "idle" | "ended";
  readonly end?: GuestEnd;
  /** What the guest wrote since the last answer; everything it ever wrote when `isFresh`. */
  readonly console: Uint8Array;
  readonly isFresh: boolean;
  /** Trace records so far. */
  readonly records: number;
}

export class MachineService {
  private session: Session | undefined;
  private readonly pool = new MachinePool();
  private isFresh = false;

  guests(): GuestTitle[] {
    return guestTitles();
  }

  /** How many machines there are in this worker. */
  liveMachines(): number {
    return this.pool.live;
  }

  listing(name: string): Promise<string | undefined> {
    return guestListing(name);
  }

  /**
   * Builds the machine and its guest, at instruction 0. The machine before it is given up only when the guest is one that can run.
   * @param typed what was typed in the run that is to be repeated.
   */
  async load(spec: MachineSpec, typed: readonly Typed[] = []): Promise<Answer<Moved>> {
    const opened = await openGuest(spec);
    if (!opened.ok) return opened;
    const wasm = await compileBuild("release");
    try {
      const { machine, domid } = this.pool.build(wasm, spec, opened.value);
      this.session = new Session(machine, domid);
    } catch (error) {
      if (error instanceof UsageError || error instanceof HvError) return { ok: false, problem: error.message };
      throw error;
    }
    if (typed.length > 0 && !this.session.replay(typed))
      return { ok: false, problem: "what was typed belongs to another run: this guest is never where it was typed" };
    this.isFresh = true;
    return { ok: true, value: this.moved("reached") };
  }

  /** One instruction, of whichever vCPU has its turn. */
  step(): Moved {
    return this.move((session) => session.step());
  }

  /** A piece of one instruction: until the request is sent, until the device model has answered, until it retires. */
  inside(): Moved {
    return this.move((session) => session.inside());
  }

  back(): Moved {
    return this.move((session) => session.back());
  }

  /** Towards a position, for one slice at most: to be asked again until `isThere`, or the run is over. */
  seek(at: number): Moved {
    return this.move((session) => session.seek(at));
  }

  /** Towards where a trace record of this virtual time had just been written, in the same way. */
  seekTime(time: number): Moved {
    return this.move((session) => session.seekTime(time));
  }

  /** Towards the next exit, for one slice at most. */
  nextExit(): Moved {
    return this.move((session) => session.nextExit());
  }

  lastExit(): Moved {
    return this.move((session) => session.lastExit());
  }

  /** Runs about `instructions`, less when the guest ends or waits, or the slice is over. */
  run(instructions: number): Moved {
    return this.move((session) => session.run(instructions), false);
  }

  type(bytes: Uint8Array): Moved {
    return this.move((session) => {
      session.type(bytes);
      return "reached";
    }, false);
  }

  typed(): readonly Typed[] {
    return this.need().allTyped;
  }

  /** Trace records from `from` on, 32 bytes each, and the index of the first. */
  records(from: number): { readonly first: number; readonly bytes: Uint8Array } {
    return takeRecords(this.need().machine.core, from);
  }

  cpu(): CpuLook {
    return readCpu(this.need());
  }

  async code(slot: number, gva: bigint | undefined, lines: number) {
    const { readCode } = await import("./look/code.ts");
    return readCode(this.need(), slot, gva, lines);
  }

  memory(space: "physical" | "virtual", slot: number, address: bigint, bytes: number): MemoryLook {
    return readMemory(this.need(), space, slot, address, bytes);
  }

  path(): PathEvidence {
    return this.need().evidence();
  }

  /** One instruction as text; undefined when the bytes are none. Fetches the disassembler. */
  async disassembleOne(bytes: Uint8Array, rip: bigint, bitness: 16 | 32 | 64): Promise<string | undefined> {
    if (bytes.length === 0) return undefined;
    const { disassemble } = await import("../../lib/debug/disassemble.ts");
    return disassemble(bytes, rip, bitness, 1)[0]?.text;
  }

  p2m(): P2mLook | undefined {
    return readP2mLook(this.need());
  }

  walk(gpa: number): WalkLook {
    return readWalk(this.need(), gpa);
  }

  table(mfn: number, level: number): TableLook {
    return readTable(this.need(), mfn, level);
  }

  tlbs(): TlbLook[] {
    return readTlbs(this.need());
  }

  ioreq(): IoreqLook {
    return readIoreq(this.need());
  }

  domains(): DomainsLook {
    return readDomains(this.need());
  }

  counts(): Counts {
    return readCounts(this.need());
  }

  /** @param mayGoBack the console may have become shorter, then all of it is sent. */
  private move(work: (session: Session) => StopReason, mayGoBack = true): Moved {
    const session = this.need();
    const before = session.machine.now();
    try {
      const reason = work(session);
      if (mayGoBack && session.machine.now() < before) this.isFresh = true;
      return this.moved(reason);
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError) {
        this.pool.forget();
        throw new Error(explainTrap(session.machine.core, error), { cause: error });
      }
      throw error;
    }
  }

  private moved(reason: StopReason): Moved {
    const { machine, domid, at } = this.need();
    const end = machine.ended(domid);
    const isFresh = this.isFresh;
    this.isFresh = false;
    const written = machine.takeConsole();
    return {
      at,
      time: machine.now(),
      isFirst: this.need().isFirst,
      state: end || reason === "ended" ? "ended" : reason === "idle" ? "idle" : "ready",
      isThere: reason !== "cancelled",
      console: isFresh ? new TextEncoder().encode(machine.console()) : written,
      isFresh,
      records: traceEnd(machine.core.view),
      ...(end ? { end } : {}),
    };
  }

  private need(): Session {
    if (!this.session) throw new Error("no machine is loaded");
    return this.session;
  }
}
