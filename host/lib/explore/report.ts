/** A violation for people: one column for each actor, what it did, the state that matters beside it, and the broken invariant. */
import type { RaceInstance } from "./instance.ts";
import type { Violation } from "./race.ts";
import type { ReplayedStep } from "./replay.ts";

const MAX_COLUMN = 46;

/** Breaks a text into lines of at most `width` characters. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const part of text.split(" ")) {
    if (line !== "" && line.length + 1 + part.length > width) {
      lines.push(line);
      line = part;
    } else line = line === "" ? part : `${line} ${part}`;
  }
  return [...lines, line];
}

/** The steps as a table. */
export function interleaving(instance: RaceInstance, steps: readonly ReplayedStep[]): string {
  const taking = instance.actors.filter((actor) => steps.some((step) => step.actor === actor.index));
  const width = taking.length > 3 ? 30 : MAX_COLUMN;
  const rows: string[] = [];
  const row = (left: string, cells: readonly string[], state: string): void => {
    rows.push(`${left.padStart(4)}  ${cells.map((cell) => cell.padEnd(width)).join("  ")}  ${state}`.trimEnd());
  };
  row(
    "",
    taking.map((actor) => actor.name),
    "state after it",
  );
  row(
    "",
    taking.map(() => "-".repeat(width)),
    "-".repeat(20),
  );
  let lastState = "";
  steps.forEach((step, i) => {
    const column = taking.findIndex((actor) => actor.index === step.actor);
    const lines = wrap(step.text, width);
    lines.forEach((line, n) => {
      row(
        n === 0 ? String(i + 1) : "",
        taking.map((_, c) => (c === column ? line : "")),
        n === 0 && step.state !== lastState ? step.state : "",
      );
    });
    lastState = step.state;
  });
  return `${rows.join("\n")}\n`;
}

/** Markdown with a Mermaid sequence diagram: every step a note over its actor, the state where it changed. */
export function mermaidReport(
  instance: RaceInstance,
  variant: string,
  steps: readonly ReplayedStep[],
  violation: Violation | undefined,
): string {
  const { race } = instance;
  const clean = (text: string): string => text.replace(/[;#]/g, ",").replace(/->/g, "to");
  const lines: string[] = [];
  let lastState = "";
  for (const step of steps) {
    const { name } = instance.actors[step.actor]!;
    lines.push(`    Note over ${name}: ${clean(step.text)}`);
    const isNews = step.state !== lastState;
    if (isNews) lines.push(`    ${name}-->>machine: ${clean(step.state)}`);
    lastState = step.state;
  }
  return [
    `# ${race.name} (${race.id}), variant ${variant}`,
    "",
    race.variants[variant]!.text,
    "",
    "```mermaid",
    "sequenceDiagram",
    ...instance.actors
      .filter((actor) => steps.some((step) => step.actor === actor.index))
      .map((actor) => `    participant ${actor.name}`),
    "    participant machine",
    ...lines,
    "```",
    "",
    violation ? `Broken: **${violation.invariant}**. ${violation.message}.` : "No invariant breaks.",
    "",
  ].join("\n");
}

/** The whole report. */
export function violationReport(
  instance: RaceInstance,
  variant: string,
  steps: readonly ReplayedStep[],
  violation: Violation,
  replayCommand: string,
): string {
  const { race } = instance;
  const invariant = instance.setup.invariants.find((i) => i.name === violation.invariant);
  const where = instance.actors.map((actor) => {
    if (instance.isSuspended(actor.index)) return `  ${actor.name} stands at ${instance.place(actor.index)}`;
    if (actor.isReady()) return `  ${actor.name} could go on: ${actor.next().text}`;
    return `  ${actor.name} ${actor.hasWork() ? "sleeps, with work left" : "has nothing to do"}`;
  });
  return [
    `${race.name} (${race.id}), variant ${variant}: ${race.variants[variant]!.text}`,
    "",
    interleaving(instance, steps),
    `broken: ${violation.invariant}${invariant ? ` (${invariant.text})` : ""}`,
    `        ${violation.message}`,
    "",
    ...where,
    "",
    `Replay it with: ${replayCommand}`,
    "",
  ].join("\n");
}
