/** Who may do what: the classes of the dummy module seen from real guests, and the rules of a loaded policy (spec 05 section 5.4). */
import { beforeEach, describe, expect, it } from "vitest";
import {
  CDF_XS,
  DOMCTL_GETTSCINFO,
  DOMCTL_SET_TARGET,
  XSM_MAX_RULES,
  XSM_OP_LOAD_POLICY,
  XSM_POLICY_VERSION,
  XSM_TARGET_ANY,
  XSM_TARGET_OWN,
} from "../../hv-core/abi/domctl.ts";
import { E2BIG, EACCES, EFAULT, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ESRCH } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GETDOMAININFO,
  DOMCTL_MAX_MEM,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_UNPAUSEDOMAIN,
  HC_SCHED_OP,
  HC_XSM_OP,
  SCHEDOP_REMOTE_SHUTDOWN,
} from "../../hv-core/abi/hypercalls.ts";
import { KNOB_XSM, KNOB_XSM_MAX_MEM, XSM_POLICY } from "../../hv-core/abi/knobs.ts";
import { type Caller, makeCaller } from "./caller.ts";
import { ARG, creation, type Door, type Field, LIST, NOWHERE, openDoor } from "./door.ts";

const ABSENT = 0x7000;
let door: Door;
let stub: Caller;
let guest: number;

interface Rule {
  readonly subject: number;
  readonly target: number;
  readonly domctl: number;
  readonly limit?: number;
}

function loadPolicy(rules: readonly Rule[], version = XSM_POLICY_VERSION): number {
  const fields = rules.flatMap((r, i): Field[] => [
    [i * 16, 2, r.subject],
    [i * 16 + 2, 2, r.target],
    [i * 16 + 4, 2, r.domctl],
    [i * 16 + 8, 8, r.limit ?? 0],
  ]);
  door.put(LIST, 4096, fields);
  const arg = door.put(ARG, 24, [
    [0, 4, XSM_OP_LOAD_POLICY],
    [4, 4, version],
    [8, 4, rules.length],
    [16, 8, LIST],
  ]);
  return door.call(HC_XSM_OP, arg);
}

describe("dummy", () => {
  beforeEach(() => {
    door = openDoor();
    stub = makeCaller(door);
    guest = door.createDomain();
  });

  it("PRIV: a domain that is no control domain may do nothing, and does not learn who exists", () => {
    for (const cmd of [DOMCTL_PAUSEDOMAIN, DOMCTL_MAX_MEM, DOMCTL_DESTROYDOMAIN, DOMCTL_GETDOMAININFO, 999]) {
      expect(stub.domctl(cmd, guest), `command ${cmd}`).toBe(-EPERM);
      expect(stub.domctl(cmd, ABSENT), `command ${cmd}`).toBe(-EPERM);
      expect(stub.domctl(cmd, stub.domid), `command ${cmd}`).toBe(-EPERM);
    }
    expect(stub.domctl(DOMCTL_CREATEDOMAIN, 0, creation({}))).toBe(-EPERM);
    expect(door.domctl(DOMCTL_PAUSEDOMAIN, ABSENT)).toBe(-ESRCH);
  });

  it("DM_PRIV: a device model's domain acts on its target only", () => {
    const shutDown = (domid: number): number => {
      stub.domctl(0, 0, [[0, 2, domid]]);
      return stub.call(HC_SCHED_OP, SCHEDOP_REMOTE_SHUTDOWN, 0x2000 + 16);
    };
    expect(shutDown(guest)).toBe(-EPERM);
    expect(door.domctl(DOMCTL_SET_TARGET, stub.domid, [[0, 4, guest]])).toBe(0);
    expect(shutDown(guest)).toBe(0);
    expect(shutDown(door.createDomain())).toBe(-EPERM);
    expect(stub.domctl(DOMCTL_PAUSEDOMAIN, guest)).toBe(-EPERM);
  });

  it("TARGET: a stub domain sets parameters of its target, and of no other", () => {
    const setParam = (domid: number): number => stub.call(34, 0, paramAt(domid));
    expect(setParam(guest)).toBe(-EPERM);
    door.domctl(DOMCTL_SET_TARGET, stub.domid, [[0, 4, guest]]);
    expect(setParam(guest)).toBe(0);
    expect(setParam(door.createDomain())).toBe(-EPERM);
  });

  it("XS_PRIV: the xenstore domain may ask about every domain, and that is all", () => {
    const xenstore = makeCaller(door, CDF_XS);
    expect(xenstore.domctl(DOMCTL_GETDOMAININFO, guest)).toBe(0);
    expect(xenstore.u32(16) & 0xffff).toBe(guest);
    expect(xenstore.domctl(DOMCTL_PAUSEDOMAIN, guest)).toBe(-EPERM);
  });

  it("has no policy to load", () => {
    expect(loadPolicy([])).toBe(-ENOSYS);
  });
});

/** HVM_PARAM_STORE_PFN (1) := 7 as a structure in the stub's own memory. The stub's data page is reached by its last domctl. */
function paramAt(domid: number): number {
  // {domid u16, pad, index u32, value u64} written over the domctl structure's own fields.
  stub.domctl(0, 0, [
    [0, 2, domid],
    [4, 4, 1],
    [8, 8, 7],
  ]);
  return 0x2000 + 16;
}

describe("policy", () => {
  const open = (knobs: readonly (readonly [number, number])[] = []): void => {
    door = openDoor(4096, [[KNOB_XSM, XSM_POLICY], ...knobs]);
    stub = makeCaller(door);
    guest = door.createDomain();
  };
  beforeEach(() => open());

  it("hands one domctl to one domain over one other", () => {
    expect(loadPolicy([{ subject: stub.domid, target: guest, domctl: DOMCTL_PAUSEDOMAIN }])).toBe(0);
    expect(stub.domctl(DOMCTL_PAUSEDOMAIN, guest)).toBe(0);
    expect(stub.domctl(DOMCTL_UNPAUSEDOMAIN, guest)).toBe(-EPERM);
    expect(stub.domctl(DOMCTL_PAUSEDOMAIN, door.createDomain())).toBe(-EPERM);
    expect(loadPolicy([])).toBe(0);
    expect(stub.domctl(DOMCTL_PAUSEDOMAIN, guest)).toBe(-EPERM);
  });

  it("any target is every domain but the control domain; an own target follows set_target", () => {
    loadPolicy([{ subject: stub.domid, target: XSM_TARGET_ANY, domctl: DOMCTL_GETTSCINFO }]);
    expect(stub.domctl(DOMCTL_GETTSCINFO, guest)).toBe(0);
    expect(stub.domctl(DOMCTL_GETTSCINFO, 0)).toBe(-EPERM);
    expect(stub.domctl(DOMCTL_GETTSCINFO, stub.domid)).toBe(-EINVAL); // would pause itself: XSA-127
    loadPolicy([{ subject: stub.domid, target: XSM_TARGET_OWN, domctl: DOMCTL_GETTSCINFO }]);
    expect(stub.domctl(DOMCTL_GETTSCINFO, guest)).toBe(-EPERM);
    door.domctl(DOMCTL_SET_TARGET, stub.domid, [[0, 4, guest]]);
    expect(stub.domctl(DOMCTL_GETTSCINFO, guest)).toBe(0);
  });

  it("does not see the value of max_mem, as Xen's hook does not: a limit is refused, and any value passes", () => {
    const rule = { subject: stub.domid, target: guest, domctl: DOMCTL_MAX_MEM };
    expect(loadPolicy([{ ...rule, limit: 4096 }])).toBe(-EOPNOTSUPP);
    expect(stub.domctl(DOMCTL_MAX_MEM, guest, [[0, 8, 4096]])).toBe(-EPERM);
    expect(loadPolicy([rule])).toBe(0);
    expect(stub.domctl(DOMCTL_MAX_MEM, guest, [[0, 8, 1n << 40n]])).toBe(0);
  });

  it("sees it in the variant where the hook is told", () => {
    open([[KNOB_XSM_MAX_MEM, 1]]);
    expect(loadPolicy([{ subject: stub.domid, target: guest, domctl: DOMCTL_MAX_MEM, limit: 4096 }])).toBe(0);
    expect(stub.domctl(DOMCTL_MAX_MEM, guest, [[0, 8, 4096]])).toBe(0);
    expect(stub.domctl(DOMCTL_MAX_MEM, guest, [[0, 8, 4097]])).toBe(-EPERM);
    expect(stub.domctl(DOMCTL_MAX_MEM, guest, [[0, 8, 1n << 40n]])).toBe(-EPERM);
  });

  it("is loaded by a control domain only, whole or not at all", () => {
    const rule = { subject: stub.domid, target: guest, domctl: DOMCTL_PAUSEDOMAIN };
    expect(loadPolicy([rule], 2)).toBe(-EACCES);
    expect(loadPolicy(Array.from({ length: XSM_MAX_RULES + 1 }, () => rule))).toBe(-E2BIG);
    expect(door.call(HC_XSM_OP, NOWHERE)).toBe(-EFAULT);
    const unreadable = door.put(ARG, 24, [
      [0, 4, XSM_OP_LOAD_POLICY],
      [4, 4, XSM_POLICY_VERSION],
      [8, 4, 1],
      [16, 8, NOWHERE],
    ]);
    expect(loadPolicy([rule])).toBe(0);
    door.put(ARG, 24, [
      [0, 4, XSM_OP_LOAD_POLICY],
      [4, 4, XSM_POLICY_VERSION],
      [8, 4, 1],
      [16, 8, NOWHERE],
    ]);
    expect(door.call(HC_XSM_OP, unreadable)).toBe(-EFAULT);
    expect(stub.domctl(DOMCTL_PAUSEDOMAIN, guest)).toBe(0);
    stub.domctl(0, 0, [
      [0, 4, XSM_OP_LOAD_POLICY],
      [4, 4, XSM_POLICY_VERSION],
    ]);
    expect(stub.call(HC_XSM_OP, 0x2000 + 16)).toBe(-EPERM);
  });
});
