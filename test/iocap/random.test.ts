/** A tenth of the random calls of random.long.test.ts: every way of counting, every policy. */
import { expect, it } from "vitest";
import { createIoWorld, GFN, M } from "../../host/lib/iocap/scenario.ts";
import { scenarioByName } from "../../host/lib/iocap/scenarios.ts";
import { iomemPermission, memoryMapping } from "../../host/lib/toolstack/io-rights.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { KNOB_IO_RACE } from "../../hv-core/abi/knobs.ts";
import { MACHINE_BASE } from "../../hv-core/abi/layout.ts";
import { randomOperations } from "./random.ts";

it.each([
  ["headers", 1, 0],
  ["slab", 2, 1],
  ["radix", 3, 2],
  ["ranges", 4, 1],
])("2,500 of 10,000 random calls keep O-1..O-8, counts in %s", (_, method, policy) => {
  expect(() => randomOperations(compileBuild("debug"), 2500, method, policy, 6)).not.toThrow();
});

it("the check sees a frame that two domains map, and counts that are wrong", () => {
  const world = createIoWorld(compileBuild("debug"), scenarioByName("IO-1"), { accountant: true });
  using machine = world.machine;
  iomemPermission(machine.dom0, world.u.domid, M, 1, true);
  memoryMapping(machine.dom0, world.u.domid, GFN, M, 1, true);
  expect(machine.core.exports.ioInvariants()).toBe(0);
  machine.core.u32[(MACHINE_BASE + 0x1000 + KNOB_IO_RACE * 4) >> 2] = 1; // an entry is counted without a look at who holds the frame
  world.access(world.dom0, "write", M * 4096, 1);
  const broken = machine.core.exports.ioInvariants();
  expect([broken & 1, broken & 16]).toEqual([1, 16]); // O-1, O-5
});
