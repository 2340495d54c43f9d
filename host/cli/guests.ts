/** vmexit guests: what can be run by name. */
import type { Command } from "commander";
import { guestNames, loadGuest } from "../node/guests.ts";

async function listGuests(): Promise<void> {
  const guests = await Promise.all(guestNames().map(loadGuest));
  if (guests.length === 0) return;
  const width = Math.max(...guests.map((g) => g.name.length));
  const line = (name: string, title: string): string => `  ${name.padEnd(width)}  ${title}\n`;
  process.stdout.write(
    `Lessons (vmexit run <name>):\n${guests
      .filter((g) => !g.isProbe)
      .map((g) => line(g.name, g.title))
      .join("")}`,
  );
  const probes = guests.filter((g) => g.isProbe);
  if (probes.length > 0)
    process.stdout.write(`Probes, compared with a real Xen:\n${probes.map((g) => line(g.name, g.title)).join("")}`);
}

export function addGuests(program: Command): void {
  program.command("guests").description("list the guests that come with vmexit").action(listGuests);
}
