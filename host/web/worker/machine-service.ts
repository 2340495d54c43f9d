/**
 * One machine in a worker. The page asks for short slices of work and for views of the state; nothing here runs for longer than a slice,
 * so that a guest that never stops leaves both the page and the worker responsive.
 */
import { explainTrap } from "../../lib/assert-sites.ts";
import { UsageError } from "../../lib/errors.ts";
import type { DomId } from "../../lib/ids.ts";
import type { Registers } from "../../lib/inspect.ts";
import { loadImage } from "../../lib/loader/detect.ts";
import type { GuestImage } from "../../lib/loader/image.ts";
import { createMachine, type GuestEnd, type Machine } from "../../lib/machine.ts";
import { suggest } from "../../lib/suggest.ts";
import { guestTitles, openBundled } from "./guests.ts";
import type { Answer, GuestTitle, MachineSpec } from "./protocol.ts";
import { compileBuild } from "./wasm.ts";

/** How a slice ended. */
export interface Moved {
  /** Guest instructions retired since the machine was built. */
  readonly at: number;
  readonly state: "ready" | "idle" | "ended";
  readonly end?: GuestEnd;
  /** What the guest wrote since the last slice. */
  readonly console: Uint8Array;
}

interface Loaded {
  readonly machine: Machine;
  readonly domid: DomId;
}

const DEFAULT_MIB = 64;

export class MachineService {
  private loaded: Loaded | undefined;

  guests(): GuestTitle[] {
    return guestTitles();
  }

  /** Builds the machine and its guest, at instruction 0. The machine before it is given up only when this one works. */
  async load(spec: MachineSpec): Promise<Answer<Moved>> {
    const opened = await openGuest(spec);
    if (!opened.ok) return opened;
    const { image, memoryBytes, vcpus, cmdline } = opened.value;
    try {
      const wasm = await compileBuild("release");
      const { era, knobs } = spec;
      const machine = createMachine(wasm, { memoryBytes, vcpus, knobs, ...(era ? { era } : {}) });
      const { domid } = machine.createGuest({ image, memoryBytes, vcpus, cmdline, modules: [] });
      this.loaded?.machine[Symbol.dispose]();
      this.loaded = { machine, domid };
      return { ok: true, value: this.moved("ready") };
    } catch (error) {
      if (error instanceof UsageError) return { ok: false, problem: error.message };
      throw error;
    }
  }

  step(): Moved {
    const { machine, domid } = this.need();
    const slot = machine.vcpus(domid)[0];
    if (slot === undefined) return this.moved("ended");
    const { kind } = machine.step(slot);
    return this.moved(kind === "ended" ? "ended" : kind === "blocked" ? "idle" : "ready");
  }

  /** Runs about `instructions`, less when the guest ends or waits. */
  run(instructions: number): Moved {
    const { machine } = this.need();
    try {
      const { kind } = machine.run({ maxInstructions: instructions });
      return this.moved(kind === "ended" ? "ended" : kind === "idle" ? "idle" : "ready");
    } catch (error) {
      if (error instanceof WebAssembly.RuntimeError)
        throw new Error(explainTrap(machine.core, error), { cause: error });
      throw error;
    }
  }

  type(bytes: Uint8Array): void {
    const { machine, domid } = this.need();
    machine.type(domid, bytes);
  }

  registers(): Registers | undefined {
    const { machine, domid } = this.need();
    const slot = machine.vcpus(domid)[0];
    return slot === undefined ? undefined : machine.regs(slot);
  }

  private moved(state: Moved["state"]): Moved {
    const { machine, domid } = this.need();
    const end = machine.ended(domid);
    const at = machine.stats().instructions;
    return { at, state: end ? "ended" : state, console: machine.takeConsole(), ...(end ? { end } : {}) };
  }

  private need(): Loaded {
    if (!this.loaded) throw new Error("no machine is loaded");
    return this.loaded;
  }
}

interface Opened {
  readonly image: GuestImage;
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly cmdline: string;
}

async function openGuest(spec: MachineSpec): Promise<Answer<Opened>> {
  const { guest } = spec;
  const opened = guest.kind === "file" ? { file: guest.bytes } : await openBundled(guest.name);
  if (!opened) {
    const names = guestTitles().map((g) => g.name);
    return { ok: false, problem: `there is no guest "${guest.name}": ${suggest(guest.name, names)}` };
  }
  const image = loadImage(opened.file);
  if (!image.ok) return { ok: false, problem: `${guest.name}: ${image.problem}` };
  const { memoryMiB = DEFAULT_MIB, vcpus = 1, cmdline = "" } = { ...opened, ...spec };
  return { ok: true, value: { image: image.value, memoryBytes: memoryMiB * 2 ** 20, vcpus, cmdline } };
}
