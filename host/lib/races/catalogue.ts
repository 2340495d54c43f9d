/** The catalogue of races (spec 09): `vmexit race list`. A race is a folder with race.ts, README.md and its minimal schedules. */
import type { Race } from "../explore/race.ts";
import { completionAfterTypeFlip } from "./completion-after-type-flip/race.ts";
import { destroyWithoutUnmap } from "./destroy-without-unmap/race.ts";
import { emulatorDies } from "./emulator-dies/race.ts";
import { fetchLivelock } from "./fetch-livelock/race.ts";
import { forkDuringHypercall } from "./fork-during-hypercall/race.ts";
import { ioreqUnmapWindow } from "./ioreq-unmap-window/race.ts";
import { lostWakeup } from "./lost-wakeup/race.ts";
import { migrationEntry } from "./migration-entry/race.ts";
import { mlockDoesNotNest } from "./mlock-does-not-nest/race.ts";
import { pauseUnderLock } from "./pause-under-lock/race.ts";
import { setTypeWindow } from "./set-type-window/race.ts";
import { slotStateReadTwice } from "./slot-state-read-twice/race.ts";
import { slotStateToggled } from "./slot-state-toggled/race.ts";
import { staleView } from "./stale-view/race.ts";

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
  mlockDoesNotNest,
  migrationEntry,
  forkDuringHypercall,
  staleView,
];
