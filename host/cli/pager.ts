/** vmexit pager: runs a guest whose pages are put away in a file, or in memory, and brought back when it touches them. */
import type { Command } from "commander";
import { UsageError } from "../lib/errors.ts";
import { type PagingProgress, runPaged } from "../lib/pager/paging-run.ts";
import { memoryStore, type PageStore } from "../lib/pager/store.ts";
import { openPageFile, type PageFile } from "../node/page-file.ts";
import { addBootOptions, type BootOptions, bootGuest } from "./booted.ts";
import { parseCount, parseInstructions } from "./options.ts";
import { exitCode } from "./report.ts";

interface PagerCliOptions extends BootOptions {
  readonly slice: string;
  readonly batch: string;
  readonly file?: string;
  readonly killAt?: string;
  readonly maxInstructions: string;
  readonly json?: boolean;
}

const MOST_PAGES = 1_000_000;
/** The live line is written so often, ms. */
const EVERY = 100;
const n = (value: number): string => value.toLocaleString("en-US");

function liveLine(): (progress: PagingProgress) => void {
  let last = 0;
  return (p) => {
    const now = performance.now();
    if (now - last < EVERY) return;
    last = now;
    process.stderr.write(
      `\r${n(p.instructions)} instructions; ${n(p.out)} of ${n(p.pages)} pages out; ${n(p.evicted)} evicted, ${n(p.loaded)} loaded, ${n(p.refused)} refused   `,
    );
  };
}

function summary(p: PagingProgress, outcome: string): string {
  const killed = p.killedBefore === undefined ? "" : `; killed before "${p.killedBefore}", and another pager took over`;
  return (
    `${n(p.evicted)} pages evicted, ${n(p.loaded)} loaded, ${n(p.refused)} refused (in use, touched meanwhile, or no RAM)\n` +
    `${n(p.out)} of ${n(p.pages)} pages are out at the end; ${n(p.steps)} steps of the pager${killed}\n` +
    `the guest ended: ${outcome}\n`
  );
}

/** The store: in memory, or the file of this run alone. */
function storeOf(what: string, path: string | undefined): { store: PageStore; reopen: () => PageStore; close(): void } {
  if (path === undefined) {
    const store = memoryStore();
    return { store, reopen: () => store, close: () => {} };
  }
  const name = `${what} ${process.pid} ${Date.now()}`;
  let file: PageFile = openPageFile(path, name);
  return {
    store: file,
    reopen() {
      file.close();
      file = openPageFile(path, name);
      return file;
    },
    close: () => file.close(),
  };
}

async function pager(what: string, options: PagerCliOptions): Promise<number> {
  const slice = parseInstructions(options.slice, "--slice");
  const batch = parseCount(options.batch, "--batch", 1, MOST_PAGES);
  const maxInstructions = parseInstructions(options.maxInstructions, "--max-instructions");
  const killAt = options.killAt === undefined ? undefined : parseCount(options.killAt, "--kill-at", 0, 1_000_000_000);
  const { machine, domid } = await bootGuest(what, { ...options, knob: ["mem.paging=on", ...options.knob] });
  using m = machine;
  if (m.ended(domid)) throw new UsageError(`${what} has ended and is gone by then: choose a smaller --at`);
  const { store, reopen, close } = storeOf(what, options.file);
  const result = runPaged({
    machine: m,
    domid,
    slice,
    batch,
    maxInstructions,
    store,
    reopen,
    ...(killAt === undefined ? {} : { killAt }),
    ...(options.json ? {} : { onProgress: liveLine() }),
  });
  close();
  const outcome = m.ended(domid)?.outcome ?? "budget";
  if (killAt !== undefined && result.killedBefore === undefined)
    process.stderr.write(`vmexit: the pager took only ${n(result.steps)} steps, so it was not killed\n`);
  if (options.json)
    process.stdout.write(
      `${JSON.stringify({ format: "vmexit-pager", version: 1, guest: what, outcome, ...result, console: m.console() })}\n`,
    );
  else process.stdout.write(`\n${m.console()}${summary(result, outcome)}`);
  return exitCode(outcome);
}

export function addPager(program: Command, done: (code: number) => void): void {
  const command = program
    .command("pager")
    .description("run a guest while its pages are put away and brought back when it touches them")
    .argument("<guest>", "name of a guest, or a file")
    .option("--slice <instructions>", "the guest runs so long between two turns of the pager", "2k")
    .option("--batch <pages>", "pages that the pager tries to put away in a turn", "8")
    .option("--file <path>", "keep them in this file, which is made; without it in memory")
    .option("--kill-at <step>", "the pager dies before this step of its, and another one takes over")
    .option("--max-instructions <n>", "stop after so many, exit code 3", "1g")
    .option("--json", "print one JSON object at the end and no live line");
  addBootOptions(command).action(async (what: string, options: PagerCliOptions) => done(await pager(what, options)));
}
