/**
 * Scenarios about I/O resources (spec 06 section 6.4): a machine with dom0 as the first driver, domains U and V as others, and one device behind
 * frame M, port P and a line. Each step is something that somebody does, with its result; at the end stands whether a rule was broken, and
 * whether that is what the specification says.
 *
 * The scenarios themselves: scenarios.ts. What a driver is: driver.ts.
 */
import { BUS_DATA, BUS_FIRST_FRAME, BUS_FIRST_IRQ, BUS_FIRST_PORT, BUS_INDEX } from "../../../hv-core/abi/bus.ts";
import { IO_KIND_FRAME } from "../../../hv-core/abi/io-units.ts";
import { HvError } from "../errors.ts";
import type { KnobValues } from "../knobs.ts";
import { createMachine, type Machine } from "../machine.ts";
import { readDevice } from "./bus.ts";
import { createDom0Driver, createDriverDomain, type Driver } from "./driver.ts";
import { unitState } from "./units.ts";

export const M = BUS_FIRST_FRAME;
export const P = BUS_FIRST_PORT;
export const LINE = BUS_FIRST_IRQ;
/** Where U and V see the device. */
export const GFN = 0x8_0000;

export interface Step {
  readonly who: string;
  readonly does: string;
  readonly result: string;
}

/** Where an access ended: at the device, nowhere, or with the domain crashed. */
export type Reached = "device" | "nobody" | "crash";

export interface ScenarioOptions {
  readonly accountant: boolean;
  /** What a seed of 2006 could do by hand instead (manual remedies). */
  readonly remedy?: Remedy;
  readonly knobs?: KnobValues;
}

export const REMEDIES = ["none", "not-loaded", "unloaded", "revoked"] as const;
export type Remedy = (typeof REMEDIES)[number];

export interface ScenarioResult {
  readonly scenario: string;
  readonly accountant: boolean;
  readonly steps: readonly Step[];
  /** What went wrong, as a sentence; null = no rule is broken. */
  readonly violation: string | null;
  /** What the specification says: whether a rule is broken, and how. */
  readonly expected: { readonly violation: boolean; readonly text: string };
  readonly ok: boolean;
}

export interface Scenario {
  readonly id: string;
  readonly title: string;
  /** Knobs of the machine, beside those of every scenario. */
  readonly knobs?: KnobValues;
  /** Knobs only with the accountant. */
  readonly accountantKnobs?: KnobValues;
  /** The manual remedies it can be tried with. */
  readonly remedies?: readonly Remedy[];
  /** What spec 06 section 6.4 says, without and with the accountant. */
  readonly without: string;
  readonly with: string;
  /** Whether a rule is broken: with the accountant never. */
  isBroken(remedy: Remedy): boolean;
  /** Plays it. @returns the broken rule as a sentence, null = none. */
  play(world: IoWorld, remedy: Remedy): string | null;
}

export interface IoWorld {
  readonly machine: Machine;
  readonly dom0: Driver;
  readonly u: Driver;
  readonly v: Driver;
  readonly steps: Step[];
  readonly hasAccountant: boolean;
  /** A call of the toolstack, or of dom0's kernel. @returns "ok" or the name of its error. */
  call(who: string, does: string, body: () => void): string;
  /** Looks at something and writes it down. */
  note(who: string, does: string, result: string): void;
  /** A store, load, OUT or IN by a driver, with a real instruction. */
  access(who: Driver, kind: "write" | "read" | "out" | "in", address: number, value?: number, what?: string): Reached;
  /** State of a unit for the accountant: "in use by U", "-" without it. */
  state(kind: number, unit: number): string;
}

const MEMORY = 24 * 2 ** 20;

/** The machine of all scenarios. */
export function createIoWorld(wasm: WebAssembly.Module, scenario: Scenario, options: ScenarioOptions): IoWorld {
  const machine = createMachine(wasm, {
    memoryBytes: MEMORY,
    vcpus: 4,
    knobs: {
      "io.devices": 2,
      "dom0.vcpus": 1,
      ...scenario.knobs,
      ...(options.accountant ? { "iomem.account": 3, ...scenario.accountantKnobs } : {}),
      ...options.knobs,
    },
  });
  const dom0 = createDom0Driver(machine);
  const u = createDriverDomain(machine, "U");
  const v = createDriverDomain(machine, "V");
  const steps: Step[] = [];
  const note = (who: string, does: string, result: string): void => void steps.push({ who, does, result });
  return {
    machine,
    dom0,
    u,
    v,
    steps,
    hasAccountant: options.accountant,
    note,
    call(who, does, body) {
      let result = "ok";
      try {
        body();
      } catch (error) {
        if (!(error instanceof HvError)) throw error;
        result = `-${error.code}`;
      }
      note(who, does, result);
      return result;
    },
    access(who, kind, address, value = 0, what = kind) {
      const before = readDevice(machine.core, 0).accesses;
      const answer = who.run(kind, address, value);
      const device = readDevice(machine.core, 0);
      const isThere = device.accesses > before && device.log.at(-1)!.domid === who.domid;
      const reached: Reached = answer === undefined ? "crash" : isThere ? "device" : "nobody";
      const where = { device: "reaches the device", nobody: "reaches nobody", crash: "crashes the domain" }[reached];
      const read = kind === "read" || kind === "in" ? ` (0x${(answer ?? 0).toString(16)})` : "";
      note(who.name, what, where + read);
      return reached;
    },
    state: (kind, unit) => (options.accountant ? unitState(machine.core, kind, unit).text : "-"),
  };
}

/**
 * Two drivers set a register each, as drivers do: INDEX, then DATA. Interleaved, the pairs are torn apart.
 * @returns the sentence about it when both reached the device, null otherwise.
 */
export function bothDrive(world: IoWorld, a: Driver, atA: number, b: Driver, atB: number): string | null {
  const first = world.access(a, "write", atA + BUS_INDEX, 1, "writes INDEX = 1");
  const second = world.access(b, "write", atB + BUS_INDEX, 2, "writes INDEX = 2");
  world.access(a, "write", atA + BUS_DATA, 0xaaaa, "writes DATA = 0xaaaa");
  if (first !== "device" || second !== "device") return null;
  const { values, torn } = readDevice(world.machine.core, 0);
  world.note(
    "device",
    "is looked at",
    `register 1 = 0x${values[1]!.toString(16)}, register 2 = 0x${values[2]!.toString(16)}, torn ${torn}`,
  );
  return `${a.name} and ${b.name} both drive the device: ${a.name}'s value for register 1 is in register 2`;
}

function expectation(scenario: Scenario, accountant: boolean, remedy: Remedy): string {
  if (accountant) return scenario.with;
  const isCured = scenario.isBroken("none") && !scenario.isBroken(remedy);
  return isCured ? "one driver, as long as everybody keeps to it" : scenario.without;
}

/** @throws HvError, UsageError when the machine cannot be set up. */
export function runScenario(wasm: WebAssembly.Module, scenario: Scenario, options: ScenarioOptions): ScenarioResult {
  const world = createIoWorld(wasm, scenario, options);
  using machine = world.machine;
  const remedy = options.remedy ?? "none";
  const violation = scenario.play(world, remedy);
  const invariants = machine.core.exports.ioInvariants() >>> 0;
  if (invariants !== 0 && invariants !== 0xffff_ffff)
    world.note("check", "walks every map", `broken invariants, bits 0x${invariants.toString(16)}`);
  const isBroken = !options.accountant && scenario.isBroken(remedy);
  return {
    scenario: scenario.id,
    accountant: options.accountant,
    steps: world.steps,
    violation,
    expected: { violation: isBroken, text: expectation(scenario, options.accountant, remedy) },
    ok: (violation !== null) === isBroken && (invariants === 0 || invariants === 0xffff_ffff),
  };
}

export const frameState = (world: IoWorld, frame = M): string => world.state(IO_KIND_FRAME, frame);
