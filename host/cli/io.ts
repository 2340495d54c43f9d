/**
 * vmexit io: the scenarios about I/O resources, and the map of who holds them.
 * Exit codes: 0 the result is what the specification says, 1 it is not, 2 wrong usage.
 */
import type { Command } from "commander";
import { UsageError } from "../lib/errors.ts";
import { ownershipMap, ownershipSvg, ownershipText } from "../lib/iocap/ownership.ts";
import { parseRights } from "../lib/iocap/rights-file.ts";
import { createIoWorld, REMEDIES, type Remedy, runScenario, type ScenarioResult } from "../lib/iocap/scenario.ts";
import { SCENARIOS, scenarioByName } from "../lib/iocap/scenarios.ts";
import { createMachine } from "../lib/machine.ts";
import { readInput, writeOutput } from "../node/files.ts";
import { compileBuild } from "../node/wasm.ts";
import { collect, parseKnobOptions } from "./options.ts";

interface IoOptions {
  readonly accountant: string;
  readonly remedy: string;
  readonly knob: readonly string[];
  readonly json?: boolean;
}

const print = (text: string): void => void process.stdout.write(text);

function parseOnOff(text: string): boolean {
  if (text !== "on" && text !== "off") throw new UsageError(`--accountant "${text}": write on or off`);
  return text === "on";
}

function parseRemedy(text: string, allowed: readonly Remedy[]): Remedy {
  const found = REMEDIES.find((r) => r === text);
  if (!found) throw new UsageError(`--remedy "${text}" is none: use one of ${REMEDIES.join(", ")}`);
  if (found !== "none" && !allowed.includes(found))
    throw new UsageError(
      `--remedy ${text} says nothing here: ${allowed.length ? `use one of ${allowed.join(", ")}` : "leave it out"}`,
    );
  return found;
}

function resultText(title: string, result: ScenarioResult): string {
  const who = Math.max(...result.steps.map((s) => s.who.length));
  const does = Math.max(...result.steps.map((s) => s.does.length));
  const steps = result.steps.map((s) => `  ${s.who.padEnd(who)}  ${s.does.padEnd(does)}  ${s.result}\n`);
  const end = result.violation === null ? "no rule is broken" : `BROKEN: ${result.violation}`;
  return `${result.scenario}: ${title} (accountant ${result.accountant ? "on" : "off"})\n${steps.join("")}  ${end}\n  expected: ${result.expected.text}${result.ok ? "" : " -- THIS IS NOT WHAT HAPPENED"}\n`;
}

function play(name: string, options: IoOptions): boolean {
  const scenario = scenarioByName(name);
  const { knobs } = parseKnobOptions(options);
  const remedy = parseRemedy(options.remedy, scenario.remedies ?? []);
  const result = runScenario(compileBuild("debug"), scenario, {
    accountant: parseOnOff(options.accountant),
    remedy,
    knobs,
  });
  print(options.json ? `${JSON.stringify(result, null, 2)}\n` : resultText(scenario.title, result));
  return result.ok;
}

interface MapOptions extends IoOptions {
  readonly after?: string;
  readonly rights?: string;
  readonly svg?: string;
}

function map(options: MapOptions): void {
  const accountant = parseOnOff(options.accountant);
  const { knobs } = parseKnobOptions(options);
  const wasm = compileBuild("debug");
  let rows: ReturnType<typeof ownershipMap>;
  if (options.rights !== undefined) {
    if (options.after !== undefined)
      throw new UsageError("--rights and --after are two different machines: choose one");
    const text = new TextDecoder().decode(readInput(options.rights, "list of rights"));
    const ioRights = parseRights(text, options.rights);
    const settings = { "iocap.dom0": 1, "io.devices": 2, ...(accountant ? { "iomem.account": 3 } : {}), ...knobs };
    using machine = createMachine(wasm, { memoryBytes: 2 ** 22, knobs: settings, ioRights });
    rows = ownershipMap(machine.core, accountant);
  } else {
    const scenario = scenarioByName(options.after ?? "IO-7");
    const world = createIoWorld(wasm, scenario, { accountant, knobs });
    using machine = world.machine;
    scenario.play(world, "none");
    rows = ownershipMap(machine.core, accountant);
  }
  if (options.svg !== undefined) writeOutput(options.svg, ownershipSvg(rows), "picture");
  print(
    options.json ? `${JSON.stringify({ format: "vmexit-io-map", version: 1, rows }, null, 2)}\n` : ownershipText(rows),
  );
}

function list(isJson: boolean): void {
  if (isJson) {
    const entries = SCENARIOS.map(({ id, title, remedies = [] }) => ({
      id,
      title,
      without: scenarioByName(id).without,
      with: scenarioByName(id).with,
      remedies,
    }));
    print(`${JSON.stringify({ scenarios: entries }, null, 2)}\n`);
    return;
  }
  for (const s of SCENARIOS)
    print(`${s.id.padEnd(6)} ${s.title}\n       without: ${s.without}\n       with:    ${s.with}\n`);
}

function addCommon(command: Command): Command {
  return command
    .option("--accountant <on|off>", "the I/O Resource Accountant", "off")
    .option("--knob <name=value>", "set a knob (repeatable)", collect, [])
    .option("--json", "print one JSON object");
}

export function addIo(program: Command, done: (code: number) => void): void {
  const io = program
    .command("io")
    .description("I/O resources: who may use what, who does, and what goes wrong (docs/io.md)");
  const options = { isDefault: true };
  addCommon(io.command("play", options).argument("[scenario]", "IO-1 .. IO-12; without it they are listed"))
    .description("play a scenario: vmexit io IO-1 --accountant on")
    .option("--remedy <name>", "what can be done by hand: none, not-loaded, unloaded, revoked", "none")
    .action((name: string | undefined, given: IoOptions) => {
      if (name === undefined) list(given.json === true);
      else done(play(name, given) ? 0 : 1);
    });
  addCommon(io.command("map"))
    .description("show who holds which frames, ports and lines, after a scenario or for a list of rights")
    .option("--after <scenario>", "the scenario to play first (default IO-7)")
    .option("--rights <file>", "a machine whose dom0 has only what this file lists")
    .option("--svg <file>", "write the map as a picture, too")
    .action(map);
}
