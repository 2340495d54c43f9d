/**
 * The page's end of a worker. A worker that fails, or does not answer in time, is ended and `onLost` is told: the caller starts another
 * one and puts its state back, since everything that was typed lives in the page.
 */
import { wrap } from "comlink";
import workerUrl from "./machine-worker.ts?worker&url";

/** The methods of a service as the page sees them: each answers later. */
export type Asked<T> = {
  readonly [K in keyof T]: T[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

export interface WorkerClient<T> {
  /** Calls the worker; rejects with WorkerLost when it dies or takes longer than `timeoutMs`. */
  call<R>(ask: (service: Asked<T>) => Promise<R>, timeoutMs?: number): Promise<R>;
  end(): void;
}

export class WorkerLost extends Error {
  override readonly name = "WorkerLost";
}

const DEFAULT_TIMEOUT = 15_000;

/** @param create makes the worker; @param onLost is called once, unless end() came first. */
export function startWorker<T>(create: () => Worker, onLost: (problem: string) => void): WorkerClient<T> {
  const worker = create();
  const waiting = new Set<(error: WorkerLost) => void>();
  let isOver = false;
  const lose = (problem: string): void => {
    if (isOver) return;
    isOver = true;
    worker.terminate();
    const error = new WorkerLost(problem);
    for (const reject of waiting) reject(error);
    waiting.clear();
    onLost(problem);
  };
  worker.addEventListener("error", (event) => {
    event.preventDefault();
    lose(event.message || "its program could not be loaded");
  });
  worker.addEventListener("messageerror", () => lose("it sent something that cannot be read"));
  const service = wrap<T>(worker) as unknown as Asked<T>;
  return {
    call(ask, timeoutMs = DEFAULT_TIMEOUT) {
      return new Promise((resolve, reject) => {
        if (isOver) {
          reject(new WorkerLost("it has ended"));
          return;
        }
        waiting.add(reject);
        const timer = setTimeout(
          () => lose(`it did not answer for ${Math.round(timeoutMs / 1000)} seconds`),
          timeoutMs,
        );
        const done = (): void => {
          clearTimeout(timer);
          waiting.delete(reject);
        };
        ask(service).then(
          (value) => {
            done();
            resolve(value);
          },
          (error: unknown) => {
            done();
            reject(error);
          },
        );
      });
    },
    end() {
      isOver = true;
      worker.terminate();
      for (const reject of waiting) reject(new WorkerLost("it was ended"));
      waiting.clear();
    },
  };
}

/** The worker of a machine. */
export const machineWorker = (): Worker => moduleWorker(workerUrl, "vmexit machine");

/**
 * A worker from the built file at `url`. A page of another site that embeds us may not start our worker, but one of its own that imports
 * ours; the other site's server must then allow it (Access-Control-Allow-Origin).
 */
export function moduleWorker(url: string, name: string): Worker {
  const address = new URL(url, import.meta.url);
  if (address.origin === location.origin) return new Worker(address, { type: "module", name });
  const line = new Blob([`import ${JSON.stringify(address.href)};`], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(line), { type: "module", name });
}
