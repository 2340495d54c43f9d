/** hvm_op, xen_version, sched_op, vcpu_op, console_io, sysctl and multicall by dom0, as recorded from Xen 4.17. */
import { beforeEach, describe, expect, it } from "vitest";
import {
  E2BIG,
  EACCES,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOENT,
  ENOSYS,
  ENXIO,
  EOPNOTSUPP,
  EPERM,
  ESRCH,
} from "../../hv-core/abi/errno.ts";
import {
  HC_CONSOLE_IO,
  HC_EVENT_CHANNEL_OP,
  HC_HVM_OP,
  HC_MULTICALL,
  HC_SCHED_OP,
  HC_SET_TIMER_OP,
  HC_SYSCTL,
  HC_VCPU_OP,
  HC_XEN_VERSION,
  HVMOP_FLUSH_TLBS,
  HVMOP_GET_MEM_TYPE,
  HVMOP_GET_PARAM,
  HVMOP_GET_TIME,
  HVMOP_SET_EVTCHN_UPCALL_VECTOR,
  HVMOP_SET_PARAM,
  SCHEDOP_POLL,
  SCHEDOP_REMOTE_SHUTDOWN,
  VCPUOP_GET_RUNSTATE_INFO,
  VCPUOP_INITIALISE,
  VCPUOP_IS_UP,
  VCPUOP_REGISTER_VCPU_INFO,
  VCPUOP_SET_PERIODIC_TIMER,
  VCPUOP_SET_SINGLESHOT_TIMER,
  VCPUOP_UP,
} from "../../hv-core/abi/hypercalls.ts";
import { HV_CONSOLE_BASE } from "../../hv-core/abi/layout.ts";
import { ARG, type Door, type Field, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

const ABSENT = 0x7000;
let door: Door;
let h: number;

beforeEach(() => {
  door = openDoor();
  h = door.createDomain();
});

describe("parameters", () => {
  const param = (op: number, index: number, value: number | bigint = 0, domid = h) =>
    door.call(
      HC_HVM_OP,
      op,
      door.put(ARG, 16, [
        [0, 2, domid],
        [4, 4, index],
        [8, 8, value],
      ]),
    );
  const get = (index: number) => param(HVMOP_GET_PARAM, index) || door.u64(ARG + 8);
  const set = (index: number, value: number | bigint) => param(HVMOP_SET_PARAM, index, value);

  it("V818..V859 a fresh domain's", () => {
    for (let index = 0; index < 42; index++) {
      const isGone = index === 4 || index === 13 || (index >= 20 && index <= 26) || index === 30 || index >= 39;
      expect(get(index), `index ${index}`).toEqual(isGone ? -EINVAL : index === 31 ? 1n : 0n);
    }
  });

  it("V860..V941 which can be set to 1 and then to 2", () => {
    const first: Record<number, number> = { 14: -EINVAL, 19: -ENODEV, 36: -EINVAL, 37: -EINVAL, 38: -EINVAL };
    const onceOnly = [5, 6, 9, 32, 33, 35];
    for (let index = 0; index < 42; index++) {
      const isGone = index === 4 || index === 13 || (index >= 20 && index <= 26) || index === 30 || index >= 39;
      if (index === 12) continue;
      const expected = isGone ? -EINVAL : (first[index] ?? 0);
      expect(set(index, 1), `index ${index}`).toBe(expected);
      if (expected === 0) expect(get(index), `index ${index}`).toBe(1n);
    }
    expect(get(37)).toBe(0x8000000001n);
    for (const index of [0, 1, 2, 3, 7, 8, 10, 11, 15, 16, 17, 18, 27, 28, 29, 31, 34]) {
      expect(set(index, 2), `index ${index}`).toBe(0);
      expect(get(index)).toBe(2n);
    }
    for (const index of onceOnly) {
      expect(set(index, 2), `index ${index}`).toBe(-EEXIST);
      expect(get(index)).toBe(1n);
    }
  });

  it.each([
    ["V945 TIMER_MODE 4", 10, 4n, -EINVAL],
    ["V946 TIMER_MODE 3", 10, 3n, 0],
    ["V948 S state 3", 14, 3n, 0],
    ["V949 S state 5", 14, 5n, -EINVAL],
    ["V951 callback vector", 0, 0x0200000000000030n, 0],
    ["V956 callback type 3", 0, 0x0300000000000001n, 0],
    ["V962 FIP width 4", 36, 4n, 0],
    ["V964 FIP width 3", 36, 3n, -EINVAL],
    ["V966 MCA 4", 38, 4n, -EINVAL],
    ["V968 TSS of 128 bytes", 37, 0x8000001000n, 0],
    ["V969 TSS of 10 bytes", 37, 0xa00001000n, -EINVAL],
    ["V970 triple fault: reboot", 31, 1n, 0],
    ["V971 triple fault 6", 31, 6n, -EINVAL],
    ["V606 no ioreq pages", 33, 0n, -EINVAL],
    ["V607 65 ioreq pages", 33, 65n, -EINVAL],
    ["V977 index ~0", 0xffffffff, 1n, -EINVAL],
  ] as const)("%s", (_, index, value, expected) => {
    expect(set(index, value)).toBe(expected);
    if (expected === 0) expect(get(index)).toBe(value);
  });

  it("V979..V982 domains and pointers; what a domain may do to itself", () => {
    expect(param(HVMOP_GET_PARAM, 1, 0, ABSENT)).toBe(-ESRCH);
    expect(param(HVMOP_GET_PARAM, 99, 0, ABSENT)).toBe(-EINVAL);
    expect(door.call(HC_HVM_OP, HVMOP_GET_PARAM, NOWHERE)).toBe(-EFAULT);
    expect(param(HVMOP_GET_PARAM, 5, 0, 0x7ff0)).toBe(-EPERM);
    expect(param(HVMOP_GET_PARAM, 1, 0, 0x7ff0)).toBe(0);
    expect(param(HVMOP_SET_PARAM, 1, 0, 0x7ff0)).toBe(-EPERM);
  });
});

describe("hvm_op", () => {
  it("V983..V1007 operations", () => {
    for (const op of [2, 3, 4, 6, 7, 8, 12, 13, 14, 16, 17, 18, 19, 20, 21, 22, 26, 99])
      expect(door.call(HC_HVM_OP, op, ARG), `operation ${op}`).toBe(-ENOSYS);
    expect(door.call(HC_HVM_OP, 9, ARG)).toBe(-EINVAL);
    expect(door.call(HC_HVM_OP, 11, ARG)).toBe(0);
    expect(door.call(HC_HVM_OP, 25, ARG)).toBe(-EOPNOTSUPP);
    expect(door.call(HC_HVM_OP, HVMOP_GET_TIME, ARG)).toBe(0);
    expect(door.call(HC_HVM_OP, HVMOP_FLUSH_TLBS, 0)).toBe(0);
    expect(door.call(HC_HVM_OP, HVMOP_FLUSH_TLBS, ARG)).toBe(-EINVAL);
    door.put(ARG, 16, [[0, 2, ABSENT]]);
    expect(door.call(HC_HVM_OP, HVMOP_GET_MEM_TYPE, ARG)).toBe(-ESRCH);
  });

  it("set_evtchn_upcall_vector", () => {
    const set = (vcpu: number, vector: number) =>
      door.call(
        HC_HVM_OP,
        HVMOP_SET_EVTCHN_UPCALL_VECTOR,
        door.put(ARG, 8, [
          [0, 4, vcpu],
          [4, 1, vector],
        ]),
      );
    expect([set(0, 15), set(9, 16), set(0, 16)]).toEqual([-EINVAL, -ENOENT, 0]);
  });
});

describe("xen_version", () => {
  const text = (gpa: number) => {
    let out = "";
    for (let i = 0; door.view.getUint8(door.at(gpa) + i) !== 0; i++)
      out += String.fromCharCode(door.view.getUint8(door.at(gpa) + i));
    return out;
  };

  it("V1337..V1357", () => {
    expect(door.call(HC_XEN_VERSION, 0, 0)).toBe(0x40011);
    door.put(OUT, 2048, [[15, 1, 0x55]]);
    expect(door.call(HC_XEN_VERSION, 1, OUT)).toBe(0);
    expect([text(OUT), door.view.getUint8(door.at(OUT) + 15)]).toEqual([".7", 0]);
    expect(door.call(HC_XEN_VERSION, 3, OUT)).toBe(0);
    expect(text(OUT)).toBe("xen-3.0-x86_64 hvm-3.0-x86_32 hvm-3.0-x86_32p hvm-3.0-x86_64 ");
    for (const op of [2, 4, 5, 8, 9]) expect(door.call(HC_XEN_VERSION, op, OUT), `operation ${op}`).toBe(0);
    expect(door.call(HC_XEN_VERSION, 7, 0)).toBe(4096);
    expect(door.call(HC_XEN_VERSION, 7, OUT)).toBe(-EINVAL);
    for (const op of [11, 12, 13, 15]) expect(door.call(HC_XEN_VERSION, op, OUT)).toBe(-ENOSYS);
    expect(door.call(HC_XEN_VERSION, 1, NOWHERE)).toBe(-EFAULT);
  });

  it("V1353 V1354 features of submap 0 only", () => {
    const features = (submap: number) => door.call(HC_XEN_VERSION, 6, door.put(OUT, 8, [[0, 4, submap]]));
    expect([features(0), door.u32(OUT + 4)]).toEqual([0, 0x12b05]);
    expect(features(1)).toBe(-EINVAL);
  });
});

describe("sched_op and vcpu_op", () => {
  it("V1287..V1308", () => {
    const remote = (domid: number) =>
      door.call(HC_SCHED_OP, SCHEDOP_REMOTE_SHUTDOWN, door.put(ARG, 8, [[0, 2, domid]]));
    expect([remote(ABSENT), remote(0x7ff0)]).toEqual([-ESRCH, -ESRCH]);
    expect(door.call(HC_SCHED_OP, SCHEDOP_REMOTE_SHUTDOWN, NOWHERE)).toBe(-EFAULT);
    expect([door.call(HC_SCHED_OP, 99), door.call(HC_SCHED_OP, 8)]).toEqual([-ENOSYS, -ENOSYS]);
    const poll = (ports: number, count: number) =>
      door.call(
        HC_SCHED_OP,
        SCHEDOP_POLL,
        door.put(ARG, 24, [
          [0, 8, ports],
          [8, 4, count],
        ]),
      );
    expect(poll(LIST, 129)).toBe(-EINVAL);
    expect(poll(NOWHERE, 1)).toBe(-EFAULT);
    door.put(LIST, 4, [[0, 4, 100000]]);
    expect(poll(LIST, 1)).toBe(-EINVAL);
  });

  it("vcpu_op", () => {
    const op = (cmd: number, vcpu: number, arg = ARG) => door.call(HC_VCPU_OP, cmd, vcpu, arg);
    expect(op(VCPUOP_IS_UP, 1)).toBe(-ENOENT);
    expect(op(VCPUOP_IS_UP, 0)).toBe(0); // the host plays dom0: its vCPU never runs
    expect(op(VCPUOP_UP, 0)).toBe(-EINVAL);
    expect(op(99, 0)).toBe(-ENOSYS);
    expect(op(VCPUOP_INITIALISE, 0, NOWHERE)).toBe(-EFAULT);
    const context = (mode: number, fields: readonly Field[]) => {
      door.put(ARG, 128, [[0, 4, mode], ...fields]);
      return op(VCPUOP_INITIALISE, 0);
    };
    expect(context(2, [])).toBe(-EINVAL);
    expect(context(0, [])).toBe(-EINVAL); // no code segment
    expect(context(1, [])).toBe(-EINVAL); // 64-bit mode without paging
    door.put(ARG, 8, [[0, 8, 999_999]]);
    expect(op(VCPUOP_SET_PERIODIC_TIMER, 0)).toBe(-EINVAL);
    door.put(ARG, 16, [[0, 8, 1_000_000]]);
    expect(op(VCPUOP_SET_SINGLESHOT_TIMER, 0)).toBe(0);
    expect(op(VCPUOP_GET_RUNSTATE_INFO, 0, OUT)).toBe(0);
    expect(door.u32(OUT)).toBe(3); // off-line
  });

  it("register_vcpu_info: once, aligned, inside a page of RAM", () => {
    const register = (gfn: number, offset: number) =>
      door.call(
        HC_VCPU_OP,
        VCPUOP_REGISTER_VCPU_INFO,
        0,
        door.put(ARG, 16, [
          [0, 8, gfn],
          [8, 4, offset],
        ]),
      );
    expect(register(5, 4040)).toBe(-ENXIO);
    expect(register(5, 4)).toBe(-ENXIO);
    expect(register(0x9000, 0)).toBe(-EINVAL);
    expect(register(5, 128)).toBe(0);
    expect(register(5, 128)).toBe(-EBUSY);
    // Everything pending, so that nothing is lost in the move; the clock is there.
    expect(door.u64(0x5000 + 128 + 8)).toBe(0xffffffffffffffffn);
    expect(door.u32(0x5000 + 128 + 32 + 24)).not.toBe(0);
  });

  it("set_timer_op accepts any time", () => {
    for (const [low, high] of [
      [0, 0],
      [1, 0],
      [0xffffffff, 0],
    ])
      expect(door.call(HC_SET_TIMER_OP, low, high)).toBe(0);
  });
});

describe("console_io and sysctl", () => {
  it("writes to the hypervisor's console, in pages", () => {
    door.put(LIST, 4, [[0, 4, 0x64636261]]);
    expect(door.call(HC_CONSOLE_IO, 0, 4, LIST)).toBe(0);
    expect(door.view.getUint32(HV_CONSOLE_BASE, true)).toBe(4);
    expect(door.view.getUint32(HV_CONSOLE_BASE + 8, true)).toBe(0x64636261);
    expect(door.call(HC_CONSOLE_IO, 0, 10_000, LIST)).toBe(0);
    expect(door.view.getUint32(HV_CONSOLE_BASE, true)).toBe(10_004);
    expect(door.call(HC_CONSOLE_IO, 0, 0x80000000, LIST)).toBe(-E2BIG);
    expect(door.call(HC_CONSOLE_IO, 0, 4, NOWHERE)).toBe(-EFAULT);
    expect(door.call(HC_CONSOLE_IO, 1, 4, LIST)).toBe(0);
    expect(door.call(HC_CONSOLE_IO, 2, 4, LIST)).toBe(-ENOSYS);
  });

  it("V1312..V1321 sysctl's envelope", () => {
    const sysctl = (version: number) => door.call(HC_SYSCTL, door.put(ARG, 136, [[4, 4, version]]));
    for (const version of [0, 0x14, 0x16, 0xffffffff]) expect(sysctl(version)).toBe(-EACCES);
    expect(sysctl(0x15)).toBe(-ENOSYS);
    expect(door.call(HC_SYSCTL, NOWHERE)).toBe(-EFAULT);
  });
});

describe("multicall", () => {
  it("does every entry and keeps each result, in pieces", () => {
    const count = 60;
    const entries: Field[] = [];
    for (let i = 0; i < count; i++)
      entries.push([i * 64, 8, i === 3 ? HC_EVENT_CHANNEL_OP : HC_XEN_VERSION], [i * 64 + 16, 8, i === 3 ? 99 : 0]);
    door.put(LIST, 4096, entries);
    expect(door.call(HC_MULTICALL, LIST, count)).toBe(0);
    for (let i = 0; i < count; i++)
      expect(BigInt.asIntN(64, door.u64(LIST + i * 64 + 8))).toBe(i === 3 ? BigInt(-ENOSYS) : 0x40011n);
  });

  it("goes on after an entry that was preempted", () => {
    // console_io of more than a page is a continuation inside the list.
    door.put(OUT, 192, [
      [0, 8, HC_CONSOLE_IO],
      [16, 8, 0],
      [24, 8, 9000],
      [32, 8, LIST],
      [64, 8, HC_XEN_VERSION],
    ]);
    expect(door.call(HC_MULTICALL, OUT, 2)).toBe(0);
    expect([door.u64(OUT + 8), door.u64(OUT + 72)]).toEqual([0n, 0x40011n]);
    expect(door.view.getUint32(HV_CONSOLE_BASE, true)).toBe(9000);
  });

  it("refuses a list inside a list, and a list nowhere", () => {
    door.put(OUT, 64, [[0, 8, HC_MULTICALL]]);
    expect(door.call(HC_MULTICALL, OUT, 1)).toBe(0);
    expect(BigInt.asIntN(64, door.u64(OUT + 8))).toBe(BigInt(-ENOSYS));
    expect(door.call(HC_MULTICALL, NOWHERE, 1)).toBe(-EFAULT);
  });
});
