/** The worker of the lessons; when it is lost, the next question starts another one. */
import { startWorker, type WorkerClient } from "../worker/client.ts";
import type { LessonService } from "../worker/lesson-service.ts";

export type LessonClient = WorkerClient<LessonService>;

/** Exercises may explore: longer than other questions. */
export const CHECK_TIMEOUT = 60_000;

export const startLessonWorker = (onLost: (problem: string) => void): LessonClient =>
  startWorker<LessonService>(
    () =>
      new Worker(new URL("../worker/lesson-worker.ts", import.meta.url), { type: "module", name: "vmexit lessons" }),
    onLost,
  );
