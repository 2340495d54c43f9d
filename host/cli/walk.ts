/** vmexit walk: the EPT walk of one guest-physical address, before the guest's first instruction or after some. */
import type { Command } from "commander";
import { walkEnd, walkJson, walkText } from "../lib/debug/walk-text.ts";
import { UsageError } from "../lib/errors.ts";
import { translateGpa } from "../lib/inspect.ts";
import { addBootOptions, type BootOptions, bootGuest } from "./booted.ts";
import { parseGpa } from "./options.ts";

async function walkCommand(what: string, address: string, options: BootOptions & { json?: boolean }): Promise<void> {
  const gpa = parseGpa(address);
  const { machine, domid } = await bootGuest(what, options);
  using m = machine;
  const steps = m.walk(domid, gpa);
  if (steps.length === 0) throw new UsageError(`${what} has ended and is gone by then: choose a smaller --at`);
  const mfn = translateGpa(m.core, domid, gpa);
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ format: "vmexit-walk", version: 1, gpa, steps: walkJson(steps), end: walkEnd(steps.at(-1)), machineAddress: mfn < 0 ? null : mfn * 4096 + (gpa % 4096) })}\n`
      : walkText(m.core, domid, gpa, steps),
  );
}

export function addWalk(program: Command): void {
  const command = program
    .command("walk")
    .description("show how the EPT translates one guest-physical address")
    .argument("<guest>", "name of a guest, or a file")
    .argument("<gpa>", "guest-physical address, for instance 0x100000")
    .option("--json", "print one JSON object");
  addBootOptions(command).action(walkCommand);
}
