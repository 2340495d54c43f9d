/** The README of a race's folder: its lesson, its variants, and what exhaustive search counted. Written by scripts/record-races.mjs. */
import type { Race } from "./race.ts";
import type { SearchResult } from "./search.ts";

function outcome(result: SearchResult): string {
  return result.violation ? `violation: ${result.violation.invariant}` : "clean, all states explored";
}

export function raceReadme(race: Race, results: Readonly<Record<string, SearchResult>>): string {
  const rows = Object.entries(race.variants).map(([name, variant]) => {
    const result = results[name]!;
    const schedule = result.violation ? `[${name}.schedule](${name}.schedule)` : "";
    return `| \`${name}\` | ${variant.text} | ${outcome(result)} | ${result.states} | ${result.steps} | ${schedule} |`;
  });
  const buggy = Object.keys(race.variants)[0]!;
  return `# ${race.name} (${race.id})

${race.title}.

${race.lesson}

| variant | ${race.varies ?? "the hypervisor"} | exhaustive search | states | steps | smallest schedule |
|---|---|---|---|---|---|
${rows.join("\n")}

For a violation the counts are those until it was found. See it with

    vmexit race ${race.name} --variant ${buggy}
    vmexit replay host/lib/races/${race.name}/${buggy}.schedule
`;
}
