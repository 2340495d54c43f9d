/** What must hold of a process that makes hypercalls (spec 07 section 7.5, B-1 to B-6), as invariants of the explorer. */
import { errnoName } from "../errors.ts";
import type { Invariant } from "../explore/race.ts";
import { isMapped, LOCKED, OWN_LOCK, PAGES, type ProcessMemory, STACK } from "./memory.ts";
import type { ProcessActor } from "./process-actor.ts";
import { damagedNeighbour, type Program, pageName } from "./program.ts";

export type PropertyName = "B-1" | "B-2" | "B-3" | "B-4" | "B-5" | "B-6";

export const PROPERTY_TEXTS: Readonly<Record<PropertyName, string>> = {
  "B-1": "no hypercall of a valid program fails with EFAULT",
  "B-2": "what the application locked for itself stays locked",
  "B-3": "a page with a lock request is locked",
  "B-4": "nothing is locked for the library when it is done",
  "B-5": "a buffer holds nothing that its caller did not put there",
  "B-6": "the hypervisor writes to the buffer and to nothing else",
};

const pages = Array.from({ length: PAGES }, (_, page) => page);

export function property(
  name: PropertyName,
  memory: ProcessMemory,
  process: ProcessActor,
  program: Program,
): Invariant {
  const isLocked = (page: number): boolean => (memory.flags(page) & LOCKED) !== 0;
  const checks: Readonly<Record<PropertyName, () => string | undefined>> = {
    "B-1"() {
      const failed = process.calls().find((call) => call.result < 0);
      return failed && `${process.name} ${failed.text}: ${errnoName(-failed.result) ?? failed.result}`;
    },
    "B-2": () =>
      (memory.flags(STACK) & OWN_LOCK) !== 0 && !isLocked(STACK)
        ? "the application locked its stack page, and it is not locked any more"
        : undefined,
    "B-3"() {
      const page = pages.find((p) => memory.requests(p) > 0 && !isLocked(p));
      return page === undefined
        ? undefined
        : `the ${pageName(page)} page is not locked, and ${memory.requests(page)} request(s) for it stand`;
    },
    "B-4"() {
      if (process.isRunning()) return undefined;
      const page = pages.find(
        (p) => isMapped(memory, p) && (memory.requests(p) > 0 || (isLocked(p) && (memory.flags(p) & OWN_LOCK) === 0)),
      );
      return page === undefined ? undefined : `the library is done and the ${pageName(page)} page is still locked`;
    },
    "B-5": () => (memory.leakSeen ? "a buffer was handed out with bytes of an earlier one in it" : undefined),
    "B-6"() {
      const beside = damagedNeighbour(memory, program);
      return (
        beside && `the ${beside.bytes} bytes written to ${beside.name} went beyond the ${beside.declared} that it has`
      );
    },
  };
  return { name, text: PROPERTY_TEXTS[name], always: checks[name] };
}
