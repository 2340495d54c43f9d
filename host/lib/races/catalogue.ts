/** The catalogue of races (spec 09): `vmexit race list`. A race is a folder with race.ts, README.md and its minimal schedules. */
import type { Race } from "../explore/race.ts";
import { completionAfterTypeFlip } from "./completion-after-type-flip/race.ts";
import { destroyWithoutUnmap } from "./destroy-without-unmap/race.ts";
import { domctlStarvation } from "./domctl-starvation/race.ts";
import { emulatorDies } from "./emulator-dies/race.ts";
import { fetchLivelock } from "./fetch-livelock/race.ts";
import { ioreqUnmapWindow } from "./ioreq-unmap-window/race.ts";
import { lostWakeup } from "./lost-wakeup/race.ts";
import { pauseCount } from "./pause-count/race.ts";
import { pauseUnderLock } from "./pause-under-lock/race.ts";
import { selfPause } from "./self-pause/race.ts";
import { setTypeWindow } from "./set-type-window/race.ts";
import { slotStateReadTwice } from "./slot-state-read-twice/race.ts";
import { slotStateToggled } from "./slot-state-toggled/race.ts";
import { vnumaFree } from "./vnuma-free/race.ts";
import { zombieHandler } from "./zombie-handler/race.ts";

export const RACES: readonly Race[] = [
  ioreqUnmapWindow,
  completionAfterTypeFlip,
  emulatorDies,
  slotStateReadTwice,
  slotStateToggled,
  pauseUnderLock,
  lostWakeup,
  destroyWithoutUnmap,
  setTypeWindow,
  fetchLivelock,
  selfPause,
  domctlStarvation,
  pauseCount,
  zombieHandler,
  vnumaFree,
];
