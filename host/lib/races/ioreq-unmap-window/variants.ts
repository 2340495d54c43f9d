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
const EVENT_LOCK = { "send.lock": 2, "locks.order": 1 };

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
  "early-null": one(
    "unmap",
    LOST,
    "the p2m lock is dropped after the lookup, and no server means: drop the write (design A)",
    {
      ...EARLY,
      ...NULL,
    },
  ),
  "held-null": one("unmap", LOST, "the p2m lock is held, but no server still means: drop the write (design A)", NULL),
  "early-retry": one(
    "unmap",
    LOST,
    "no server means: run the instruction again; but the lock is dropped, so the type may have become RAM meanwhile (designs A and E)",
    EARLY,
  ),
  "anew-null": one(
    "unmap",
    LOST,
    "the lock is dropped and the type looked up again; no server means: drop the write (design A)",
    {
      ...ANEW,
      ...NULL,
    },
  ),
  "anew-retry": one(
    "unmap",
    "clean",
    "the same, and no server means: run the instruction again (designs A and E)",
    ANEW,
  ),
  // B: the domain is paused.
  "pause-null": one(
    "unmap",
    "clean",
    "v6 of 2016: the domain is paused while server and types go, so neither the lock nor the null handler matters (design B)",
    { ...EARLY, ...NULL, ...PAUSE },
  ),
  "pause-split": one(
    "split",
    LOST,
    "the domain is paused; but a vCPU that waits for the answer to the first half of a write is paused in the middle of it (design B)",
    { ...NULL, ...PAUSE, "emulate.pieces": 1 },
  ),
  "pause-split-anew": one(
    "split",
    "clean",
    "paused, and the second half looks at the page type for itself: it finds RAM (design B)",
    { ...NULL, ...PAUSE },
  ),
  // C: the lock is held until the request is sent.
  "held-event-lock": one(
    "events",
    "deadlock",
    "before 2015: held, and one event lock for all channels of a domain: sending takes it under the p2m lock, others the other way round (design C)",
    EVENT_LOCK,
  ),
  "event-lock-order": one(
    "events",
    "lock-order",
    "the same, and the order of locks is checked: the event lock comes after the p2m lock, so who holds it may not take that (design C)",
    { "send.lock": 2 },
  ),
  "early-event-lock": one(
    "events",
    LOST,
    "as repaired in 2012 (77b8dfec88): the p2m lock is dropped first. No deadlock, and the window is open (design C)",
    { ...EARLY, ...EVENT_LOCK },
  ),
  "held-event-channels": one(
    "events",
    "clean",
    "since 2015 (de6acb78bf): the lock is held, each channel has a lock of its own (design C)",
  ),
  // D: the hypervisor writes to RAM itself.
  "held-copy": one(
    "unmap",
    "clean",
    "no server means: the hypervisor writes to RAM, with the p2m lock held (design D)",
    COPY,
  ),
  "early-copy": one(
    "unmap",
    "clean",
    "the same without the lock: as long as nobody else gets the page, no write is lost (design D)",
    {
      ...EARLY,
      ...COPY,
    },
  ),
  "anew-copy-new-owner": one(
    "takeover",
    "new-owner-sees-all",
    "without the lock; a second server gets the page between the decision and the write, and never hears of it (design D)",
    { ...ANEW, ...COPY },
  ),
  "held-copy-new-owner": one("takeover", "clean", "with the lock, decision and write are one (design D)", COPY),
  "fixed-new-owner": one("takeover", "clean", "as merged: run again, and the page's new owner hears of it (design E)"),
  // E: run again.
  "retry-no-reset": one(
    "unmap",
    "livelock",
    "run again, but nobody turns the pages back into RAM: the write is tried for ever (design E)",
    { "unmap.reset": 3 },
  ),
  "retry-direct": one("unmap", "clean", "run again; each page is set to RAM under the lock (design E)", {
    "unmap.reset": 2,
  }),
  // F: entries become RAM when they are touched.
  "retry-lazy": one(
    "unmap",
    "clean",
    "run again; the entries are made invalid and repaired when they are touched (design F)",
    LAZY,
  ),
  "lazy-map-again": one(
    "inherit",
    "only-own-pages",
    "the type may be mapped again while stale entries are left: the second server inherits pages it never asked for (design F)",
    { ...LAZY, ...MAP_ANYWAY },
  ),
  "lazy-busy": one(
    "inherit",
    "clean",
    "entries are repaired when they are touched, and as long as some are left the type cannot be mapped (-EBUSY) (design F)",
    LAZY,
  ),
  // G: a read-modify-write reads first.
  "rmw-read-request": one(
    "rmw",
    LOST,
    "the read half of `add [page], 1` is a request of its own that nobody answers: all ones, and 0 is written (design G)",
    { "rmw.readFromRam": 1 },
  ),
  "rmw-read-ram": one("rmw", "clean", "the hypervisor reads RAM for it; only the write goes to the server (design G)"),
  // H: others who write.
  "copy-out-writes": one(
    "copyout",
    "server-hears-all",
    "a hypercall's answer is copied straight into the watched page (design H)",
    { "copy.typed": 1 },
  ),
  "copy-out-refused": one("copyout", "clean", "such a copy fails, the hypercall answers -EFAULT (design H)"),
  fixed: one(
    "unmap",
    "clean",
    "as merged in 2017: the lock is held until the request is sent, no server means: run the instruction again (designs C, E and F)",
  ),
  "fixed-2-writes": one("again", "clean", "the same, and the guest writes twice"),
  "fixed-2-vcpus": one("two", "clean", "the same with two vCPUs that write to the page"),
};
