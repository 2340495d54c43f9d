/** VM forks: a domain that begins as a copy of another, page by page (spec 04 section 4.2). */
import { beforeEach, describe, expect, it } from "vitest";
import { type Instruction, load32, store32 } from "../../host/lib/explore/code.ts";
import { CTR_FORK_COPIED, CTR_FORK_SHARED } from "../../hv-core/abi/counters.ts";
import { DOM_ASSIGNED_DEVICES, DOM_HYPERVISOR_PAUSE } from "../../hv-core/abi/domain.ts";
import { EBUSY, EINVAL, ENOSYS, EPERM, ESRCH, EXDEV } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GETDOMAININFO,
  DOMCTL_UNPAUSEDOMAIN,
  DOMINF_PAUSED,
  FORK_RESET_MEMORY,
  FORK_RESET_STATE,
  FORK_WITH_IOMMU_ALLOWED,
  SHARING_OP_FORK,
  SHARING_OP_FORK_RESET,
} from "../../hv-core/abi/hypercalls.ts";
import { COUNTERS_BASE } from "../../hv-core/abi/layout.ts";
import { P2M_RAM_RW, P2M_RAM_SHARED } from "../../hv-core/abi/p2m-types.ts";
import { ARG, creation, openDoor } from "../hv/door.ts";
import { domainAt, runIn } from "./guest.ts";
import { openSharing, type Sharing } from "./support.ts";

const PAGE = 0x1000;
const saveEax = (to: number) => ({ bytes: [0xa3, to & 255, (to >> 8) & 255, 0, 0], text: "mov [], eax" });
let s: Sharing;
let parent: number;
let child: number;

const counter = (index: number) => Number(s.door.view.getBigUint64(COUNTERS_BASE + index * 8, true));
const word = (domid: number, offset: number) => s.door.view.getUint32(domainAt(s, domid) + offset, true);
const fork = (of = parent, domid = child, flags = 0, pad = 0) =>
  s.op(SHARING_OP_FORK, domid, [
    [0, 2, of],
    [2, 2, flags],
    [4, 4, pad],
  ]);
const reset = (flags: number, pad = 0) =>
  s.op(SHARING_OP_FORK_RESET, child, [
    [2, 2, flags],
    [4, 4, pad],
  ]);
function empty(vcpus = 1): number {
  expect(s.door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ vcpus }))).toBe(0);
  return s.door.u16(ARG + 8);
}

beforeEach(() => {
  s = openSharing(openDoor(2048));
  parent = s.door.createDomain({ pages: 64 });
  s.door.populate(parent, [0, 1, 2, 3]);
  s.poke(parent, 1, 0x1111);
  s.poke(parent, 2, 0x2222);
  child = empty();
});

describe("fork", () => {
  it("starts with no page at all, the parent's registers, and the parent standing still", () => {
    expect(fork()).toBe(0);
    expect(s.totPages(child)).toBe(0);
    expect(word(parent, DOM_HYPERVISOR_PAUSE)).toBe(1);
    s.door.domctl(DOMCTL_GETDOMAININFO, child);
    expect(s.door.result32(4) & DOMINF_PAUSED).toBe(DOMINF_PAUSED);
  });
  it("reads share the parent's pages, writes copy them", () => {
    runIn(s, parent, []); // its first vCPU has a state, and spins in page 0
    expect(fork()).toBe(0);
    prepare([load32(PAGE), saveEax(3 * PAGE), store32(2 * PAGE, 0x5555)]);
    expect(s.peek(child, 3)).toBe(0x1111);
    expect(s.peek(child, 2)).toBe(0x5555);
    expect([s.peek(parent, 1), s.peek(parent, 2), s.peek(parent, 3)]).toEqual([0x1111, 0x2222, 0]);
    expect(s.entry(child, 1)).toMatchObject({ mfn: s.entry(parent, 1).mfn, type: P2M_RAM_SHARED });
    expect(s.entry(child, 2).type).toBe(P2M_RAM_RW);
    expect([counter(CTR_FORK_SHARED), counter(CTR_FORK_COPIED)]).toEqual([1, 3]); // page 1; pages 0, 2 and 3
    expect([s.audit(), s.freed() + s.used() - s.shared(parent) - s.shared(child)]).toEqual([0, 0]);
  });
  it("a page that no ancestor has stays a hole", () => {
    fork();
    s.control(child, true);
    expect(s.nominate(child, 9).rc).toBe(-EINVAL);
    expect(s.entry(child, 9).rights).toBe(0);
  });
  it("of a fork gets what its parent never touched from its grandparent", () => {
    runIn(s, parent, []);
    fork();
    const grandchild = empty();
    expect(fork(child, grandchild)).toBe(0);
    s.control(grandchild, true);
    child = grandchild;
    prepare([load32(PAGE), saveEax(3 * PAGE)]);
    expect(s.peek(grandchild, 3)).toBe(0x1111);
    expect(s.audit()).toBe(0);
  });
  it("wants pads and flags as they are, two different domains, equal vCPUs, and a paused child", () => {
    expect(fork(parent, child, 0, 1)).toBe(-EINVAL);
    expect(fork(parent, child, 8)).toBe(-EINVAL);
    expect(fork(0x7000)).toBe(-ESRCH);
    expect(fork(0)).toBe(-EPERM);
    expect(fork(child)).toBe(-EINVAL);
    expect(fork(parent, empty(2))).toBe(-EINVAL);
    s.door.domctl(DOMCTL_UNPAUSEDOMAIN, child);
    expect(fork()).toBe(-EBUSY);
    expect(word(parent, DOM_HYPERVISOR_PAUSE)).toBe(0);
  });
  it("happens once, and never in a circle", () => {
    expect(fork()).toBe(0);
    expect(fork()).toBe(-EINVAL);
    expect(fork(child, parent)).toBe(-EINVAL);
  });
  it("a parent with a device needs the flag: EXDEV", () => {
    s.door.view.setUint32(domainAt(s, parent) + DOM_ASSIGNED_DEVICES, 1, true);
    expect(fork()).toBe(-EXDEV);
    expect(fork(parent, child, FORK_WITH_IOMMU_ALLOWED)).toBe(0);
  });
  it("ends with the child: the parent goes on", () => {
    fork();
    expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, child)).toBe(0);
    expect(word(parent, DOM_HYPERVISOR_PAUSE)).toBe(0);
    expect([s.freed(), s.used() - s.shared(parent)]).toEqual([0, 0]);
  });
  it("a parent that dies first stays a zombie until its fork is gone", () => {
    fork();
    expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, parent)).toBe(0);
    expect(s.shared(parent)).toBe(0);
    expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, child)).toBe(0);
    expect(s.shared(parent)).toBe(-1);
  });
});

describe("fork_reset", () => {
  it("is for forks: ENOSYS; pads and flags: EINVAL", () => {
    expect(reset(FORK_RESET_MEMORY)).toBe(-ENOSYS);
    fork();
    expect(reset(1)).toBe(-EINVAL);
    expect(reset(FORK_RESET_MEMORY, 1)).toBe(-EINVAL);
  });
  it("drops the fork's own pages: they come from the parent again", () => {
    runIn(s, parent, []);
    fork();
    prepare([store32(2 * PAGE, 0x5555)]);
    const own = s.totPages(child);
    expect(own).toBeGreaterThan(0);
    expect(reset(FORK_RESET_MEMORY | FORK_RESET_STATE)).toBe(0);
    expect(s.totPages(child)).toBe(0);
    prepare([load32(2 * PAGE), saveEax(3 * PAGE)]);
    expect(s.peek(child, 3)).toBe(0x2222);
    expect(s.audit()).toBe(0);
  });
});

/** Runs instructions in the fork, in a page 0 of its own. */
function prepare(body: readonly Instruction[]): void {
  if (s.entry(child, 0).rights === 0) ownCodePage();
  runIn(s, child, body);
}

/** A foreign mapping of the fork's page 0 gives it a copy of its own. */
function ownCodePage(): void {
  const list = s.door.put(0x5000, 64, [
    [0, 8, 0],
    [8, 8, 0x1f0],
  ]);
  const arg = s.door.put(ARG, 32, [
    [0, 2, 0x7ff0],
    [2, 2, 4],
    [4, 2, 1],
    [6, 2, child],
    [8, 8, list],
    [16, 8, list + 8],
    [24, 8, list + 16],
  ]);
  expect(s.door.call(12, 23, arg)).toBe(0);
  expect(s.door.u32(0x5010)).toBe(0);
  const unmap = s.door.put(ARG, 16, [
    [0, 2, 0x7ff0],
    [8, 8, 0x1f0],
  ]);
  expect(s.door.call(12, 15, unmap)).toBe(0);
}
