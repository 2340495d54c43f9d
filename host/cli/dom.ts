/**
 * vmexit dom: what the toolstack does to the domains of a machine that a scenario file describes (docs/scenario.md). The machine lives
 * for one command line, or longer in a state file: --save writes it, --state goes on from it.
 */
import type { Command } from "commander";
import { HvError, UsageError } from "../lib/errors.ts";
import type { DomId } from "../lib/ids.ts";
import {
  buildScenario,
  domainInfo,
  emptyScenario,
  listDomains,
  type NamedInfo,
  type OpenGuest,
  operate,
  runScenario,
  type ScenarioMachine,
  savedDomid,
} from "../lib/scenario/scenario.ts";
import { parseScenario, type Scenario } from "../lib/scenario/scenario-file.ts";
import { suggest } from "../lib/suggest.ts";
import { readInput } from "../node/files.ts";
import { checkParts, readState, writeState } from "../node/state-file.ts";
import { compileBuild } from "../node/wasm.ts";
import { openGuest } from "./guest-source.ts";
import { collect, parseInstructions } from "./options.ts";

const COMMANDS = ["list", "info", "pause", "unpause", "destroy", "run"] as const;
type CommandName = (typeof COMMANDS)[number];

interface DomOptions {
  readonly scenario?: string;
  readonly state?: string;
  readonly save?: string;
  readonly as: string;
  readonly then: readonly string[];
  readonly json?: boolean;
}

interface Request {
  readonly command: CommandName;
  readonly argument?: string;
}

/** "pause web", with the number of words that the command takes. @throws UsageError */
function parseRequest(words: readonly string[]): Request {
  const [word = "", argument, ...more] = words;
  const command = COMMANDS.find((c) => c === word);
  if (!command) throw new UsageError(`no command "${word}" for domains: ${suggest(word, COMMANDS)}`);
  if (command === "list" ? argument !== undefined : argument === undefined)
    throw new UsageError(
      command === "list"
        ? `list takes no domain: write for instance info ${argument}`
        : `${command} needs ${command === "run" ? "a number of instructions" : "the name of a domain"}`,
    );
  if (more.length > 0) throw new UsageError(`${command}: "${more[0]}" is too much`);
  return { command, ...(argument === undefined ? {} : { argument }) };
}

async function openGuests(scenario: Scenario): Promise<Map<string, OpenGuest>> {
  const guests = new Map<string, OpenGuest>();
  for (const domain of scenario.domains) {
    if (domain.kind !== "guest") continue;
    try {
      const source = await openGuest(domain.guest, false);
      guests.set(domain.name, {
        image: source.image,
        memoryBytes: domain.memoryMiB === undefined ? source.memoryBytes : domain.memoryMiB * 2 ** 20,
        vcpus: domain.vcpus ?? source.vcpus,
        cmdline: domain.cmdline ?? source.cmdline,
      });
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${scenario.file}:${domain.line}: ${error.message}`, { cause: error });
    }
  }
  return guests;
}

interface Opened {
  readonly s: ScenarioMachine;
  /** Text of the scenario file. */
  readonly text: string;
}

async function open(options: DomOptions): Promise<Opened> {
  if ((options.scenario === undefined) === (options.state === undefined))
    throw new UsageError("say which machine: --scenario FILE builds one, --state FILE goes on with a saved one");
  const wasm = compileBuild("release");
  if (options.scenario !== undefined) {
    const text = new TextDecoder().decode(readInput(options.scenario, "scenario"));
    const scenario = parseScenario(text, options.scenario);
    return { s: buildScenario(wasm, scenario, await openGuests(scenario)), text };
  }
  const file = options.state!;
  const saved = readState(file);
  const scenario = parseScenario(saved.scenario, saved.file);
  const domids = new Map<string, DomId>(Object.entries(saved.domids).map(([name, id]) => [name, savedDomid(id)]));
  const s = emptyScenario(wasm, scenario, await openGuests(scenario), domids);
  checkParts(file, saved.snapshot, s.machine.snapshot(), s.machine.core.u8.length);
  s.machine.restore(saved.snapshot);
  return { s, text: saved.scenario };
}

/** The letters of `xl list`. */
const stateLetters = (d: NamedInfo): string =>
  [
    d.isRunning ? "r" : "-",
    d.isBlocked ? "b" : "-",
    d.isPaused ? "p" : "-",
    d.isShutDown && d.shutdownCode !== 3 ? "s" : "-",
    d.isShutDown && d.shutdownCode === 3 ? "c" : "-",
    d.isDying ? "d" : "-",
  ].join("");

const mib = (pages: number): string => (pages / 256).toFixed(pages % 256 === 0 ? 0 : 1);

function listText(domains: readonly NamedInfo[]): string {
  const rows = [
    ["Name", "ID", "Mem", "VCPUs", "State", "Time(ms)"],
    ...domains.map((d) => [
      d.name,
      String(d.domid),
      mib(d.totPages),
      String(d.onlineVcpus),
      stateLetters(d),
      (Number(d.cpuTimeNs) / 1e6).toFixed(3),
    ]),
  ];
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

const infoText = (d: NamedInfo): string =>
  [
    `name             ${d.name}`,
    `id               ${d.domid}`,
    `state            ${stateLetters(d)}`,
    `memory           ${mib(d.totPages)} MiB of at most ${mib(d.maxPages)} MiB`,
    `shared, paged    ${d.sharedPages}, ${d.pagedPages} pages`,
    `vCPUs            ${d.onlineVcpus} online of ${d.maxVcpuId + 1}`,
    `time             ${(Number(d.cpuTimeNs) / 1e6).toFixed(3)} ms`,
    ...(d.isShutDown ? [`shutdown code    ${d.shutdownCode}`] : []),
    `uuid             ${Buffer.from(d.handle).toString("hex")}`,
    "",
  ].join("\n");

const asJson = (d: NamedInfo) => ({
  ...d,
  cpuTimeNs: String(d.cpuTimeNs),
  handle: Buffer.from(d.handle).toString("hex"),
});

interface Outcome {
  readonly text: string;
  readonly json: Readonly<Record<string, unknown>>;
}

function carryOut(s: ScenarioMachine, as: string, { command, argument = "" }: Request): Outcome {
  if (command === "list") {
    const domains = listDomains(s, as);
    return { text: listText(domains), json: { command, domains: domains.map(asJson) } };
  }
  if (command === "info") {
    const info = domainInfo(s, as, argument);
    return { text: infoText(info), json: { command, ...asJson(info) } };
  }
  if (command === "run") {
    const end = runScenario(s, parseInstructions(argument, "run"));
    const output = s.machine.console();
    const reason = { ended: "every guest has ended", idle: "nothing can run", budget: "the budget is spent" }[end.kind];
    return { text: `${output}vmexit: ${reason}\n`, json: { command, end: end.kind, console: output } };
  }
  operate(s, as, command, argument);
  return { text: "", json: { command, domain: argument } };
}

async function dom(words: readonly string[], options: DomOptions): Promise<void> {
  const requests = [words, ...options.then.map((text) => text.trim().split(/\s+/))].map(parseRequest);
  const { s, text } = await open(options);
  using opened = s;
  const outcomes: Outcome[] = [];
  try {
    for (const request of requests) {
      const outcome = carryOut(opened, options.as, request);
      outcomes.push(outcome);
      if (!options.json) process.stdout.write(outcome.text);
    }
  } catch (error) {
    if (!(error instanceof HvError && options.json)) throw error;
    const { code, call, arguments: args, hint } = error;
    outcomes.push({ text: "", json: { error: { code, call, arguments: args, hint } } });
    print(outcomes);
    throw error;
  }
  if (options.save !== undefined)
    writeState(options.save, {
      scenario: text,
      file: opened.scenario.file,
      domids: Object.fromEntries(opened.domids),
      snapshot: opened.machine.snapshot(),
    });
  if (options.json) print(outcomes);
}

const print = (outcomes: readonly Outcome[]): void => {
  process.stdout.write(
    `${JSON.stringify({ format: "vmexit-dom", version: 1, results: outcomes.map((o) => o.json) })}\n`,
  );
};

export function addDom(program: Command): void {
  program
    .command("dom")
    .description(
      "list, inspect, pause, unpause and destroy the domains of a machine described in a file (docs/scenario.md)",
    )
    .argument("<command>", `${COMMANDS.join(", ")}`)
    .argument("[domain]", "name of a domain, or instructions for run")
    .option("--scenario <file>", "build the machine that this file describes")
    .option("--state <file>", "go on with a machine that was saved")
    .option("--as <domain>", "who issues the commands: dom0, or a domain of kind toolstack", "dom0")
    .option("--then <command>", 'another command after it, for instance --then "info web" (repeatable)', collect, [])
    .option("--save <file>", "write the machine's state when all commands succeeded")
    .option("--json", "print one JSON object")
    .action((command: string, domain: string | undefined, options: DomOptions) =>
      dom([command, ...(domain === undefined ? [] : [domain])], options),
    );
}
