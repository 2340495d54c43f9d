/** A story as one self-contained SVG picture: a column for each actor, time downwards, what changed on the right, the broken rule below. */
import { wrap } from "./layout.ts";
import type { Story } from "./story.ts";
import { takingPart } from "./text.ts";

const MARGIN = 24;
const NUMBERS = 34;
const COLUMN = 250;
const GAP = 14;
const CHANGES = 230;
const LINE = 16;
const PAD = 8;
/** Average width of a character at 12 px, on the safe side. */
const CHARACTER = 6.6;
/** The same in bold. */
const BOLD = 7.5;

const COLOURS = ["#1d4ed8", "#b45309", "#047857", "#7e22ce", "#be123c", "#0e7490"] as const;
const TINTS = ["#eff6ff", "#fffbeb", "#ecfdf5", "#faf5ff", "#fff1f2", "#ecfeff"] as const;

const xml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const fitting = (text: string, width: number, character = CHARACTER): string[] =>
  wrap(text, Math.floor(width / character));

/** Lines below each other; `style` is a class. */
function lines(x: number, y: number, texts: readonly string[], style: string): string {
  const spans = texts.map((text, i) => `<tspan x="${x}" y="${y + i * LINE}">${xml(text)}</tspan>`);
  return `<text class="${style}">${spans.join("")}</text>`;
}

const STYLE = `text{font:12px ui-sans-serif,system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#1f2937}
.title{font-size:18px;font-weight:700}.sub{fill:#4b5563}.head{font-weight:700;font-size:13px}.outcome{font-style:italic;fill:#374151}
.loss{font-weight:700;fill:#b91c1c}.number{fill:#9ca3af;font-size:11px}.change{fill:#374151}.broken{fill:#991b1b;font-weight:600}`;

export function svgReport(story: Story): string {
  const actors = takingPart(story);
  const xOf = (actor: string): number => MARGIN + NUMBERS + actors.indexOf(actor) * (COLUMN + GAP);
  const changesX = MARGIN + NUMBERS + actors.length * (COLUMN + GAP) + 6;
  const width = changesX + CHANGES + MARGIN;
  const inner = width - 2 * MARGIN;
  const body: string[] = [];
  let y = MARGIN + 18;

  body.push(lines(MARGIN, y, [story.title], "title"));
  y += 24;
  const intro = [`${story.race} (${story.id}), variant ${story.variant}: ${story.variantText}.`, story.background ?? ""]
    .filter((text) => text !== "")
    .flatMap((text) => fitting(text, inner));
  body.push(lines(MARGIN, y, intro, "sub"));
  y += intro.length * LINE + 14;

  const top = y;
  for (const actor of actors) {
    const colour = COLOURS[actors.indexOf(actor) % COLOURS.length]!;
    body.push(`<rect x="${xOf(actor)}" y="${y}" width="${COLUMN}" height="28" rx="6" fill="${colour}"/>`);
    body.push(
      `<text x="${xOf(actor) + COLUMN / 2}" y="${y + 19}" text-anchor="middle" class="head" style="fill:#fff">${xml(actor)}</text>`,
    );
  }
  body.push(lines(changesX, y + 19, ["what changed"], "head"));
  y += 28 + PAD;
  const first = story.factsAtFirst.flatMap((fact) => fitting(fact, CHANGES));
  body.push(lines(changesX, y + 12, first, "sub"));
  y += Math.max(LINE, first.length * LINE) + PAD;

  story.steps.forEach((step, i) => {
    if (i === story.cycleFrom) {
      body.push(
        `<line x1="${MARGIN}" y1="${y}" x2="${width - MARGIN}" y2="${y}" stroke="#b91c1c" stroke-dasharray="6 4"/>`,
      );
      body.push(lines(MARGIN, y + 14, ["from here on again and again, for ever"], "broken"));
      y += LINE + PAD;
    }
    const index = actors.indexOf(step.actor);
    const text = fitting(step.text, COLUMN - 2 * PAD);
    const isLoss = step.outcome.some((o) => o.includes("DROPPED"));
    const outcome = step.outcome.flatMap((o) => fitting(`→ ${o}`, COLUMN - 2 * PAD, isLoss ? BOLD : CHARACTER));
    const changes = step.changes.flatMap((change) => fitting(change, CHANGES));
    const height = (text.length + outcome.length) * LINE + PAD;
    const x = xOf(step.actor);
    body.push(
      `<rect x="${x}" y="${y}" width="${COLUMN}" height="${height}" rx="5" fill="${TINTS[index % TINTS.length]}" stroke="${COLOURS[index % COLOURS.length]}"><title>${xml([step.place, ...step.sites].join(" "))}</title></rect>`,
    );
    body.push(lines(MARGIN, y + 16, [String(step.number)], "number"));
    body.push(lines(x + PAD, y + 16, text, ""));
    if (outcome.length > 0)
      body.push(lines(x + PAD, y + 16 + text.length * LINE, outcome, isLoss ? "loss" : "outcome"));
    if (changes.length > 0) body.push(lines(changesX, y + 16, changes, "change"));
    y += Math.max(height, changes.length * LINE + PAD) + 6;
  });
  const lifelines = actors.map((actor) => {
    const x = xOf(actor) + COLUMN / 2;
    const colour = COLOURS[actors.indexOf(actor) % COLOURS.length];
    return `<line x1="${x}" y1="${top + 28}" x2="${x}" y2="${y}" stroke="${colour}" stroke-opacity="0.35" stroke-width="2"/>`;
  });

  if (story.violation) {
    const { invariant, rule, message } = story.violation;
    const said = [`Broken: ${invariant}${rule === undefined ? "" : ` (${rule})`}`, message].flatMap((text) =>
      fitting(text, inner - 2 * PAD, BOLD),
    );
    body.push(
      `<rect x="${MARGIN}" y="${y + 6}" width="${inner}" height="${said.length * LINE + 2 * PAD}" rx="6" fill="#fef2f2" stroke="#b91c1c"/>`,
    );
    body.push(lines(MARGIN + PAD, y + 6 + PAD + 11, said, "broken"));
    y += said.length * LINE + 2 * PAD + 12;
  }
  const ending = [
    ...(story.remedy ? [`Remedy (variant ${story.remedy.variant}): ${story.remedy.text}.`] : []),
    story.replayCommand,
  ]
    .filter((text) => text !== "")
    .flatMap((text) => fitting(text, inner));
  body.push(lines(MARGIN, y + 18, ending, "sub"));
  y += ending.length * LINE + 18 + MARGIN;

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img">`,
    `<title>${xml(`${story.race} ${story.variant}: ${story.title}`)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect width="${width}" height="${y}" fill="#fff"/>`,
    ...lifelines,
    ...body,
    "</svg>",
    "",
  ].join("\n");
}
