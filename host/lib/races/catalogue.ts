/** The catalogue of races (spec 09): `vmexit race list`. A race is a folder with race.ts, README.md and its minimal schedules. */
import type { Race } from "../explore/race.ts";
import { answerBeforeDeschedule } from "./answer-before-deschedule/race.ts";
import { answerForNobody } from "./answer-for-nobody/race.ts";
import { auditKeepsLock } from "./audit-keeps-lock/race.ts";
import { bufferedRingPointers } from "./buffered-ring-pointers/race.ts";
import { checkThenMap } from "./check-then-map/race.ts";
import { completionAfterTypeFlip } from "./completion-after-type-flip/race.ts";
import { countBeforeFlush } from "./count-before-flush/race.ts";
import { countedWithoutSaving } from "./counted-without-saving/race.ts";
import { cowTypeUnlocked } from "./cow-type-unlocked/race.ts";
import { crossedShares } from "./crossed-shares/race.ts";
import { crossingAddLivelock } from "./crossing-add-livelock/race.ts";
import { dedupHashThenShare } from "./dedup-hash-then-share/race.ts";
import { destroyWhileMapping } from "./destroy-while-mapping/race.ts";
import { destroyWithoutUnmap } from "./destroy-without-unmap/race.ts";
import { domctlStarvation } from "./domctl-starvation/race.ts";
import { doubleGrant } from "./double-grant/race.ts";
import { emulatorDies } from "./emulator-dies/race.ts";
import { entryReadTwice } from "./entry-read-twice/race.ts";
import { eventHalfFilled } from "./event-half-filled/race.ts";
import { evictAgainstTouch } from "./evict-against-touch/race.ts";
import { extStateSize } from "./ext-state-size/race.ts";
import { fetchLivelock } from "./fetch-livelock/race.ts";
import { fifoExpand } from "./fifo-expand/race.ts";
import { firstAnswerOnly } from "./first-answer-only/race.ts";
import { foreignAnswer } from "./foreign-answer/race.ts";
import { forkAgainstShare } from "./fork-against-share/race.ts";
import { forkDuringHypercall } from "./fork-during-hypercall/race.ts";
import { fullRing } from "./full-ring/race.ts";
import { grantCopyUnheld } from "./grant-copy-unheld/race.ts";
import { grantEarlyReport } from "./grant-early-report/race.ts";
import { grantEntryFrame } from "./grant-entry-frame/race.ts";
import { grantPutFirst } from "./grant-put-first/race.ts";
import { grantStaleStatus } from "./grant-stale-status/race.ts";
import { grantStatusFrame } from "./grant-status-frame/race.ts";
import { grantUncheckedRef } from "./grant-unchecked-ref/race.ts";
import { infoFreedEarly } from "./info-freed-early/race.ts";
import { ioreqUnmapWindow } from "./ioreq-unmap-window/race.ts";
import { iotlbNotFlushed } from "./iotlb-not-flushed/race.ts";
import { lineRelease } from "./line-release/race.ts";
import { listenerLeaves } from "./listener-leaves/race.ts";
import { lockLeftBehind } from "./lock-left-behind/race.ts";
import { lostWakeup } from "./lost-wakeup/race.ts";
import { migrationEntry } from "./migration-entry/race.ts";
import { mixedMemoryTypes } from "./mixed-memory-types/race.ts";
import { mlockDoesNotNest } from "./mlock-does-not-nest/race.ts";
import { oneFlagForAll } from "./one-flag-for-all/race.ts";
import { pageInEarly } from "./page-in-early/race.ts";
import { pauseCount } from "./pause-count/race.ts";
import { pauseUnderLock } from "./pause-under-lock/race.ts";
import { portList } from "./port-list/race.ts";
import { resurrectedCount } from "./resurrected-count/race.ts";
import { revokeWhileMapped } from "./revoke-while-mapped/race.ts";
import { ringDisabledInUse } from "./ring-disabled-in-use/race.ts";
import { ringPageWindow } from "./ring-page-window/race.ts";
import { savedCountedTwice } from "./saved-counted-twice/race.ts";
import { selfPause } from "./self-pause/race.ts";
import { setTypeWindow } from "./set-type-window/race.ts";
import { shutdownDuringSend } from "./shutdown-during-send/race.ts";
import { slotStateReadTwice } from "./slot-state-read-twice/race.ts";
import { slotStateToggled } from "./slot-state-toggled/race.ts";
import { stalePortBitmap } from "./stale-port-bitmap/race.ts";
import { staleView } from "./stale-view/race.ts";
import { thirdDomain } from "./third-domain/race.ts";
import { typeChangeNoop } from "./type-change-noop/race.ts";
import { typePutUnderLock } from "./type-put-under-lock/race.ts";
import { unmapEndsLogDirty } from "./unmap-ends-log-dirty/race.ts";
import { vnumaFree } from "./vnuma-free/race.ts";
import { vramLogDirtyOff } from "./vram-log-dirty-off/race.ts";
import { zombieHandler } from "./zombie-handler/race.ts";

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
  grantStatusFrame,
  grantStaleStatus,
  grantEarlyReport,
  grantPutFirst,
  grantEntryFrame,
  grantCopyUnheld,
  grantUncheckedRef,
  cowTypeUnlocked,
  savedCountedTwice,
  infoFreedEarly,
  typePutUnderLock,
  lockLeftBehind,
  crossedShares,
  thirdDomain,
  countedWithoutSaving,
  auditKeepsLock,
  dedupHashThenShare,
  forkAgainstShare,
  pageInEarly,
  evictAgainstTouch,
  answerBeforeDeschedule,
  answerForNobody,
  fullRing,
  ringPageWindow,
  ringDisabledInUse,
  listenerLeaves,
  foreignAnswer,
  revokeWhileMapped,
  checkThenMap,
  doubleGrant,
  resurrectedCount,
  countBeforeFlush,
  portList,
  stalePortBitmap,
  iotlbNotFlushed,
  lineRelease,
  selfPause,
  domctlStarvation,
  pauseCount,
  zombieHandler,
  vnumaFree,
  fifoExpand,
  extStateSize,
  mlockDoesNotNest,
  migrationEntry,
  forkDuringHypercall,
  staleView,
  mixedMemoryTypes,
  destroyWhileMapping,
  crossingAddLivelock,
];
