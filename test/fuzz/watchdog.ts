/**
 * Ends this process when a run does not come back: WebAssembly cannot be interrupted from the thread it runs on, so a second thread
 * watches a shared counter. What it prints last is the command that repeats the run.
 */
import { Worker } from "node:worker_threads";

export interface Watchdog extends Disposable {
  /** To be called before each run. */
  begin(run: number): void;
}

const SCRIPT = `
const { workerData } = require("node:worker_threads");
const progress = new Int32Array(workerData.shared);
let last = -1, since = Date.now();
setInterval(() => {
  const now = Atomics.load(progress, 0);
  if (now !== last) { last = now; since = Date.now(); return; }
  if (Atomics.load(progress, 1) || Date.now() - since < workerData.seconds * 1000) return;
  require("node:fs").writeSync(2, "\\nfuzz: run " + now + " hangs. Repeat it: " + workerData.command.replace("%", String(now)) + "\\n");
  process.kill(process.pid, "SIGKILL");
}, 500).unref?.();
`;

/** `command` contains % where the number of the run goes. */
export function startWatchdog(command: string, seconds = 20): Watchdog {
  const shared = new SharedArrayBuffer(8);
  const progress = new Int32Array(shared);
  const worker = new Worker(SCRIPT, { eval: true, workerData: { shared, command, seconds } });
  worker.unref();
  return {
    begin: (run) => Atomics.store(progress, 0, run),
    [Symbol.dispose]() {
      Atomics.store(progress, 1, 1);
      void worker.terminate();
    },
  };
}
