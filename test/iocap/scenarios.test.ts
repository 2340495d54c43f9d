/** IO-1 .. IO-12 (spec 06 section 6.4): each result, without and with the accountant, in all its policies and ways of counting. */
import { beforeAll, describe, expect, it } from "vitest";
import { readDevice } from "../../host/lib/iocap/bus.ts";
import { createDom0Driver } from "../../host/lib/iocap/driver.ts";
import { ownershipMap, ownershipSvg, ownershipText } from "../../host/lib/iocap/ownership.ts";
import { parseRights } from "../../host/lib/iocap/rights-file.ts";
import { createIoWorld, M, P, runScenario, type ScenarioResult } from "../../host/lib/iocap/scenario.ts";
import { SCENARIOS, scenarioByName } from "../../host/lib/iocap/scenarios.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { compileBuild } from "../../host/node/wasm.ts";

let wasm: WebAssembly.Module;
beforeAll(() => {
  wasm = compileBuild("debug");
});

const resultOf = (result: ScenarioResult, does: RegExp): string =>
  result.steps.filter((s) => does.test(s.does)).at(-1)?.result ?? "no such step";

describe.each(SCENARIOS.map((s) => [s.id, s] as const))("%s", (_, scenario) => {
  it("breaks a rule without the accountant as the specification says, and none with it", () => {
    for (const accountant of [false, true]) {
      const result = runScenario(wasm, scenario, { accountant });
      expect([result.ok, result.violation !== null, result.expected.violation], JSON.stringify(result.steps)).toEqual([
        true,
        !accountant && scenario.id !== "IO-3",
        !accountant && scenario.id !== "IO-3",
      ]);
    }
  });

  it.each([1, 2, 4])("breaks none whichever way the accountant counts (%i)", (method) => {
    const result = runScenario(wasm, scenario, { accountant: true, knobs: { "iomem.account": method } });
    expect([result.violation, result.ok]).toEqual([null, true]);
  });
});

describe("what each party is told", () => {
  const play = (id: string, accountant: boolean, knobs = {}) =>
    runScenario(wasm, scenarioByName(id), { accountant, knobs });

  it("IO-1: -EBUSY, and the device is torn without it", () => {
    expect(resultOf(play("IO-1", true), /grants M to U/)).toBe("-EBUSY");
    expect(resultOf(play("IO-1", false), /is looked at/)).toBe("register 1 = 0x0, register 2 = 0xaaaa, torn 1");
  });

  it("IO-2: refuse, lazy and forced revocation", () => {
    const lines = (policy: number): string[] => {
      const result = play("IO-2", true, { "iomem.revoke": policy });
      expect(result.violation).toBe(null);
      return [/takes M away/, /state of M/, /old mapping/].map((does) => resultOf(result, does));
    };
    expect(lines(0)).toEqual(["-EBUSY", "in use by default by domain 0, mapped 1 time", "reaches the device"]);
    expect(lines(1)).toEqual(["ok", "revoking by domain 0, mapped 1 time", "reaches the device"]);
    expect(lines(2)).toEqual(["ok", "free", "reaches nobody"]);
  });

  it("IO-7: with refuse the revocation itself fails, with forced V has the device at once", () => {
    const refused = play("IO-7", true, { "iomem.revoke": 0 });
    expect(resultOf(refused, /takes M away/)).toBe("-EBUSY");
    const forced = play("IO-7", true, { "iomem.revoke": 2 });
    expect(resultOf(forced, /state of M/)).toBe("free");
    expect([resultOf(forced, /grants M to V/), forced.violation]).toEqual(["ok", null]);
  });

  it("IO-4 and IO-5: -EPERM for what is reserved", () => {
    expect(resultOf(play("IO-4", true), /LAPIC's frame/)).toBe("-EPERM");
    const result = play("IO-5", true);
    expect([resultOf(result, /3f8/), resultOf(result, /IO-APIC/)]).toEqual(["-EPERM", "-EPERM"]);
  });

  it("IO-11: the count is 2, then 1", () => {
    const states = play("IO-11", true).steps.filter((s) => /state of M/.test(s.does));
    expect(states.map((s) => s.result)).toEqual([
      "in use by domain 1, mapped 2 times",
      "in use by domain 1, mapped 1 time",
    ]);
  });
});

describe("the manual remedies", () => {
  it.each([
    ["not-loaded", false],
    ["unloaded", false],
    ["revoked", true],
  ] as const)("%s: broken = %s without the accountant", (remedy, isBroken) => {
    const result = runScenario(wasm, scenarioByName("IO-1"), { accountant: false, remedy });
    expect([result.violation !== null, result.ok]).toEqual([isBroken, true]);
    expect(result.expected.text).toMatch(isBroken ? /two drivers/ : /one driver/);
    expect(runScenario(wasm, scenarioByName("IO-1"), { accountant: true, remedy }).ok).toBe(true);
  });
});

describe("ports of a guest", () => {
  it("are the machine's where a device model has mapped them, and float elsewhere", async () => {
    const { ioportMapping } = await import("../../host/lib/toolstack/io-rights.ts");
    for (const accountant of [false, true]) {
      const world = createIoWorld(wasm, scenarioByName("IO-3"), { accountant });
      using machine = world.machine;
      expect(world.access(world.u, "out", 0x1000, 5)).toBe("nobody");
      ioportMapping(machine.dom0, world.u.domid, 0x1000, P, 8, true);
      expect(world.access(world.u, "out", 0x1000, 5)).toBe("device");
      expect(readDevice(machine.core, 0).index).toBe(5);
      expect(world.u.run("in", 0x1000)).toBe(5);
      // A right that goes takes the mapping's use with it only when the accountant looks at each use.
      const { ioportPermission } = await import("../../host/lib/toolstack/io-rights.ts");
      ioportPermission(machine.dom0, world.u.domid, P, 8, false);
      expect(world.access(world.u, "out", 0x1000, 6)).toBe(accountant ? "nobody" : "device");
      ioportMapping(machine.dom0, world.u.domid, 0x1000, P, 8, false);
      expect(world.access(world.u, "out", 0x1000, 6)).toBe("nobody");
    }
  });
});

describe("a domain that dies", () => {
  it("gives back what it held and mapped", async () => {
    const { iomemPermission, memoryMapping } = await import("../../host/lib/toolstack/io-rights.ts");
    const world = createIoWorld(wasm, scenarioByName("IO-1"), { accountant: true });
    using machine = world.machine;
    iomemPermission(machine.dom0, world.u.domid, M, 4, true);
    memoryMapping(machine.dom0, world.u.domid, 0x8_0000, M, 4, true);
    expect(() => iomemPermission(machine.dom0, world.v.domid, M, 4, true)).toThrow(/EBUSY/);
    machine.destroyGuest(world.u.domid);
    iomemPermission(machine.dom0, world.v.domid, M, 4, true);
    memoryMapping(machine.dom0, world.v.domid, 0x8_0000, M, 4, true);
    expect(machine.core.exports.ioInvariants()).toBe(0);
  });
});

describe("the ownership map", () => {
  it("says who holds, maps and keeps what", () => {
    const world = createIoWorld(wasm, scenarioByName("IO-11"), { accountant: true });
    using machine = world.machine;
    scenarioByName("IO-11").play(world, "none");
    const rows = ownershipMap(machine.core, true);
    const at = (kind: string, n: number) => rows.find((r) => r.kind === kind && n >= r.first && n <= r.last);
    expect(at("frames", M)).toMatchObject({ rights: [1], mappedBy: [1], state: "in use by domain 1, mapped 1 time" });
    expect(at("frames", 0xf_ee00)).toMatchObject({ hasDom0: false, state: "reserved" });
    expect(at("ports", 0x20)).toMatchObject({ state: "reserved" });
    expect(ownershipText(rows)).toContain("fd000");
    expect(ownershipSvg(rows)).toMatch(/^<svg .*in use by domain 1.*<\/svg>\n$/s);
  });
});

describe("an initial domain with only what a file lists", () => {
  const file = `{ "version": 1, "dom0": { "frames": ["fd000-fd00f"], "ports": ["300-307"], "lines": ["5"] }, "reserve": { "frames": ["fd010"] } }`;

  it("has that, and can give away nothing else", async () => {
    const { iomemPermission, ioportPermission, irqPermission } = await import("../../host/lib/toolstack/io-rights.ts");
    const { domainCreate } = await import("../../host/lib/toolstack/domctl.ts");
    using machine = createMachine(wasm, {
      memoryBytes: 2 ** 22,
      knobs: { "iocap.dom0": 1, "iomem.account": 3 },
      ioRights: parseRights(file, "rights.json"),
    });
    const { dom0 } = machine;
    const u = domainCreate(dom0, 1);
    iomemPermission(dom0, u, M, 16, true);
    ioportPermission(dom0, u, P, 8, true);
    irqPermission(dom0, u, 5, 1);
    expect(() => iomemPermission(dom0, u, M + 16, 1, true)).toThrow(/EPERM/);
    expect(() => ioportPermission(dom0, u, 0x310, 1, true)).toThrow(/EPERM/);
    expect(() => irqPermission(dom0, u, 6, 1)).toThrow(/EPERM/);
    expect(machine.core.exports.bootGrant(0, 0xe0000, 0, 0xe0000, 0, 0)).toBeLessThan(0); // the machine runs
    expect(ownershipMap(machine.core, true).map((r) => [r.kind, r.first])).toContainEqual(["frames", M + 16]);
  });

  it("has its listed ports in the I/O bitmap too, and no others", () => {
    const outs = (rights: string): { index: number; exits: number } => {
      using machine = createMachine(wasm, {
        memoryBytes: 2 ** 22,
        knobs: { "iocap.dom0": 1, "ioport.check": 1, "io.devices": 1, "dom0.vcpus": 1 },
        ioRights: parseRights(rights, "rights.json"),
      });
      const driver = createDom0Driver(machine);
      const exits = (): number => machine.stats().exits.IO_INSTRUCTION ?? 0;
      const before = exits();
      driver.run("out", P, 7);
      return { index: readDevice(machine.core, 0).index, exits: exits() - before };
    };
    expect(outs(`{ "version": 1, "dom0": { "ports": ["300-307"] } }`)).toEqual({ index: 7, exits: 0 });
    expect(outs(`{ "version": 1, "dom0": { "ports": ["308-30f"] } }`)).toEqual({ index: 0, exits: 1 });
  });

  it.each([
    ["{", /:1: /],
    [`{ "version": 2 }`, /version is 1/],
    [`{ "version": 1, "dom1": {} }`, /unknown "dom1"/],
    [`{ "version": 1, "dom0": { "frames": ["xyz"] } }`, /hexadecimal/],
    [`{ "version": 1, "dom0": { "ports": ["2-1"] } }`, /ends before it begins/],
    [`{ "version": 1, "dom0": { "ports": ["0-10000"] } }`, /go up to ffff/],
    [`{ "version": 1, "dom0": { "lines": ["1f"] } }`, /decimal/],
    [`{ "version": 1, "dom0": { "frames": "fd000" } }`, /is a list/],
  ])("a wrong file says where and what: %s", (text, message) => {
    expect(() => parseRights(text, "rights.json")).toThrow(message);
  });

  it("cannot be given what the hypervisor keeps", () => {
    const machine = (text: string) =>
      createMachine(wasm, { memoryBytes: 2 ** 22, knobs: { "iocap.dom0": 1 }, ioRights: parseRights(text, "f") });
    expect(() => machine(`{ "version": 1, "dom0": { "frames": ["fee00"] } }`)).toThrow(/EPERM/);
    expect(() => machine(`{ "version": 1, "dom0": { "ports": ["cf8-cff"] } }`)).toThrow(/EPERM/);
    expect(() => machine(`{ "version": 1, "dom0": { "lines": ["0"] } }`)).toThrow(/EPERM/);
  });
});
