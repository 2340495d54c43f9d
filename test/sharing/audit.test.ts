/** The audit: silent on a sound machine, finds every planted corruption, and what it leaves behind (S-9). */
import { beforeEach, describe, expect, it } from "vitest";
import { KNOB_SHARING_AUDIT } from "../../hv-core/abi/knobs.ts";
import { FRAMES_BASE, HV_CONSOLE_BASE, MAILBOX_BASE, SHARING_STATE_BASE } from "../../hv-core/abi/layout.ts";
import { P2M_RAM_RW } from "../../hv-core/abi/p2m-types.ts";
import { openDoor } from "../hv/door.ts";
import {
  FRAME_FLAGS,
  FRAME_LOCK,
  FRAME_M2P,
  FRAME_OWNER,
  FRAME_SHARING,
  FRAME_TYPE_COUNT,
  openSharing,
  type Sharing,
} from "./support.ts";

const NR_SHARED = 0;
const INFO_RMAP = 8;
let s: Sharing;
let a: number;
let b: number;
let mfn: number;

function open(fixed: number): void {
  s = openSharing(openDoor(2048, [[KNOB_SHARING_AUDIT, fixed]]));
  a = s.door.createDomain({ pages: 64 });
  b = s.door.createDomain({ pages: 64 });
  for (const domid of [a, b]) s.door.populate(domid, [0, 1, 2, 3]);
  s.merge(a, 1, b, 1);
  s.merge(a, 2, b, 2);
  mfn = s.entry(a, 1).mfn;
}
beforeEach(() => open(0));

/** The lines that the audit wrote on the hypervisor's console. */
function lines(): string[] {
  const { view } = s.door;
  const count = view.getUint32(HV_CONSOLE_BASE, true);
  const bytes = new Uint8Array(view.buffer, HV_CONSOLE_BASE + 8, count);
  return new TextDecoder().decode(bytes).split("\n").slice(0, -1);
}

const put32 = (at: number, value: number) => s.door.view.setUint32(at, value, true);
const get16 = (at: number) => s.door.view.getUint16(at, true);
const put16 = (at: number, value: number) => s.door.view.setUint16(at, value, true);

/** Address of the p2m leaf of a gfn. */
function leafAt(domid: number, gfn: number): number {
  const { view } = s.door;
  const steps = s.door.core.walkGpa(domid, gfn << 12, 0);
  const step = MAILBOX_BASE + (steps - 1) * 32;
  return FRAMES_BASE + view.getUint32(step + 4, true) * 4096 + view.getUint32(step + 8, true) * 8;
}

it("finds nothing where nothing is wrong, and says nothing", () => {
  expect(s.audit()).toBe(0);
  expect(lines()).toEqual([]);
});

const corruptions: Record<string, { plant(): void; errors: number; says: RegExp }> = {
  "a frame of another type": {
    plant: () => put16(s.frame(mfn, FRAME_FLAGS), get16(s.frame(mfn, FRAME_FLAGS)) & 0x1fff),
    errors: 2,
    says: /is not of type shared/,
  },
  "a frame that a domain owns": {
    plant: () => put16(s.frame(mfn, FRAME_OWNER), 1),
    errors: 1,
    says: /is not owned by DOM_COW, but by 0x1/,
  },
  "an M2P entry with a gfn": {
    plant: () => s.door.view.setBigUint64(s.frame(mfn, FRAME_M2P), 1n, true),
    errors: 1,
    says: /has the M2P entry 0x1$/,
  },
  "an empty reverse map": {
    plant: () => put32(s.door.view.getUint32(s.frame(mfn, FRAME_SHARING), true) + INFO_RMAP, 0),
    errors: 2,
    says: /has an empty reverse map/,
  },
  "a gfn that shows something else": {
    plant: () => {
      const at = leafAt(b, 1);
      s.door.view.setBigUint64(at, s.door.view.getBigUint64(leafAt(b, 3), true), true);
    },
    errors: 2,
    says: /is not what this gfn of its reverse map shows: 0x1/,
  },
  "a gfn of another type": {
    plant: () => {
      const at = leafAt(b, 1) + 6;
      put16(at, (get16(at) & ~0x03f0) | (P2M_RAM_RW << 4));
    },
    errors: 1,
    says: /gfn in its reverse map that is not ram_shared: 0x1/,
  },
  "a type count that is one too high": {
    plant: () => put32(s.frame(mfn, FRAME_TYPE_COUNT), 3),
    errors: 1,
    says: /has as many type references, and another number of gfns: 0x3/,
  },
  "no type count at all": {
    plant: () => put32(s.frame(mfn, FRAME_TYPE_COUNT), 0),
    errors: 2,
    says: /is on the audit list and has no type reference/,
  },
  "a record of a domain that does not exist": {
    plant: () => {
      const info = s.door.view.getUint32(s.frame(mfn, FRAME_SHARING), true);
      put32(s.door.view.getUint32(info + INFO_RMAP, true) + 16, 0x7000);
    },
    errors: 2,
    says: /is mapped by a domain that does not exist: 0x7000/,
  },
  "a wrong number of shared pages": {
    plant: () => put32(SHARING_STATE_BASE + NR_SHARED, 3),
    errors: 1,
    says: /0x2 pages are shared, and the counter says 0x3/,
  },
};

describe("planted corruptions", () => {
  it.each(Object.entries(corruptions))("%s", (_, { plant, errors, says }) => {
    plant();
    expect(s.audit()).toBe(errors);
    expect(lines()).toHaveLength(errors);
    expect(lines().some((line) => says.test(line))).toBe(true);
  });
});

it("P-4 sees the owner, the M2P entry and the page type as well", () => {
  const P4 = 8;
  expect(s.door.core.p2mInvariants(a)).toBe(0);
  for (const name of ["a frame that a domain owns", "an M2P entry with a gfn", "a frame of another type"]) {
    open(0);
    corruptions[name]!.plant();
    expect([name, s.door.core.p2mInvariants(a) & P4]).toEqual([name, P4]);
  }
});

describe("S-9: a page that the audit finds broken", () => {
  const broken = ["a frame of another type", "an empty reverse map"];
  const lockOf = () => s.door.view.getUint32(s.frame(mfn, FRAME_LOCK), true);
  for (const name of broken) {
    it(`stays locked as in Xen 4.17: ${name}`, () => {
      corruptions[name]!.plant();
      s.audit();
      expect(lockOf()).not.toBe(0);
    });
    it(`is let go of with sharing.audit=fixed: ${name}`, () => {
      open(1);
      corruptions[name]!.plant();
      s.audit();
      expect(lockOf()).toBe(0);
    });
  }
  it("no other finding keeps a lock", () => {
    for (const name of Object.keys(corruptions).filter((n) => !broken.includes(n))) {
      open(0);
      corruptions[name]!.plant();
      s.audit();
      expect([name, lockOf()]).toEqual([name, 0]);
    }
  });
});
