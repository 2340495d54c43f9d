/** The catalogue of races (spec 09): `vmexit race list`. A race is a folder with race.ts, README.md and its minimal schedules. */
import type { Race } from "../explore/race.ts";
import { checkThenMap } from "./check-then-map/race.ts";
import { completionAfterTypeFlip } from "./completion-after-type-flip/race.ts";
import { countBeforeFlush } from "./count-before-flush/race.ts";
import { destroyWhileMapping } from "./destroy-while-mapping/race.ts";
import { destroyWithoutUnmap } from "./destroy-without-unmap/race.ts";
import { doubleGrant } from "./double-grant/race.ts";
import { emulatorDies } from "./emulator-dies/race.ts";
import { fetchLivelock } from "./fetch-livelock/race.ts";
import { ioreqUnmapWindow } from "./ioreq-unmap-window/race.ts";
import { iotlbNotFlushed } from "./iotlb-not-flushed/race.ts";
import { lineRelease } from "./line-release/race.ts";
import { lostWakeup } from "./lost-wakeup/race.ts";
import { mixedMemoryTypes } from "./mixed-memory-types/race.ts";
import { pauseUnderLock } from "./pause-under-lock/race.ts";
import { portList } from "./port-list/race.ts";
import { revokeWhileMapped } from "./revoke-while-mapped/race.ts";
import { setTypeWindow } from "./set-type-window/race.ts";
import { slotStateReadTwice } from "./slot-state-read-twice/race.ts";
import { slotStateToggled } from "./slot-state-toggled/race.ts";
import { stalePortBitmap } from "./stale-port-bitmap/race.ts";

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
  revokeWhileMapped,
  checkThenMap,
  doubleGrant,
  countBeforeFlush,
  portList,
  stalePortBitmap,
  iotlbNotFlushed,
  lineRelease,
  mixedMemoryTypes,
  destroyWhileMapping,
];
