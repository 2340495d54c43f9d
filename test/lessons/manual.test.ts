/** docs/lessons/README.md: all lessons with their titles and minutes, and every word of the vocabulary. Write the words again: VMEXIT_RECORD=1. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ACTIONS, QUANTITIES } from "../../host/lib/lesson/check-line.ts";
import { parseLesson } from "../../host/lib/lesson/lesson-file.ts";
import { ROOT } from "../../host/node/paths.ts";

const FOLDER = join(ROOT, "docs/lessons");
const FILE = join(FOLDER, "README.md");
const manual = readFileSync(FILE, "utf8");

it("lists every lesson", () => {
  const files = readdirSync(FOLDER).filter((name) => /^\d\d-/.test(name));
  for (const file of files) {
    const { title, minutes } = parseLesson(file, readFileSync(join(FOLDER, file), "utf8"));
    expect(manual).toContain(`| ${Number(file.slice(0, 2))} | [${title}](${file}) | ${minutes} |`);
  }
});

it("has every word of the vocabulary", () => {
  const rows = (words: Readonly<Record<string, string>>): string =>
    Object.entries(words)
      .map(([word, text]) => `| \`${word}\` | ${text.replaceAll("|", "\\|")} |`)
      .join("\n");
  const words = `| action | |\n|---|---|\n${rows(ACTIONS)}\n\n| quantity | |\n|---|---|\n${rows(QUANTITIES)}`;
  const written = manual.replace(/<!-- words -->[\s\S]*<!-- end -->/, () => `<!-- words -->\n${words}\n<!-- end -->`);
  if (process.env.VMEXIT_RECORD) writeFileSync(FILE, written);
  else expect(manual).toBe(written);
});
