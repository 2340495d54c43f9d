/** Runs the toy driver of the shadow-table device. */
import { setShadowGoal } from "../../host/lib/device/shadow-table.ts";
import type { KnobValues } from "../../host/lib/knobs.ts";
import { loadImage } from "../../host/lib/loader/detect.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { shadowGuest } from "./guest.ts";

const MEMORY = 16 * 2 ** 20;

export interface ShadowRun {
  readonly outcome: string;
  /** The numbers that the guest printed, by what they count. */
  readonly counts: Readonly<Record<string, number>>;
}

/** @param writes about how many writes the two vCPUs make together */
export function runShadowGuest(writes: number, knobs: KnobValues = {}): ShadowRun {
  const image = loadImage(shadowGuest.build(), { flat: false });
  if (!image.ok) throw new Error(image.problem);
  using machine = createMachine(compileBuild("release"), { memoryBytes: MEMORY, vcpus: 2, knobs });
  const { domid } = machine.createGuest({
    image: image.value,
    memoryBytes: MEMORY,
    vcpus: 2,
    cmdline: "",
    modules: [],
  });
  setShadowGoal(machine.dom0, domid, writes);
  machine.run({ maxInstructions: 100_000_000 + writes * 1000 });
  const counts: Record<string, number> = {};
  for (const line of machine.console().split("\n")) {
    const [, name, value] = /^([a-z ]+): (\d+)/.exec(line) ?? [];
    if (name) counts[name] = Number(value);
  }
  return { outcome: machine.ended(domid)?.outcome ?? "running", counts };
}
