/** Every call of memory sharing and its errors (spec 04 section 4.2), as Xen 4.17 answers them. */
import { beforeEach, describe, expect, it } from "vitest";
import { DOM_ASSIGNED_DEVICES, DOM_DOMID, DOM_STATE } from "../../hv-core/abi/domain.ts";
import { DOMCTL_MEM_SHARING_OP, DOMCTL_SET_TARGET } from "../../hv-core/abi/domctl.ts";
import {
  E2BIG,
  EACCES,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOENT,
  ENOMEM,
  ENOSYS,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  ESRCH,
  EXDEV,
} from "../../hv-core/abi/errno.ts";
import {
  DMOP_SET_MEM_TYPE,
  DOMCTL_DESTROYDOMAIN,
  HC_DM_OP,
  HC_MEMORY_OP,
  SHARING_C_HANDLE_INVALID,
  SHARING_OP_2012_ADD_PHYSMAP,
  SHARING_OP_2012_AUDIT,
  SHARING_OP_2012_DEBUG_GFN,
  SHARING_OP_2012_DEBUG_GREF,
  SHARING_OP_2012_DEBUG_MFN,
  SHARING_OP_2012_RESUME,
  SHARING_OP_AUDIT,
  SHARING_OP_DEBUG_GFN,
  SHARING_OP_DEBUG_GREF,
  SHARING_OP_DEBUG_MFN,
  SHARING_OP_NOMINATE_GFN,
  SHARING_OP_NOMINATE_GREF,
  SHARING_OP_RANGE_SHARE,
  SHARING_OP_SHARE,
  SHARING_S_HANDLE_INVALID,
  XENMEM_INCREASE_RESERVATION,
  XENMEM_SHARING_OP,
} from "../../hv-core/abi/hypercalls.ts";
import {
  KNOB_SHARING_BUILD,
  KNOB_SHARING_ERA,
  KNOB_XSM,
  SHARING_AMD,
  SHARING_ERA_2012,
  SHARING_OFF,
  XSM_POLICY,
} from "../../hv-core/abi/knobs.ts";
import { DOMAIN_SIZE, DOMAINS_BASE } from "../../hv-core/abi/layout.ts";
import { HVMMEM_RAM_RO, P2M_RAM_RW, P2M_RAM_SHARED } from "../../hv-core/abi/p2m-types.ts";
import { type Caller, makeCaller, mapGuestPage } from "../hv/caller.ts";
import { ARG, NOWHERE, openDoor } from "../hv/door.ts";
import { FRAME_TYPE_COUNT, openSharing, type Sharing } from "./support.ts";

const ABSENT = 0x7000;
const GREF = 1n << 62n;
let s: Sharing;
let a: number;
let b: number;

const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);

function open(knobs: readonly (readonly [number, number])[] = []): void {
  s = openSharing(openDoor(2048, knobs));
  a = s.door.createDomain({ pages: 64 });
  b = s.door.createDomain({ pages: 64 });
  for (const domid of [a, b]) expect(s.door.populate(domid, range(0, 16))).toBe(16);
}

beforeEach(() => open());

describe("control", () => {
  it("switches sharing on and off, and off is only a flag: pages stay shared", () => {
    expect(s.control(a, true)).toBe(0);
    expect(s.control(b, true)).toBe(0);
    expect(s.merge(a, 1, b, 1)).toBe(0);
    expect(s.control(b, false)).toBe(0);
    expect([s.freed(), s.used(), s.shared(b)]).toEqual([1, 1, 1]);
    mapGuestPage(s.door, b, 1); // somebody wants to write: unshared now
    expect(s.shared(b)).toBe(0);
  });
  it("refuses a domain with a device passed through: EXDEV", () => {
    setDevices(a, 1);
    expect(s.control(a, true)).toBe(-EXDEV);
    expect(s.nominate(a, 1).rc).toBe(-EXDEV); // the first call would enable it
    expect(s.control(a, false)).toBe(0);
    setDevices(a, 0);
    expect(s.control(a, true)).toBe(0);
  });
  it("knows one operation: ENOSYS", () => {
    expect(s.door.domctl(DOMCTL_MEM_SHARING_OP, a, [[0, 1, 1]])).toBe(-ENOSYS);
  });
  it("is for HVM domains on Intel: EOPNOTSUPP", () => {
    expect(s.control(0, true)).toBe(-EOPNOTSUPP);
    open([[KNOB_SHARING_BUILD, SHARING_AMD]]);
    expect(s.control(a, true)).toBe(-EOPNOTSUPP);
    expect(s.nominate(a, 1).rc).toBe(-EOPNOTSUPP);
  });
  it("needs a domain, and rights over it", () => {
    expect(s.control(ABSENT, true)).toBe(-ESRCH);
    const caller = makeCaller(s.door);
    expect(caller.domctl(DOMCTL_MEM_SHARING_OP, a, [[1, 1, 1]])).toBe(-EPERM);
  });
});

describe("without sharing compiled in", () => {
  it("every call is ENOSYS, and the counters are 0", () => {
    open([[KNOB_SHARING_BUILD, SHARING_OFF]]);
    for (let op = 0; op < 12; op++) expect(s.op(op, a)).toBe(-ENOSYS);
    expect(s.door.call(HC_MEMORY_OP, XENMEM_SHARING_OP, 8)).toBe(-ENOSYS);
    expect(s.control(a, true)).toBe(-ENOSYS);
    expect([s.freed(), s.used()]).toEqual([0, 0]);
  });
});

describe("all operations", () => {
  const ops = [0, 1, 2, 3, 4, 5, 6, 8, 9, 10];
  it("EFAULT, ESRCH, EPERM for oneself, EINVAL for a dying domain, ENOSYS for unknown ones", () => {
    expect(s.door.call(HC_MEMORY_OP, XENMEM_SHARING_OP, NOWHERE)).toBe(-EFAULT);
    for (const op of ops) {
      expect(s.op(op, ABSENT)).toBe(-ESRCH);
      expect(s.op(op, 0)).toBe(-EPERM);
    }
    expect(s.op(11, a)).toBe(-ENOSYS);
    expect(s.door.call(HC_MEMORY_OP, XENMEM_SHARING_OP | (1 << 6), ARG)).toBe(-EINVAL);
    zombie(a);
    for (const op of ops) expect(s.op(op, a)).toBe(-EINVAL);
  });
  it("are for a device model's domain and control domains: EPERM, or EACCES by a policy", () => {
    for (const [knobs, denied] of [
      [[], -EPERM],
      [[[KNOB_XSM, XSM_POLICY] as const], -EACCES],
    ] as const) {
      open(knobs);
      const caller = makeCaller(s.door);
      const nominate = () => callSharing(caller, SHARING_OP_NOMINATE_GFN, a, 1);
      expect(nominate()).toBe(denied);
      s.door.domctl(DOMCTL_SET_TARGET, caller.domid, [[0, 4, a]]);
      expect(nominate()).toBe(0);
    }
  });
});

describe("nominate", () => {
  it("gives a 64-bit handle, 2 at first, counts one used frame and none freed", () => {
    const first = s.nominate(a, 1);
    expect(first).toEqual({ rc: 0, handle: 2n });
    expect(s.entry(a, 1)).toMatchObject({ type: P2M_RAM_SHARED, rights: 5 });
    expect([s.freed(), s.used(), s.shared(a), s.totPages(a)]).toEqual([0, 1, 1, 15]);
    expect(s.nominate(a, 2).handle).toBe(3n);
    expect(s.audit()).toBe(0);
  });
  it("answers a still valid handle again", () => {
    const { handle } = s.nominate(a, 1);
    expect(s.nominate(a, 1)).toEqual({ rc: 0, handle });
    expect(s.used()).toBe(1);
  });
  it("never gives a handle twice: a write ends one, the next nomination has another", () => {
    const { handle } = s.nominate(a, 1);
    mapGuestPage(s.door, a, 1);
    expect(s.entry(a, 1).type).toBe(P2M_RAM_RW);
    expect(s.nominate(a, 1).rc).toBe(-E2BIG); // still mapped by dom0
    expect(s.nominate(a, 2).handle).toBe(handle + 1n);
  });
  it("wants RAM that can be written: EINVAL", () => {
    expect(s.nominate(a, 100).rc).toBe(-EINVAL); // a hole
    expect(s.nominate(a, 1n << 40n).rc).toBe(-EINVAL);
    expect(s.nominate(a, (1n << 64n) - 1n).rc).toBe(-EINVAL);
    setReadOnly(a, 3);
    expect(s.nominate(a, 3).rc).toBe(-EINVAL);
  });
  it("refuses special pages and pages in use with another type: EINVAL", () => {
    const info = s.door.put(ARG, 24, [
      [0, 2, a],
      [4, 4, 0],
      [16, 8, 0x20],
    ]);
    expect(s.door.call(HC_MEMORY_OP, 7, info)).toBe(0); // shared_info at gfn 0x20
    expect(s.nominate(a, 0x20).rc).toBe(-EINVAL);
    const at = s.frame(s.entry(a, 4).mfn, FRAME_TYPE_COUNT);
    s.door.view.setUint32(at, 1, true); // somebody has it mapped writable
    expect(s.nominate(a, 4).rc).toBe(-EINVAL);
    s.door.view.setUint32(at, 0, true);
    expect(s.nominate(a, 4).rc).toBe(0);
  });
  it("refuses a page that somebody else refers to: E2BIG, and nothing has changed", () => {
    mapGuestPage(s.door, a, 5);
    expect(s.nominate(a, 5).rc).toBe(-E2BIG);
    expect(s.entry(a, 5)).toMatchObject({ type: P2M_RAM_RW, rights: 7 });
    expect([s.used(), s.shared(a), s.totPages(a)]).toEqual([0, 0, 16]);
  });
  it("without memory for its records is ENOMEM, and the page is private again", () => {
    drain();
    expect(s.door.freeFrames()).toBe(0);
    expect(s.nominate(a, 1).rc).toBe(-ENOMEM);
    expect(s.entry(a, 1)).toMatchObject({ type: P2M_RAM_RW, rights: 7 });
    expect([s.used(), s.shared(a), s.totPages(a)]).toEqual([0, 0, 16]);
    expect(s.audit()).toBe(0);
  });
});

describe("share", () => {
  it("two domains with one page each on one frame: freed 1, used 1, shr_pages 1 each", () => {
    const before = s.door.freeFrames();
    expect(s.merge(a, 1, b, 1)).toBe(0);
    expect(s.entry(b, 1).mfn).toBe(s.entry(a, 1).mfn);
    expect([s.freed(), s.used(), s.shared(a), s.shared(b)]).toEqual([1, 1, 1, 1]);
    expect(s.door.freeFrames()).toBe(before + 1 - 2); // one page saved; a frame of infos and one of records taken
    expect(s.audit()).toBe(0);
  });
  it("does not compare contents: pages of unequal contents are shared, and the client shows the source's", () => {
    s.poke(a, 1, 111);
    s.poke(b, 1, 222);
    expect(s.merge(a, 1, b, 1)).toBe(0);
    expect([s.peek(a, 1), s.peek(b, 1)]).toEqual([111, 111]);
  });
  it("afterwards both carry the source's handle, which can be used on; the client's is dead", () => {
    const sh = s.handle(a, 1);
    const ch = s.handle(b, 1);
    expect(s.share(a, 1, sh, b, 1, ch)).toBe(0);
    expect([s.handle(a, 1), s.handle(b, 1)]).toEqual([sh, sh]);
    const other = s.handle(b, 2);
    expect(s.share(b, 1, ch, b, 2, other)).toBe(SHARING_S_HANDLE_INVALID);
    expect(s.share(b, 1, sh, b, 2, other)).toBe(0);
    expect([s.freed(), s.used(), s.shared(b)]).toEqual([2, 1, 2]);
  });
  it("stale, forged and foreign handles: 10 for the source, 9 for the client, and nothing changes", () => {
    const sh = s.handle(a, 1);
    const ch = s.handle(b, 1);
    const other = s.handle(a, 2);
    const wide = sh + (1n << 32n);
    for (const bad of [0n, wide, other, (1n << 64n) - 1n])
      expect(s.share(a, 1, bad, b, 1, ch)).toBe(SHARING_S_HANDLE_INVALID);
    for (const bad of [0n, ch + (1n << 32n), other, sh])
      expect(s.share(a, 1, sh, b, 1, bad)).toBe(SHARING_C_HANDLE_INVALID);
    expect(s.share(a, 1, 0n, b, 1, 0n)).toBe(SHARING_S_HANDLE_INVALID); // the source is looked at first
    expect([s.freed(), s.used()]).toEqual([0, 3]);
    expect(s.share(a, 1, sh, b, 1, ch)).toBe(0);
  });
  it("a page that is not shared: which one fails is decided by the order of the frames", () => {
    const sh = s.handle(a, 1);
    s.control(b, true);
    expect(s.share(a, 1, sh, b, 1, 5n)).toBe(SHARING_C_HANDLE_INVALID);
    expect(s.share(b, 1, 5n, a, 1, sh)).toBe(SHARING_S_HANDLE_INVALID);
    const low = s.entry(a, 2).mfn < s.entry(b, 2).mfn;
    expect(s.share(a, 2, 5n, b, 2, 5n)).toBe(low ? SHARING_S_HANDLE_INVALID : SHARING_C_HANDLE_INVALID);
    expect(s.share(a, 90, 5n, b, 1, 5n)).toBe(SHARING_C_HANDLE_INVALID); // no frame at all has the highest number
    expect(s.share(a, 90, 5n, b, 91, 5n)).toBe(0); // two holes are the same, as in Xen
  });
  it("of a page with itself is 0, whatever the handles say", () => {
    const sh = s.handle(a, 1);
    expect(s.share(a, 1, 77n, a, 1, 78n)).toBe(0);
    expect(s.debugGfn(a, 1)).toBe(1);
    expect(s.share(a, 1, sh, a, 1, sh)).toBe(0);
  });
  it("within one domain works", () => {
    expect(s.merge(a, 1, a, 2)).toBe(0);
    expect([s.freed(), s.used(), s.shared(a)]).toEqual([1, 1, 2]);
    expect(s.audit()).toBe(0);
  });
  it("a write in between makes the handle void", () => {
    const sh = s.handle(a, 1);
    const ch = s.handle(b, 1);
    mapGuestPage(s.door, b, 1);
    expect(s.share(a, 1, sh, b, 1, ch)).toBe(SHARING_C_HANDLE_INVALID);
  });
  it("the client must exist, be somebody else, alive, and have sharing enabled", () => {
    const sh = s.handle(a, 1);
    expect(s.share(a, 1, sh, ABSENT, 1, 1n)).toBe(-ESRCH);
    expect(s.share(a, 1, sh, 0, 1, 1n)).toBe(-EPERM);
    expect(s.share(a, 1, sh, b, 1, 1n)).toBe(-EINVAL); // never enabled
    s.control(b, true);
    expect(s.share(a, 1, sh, b, 1, 1n)).toBe(SHARING_C_HANDLE_INVALID);
    zombie(b);
    expect(s.share(a, 1, sh, b, 1, 1n)).toBe(-EINVAL);
  });
});

describe("grant references that grant nothing", () => {
  it("ENXIO for an entry that is no grant, ENOENT for what is no entry", () => {
    expect(s.op(SHARING_OP_NOMINATE_GREF, a, [[0, 4, 1]])).toBe(-ENXIO);
    expect(s.op(SHARING_OP_DEBUG_GREF, a, [[0, 4, 1]])).toBe(-ENXIO);
    expect(s.op(SHARING_OP_NOMINATE_GREF, a, [[0, 4, 512]])).toBe(-ENOENT);
    const sh = s.handle(a, 1);
    const ch = s.handle(b, 1);
    expect(s.share(a, GREF | 1n, sh, b, 1, ch)).toBe(-ENXIO);
    expect(s.share(a, 1, sh, b, GREF | 1n, ch)).toBe(-ENXIO);
    expect(s.share(a, GREF | (1n << 32n), sh, b, 1, ch)).toBe(-ENOENT);
    expect(s.used()).toBe(2);
  });
});

describe("add_to_physmap", () => {
  it("shows the source's page in a hole of the client", () => {
    const sh = s.handle(a, 1);
    s.control(b, true);
    expect(s.add(a, 1, sh, b, 50)).toBe(0);
    expect(s.entry(b, 50)).toMatchObject({ mfn: s.entry(a, 1).mfn, type: P2M_RAM_SHARED });
    expect([s.freed(), s.used(), s.shared(b), s.totPages(b)]).toEqual([1, 1, 1, 16]);
    expect(s.audit()).toBe(0);
  });
  it("wants a hole: 9; a source with that handle: 10; no grant reference: EINVAL", () => {
    const sh = s.handle(a, 1);
    s.control(b, true);
    expect(s.add(a, 1, sh, b, 3)).toBe(SHARING_C_HANDLE_INVALID);
    expect(s.add(a, 1, sh + 1n, b, 50)).toBe(SHARING_S_HANDLE_INVALID);
    expect(s.add(a, 2, sh, b, 50)).toBe(SHARING_S_HANDLE_INVALID);
    expect(s.add(a, GREF | 1n, sh, b, 50)).toBe(-EINVAL);
    expect(s.add(a, 1, sh, b, 1n << 36n)).toBe(-EINVAL); // no such gfn
    expect(s.add(a, 1, sh, ABSENT, 50)).toBe(-ESRCH);
  });
  it("without memory for the record is ENOMEM", () => {
    const sh = s.handle(a, 1);
    s.control(b, true);
    let gfn = 0x100;
    drain();
    let rc = 0;
    while (rc === 0) rc = s.add(a, 1, sh, b, gfn++); // the frame of records fills up
    expect(rc).toBe(-ENOMEM);
    expect(s.audit()).toBe(0);
    expect(s.freed() + s.used()).toBe(s.shared(a) + s.shared(b));
  });
  it("S-8: a failure of the entry counts a page as saved, as in Xen 4.17", () => {
    const sh = s.handle(a, 1);
    s.control(b, true);
    expect(s.add(a, 1, sh, b, 1n << 36n)).toBe(-EINVAL);
    expect([s.freed(), s.used(), s.shared(a), s.shared(b)]).toEqual([1, 1, 1, 0]);
    expect(s.debugGfn(a, 1)).toBe(1);
  });
});

describe("debug", () => {
  it("counts references, one or more; EINVAL where nothing is shared", () => {
    expect(s.debugGfn(a, 1)).toBe(-EINVAL);
    s.handle(a, 1);
    expect(s.debugGfn(a, 1)).toBe(1);
    s.merge(a, 1, b, 1);
    expect([s.debugGfn(a, 1), s.debugGfn(b, 1)]).toEqual([2, 2]);
    const mfn = s.entry(a, 1).mfn;
    const debugMfn = (value: number | bigint) => s.op(SHARING_OP_DEBUG_MFN, a, [[0, 8, value]]);
    expect(debugMfn(mfn)).toBe(2);
    expect(debugMfn(s.entry(a, 2).mfn)).toBe(-EINVAL);
    for (const bad of [0, 1e6, 1n << 40n, (1n << 64n) - 1n]) expect(debugMfn(bad)).toBe(-EINVAL);
    expect(s.op(SHARING_OP_DEBUG_GFN, a, [[0, 8, 1n << 40n]])).toBe(-EINVAL);
  });
});

describe("range_share", () => {
  const shareRange = (first: number, last: number, cursor = 0, pad = 0) =>
    s.op(SHARING_OP_RANGE_SHARE, a, [
      [0, 8, first],
      [8, 8, last],
      [16, 8, cursor],
      [24, 2, b],
      [26, 2, pad],
    ]);
  beforeEach(() => {
    s.control(a, true);
    s.control(b, true);
  });
  it("shares what can be shared and leaves out the rest", () => {
    setReadOnly(b, 3);
    expect(shareRange(0, 7)).toBe(0);
    expect(s.door.u64(ARG + 24)).toBe(8n); // the cursor stands behind the last page
    expect([s.freed(), s.shared(a), s.shared(b)]).toEqual([7, 8, 7]); // a's page 3 is nominated, and found no partner
    expect(s.audit()).toBe(0);
  });
  it("wants pads 0, gfns that both have, a cursor inside", () => {
    expect(shareRange(0, 7, 0, 1)).toBe(-EINVAL);
    expect(shareRange(0, 16)).toBe(-EINVAL);
    expect(shareRange(2, 7, 1)).toBe(-EINVAL);
    expect(shareRange(2, 7, 8)).toBe(-EINVAL);
    expect(shareRange(2, 7, 7)).toBe(0);
    expect(s.freed()).toBe(1);
  });
  it("wants both domains paused: EINVAL", () => {
    s.door.domctl(4, b); // unpausedomain
    expect(shareRange(0, 7)).toBe(-EINVAL);
  });
  it("masks EINVAL of its last page, and stops where memory ends", () => {
    setReadOnly(a, 7);
    expect(shareRange(0, 7)).toBe(0);
    open();
    s.control(a, true);
    s.control(b, true);
    drain();
    expect(shareRange(0, 7)).toBe(-ENOMEM);
    expect(s.door.u64(ARG + 24)).toBe(0n);
    expect(s.used()).toBe(0);
  });
  it("goes on in pieces", () => {
    expect(s.door.populate(a, range(16, 48)) + s.door.populate(b, range(16, 48))).toBe(96);
    const more = s.door.createDomain({ pages: 400 });
    expect(more).toBeGreaterThan(0);
    expect(shareRange(0, 63)).toBe(0);
    expect(s.freed()).toBe(64);
  });
});

describe("audit", () => {
  it("asks for no domain", () => {
    expect(s.op(SHARING_OP_AUDIT, ABSENT)).toBe(0);
  });
});

describe("era 2012", () => {
  beforeEach(() => open([[KNOB_SHARING_ERA, SHARING_ERA_2012]]));
  it("does not enable anything by itself: ENODEV for the source, EINVAL for the client", () => {
    expect(s.nominate(a, 1).rc).toBe(-ENODEV);
    s.control(a, true);
    const sh = s.handle(a, 1);
    expect(s.share(a, 1, sh, b, 1, 1n)).toBe(-EINVAL);
  });
  it("has its own numbers", () => {
    s.control(a, true);
    s.control(b, true);
    const sh = s.handle(a, 1);
    expect(s.op(SHARING_OP_2012_DEBUG_GFN, a, [[0, 8, 1]])).toBe(1);
    expect(s.op(SHARING_OP_2012_DEBUG_MFN, a, [[0, 8, s.entry(a, 1).mfn]])).toBe(1);
    expect(s.op(SHARING_OP_2012_DEBUG_GREF, a, [[0, 4, 1]])).toBe(-EINVAL);
    expect(s.op(SHARING_OP_2012_AUDIT, 0)).toBe(0);
    expect(s.op(SHARING_OP_2012_RESUME, a)).toBe(0);
    expect(s.op(9, a)).toBe(-ENOSYS);
    const add = (gfn: number | bigint) =>
      s.op(SHARING_OP_2012_ADD_PHYSMAP, a, [
        [0, 8, 1],
        [8, 8, sh],
        [16, 8, gfn],
        [32, 2, b],
      ]);
    expect(add(50)).toBe(0);
    expect(add(1n << 36n)).toBe(-ENOENT);
    expect(
      s.op(SHARING_OP_SHARE, a, [
        [0, 8, GREF | (1n << 33n)],
        [32, 2, b],
      ]),
    ).toBe(-EINVAL);
  });
  it("is an experiment on AMD, and ENODEV for a domain without HAP", () => {
    open([
      [KNOB_SHARING_ERA, SHARING_ERA_2012],
      [KNOB_SHARING_BUILD, SHARING_AMD],
    ]);
    expect(s.control(a, true)).toBe(0);
    expect(s.control(0, true)).toBe(-ENODEV);
    setDevices(b, 1);
    expect(s.control(b, true)).toBe(-EXDEV);
  });
});

/** The count of devices passed through: what assigning one will write. */
function setDevices(domid: number, count: number): void {
  const { view } = s.door;
  for (let at = DOMAINS_BASE; at < DOMAINS_BASE + 16 * DOMAIN_SIZE; at += DOMAIN_SIZE)
    if (view.getUint32(at + DOM_STATE, true) !== 0 && view.getUint32(at + DOM_DOMID, true) === domid)
      view.setUint32(at + DOM_ASSIGNED_DEVICES, count, true);
}

function setReadOnly(domid: number, gfn: number): void {
  s.door.put(0x4000, 32, [
    [0, 4, DMOP_SET_MEM_TYPE],
    [8, 2, HVMMEM_RAM_RO],
    [12, 4, 1],
    [16, 8, gfn],
  ]);
  s.door.put(ARG, 16, [
    [0, 8, 0x4000],
    [8, 8, 32],
  ]);
  expect(s.door.call(HC_DM_OP, domid, 1, ARG)).toBe(0);
}

/** Takes every frame that is left, for a domain of its own. */
function drain(): void {
  const hog = s.door.createDomain({ pages: 1 << 20 });
  const arg = s.door.put(ARG, 32, [
    [8, 8, s.door.freeFrames()],
    [24, 2, hog],
  ]);
  s.door.call(HC_MEMORY_OP, XENMEM_INCREASE_RESERVATION, arg);
  expect(s.door.freeFrames()).toBe(0);
}

/** A sharing operation by another domain than dom0. */
function callSharing(caller: Caller, op: number, domid: number, gfn: number): number {
  const at = mapGuestPage(s.door, caller.domid, 2);
  new Uint8Array(s.door.view.buffer, at, 48).fill(0);
  s.door.view.setUint8(at, op);
  s.door.view.setUint16(at + 2, domid, true);
  s.door.view.setUint32(at + 8, gfn, true);
  return caller.call(HC_MEMORY_OP, XENMEM_SHARING_OP, 0x2000);
}

/** Makes the domain a zombie: dom0 keeps a page of it. */
function zombie(domid: number): void {
  mapGuestPage(s.door, domid, 15);
  expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, domid)).toBe(0);
}
