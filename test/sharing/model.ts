/**
 * Random sharing operations over four domains against a model of what must come out: every result, every counter, every page's
 * contents, and an audit without errors. Memory runs out now and then.
 */
import fc from "fast-check";
import { frameAddress } from "../../host/lib/core.ts";
import { EINVAL, ENOMEM } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_DESTROYDOMAIN,
  DOMID_SELF,
  HC_MEMORY_OP,
  SHARING_C_HANDLE_INVALID,
  SHARING_S_HANDLE_INVALID,
  XENMAPSPACE_GMFN_FOREIGN,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_INCREASE_RESERVATION,
  XENMEM_REMOVE_FROM_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { AS_FIXED, KNOB_SHARING_RMAP, KNOB_SHARING_THIRD } from "../../hv-core/abi/knobs.ts";
import { P2M_RAM_SHARED } from "../../hv-core/abi/p2m-types.ts";
import { ARG, LIST, openDoor } from "../hv/door.ts";
import { openSharing } from "./support.ts";

const DOMAINS = 4;
const GFNS = 8;
/** dom0's gfn for looking at a page. */
const WINDOW = 0x300;

interface PairStep {
  readonly op: "share" | "add";
  readonly d: number;
  readonly g: number;
  readonly d2: number;
  readonly g2: number;
  /** Which handle is a wrong one: 0 none, 1 the source's, 2 the client's. */
  readonly lie: number;
}

export type Step =
  | PairStep
  | { readonly op: "nominate" | "write" | "touch" | "release" | "fill"; readonly d: number; readonly g: number }
  | { readonly op: "reborn"; readonly d: number; readonly g: number }
  | { readonly op: "memory"; readonly d: number; readonly g: number };

const d = fc.nat(DOMAINS - 1);
const g = fc.nat(GFNS - 1);
const single = (op: "nominate" | "write" | "touch" | "release" | "fill") => fc.record({ op: fc.constant(op), d, g });
const pair = (op: "share" | "add") =>
  fc.record({
    op: fc.constant(op),
    d,
    g,
    d2: d,
    g2: g,
    lie: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.nat(2)),
  });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: single("nominate") },
  { weight: 10, arbitrary: pair("share") },
  { weight: 5, arbitrary: pair("add") },
  { weight: 5, arbitrary: single("write") },
  { weight: 1, arbitrary: single("touch") },
  { weight: 3, arbitrary: single("release") },
  { weight: 2, arbitrary: single("fill") },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("reborn" as const), d, g }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant("memory" as const), d, g }) },
);

/** A frame as the model knows it. */
interface Page {
  content: number;
  /** 0 = private. */
  handle: bigint;
  users: number;
}

class Mismatch extends Error {}

function same(what: string, got: unknown, wanted: unknown): void {
  if (got !== wanted) throw new Mismatch(`${what}: got ${got}, the model says ${wanted}`);
}

/** Runs the steps on a new machine. @throws Mismatch */
export function runModel(steps: readonly Step[], rmap: number): void {
  const s = openSharing(
    openDoor(700, [
      [KNOB_SHARING_THIRD, AS_FIXED],
      [KNOB_SHARING_RMAP, rmap],
    ]),
  );
  const { door } = s;
  const ids: number[] = [];
  const maps: (Page | undefined)[][] = [];
  let lastHandle = 1n;
  let next = 1;
  let hog: number | undefined;

  function born(index: number): void {
    const domid = door.createDomain({ pages: 64 });
    s.control(domid, true);
    same(
      "populate",
      door.populate(
        domid,
        Array.from({ length: GFNS }, (_, i) => i),
      ),
      GFNS,
    );
    ids[index] = domid;
    maps[index] = Array.from({ length: GFNS }, () => ({ content: 0, handle: 0n, users: 1 }));
  }
  for (let i = 0; i < DOMAINS; i++) born(i);

  const page = (i: number, gfn: number): Page | undefined => maps[i]![gfn];
  const all = (): Page[] => maps.flat().filter((p): p is Page => p !== undefined);

  /** The domain does not show its shared page any more. */
  function leave(p: Page): void {
    p.users--;
  }

  function counters(): void {
    const shared = new Set(all().filter((p) => p.handle !== 0n));
    const entries = all().filter((p) => p.handle !== 0n).length;
    same("used frames", s.used(), shared.size);
    same("freed pages", s.freed(), entries - shared.size);
  }

  /** What mapping the page into dom0 answers; the address is 0 when it fails. The mapping is gone again afterwards. */
  function touch(i: number, gfn: number, value?: number): number {
    const list = door.put(0x5000, 64, [
      [0, 8, gfn],
      [8, 8, WINDOW],
    ]);
    const arg = door.put(ARG, 32, [
      [0, 2, DOMID_SELF],
      [2, 2, XENMAPSPACE_GMFN_FOREIGN],
      [4, 2, 1],
      [6, 2, ids[i]!],
      [8, 8, list],
      [16, 8, list + 8],
      [24, 8, list + 16],
    ]);
    door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, arg);
    const rc = door.view.getInt32(door.at(0x5010), true);
    if (rc !== 0) return rc;
    if (value !== undefined) door.view.setUint32(frameAddress(door.core.dom0Mfn(WINDOW)), value, true);
    door.call(
      HC_MEMORY_OP,
      XENMEM_REMOVE_FROM_PHYSMAP,
      door.put(ARG, 16, [
        [0, 2, DOMID_SELF],
        [8, 8, WINDOW],
      ]),
    );
    return 0;
  }

  function write(i: number, gfn: number, value: number | undefined): void {
    const p = page(i, gfn);
    const rc = touch(i, gfn, value);
    if (!p) {
      same("write to a hole", rc, -EINVAL);
      return;
    }
    if (rc === -EINVAL && hog !== undefined && p.handle !== 0n && p.users > 1) return; // no memory for the copy
    same("write", rc, 0);
    const content = value ?? p.content;
    if (p.handle !== 0n && p.users > 1) {
      leave(p);
      maps[i]![gfn] = { content, handle: 0n, users: 1 };
    } else {
      p.handle = 0n;
      p.content = content;
    }
  }

  function nominate(i: number, gfn: number): bigint | undefined {
    const p = page(i, gfn);
    const { rc, handle } = s.nominate(ids[i]!, gfn);
    if (rc === -ENOMEM && hog !== undefined) return undefined;
    if (!p) {
      same("nominate a hole", rc, -EINVAL);
      return undefined;
    }
    same("nominate", rc, 0);
    if (p.handle === 0n) p.handle = ++lastHandle;
    same("handle", handle, p.handle);
    return handle;
  }

  /** Which of two pages is refused first when one is not shared: the locks are taken in the order of the frames. */
  function refused(sp: Page | undefined, cp: Page | undefined, at: PairStep): number {
    const mfnOf = (i: number, gfn: number): number =>
      page(i, gfn) ? s.entry(ids[i]!, gfn).mfn : Number.POSITIVE_INFINITY;
    const isSourceFirst = mfnOf(at.d, at.g) < mfnOf(at.d2, at.g2);
    const sourceBad = !sp || sp.handle === 0n;
    const clientBad = !cp || cp.handle === 0n;
    if (isSourceFirst) return sourceBad ? SHARING_S_HANDLE_INVALID : clientBad ? SHARING_C_HANDLE_INVALID : 0;
    return clientBad ? SHARING_C_HANDLE_INVALID : sourceBad ? SHARING_S_HANDLE_INVALID : 0;
  }

  function share(at: PairStep): void {
    const sp = page(at.d, at.g);
    const cp = page(at.d2, at.g2);
    const sh = (sp?.handle ?? 0n) + (at.lie === 1 ? 1n << 33n : 0n);
    const ch = (cp?.handle ?? 0n) + (at.lie === 2 ? 1n << 33n : 0n);
    const rc = s.share(ids[at.d]!, at.g, sh, ids[at.d2]!, at.g2, ch);
    let wanted: number;
    if (sp === cp) wanted = 0;
    else {
      wanted = refused(sp, cp, at);
      if (wanted === 0 && at.lie === 1) wanted = SHARING_S_HANDLE_INVALID;
      if (wanted === 0 && at.lie === 2) wanted = SHARING_C_HANDLE_INVALID;
    }
    same("share", rc, wanted);
    if (rc !== 0 || !sp || !cp || sp === cp) return;
    for (const map of maps) for (let i = 0; i < GFNS; i++) if (map[i] === cp) map[i] = sp;
    sp.users += cp.users;
  }

  function add(at: PairStep): void {
    const sp = page(at.d, at.g);
    const cp = page(at.d2, at.g2);
    const sh = (sp?.handle ?? 0n) + (at.lie === 1 ? 1n << 33n : 0n);
    const rc = s.add(ids[at.d]!, at.g, sh, ids[at.d2]!, at.g2);
    if (rc === -ENOMEM && hog !== undefined) return;
    const isSource = sp !== undefined && sp.handle !== 0n && at.lie !== 1;
    same("add", rc, !isSource ? SHARING_S_HANDLE_INVALID : cp ? SHARING_C_HANDLE_INVALID : 0);
    if (rc !== 0 || !sp) return;
    maps[at.d2]![at.g2] = sp;
    sp.users++;
  }

  function reserve(op: number, domid: number, count: number, gfn?: number): number {
    if (gfn !== undefined) door.put(LIST, 8, [[0, 8, gfn]]);
    const arg = door.put(ARG, 32, [
      [0, 8, gfn === undefined ? 0 : LIST],
      [8, 8, count],
      [24, 2, domid],
    ]);
    return door.call(HC_MEMORY_OP, op, arg);
  }

  function release(i: number, gfn: number): void {
    const p = page(i, gfn);
    const rc = reserve(XENMEM_DECREASE_RESERVATION, ids[i]!, 1, gfn);
    if (rc === 0 && hog !== undefined && p && p.handle !== 0n && p.users > 1) return;
    same("decrease", rc, p ? 1 : 0);
    if (!p) return;
    leave(p);
    maps[i]![gfn] = undefined;
  }

  function fill(i: number, gfn: number): void {
    if (page(i, gfn)) return;
    const rc = door.populate(ids[i]!, [gfn]);
    if (rc === 0 && hog !== undefined) return;
    same("populate", rc, 1);
    maps[i]![gfn] = { content: 0, handle: 0n, users: 1 };
  }

  function reborn(i: number): void {
    if (hog !== undefined) return;
    same("destroy", door.domctl(DOMCTL_DESTROYDOMAIN, ids[i]!), 0);
    for (const p of maps[i]!) if (p) leave(p);
    maps[i] = [];
    counters();
    born(i);
  }

  function memory(): void {
    if (hog !== undefined) {
      same("destroy", door.domctl(DOMCTL_DESTROYDOMAIN, hog), 0);
      hog = undefined;
      return;
    }
    hog = door.createDomain({ pages: 1 << 20 });
    reserve(XENMEM_INCREASE_RESERVATION, hog, door.freeFrames());
  }

  function everything(): void {
    same("audit", s.audit(), 0);
    maps.forEach((map, i) => {
      map.forEach((p, gfn) => {
        const entry = s.entry(ids[i]!, gfn);
        same(`domain ${i} gfn ${gfn} rights`, entry.rights, !p ? 0 : p.handle !== 0n ? 5 : 7);
        if (!p) return;
        if (p.handle !== 0n) same("type", entry.type, P2M_RAM_SHARED);
        same(`domain ${i} gfn ${gfn} contents`, s.peek(ids[i]!, gfn), p.content);
      });
      same(`invariants of domain ${i}`, door.core.p2mInvariants(ids[i]!), 0);
      same(`shr_pages of domain ${i}`, s.shared(ids[i]!), map.filter((p) => p && p.handle !== 0n).length);
    });
  }

  touch(0, 0); // dom0 has the table for its window now, whatever happens to memory
  steps.forEach((at, i) => {
    switch (at.op) {
      case "nominate":
        nominate(at.d, at.g);
        break;
      case "share":
        share(at);
        break;
      case "add":
        add(at);
        break;
      case "write":
        write(at.d, at.g, next++);
        break;
      case "touch":
        write(at.d, at.g, undefined);
        break;
      case "release":
        release(at.d, at.g);
        break;
      case "fill":
        fill(at.d, at.g);
        break;
      case "reborn":
        reborn(at.d);
        break;
      default:
        memory();
    }
    counters();
    if (i % 20 === 19) everything();
  });
  everything();
}

/** At least `count` operations in runs of up to 1,000, the reverse map in all its forms. @returns how many there were. */
export function checkModel(count: number, seed: number): number {
  let done = 0;
  const runs = fc.array(step, { minLength: 1, maxLength: 1000, size: "max" });
  for (let i = 0; done < count; i++)
    fc.assert(
      fc.property(runs, fc.nat(2), (steps, rmap) => {
        done += steps.length;
        runModel(steps, rmap);
      }),
      { numRuns: 4, seed: seed + i },
    );
  return done;
}
