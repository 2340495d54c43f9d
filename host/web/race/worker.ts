/** The worker of a stage. Two stages on one page are two workers. */
import { startWorker, type WorkerClient } from "../worker/client.ts";
import type { RaceService } from "../worker/race-service.ts";

export type RaceClient = WorkerClient<RaceService>;

export const startRaceWorker = (onLost: (problem: string) => void): RaceClient =>
  startWorker<RaceService>(
    () => new Worker(new URL("../worker/race-worker.ts", import.meta.url), { type: "module", name: "vmexit race" }),
    onLost,
  );
