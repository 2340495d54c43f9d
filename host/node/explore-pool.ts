/** Worker threads for the explorer: each takes parts of a search (explore/search-parts.ts) from one queue until it is empty. */
import { Worker } from "node:worker_threads";
import { createClaims } from "../lib/explore/claims.ts";
import type { RaceInstance } from "../lib/explore/instance.ts";
import type { Budget, SearchResult } from "../lib/explore/search.ts";
import { mergeParts, type PartResult, splitPrefixes, splitStates, type WorkUnit } from "../lib/explore/search-parts.ts";

/** Parts for each worker: they are of different sizes. */
const PARTS_PER_WORKER = 8;

export interface PoolMessage {
  readonly unit: WorkUnit;
  readonly budget: Budget;
}

export interface PoolData {
  /** The build of the core that the strategy needs, compiled. */
  readonly module: WebAssembly.Module;
  readonly claims: SharedArrayBuffer;
  /** One i32: 1 = give up, somebody has found something. */
  readonly stop: SharedArrayBuffer;
}

/** Answer to a PoolMessage. */
export type PoolAnswer = { readonly part: PartResult } | { readonly error: string };

export interface PoolOptions {
  readonly workers: number;
  readonly budget: Budget;
  readonly module: WebAssembly.Module;
  /** Without its prefix and seed, which differ from part to part. */
  readonly job: Omit<WorkUnit, "prefix">;
  /** Parts that are done, of how many. */
  readonly onPart?: (done: number, all: number) => void;
}

function unitsOf(
  instance: RaceInstance,
  options: PoolOptions,
  claim: (key: string) => boolean,
): { units: WorkUnit[]; first: PartResult[] } {
  const { job, workers } = options;
  const parts = workers * PARTS_PER_WORKER;
  if (job.strategy === "exhaustive") {
    const { prefixes, part } = splitStates(instance, parts, claim);
    return { units: prefixes.map((prefix) => ({ ...job, prefix })), first: [part] };
  }
  if (job.strategy === "dpor")
    return { units: splitPrefixes(instance, parts).map((prefix) => ({ ...job, prefix })), first: [] };
  return { units: Array.from({ length: workers }, (_, i) => ({ ...job, prefix: [], seed: job.seed + i })), first: [] };
}

/** Searches with several threads. @throws Error when a worker fails. */
export async function searchInParallel(instance: RaceInstance, options: PoolOptions): Promise<SearchResult> {
  const started = performance.now();
  const claims = createClaims();
  const { units, first } = unitsOf(instance, options, claims.claim);
  const stop = new SharedArrayBuffer(4);
  const parts = [...first];
  if (first.some((part) => part.result.verdict !== "clean")) return mergeParts(instance, parts, 0);
  const queue = [...units];
  const seconds = (): number => (performance.now() - started) / 1000;
  const data: PoolData = { module: options.module, claims: claims.buffer, stop };

  function work(): Promise<void> {
    const worker = new Worker(new URL("./explore-worker.js", import.meta.url), { workerData: data });
    return new Promise<void>((resolve, reject) => {
      const next = (): void => {
        const unit = queue.shift();
        if (!unit || Atomics.load(new Int32Array(stop), 0) !== 0) {
          void worker.terminate().then(() => resolve());
          return;
        }
        const budget = {
          steps: options.budget.steps,
          seconds: Math.max(0.01, options.budget.seconds - seconds()),
        };
        worker.postMessage({ unit, budget } satisfies PoolMessage);
      };
      worker.on("message", (answer: PoolAnswer) => {
        if ("error" in answer) {
          void worker.terminate().then(() => reject(new Error(answer.error)));
          return;
        }
        parts.push(answer.part);
        const { violation } = answer.part.result;
        if (violation && violation.invariant !== "livelock") Atomics.store(new Int32Array(stop), 0, 1);
        options.onPart?.(parts.length - first.length, units.length);
        next();
      });
      worker.on("error", reject);
      next();
    });
  }

  await Promise.all(Array.from({ length: Math.min(options.workers, units.length) }, work));
  return mergeParts(instance, parts, seconds());
}
