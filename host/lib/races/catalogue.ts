/** The catalogue of races (spec 09): `vmexit race list`. A race is a folder with race.ts, README.md and its minimal schedules. */
import type { Race } from "../explore/race.ts";
import { bufferedRingPointers } from "./buffered-ring-pointers/race.ts";
import { completionAfterTypeFlip } from "./completion-after-type-flip/race.ts";
import { crossingAddLivelock } from "./crossing-add-livelock/race.ts";
import { destroyWithoutUnmap } from "./destroy-without-unmap/race.ts";
import { emulatorDies } from "./emulator-dies/race.ts";
import { entryReadTwice } from "./entry-read-twice/race.ts";
import { eventHalfFilled } from "./event-half-filled/race.ts";
import { fetchLivelock } from "./fetch-livelock/race.ts";
import { firstAnswerOnly } from "./first-answer-only/race.ts";
import { ioreqUnmapWindow } from "./ioreq-unmap-window/race.ts";
import { lostWakeup } from "./lost-wakeup/race.ts";
import { oneFlagForAll } from "./one-flag-for-all/race.ts";
import { pauseUnderLock } from "./pause-under-lock/race.ts";
import { setTypeWindow } from "./set-type-window/race.ts";
import { shutdownDuringSend } from "./shutdown-during-send/race.ts";
import { slotStateReadTwice } from "./slot-state-read-twice/race.ts";
import { slotStateToggled } from "./slot-state-toggled/race.ts";
import { typeChangeNoop } from "./type-change-noop/race.ts";
import { unmapEndsLogDirty } from "./unmap-ends-log-dirty/race.ts";
import { vramLogDirtyOff } from "./vram-log-dirty-off/race.ts";

export const RACES: readonly Race[] = [
  ioreqUnmapWindow,
  completionAfterTypeFlip,
  typeChangeNoop,
  emulatorDies,
  slotStateReadTwice,
  slotStateToggled,
  shutdownDuringSend,
  firstAnswerOnly,
  oneFlagForAll,
  bufferedRingPointers,
  pauseUnderLock,
  eventHalfFilled,
  vramLogDirtyOff,
  entryReadTwice,
  lostWakeup,
  destroyWithoutUnmap,
  unmapEndsLogDirty,
  setTypeWindow,
  fetchLivelock,
  crossingAddLivelock,
];
