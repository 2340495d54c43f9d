/**
 * vmexit demo: the whole thread once, with comments. Boots a guest that writes to its consoles and stores to the counter device;
 * shows what came out, one of the EPT violations with its way through the ioreq server, the walk of the address, and the counts.
 */
import type { Command } from "commander";
import { COUNTER_BASE } from "../../hv-core/abi/devices.ts";
import { EXIT_EPT_VIOLATION } from "../../hv-core/abi/exits.ts";
import { TRC_EXIT } from "../../hv-core/abi/trace-events.ts";
import { walkText } from "../lib/debug/walk-text.ts";
import { vcpuNamer } from "../lib/inspect.ts";
import { createMachine } from "../lib/machine.ts";
import { readTrace, type TraceRecord } from "../lib/trace/decode.ts";
import { traceLine } from "../lib/trace/text.ts";
import { compileBuild } from "../node/wasm.ts";
import { openGuest } from "./guest-source.ts";
import { countTable, exitCode } from "./report.ts";

const GUEST = "demo";
const BUDGET = 50_000_000;

/** Records from the first EPT violation on the counter device to the vCPU's next exit. */
function firstViolation(records: readonly TraceRecord[]): readonly TraceRecord[] {
  const start = records.findIndex(
    (r) => r.event === TRC_EXIT && r.a === EXIT_EPT_VIOLATION && r.c >> 12n === BigInt(COUNTER_BASE >>> 12),
  );
  if (start < 0) return [];
  const end = records.findIndex((r, i) => i > start && r.vcpu === records[start]!.vcpu && r.event === TRC_EXIT);
  return records.slice(start, end < 0 ? records.length : end);
}

async function demo(): Promise<number> {
  const source = await openGuest(GUEST, false);
  const out = (text: string): void => {
    process.stdout.write(text);
  };
  out(
    `# guest ${source.name}: ${source.image.description}, ${source.memoryBytes / 2 ** 20} MiB, real x86 code under EPT\n\n`,
  );
  using machine = createMachine(compileBuild("release"), { memoryBytes: source.memoryBytes, vcpus: source.vcpus });
  const started = performance.now();
  const { domid } = machine.createGuest({
    image: source.image,
    memoryBytes: source.memoryBytes,
    vcpus: source.vcpus,
    cmdline: source.cmdline,
    modules: [],
  });
  const end = machine.run({ maxInstructions: BUDGET });
  const wallMs = performance.now() - started;
  out(
    machine
      .console()
      .replace(/^/gm, "  | ")
      .replace(/ {2}\| $/, ""),
  );

  const path = firstViolation(readTrace(machine.core));
  if (path.length > 0) {
    out("\n# One store that no RAM answers: exit, request to the device model (an ioreq server), answer, entry\n");
    const name = vcpuNamer(machine.core);
    for (const record of path) out(`${traceLine(record, name)}\n`);
  }
  out("\n# Why it left: the EPT walk of the device's address, and of the guest's first page of code\n");
  out(walkText(machine.core, domid, COUNTER_BASE, machine.walk(domid, COUNTER_BASE)));
  out(walkText(machine.core, domid, source.image.entry, machine.walk(domid, source.image.entry)));

  const { instructions, exits } = machine.stats();
  out(`\n${countTable(`# ${instructions.toLocaleString("en-US")} instructions, exits counted`, exits)}`);
  const guestEnd = end.kind === "ended" ? machine.ended(domid) : undefined;
  out(
    `\n# ${guestEnd?.reason ?? `stopped: ${end.kind}`} after ${wallMs.toFixed(0)} ms; trace hash ${machine.traceHash()}, the same on every computer\n`,
  );
  out("# next: npx vmexit guests, npx vmexit run mmio --trace mmio.json (open it in ui.perfetto.dev)\n");
  return exitCode(guestEnd?.outcome ?? "budget");
}

export function addDemo(program: Command, done: (code: number) => void): void {
  program
    .command("demo")
    .description("boot a guest and show an EPT violation on its way through the machine")
    .action(async () => done(await demo()));
}
