/** 64 copies of a guest of 64 MiB in 512 MiB of machine memory, all writing: each prints what it should. */
import { expect, it } from "vitest";
import { openGuest } from "../../host/cli/guest-source.ts";
import { runCopies } from "../../host/lib/dedup/copies.ts";
import { compileBuild } from "../../host/node/wasm.ts";

it("64 copies of 64 MiB run together in 512 MiB", async () => {
  const { image } = await openGuest("cow", false);
  const run = runCopies(compileBuild("release"), {
    image,
    cmdline: "",
    vcpus: 1,
    copies: 64,
    memoryBytes: 64 * 2 ** 20,
    machineBytes: 512 * 2 ** 20,
    slice: 80_000, // the first copy has not ended when the last one starts
    maxInstructions: 20_000_000,
  });
  using machine = run.machine;
  expect(machine.core.frameCount).toBe(131_072);
  expect(run.guestPages).toBe(1_048_576);
  expect(run.framesUsed).toBeLessThan(131_072);
  expect(new Set(run.outcomes)).toEqual(new Set(["poweroff"]));
  expect(run.outputs[63]).toContain("round 0000000F sum 1E008200\n");
  expect(run.outputsEqual).toBe(true);
  expect(run.unshares).toBeGreaterThan(64 * 64);
}, 600_000);
