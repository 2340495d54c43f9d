/** vmexit run --wasi: the same guest in the stand-alone command module, which loads the file and serves the console itself. */

import { DEVICE_AT_HOST } from "../../hv-core/abi/knobs.ts";
import { counterNames } from "../lib/counters.ts";
import { UsageError } from "../lib/errors.ts";
import { exitName } from "../lib/exits.ts";
import { endOf, type GuestEnd } from "../lib/guest-end.ts";
import { knobSettings } from "../lib/knobs.ts";
import { runWasi, type WasiEngine } from "../node/wasi.ts";
import type { GuestSource } from "./guest-source.ts";
import { type KnobOptions, parseKnobOptions } from "./options.ts";
import type { RunReport } from "./report.ts";
import { tlbCounters } from "./report.ts";

export interface WasiOptions extends KnobOptions {
  readonly wasi: string | boolean;
  readonly module: readonly string[];
  readonly trace?: string;
  readonly json?: boolean;
  readonly stats?: boolean;
}

export interface WasiSettings {
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly cmdline: string;
  readonly maxInstructions?: number;
}

/** The line the module prints (hv-core/wasi/summary.ts). */
interface Summary {
  readonly outcome: RunReport["outcome"];
  /** SHUTDOWN_* and CRASH_* of a guest that has shut down. */
  readonly shutdownCode?: number;
  readonly crashReason?: number;
  readonly instructions: number;
  readonly exits: Readonly<Record<string, number>>;
  readonly counters: Readonly<Record<string, number>>;
  readonly traceHash: string;
  readonly stateHash: string;
}

export const isWasiSystem = (name: string): name is WasiEngine => name === "wasmer" || name === "node";

function parseEngine(value: string | boolean): WasiEngine {
  if (value === true) return "wasmer";
  if (typeof value === "string" && isWasiSystem(value)) return value;
  throw new UsageError(`--wasi "${value}" is no WASI system: use wasmer or node`);
}

/** Options of the module: sizes, and every knob by number. Its devices are always in the core. */
function moduleOptions(options: WasiOptions, settings: WasiSettings): string[] {
  const { era, knobs } = parseKnobOptions(options);
  const args = ["--summary", "--memory", String(settings.memoryBytes), "--vcpus", String(settings.vcpus)];
  if (settings.cmdline !== "") args.push("--cmdline", settings.cmdline);
  if (settings.maxInstructions !== undefined) args.push("--max-instructions", String(settings.maxInstructions));
  for (const [index, value] of knobSettings(era ?? "4.17", knobs)) args.push("--knob", `${index}=${value}`);
  return args;
}

/** The end in the words of the main build. */
function endOfSummary(summary: Summary): GuestEnd {
  if (summary.shutdownCode !== undefined) return endOf(summary.shutdownCode, summary.crashReason ?? 0);
  if (summary.outcome === "budget") return { outcome: "budget", reason: "the budget of instructions is spent" };
  return { outcome: "halted", reason: "every vCPU waits for an event that nobody can send" };
}

/** @returns the exit code. @throws UsageError */
export async function runInWasi(source: GuestSource, options: WasiOptions, settings: WasiSettings): Promise<number> {
  if (options.module.length > 0) throw new UsageError("--wasi takes no --module: the command module loads one file");
  if (options.trace !== undefined)
    throw new UsageError("--wasi writes no --trace: run without it, or with --json for the hash");
  if (options.stats) throw new UsageError("--wasi prints no --stats: use --json, which has the counts");
  if (parseKnobOptions(options).knobs["device.at"] === DEVICE_AT_HOST)
    throw new UsageError("--wasi has its devices in the core: leave --knob device.at=host away");
  if (source.image.format !== "pvh")
    throw new UsageError(`--wasi boots ELF files with a PVH note: run this ${source.image.description} without --wasi`);
  if (settings.vcpus > 8) throw new UsageError("--wasi has at most 8 vCPUs");
  const started = performance.now();
  const result = await runWasi(parseEngine(options.wasi), source.file, moduleOptions(options, settings));
  const wallMs = Math.round((performance.now() - started) * 10) / 10;
  if (!result.stderr.startsWith("{")) {
    process.stderr.write(result.stderr);
    return result.exitCode;
  }
  const summary = JSON.parse(result.stderr) as Summary;
  const { reason } = endOfSummary(summary);
  if (options.json) {
    const named = (counts: Readonly<Record<string, number>>, name: (index: number) => string): Record<string, number> =>
      Object.fromEntries(Object.entries(counts).map(([index, count]) => [name(Number(index)), count]));
    const report: RunReport = {
      guest: source.name,
      outcome: summary.outcome,
      reason,
      instructions: summary.instructions,
      exits: named(summary.exits, exitName),
      tlb: tlbCounters(named(summary.counters, (index) => counterNames.get(index) ?? `counter${index}`)),
      console: new TextDecoder().decode(result.stdout),
      traceHash: summary.traceHash,
      stateHash: summary.stateHash,
      wallMs,
    };
    process.stdout.write(`${JSON.stringify(report)}\n`);
  } else {
    process.stdout.write(result.stdout);
    if (summary.outcome !== "poweroff") process.stderr.write(`vmexit: ${source.name}: ${summary.outcome}: ${reason}\n`);
  }
  return result.exitCode;
}
