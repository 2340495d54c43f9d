/** Carries out the lines of a check on fresh machines, and says of each expectation whether it holds. */
import { HvError, UsageError } from "../errors.ts";
import { parseEra } from "../knobs.ts";
import { ACTIONS, type CheckLine, compare, parseCheckLine, type Quantity } from "./check-line.ts";
import { createIoStage } from "./io-stage.ts";
import { createMachineStage, type MachineChoice } from "./machine-stage.ts";
import { createRaceStage } from "./race-stage.ts";
import type { LessonTools, Stage, Value } from "./stage.ts";

export interface CheckedLine {
  readonly text: string;
  /** True of actions that could be done, and of expectations that hold. */
  readonly ok: boolean;
  /** What the quantity is, of an expectation or a note. */
  readonly is?: string;
  /** Why an action could not be done, or a quantity not be told. */
  readonly problem?: string;
  /** True: needs a command line, which is not here. */
  readonly isSkipped?: boolean;
}

export interface CheckResult {
  readonly ok: boolean;
  readonly lines: readonly CheckedLine[];
}

/** Long texts are cut in reports. */
const LONGEST_SHOWN = 200;

const shown = (value: Value): string => {
  const text = String(value);
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}...` : text;
};

function createShellStage(tools: LessonTools): Stage {
  let result = { output: "", code: 0 };
  return {
    act(name, [command]) {
      if (name !== "shell") return false;
      result = tools.shell!(command!);
      return true;
    },
    quantity: (name) => (name === "output" ? result.output : name === "exit-code" ? result.code : undefined),
  };
}

/** @throws UsageError for a line that nobody understands; everything else is in the result. */
export async function runChecks(lines: readonly string[], tools: LessonTools): Promise<CheckResult> {
  const parsed = lines.map(parseCheckLine);
  if (!tools.shell && parsed.some((line) => line.kind === "action" && line.name === "shell"))
    return { ok: true, lines: parsed.map(({ text }) => ({ text, ok: true, isSkipped: true })) };
  const notes = new Map<string, Value>();
  const choice: { -readonly [K in keyof MachineChoice]: MachineChoice[K] } = { guest: "", knobs: [] };
  let stage: Stage | undefined;
  const enter = (next: Stage): void => {
    stage?.dispose?.();
    stage = next;
  };

  async function act(name: string, args: readonly string[]): Promise<void> {
    if (name === "knob") choice.knobs = [...choice.knobs, args.join("")];
    else if (name === "era") choice.era = parseEra(args[0] ?? "");
    else if (name === "vcpus") choice.vcpus = Number(args[0]);
    else if (name === "guest") {
      enter(
        await createMachineStage(tools, {
          ...choice,
          guest: args[0] ?? "",
          ...(args[1] ? { memoryMiB: Number(args[1]) } : {}),
        }),
      );
      choice.knobs = [];
      delete choice.vcpus;
    } else if (name === "race") enter(await createRaceStage(tools, args[0] ?? "", args[1] ?? ""));
    else if (name === "io") enter(await createIoStage(tools, args[0] ?? "", args.slice(1)));
    else {
      if (name === "shell") enter(createShellStage(tools));
      if (!stage)
        throw new UsageError(`"${name}" needs a machine first: write guest NAME, race NAME VARIANT or io NAME`);
      if (!(await stage.act(name, args)))
        throw new UsageError(`"${name}" cannot be done here: ${ACTIONS[name as keyof typeof ACTIONS]}`);
    }
  }

  function tell({ name, args }: Quantity): Value {
    if (name === "since")
      return Number(tell({ name: args[1] ?? "", args: args.slice(2) })) - Number(noted(`$${args[0]}`));
    const value = stage?.quantity(
      name,
      args.map((arg) => String(noted(arg))),
    );
    if (value === undefined) throw new UsageError(`"${name}" is nothing that this machine has`);
    return value;
  }
  const noted = (text: string): Value => {
    if (!text.startsWith("$")) return text;
    const value = notes.get(text.slice(1));
    if (value === undefined) throw new UsageError(`${text} was not noted before`);
    return value;
  };

  async function one(line: CheckLine): Promise<CheckedLine> {
    const { text } = line;
    if (line.kind === "action") {
      await act(line.name, line.args);
      return { text, ok: true };
    }
    const is = tell(line.quantity);
    if (line.kind === "note") {
      notes.set(line.as, is);
      return { text, ok: true, is: shown(is) };
    }
    return { text, ok: compare(is, line.operator, String(noted(line.value))), is: shown(is) };
  }

  const done: CheckedLine[] = [];
  try {
    for (const line of parsed) {
      try {
        done.push(await one(line));
      } catch (error) {
        done.push({ text: line.text, ok: false, problem: problemOf(error) });
      }
      if (!done.at(-1)!.ok) break; // what follows would be about another machine than it says
    }
  } finally {
    stage?.dispose?.();
  }
  return { ok: done.length === parsed.length && done.every((line) => line.ok), lines: done };
}

function problemOf(error: unknown): string {
  if (error instanceof UsageError || error instanceof HvError) return error.message;
  if (error instanceof WebAssembly.RuntimeError) return `the hypervisor stopped: ${error.message}`;
  throw error;
}

/** What went wrong, for tests and the page: "p2m 0x100 = mmio_dm: it is ram_rw". */
export function failureText(result: CheckResult): string {
  const wrong = result.lines.find((line) => !line.ok);
  if (!wrong) return "";
  return `${wrong.text}: ${wrong.problem ?? `it is ${wrong.is ?? "nothing"}`}`;
}
