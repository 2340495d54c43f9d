/** vmexit p2m: the whole guest-physical map of a guest as ranges, before its first instruction or after some. */
import type { Command } from "commander";
import { p2mText } from "../lib/debug/p2m-text.ts";
import { UsageError } from "../lib/errors.ts";
import { readP2m } from "../lib/p2m-map.ts";
import { addBootOptions, type BootOptions, bootGuest } from "./booted.ts";

async function p2mCommand(what: string, options: BootOptions & { json?: boolean }): Promise<void> {
  const { machine, domid } = await bootGuest(what, options);
  using m = machine;
  const map = readP2m(m.core, domid);
  if (!map) throw new UsageError(`${what} has ended and is gone by then: choose a smaller --at`);
  process.stdout.write(
    options.json ? `${JSON.stringify({ format: "vmexit-p2m", version: 1, ...map })}\n` : p2mText(map),
  );
}

export function addP2m(program: Command): void {
  const command = program
    .command("p2m")
    .description("show the guest-physical map of a guest as ranges with types, sizes and counts")
    .argument("<guest>", "name of a guest, or a file")
    .option("--json", "print one JSON object");
  addBootOptions(command).action(p2mCommand);
}
