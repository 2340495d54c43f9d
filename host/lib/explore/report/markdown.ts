/** A story as Markdown: a table of the steps, and a Mermaid sequence diagram of the same. */
import { wrap } from "./layout.ts";
import type { Story, StoryStep } from "./story.ts";
import { sitesOf, takingPart } from "./text.ts";

/** Characters a line of a note in the diagram. */
const NOTE = 34;

/** Mermaid ends a message at ; and takes # for an entity. */
const plain = (text: string): string => text.replace(/[;#]/g, ",").replace(/->/g, "to").replace(/[<>]/g, "");
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");
const name = (actor: string): string => actor.replace(/\W/g, "_");

/** Who is told something by this step: the slot of a request changes hands. */
function message(story: Story, step: StoryStep): string | undefined {
  const slot = step.changes.find((change) => change.startsWith("slot "));
  if (slot === undefined) return undefined;
  const actors = takingPart(story);
  const isGuest = step.actor.startsWith("guest");
  const other = actors.find(
    (actor) => actor !== step.actor && actor.startsWith("guest") !== isGuest && isDeviceSide(story, actor),
  );
  const to = slot.includes("RESP_READY") ? actors.find((actor) => actor.startsWith("guest")) : other;
  if (to === undefined || to === step.actor || slot.endsWith("INPROCESS") || slot.endsWith("NONE")) return undefined;
  return `    ${name(step.actor)}->>${name(to)}: ${slot}`;
}
const isDeviceSide = (story: Story, actor: string): boolean =>
  actor.startsWith("guest") ||
  (story.cast.find((c) => c.name === actor)?.role.includes("device model (ioreq") ?? false);

/** The diagram alone. */
export function mermaidDiagram(story: Story): string {
  const lines = ["sequenceDiagram", ...takingPart(story).map((actor) => `    participant ${name(actor)} as ${actor}`)];
  story.steps.forEach((step, i) => {
    if (i === story.cycleFrom) lines.push("    loop for ever");
    const indent = story.cycleFrom !== undefined && i >= story.cycleFrom ? "    " : "";
    const what = [`${step.number}. ${step.text}`, ...step.outcome.map((text) => `⇒ ${text}`)];
    const text = what.flatMap((line) => wrap(plain(line), NOTE)).join("<br/>");
    lines.push(`${indent}    Note over ${name(step.actor)}: ${text}`);
    const sent = message(story, step);
    if (sent !== undefined) lines.push(`${indent}${sent}`);
  });
  if (story.cycleFrom !== undefined) lines.push("    end");
  if (story.violation) {
    const actors = takingPart(story);
    const over = actors.length > 1 ? `${name(actors[0]!)},${name(actors.at(-1)!)}` : name(actors[0] ?? "guest0");
    lines.push(`    Note over ${over}: ✗ ${plain(`${story.violation.invariant}: ${story.violation.message}`)}`);
  }
  return `${lines.join("\n")}\n`;
}

function table(story: Story): string {
  const actors = takingPart(story);
  const rows = story.steps.map((step) => {
    const what = [step.text, ...step.outcome.map((text) => `⇒ *${text}*`)].map(cell).join("<br>");
    const cells = actors.map((actor) => (actor === step.actor ? what : ""));
    return `| ${step.number} | ${cells.join(" | ")} | ${step.changes.map(cell).join("<br>")} |`;
  });
  const head = `| | ${actors.join(" | ")} | what changed |`;
  const first = `| 0 | ${actors.map(() => "").join(" | ")} | ${story.factsAtFirst.map(cell).join("<br>")} |`;
  return [head, head.replace(/[^|]+/g, "---"), first, ...rows].join("\n");
}

export function markdownReport(story: Story): string {
  const { violation, remedy } = story;
  const sites = sitesOf(story).map(
    ({ place, sites: where }) => `| ${place} | ${where.map((s) => `\`${s}\``).join(", ")} |`,
  );
  return [
    `# ${story.title}`,
    "",
    `Race \`${story.race}\` (${story.id}), variant \`${story.variant}\`: ${story.variantText}.`,
    "",
    ...(story.background === undefined ? [] : [story.background, ""]),
    ...story.cast.map((actor) => `- **${actor.name}**: ${actor.role}`),
    "",
    "```mermaid",
    mermaidDiagram(story).trimEnd(),
    "```",
    "",
    table(story),
    "",
    ...(story.cycleFrom === undefined
      ? []
      : [`Steps ${story.cycleFrom + 1} to ${story.steps.length} repeat for ever.`, ""]),
    violation
      ? `**Broken: ${violation.invariant}**${violation.rule === undefined ? "" : ` (${violation.rule})`}. ${violation.message}.`
      : "No invariant breaks.",
    "",
    story.lesson,
    "",
    ...(violation && remedy
      ? [`Remedy (\`${story.raceCommand} --variant ${remedy.variant}\` proves it): ${remedy.text}.`, ""]
      : []),
    ...(sites.length === 0 ? [] : ["| window | in the source |", "|---|---|", ...sites, ""]),
    `See it again: \`${story.replayCommand}\``,
    "",
  ].join("\n");
}
