/** vmexit gdb: a guest that waits for GDB, with time going both ways. */
import type { Command } from "commander";
import { UsageError } from "../lib/errors.ts";
import { archOf, type GdbArch, registerMap } from "../lib/gdb/registers.ts";
import { createTarget } from "../lib/gdb/target.ts";
import { openSession } from "../lib/travel/session.ts";
import { type GdbServer, serveGdb } from "../node/gdb-server.ts";
import { addBootOptions, type BootOptions, bootGuest } from "./booted.ts";
import { parseCount } from "./options.ts";

interface GdbOptions extends BootOptions {
  readonly port: string;
  readonly arch: string;
  readonly json?: boolean;
}

const ARCHES: Readonly<Record<string, GdbArch | undefined>> = {
  auto: undefined,
  i386: "i386",
  "x86-64": "i386:x86-64",
};

async function gdb(what: string, options: GdbOptions): Promise<void> {
  const port = parseCount(options.port, "--port", 0, 65535);
  if (!(options.arch in ARCHES)) throw new UsageError(`--arch "${options.arch}": write auto, i386 or x86-64`);
  const { machine, domid } = await bootGuest(what, options);
  using session = openSession(machine);
  const slot = machine.vcpus(domid)[0];
  if (slot === undefined) throw new UsageError(`${what} has ended and is gone by then: choose a smaller --at`);
  const makeTarget = () => createTarget(session, domid, registerMap(ARCHES[options.arch] ?? archOf(machine, slot)));
  let server: GdbServer;
  try {
    server = await serveGdb(makeTarget, domid, port);
  } catch (error) {
    throw new UsageError(`port ${port} cannot be used (${(error as Error).message}): choose another with --port`);
  }
  process.stdout.write(
    options.json
      ? `${JSON.stringify({ format: "vmexit-gdb", version: 1, port: server.port })}\n`
      : `${what} waits for gdb; in gdb: target remote :${server.port}\n`,
  );
  const stop = (): void => server.close();
  process.once("SIGINT", stop);
  try {
    await Promise.race([server.ended, new Promise<void>((resolve) => process.once("SIGINT", () => resolve()))]);
  } finally {
    server.close();
    process.off("SIGINT", stop);
  }
}

export function addGdb(program: Command): void {
  const command = program
    .command("gdb")
    .description("wait for gdb (target remote); forwards and backwards, threads are vCPUs")
    .argument("<guest>", "name of a guest, or a file")
    .option("--port <n>", "TCP port on this computer, 0 = any that is free", "1234")
    .option("--arch <arch>", "auto (the guest's mode when gdb comes), i386 or x86-64", "auto")
    .option("--json", "print one JSON object with the port");
  addBootOptions(command).action(gdb);
}
