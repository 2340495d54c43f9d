/** Random calls of a toolstack about I/O resources, with every invariant looked at after each (spec 06 section 6.6). */
import fc from "fast-check";
import { expect } from "vitest";
import { HvError } from "../../host/lib/errors.ts";
import type { DomId } from "../../host/lib/ids.ts";
import { DOM0 } from "../../host/lib/ids.ts";
import { createDriverDomain } from "../../host/lib/iocap/driver.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { domainCreate, domainDestroy, domainMaxVcpus } from "../../host/lib/toolstack/domctl.ts";
import {
  iomemPermission,
  ioportMapping,
  ioportPermission,
  irqPermission,
  memoryMapping,
} from "../../host/lib/toolstack/io-rights.ts";

const M = 0xf_d000;
const P = 0x300;
const GFN = 0x8_0000;

const operation = fc.record({
  kind: fc.constantFrom("right", "right", "map", "map", "unmap", "port", "portMap", "line", "use", "touch", "die"),
  who: fc.nat(3),
  at: fc.nat(11),
  count: fc.integer({ min: 1, max: 6 }),
  allow: fc.boolean(),
});
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** Runs sequences of `length` operations until `total` have been made. @throws when an invariant breaks. */
export function randomOperations(
  wasm: WebAssembly.Module,
  total: number,
  method: number,
  policy: number,
  seed: number,
): void {
  const length = 500;
  const sequences = fc.sample(fc.array(operation, { minLength: length, maxLength: length }), {
    numRuns: Math.max(1, Math.round(total / length)),
    seed,
  });
  for (const sequence of sequences) play(wasm, sequence, method, policy);
}

function play(wasm: WebAssembly.Module, sequence: readonly Operation[], method: number, policy: number): void {
  using machine = createMachine(wasm, {
    memoryBytes: 12 * 2 ** 20,
    knobs: { "io.devices": 1, "dom0.vcpus": 1, "iomem.account": method, "iomem.revoke": policy, "iocap.quota": 4 },
  });
  const { dom0 } = machine;
  const driver = createDriverDomain(machine, "U");
  const bare = (): DomId => {
    const domid = domainCreate(dom0, 1);
    domainMaxVcpus(dom0, domid, 1);
    return domid;
  };
  const domains: DomId[] = [DOM0, driver.domid, bare(), bare()];
  const gfnOf = (at: number, isAlias: boolean): number => GFN + at + (isAlias ? 0x100 : 0);
  for (const { kind, who, at, count, allow } of sequence) {
    const domid = domains[who]!;
    try {
      if (kind === "right") iomemPermission(dom0, domid, M + at, count, allow || domid === DOM0);
      else if (kind === "map") memoryMapping(dom0, domid, gfnOf(at, allow), M + at, count, true);
      else if (kind === "unmap") memoryMapping(dom0, domid, gfnOf(at, allow), M + at, count, false);
      else if (kind === "port") ioportPermission(dom0, domid, P + at, count, allow || domid === DOM0);
      else if (kind === "portMap" && domid !== DOM0) ioportMapping(dom0, domid, 0x1000 + at, P + at, count, allow);
      else if (kind === "line") irqPermission(dom0, domid, 1 + at, allow || domid === DOM0 ? 1 : 0);
      else if (kind === "use") driver.run(allow ? "write" : "read", gfnOf(0, at > 5) * 4096, at);
      else if (kind === "touch") driver.run("out", 0x1000 + at, count);
      else if (kind === "die" && who > 1) {
        domainDestroy(dom0, domid);
        domains[who] = bare();
      }
    } catch (error) {
      if (!(error instanceof HvError)) throw error;
    }
    const broken = machine.core.exports.ioInvariants() >>> 0;
    if (broken !== 0) expect([kind, who, at, count, allow, `broken 0x${broken.toString(16)}`]).toEqual([]);
  }
  expect(machine.ended(driver.domid)).toBe(undefined);
}
