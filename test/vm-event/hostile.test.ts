/** A hostile listener, 40 random sequences (hostile.ts), and the cases one would think of. 2,000: hostile.long.test.ts. */
import { describe, expect, it } from "vitest";
import { load32, store32 } from "../../host/lib/explore/code.ts";
import { EINVAL } from "../../hv-core/abi/errno.ts";
import {
  ACCESS_SET,
  EVF_VCPU_PAUSED,
  RING_SLOTS,
  VM_EVENT_DISABLE,
  VM_EVENT_MODE_MONITOR,
  VM_EVENT_RESUME,
} from "../../hv-core/abi/vm-event.ts";
import { playHostile } from "./hostile.ts";
import { Guest } from "./listener.ts";

const MONITOR = VM_EVENT_MODE_MONITOR;
const N2RWX = 9;

it("random operations", () => {
  playHostile(40, 60, 1);
}, 60_000);

describe("a listener that lies", () => {
  const paused = () => {
    const guest = new Guest({ body: [store32(0x4000, 1)], others: [[]] });
    const ring = guest.listen(MONITOR);
    guest.access(ACCESS_SET, { access: 1, pfn: 4 });
    guest.run();
    const [event] = ring.take();
    return { guest, ring, event: event! };
  };

  it.each([
    ["another version", { version: 6 }],
    ["a vCPU that is not there", { vcpu: 2 }],
    ["a vCPU number beyond all", { vcpu: 0xffff_ffff }],
    ["a vCPU that is not paused", { vcpu: 1 }],
  ])("%s: the response is skipped, the vCPU stays paused", (_, change) => {
    const { guest, ring, event } = paused();
    ring.answer(event, change);
    guest.run();
    expect([guest.pauseCount(0), guest.pauseCount(1)]).toEqual([1, 0]);
  });

  it("the same answer twice: only as many as were asked for are taken", () => {
    const { guest, ring, event } = paused();
    ring.answer(event, {}, true);
    ring.answer(event, {}, true);
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(-EINVAL);
    expect(guest.pauseCount()).toBe(1);
    ring.setResponses(1); // it comes to its senses: nothing was lost
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(0);
    expect(guest.pauseCount()).toBe(0);
  });

  it.each([1, 9, 0x7fff_ffff, 0xffff_ffff])("an index of %i without a request is refused", (index) => {
    const guest = new Guest();
    const ring = guest.listen(MONITOR);
    ring.setResponses(index);
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(-EINVAL);
    expect(ring.kick()).toBe(0);
    ring.setResponses(0);
    expect(guest.vmEvent(VM_EVENT_RESUME, MONITOR)).toBe(0);
  });
});

describe("a consumer that stops", () => {
  /** Touches twelve pages of access n2rwx: events that the vCPU does not wait for. */
  const body = Array.from({ length: 12 }, (_, i) => load32((8 + i) << 12));
  const flooded = (others: number) => {
    const guest = new Guest({ body, others: Array.from({ length: others }, () => []) });
    const ring = guest.listen(MONITOR);
    guest.access(ACCESS_SET, { access: N2RWX, pfn: 8, nr: 12 });
    guest.run(50_000);
    return { guest, ring };
  };

  it("a vCPU is stopped before the ring is full, and loses no event", () => {
    const { guest, ring } = flooded(0);
    expect(ring.produced).toBe(RING_SLOTS);
    expect([guest.isDone(), guest.pauseFlags() & 32]).toEqual([false, 32]);
    const seen: number[] = [];
    for (let i = 0; i < 12; i++) {
      for (const event of ring.take()) {
        seen.push(event.gfn);
        ring.answer(event);
      }
      guest.run(1000);
    }
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => 8 + i));
    expect([guest.isDone(), guest.pauseFlags()]).toEqual([true, 0]);
  });

  it("with more vCPUs it is stopped earlier: each of the others still finds a slot", () => {
    const { guest, ring } = flooded(2);
    expect(ring.produced).toBe(RING_SLOTS - 2);
    expect(guest.pauseFlags(0) & 32).toBe(32);
  });

  it("more vCPUs than slots: who finds none sleeps, and disable is busy until it is served", () => {
    const knobs = [[95, 1]] as const;
    const touch = (i: number) => [store32((8 + i) << 12, i + 1)];
    const guest = new Guest({ body: touch(0), others: [touch(1), touch(2)], knobs });
    const ring = guest.listen(MONITOR);
    guest.access(ACCESS_SET, { access: 1, pfn: 8, nr: 3 });
    guest.run(50_000);
    expect([ring.produced, [0, 1, 2].map((v) => guest.pauseFlags(v))]).toEqual([1, [128, 256, 256]]);
    expect(guest.vmEvent(VM_EVENT_DISABLE, MONITOR)).toBe(-16);
    guest.access(ACCESS_SET, { access: 7, pfn: 8, nr: 3 });
    for (let i = 0; i < 3; i++) {
      for (const event of ring.take()) ring.answer(event, { flags: EVF_VCPU_PAUSED });
      guest.run(50_000);
    }
    expect([0, 1, 2].map((v) => guest.isDone(v))).toEqual([true, true, true]);
    expect([8, 9, 10].map((gfn) => guest.word(gfn << 12))).toEqual([1, 2, 3]);
    expect(guest.vmEvent(VM_EVENT_DISABLE, MONITOR)).toBe(0);
  });
});
