/**
 * The designs of spec 03 section 3.7, A to H, each with the values of the knobs that make it and what the explorer finds. Which actors
 * a variant has: `scene`, in scenes.ts.
 */
import type { RaceVariant } from "../../explore/race.ts";
import type { Scene } from "./scenes.ts";

export interface UnmapVariant extends RaceVariant {
  readonly scene: Scene;
}

const LOST = "every-write-once";
const EARLY = { "unmap.p2mLock": 1 };
/** The lock is dropped, and whoever goes on looks the type up again. */
const ANEW = { "unmap.holdP2mLock": 1 };
const NULL = { "unmap.onNoServer": 1 };
const COPY = { "unmap.onNoServer": 2 };
const PAUSE = { "unmap.pause": 1 };
/** Made invalid at once, repaired when touched; nobody waits until all are. */
const LAZY = { "unmap.reset": 1 };
const MAP_ANYWAY = { "map.left": 1 };
const EVENT_LOCK = { "send.lock": 2 };

const one = (
  scene: Scene,
  expect: string,
  text: string,
  knobs: Readonly<Record<string, number>> = {},
): UnmapVariant => ({
  scene,
  expect,
  text,
  knobs,
});

export const UNMAP_VARIANTS: Readonly<Record<string, UnmapVariant>> = {
  // A: nothing is done about it.
  "early-null": one("unmap", LOST, "A: the p2m lock is dropped after the lookup, and no server means: drop the write", {
    ...EARLY,
    ...NULL,
  }),
  "held-null": one("unmap", LOST, "A: the p2m lock is held, but no server still means: drop the write", NULL),
  "early-retry": one(
    "unmap",
    LOST,
    "A and E: no server means: run the instruction again; but the lock is dropped, so the type may have become RAM meanwhile",
    EARLY,
  ),
  "anew-null": one(
    "unmap",
    LOST,
    "A: the lock is dropped and the type looked up again; no server means: drop the write",
    {
      ...ANEW,
      ...NULL,
    },
  ),
  "anew-retry": one("unmap", "clean", "A and E: the same, and no server means: run the instruction again", ANEW),
  // B: the domain is paused.
  "pause-null": one(
    "unmap",
    "clean",
    "B, v6 of 2016: the domain is paused while server and types go, so neither the lock nor the null handler matters",
    { ...EARLY, ...NULL, ...PAUSE },
  ),
  "pause-split": one(
    "split",
    LOST,
    "B: paused as well; but a vCPU that waits for the answer to the first half of a write is paused in the middle of it",
    { ...NULL, ...PAUSE, "emulate.pieces": 1 },
  ),
  "pause-split-anew": one(
    "split",
    "clean",
    "B: the same, and the second half looks at the page type for itself: it finds RAM",
    { ...NULL, ...PAUSE },
  ),
  // C: the lock is held until the request is sent.
  "held-event-lock": one(
    "events",
    "deadlock",
    "C before 2015: held, and one event lock for all channels of a domain: sending takes it under the p2m lock, others the other way round",
    EVENT_LOCK,
  ),
  "early-event-lock": one(
    "events",
    LOST,
    "C as repaired in 2012 (77b8dfec88): the p2m lock is dropped first. No deadlock, and the window is open",
    { ...EARLY, ...EVENT_LOCK },
  ),
  "held-event-channels": one(
    "events",
    "clean",
    "C since 2015 (de6acb78bf): the lock is held, each channel has a lock of its own",
  ),
  // D: the hypervisor writes to RAM itself.
  "held-copy": one("unmap", "clean", "D: no server means: the hypervisor writes to RAM, with the p2m lock held", COPY),
  "early-copy": one(
    "unmap",
    "clean",
    "D: the same without the lock: as long as nobody else gets the page, no write is lost",
    {
      ...EARLY,
      ...COPY,
    },
  ),
  "anew-copy-new-owner": one(
    "takeover",
    "new-owner-sees-all",
    "D: without the lock; a second server gets the page between the decision and the write, and never hears of it",
    { ...ANEW, ...COPY },
  ),
  "held-copy-new-owner": one("takeover", "clean", "D: with the lock, decision and write are one", COPY),
  "fixed-new-owner": one("takeover", "clean", "E as merged: run again, and the page's new owner hears of it"),
  // E: run again.
  "retry-no-reset": one(
    "unmap",
    "livelock",
    "E: run again, but nobody turns the pages back into RAM: the write is tried for ever",
    { "unmap.reset": 3 },
  ),
  "retry-direct": one("unmap", "clean", "E: run again; each page is set to RAM under the lock", { "unmap.reset": 2 }),
  // F: entries become RAM when they are touched.
  "retry-lazy": one(
    "unmap",
    "clean",
    "F: run again; the entries are made invalid and repaired when they are touched",
    LAZY,
  ),
  "lazy-map-again": one(
    "inherit",
    "only-own-pages",
    "F: the type may be mapped again while stale entries are left: the second server inherits pages it never asked for",
    { ...LAZY, ...MAP_ANYWAY },
  ),
  "lazy-busy": one(
    "inherit",
    "clean",
    "F: entries are repaired when they are touched, and as long as some are left the type cannot be mapped (-EBUSY)",
    LAZY,
  ),
  // G: a read-modify-write reads first.
  "rmw-read-request": one(
    "rmw",
    LOST,
    "G: the read half of `add [page], 1` is a request of its own that nobody answers: all ones, and 0 is written",
    { "rmw.readFromRam": 1 },
  ),
  "rmw-read-ram": one("rmw", "clean", "G: the hypervisor reads RAM for it; only the write goes to the server"),
  // H: others who write.
  "copy-out-writes": one(
    "copyout",
    "server-hears-all",
    "H: a hypercall's answer is copied straight into the watched page",
    { "copy.typed": 1 },
  ),
  "copy-out-refused": one("copyout", "clean", "H: such a copy fails, the hypercall answers -EFAULT"),
  fixed: one(
    "unmap",
    "clean",
    "C, E and F as merged in 2017: the lock is held until the request is sent, no server means: run the instruction again",
  ),
  "fixed-2-writes": one("again", "clean", "the same, and the guest writes twice"),
  "fixed-2-vcpus": one("two", "clean", "the same with two vCPUs that write to the page"),
};
