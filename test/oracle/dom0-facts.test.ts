/** What dom0 sees of a domain is what a real dom0 saw of one that xl had made. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openGuest } from "../../host/cli/guest-source.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { DEVICE_AT_CORE } from "../../hv-core/abi/knobs.ts";
import { dom0Fact } from "./dom0-view.ts";

/** Facts that are not asked for here, with the reason. */
const NOT_ASKED: Readonly<Record<string, string>> = {
  "domain tsc_info": "its domctl is not part of the first boot; the guest sees the same numbers in CPUID",
  "mtrr vcpu0": "MTRR save records are not read back; the guest sees FE and 2FF as MSRs (probe-facts)",
  "mtrr vcpu1": "as mtrr vcpu0",
};

const MEMORY = 64 * 2 ** 20;
const recorded = readFileSync(join(ROOT, "test", "oracle", "recorded", "dom0-facts.tsv"), "utf8")
  .trimEnd()
  .split("\n")
  .map((line) => line.split("\t") as [item: string, key: string, value: string]);

describe("a PVH domain with two vCPUs and 64 MiB", async () => {
  const { image } = await openGuest("probe-facts", false);
  const machine = createMachine(compileBuild("release"), {
    memoryBytes: MEMORY,
    vcpus: 2,
    knobs: { "device.at": DEVICE_AT_CORE },
  });
  const { domid } = machine.createGuest({ image, memoryBytes: MEMORY, vcpus: 2, cmdline: "hello world", modules: [] });
  // the recorded domain had mapped its shared-info page, over one of its own pages, and was running
  for (let i = 0; i < 1000 && !machine.console().includes("shared_info|map result"); i++)
    machine.run({ maxInstructions: 2000 });

  it.each(recorded)("%s %s", (item, key, value) => {
    const seen = dom0Fact(machine.dom0, domid, item, key);
    if (seen === undefined) expect(NOT_ASKED).toHaveProperty([`${item} ${key}`]);
    else expect(seen).toBe(value.replace(/^domain=\d+ /, ""));
  });
});
