/**
 * Machines are used again: a machine of the same size and knobs is put back to where it was before its first guest, so that loading a
 * thousand guests one after the other takes no more memory than loading one.
 */
import type { DomId } from "../../lib/ids.ts";
import { loadImage } from "../../lib/loader/detect.ts";
import type { GuestImage } from "../../lib/loader/image.ts";
import { createMachine, type Machine } from "../../lib/machine.ts";
import type { Snapshot } from "../../lib/snapshot.ts";
import { suggest } from "../../lib/suggest.ts";
import { guestTitles, openBundled } from "./guests.ts";
import type { Answer, MachineSpec } from "./protocol.ts";

export interface Opened {
  readonly image: GuestImage;
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly cmdline: string;
}

interface Pooled {
  readonly key: string;
  readonly machine: Machine;
  readonly empty: Snapshot;
}

const DEFAULT_MIB = 64;
/** What every machine has room for, so that guests with one vCPU and with four share one. */
const ROOM_FOR_VCPUS = 8;

export class MachinePool {
  private kept: Pooled | undefined;
  private made: WeakRef<Machine>[] = [];

  /** A machine with the guest in it, at instruction 0. @throws UsageError, HvError */
  build(wasm: WebAssembly.Module, spec: MachineSpec, guest: Opened): { machine: Machine; domid: DomId } {
    const { era, knobs } = spec;
    const { memoryBytes } = guest;
    const vcpus = Math.max(ROOM_FOR_VCPUS, guest.vcpus);
    const key = JSON.stringify([memoryBytes, vcpus, era ?? "", Object.entries(knobs).sort()]);
    if (this.kept?.key === key) this.kept.machine.restore(this.kept.empty);
    else {
      this.kept?.machine[Symbol.dispose]();
      this.kept = undefined;
      const machine = createMachine(wasm, { memoryBytes, vcpus, knobs, ...(era ? { era } : {}) });
      this.made = [...this.made.filter((m) => m.deref() !== undefined), new WeakRef(machine)];
      this.kept = { key, machine, empty: machine.snapshot() };
    }
    const { machine } = this.kept;
    try {
      const { domid } = machine.createGuest({ ...guest, modules: [] });
      return { machine, domid };
    } catch (error) {
      this.forget(); // half a guest may be in it
      throw error;
    }
  }

  /** Machines made and not known to be gone: what a test of many loads looks at. One, unless knobs or memory changed. */
  get live(): number {
    return this.made.filter((m) => m.deref() !== undefined).length;
  }

  /** The machine is not to be used again. */
  forget(): void {
    this.kept = undefined;
  }
}

/** Finds the guest's file and reads its headers. */
export async function openGuest(spec: MachineSpec): Promise<Answer<Opened>> {
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
