/**
 * Random calls and a listener that lies: answers nobody asked for, wrong versions, vCPUs and flags, indexes that cannot be, a consumer that
 * stops. After each operation the books of the rings balance, the p2m is sound, and a second domain is as it was.
 */
import fc from "fast-check";
import { expect } from "vitest";
import { load32, store32 } from "../../host/lib/explore/code.ts";
import { DOMAIN_EVENTS_OFFSET, DOMAIN_SIZE, DOMAINS_BASE } from "../../hv-core/abi/layout.ts";
import {
  ACCESS_SET,
  RING_RSP_PROD,
  RING_SLOTS,
  VM_EVENT_DISABLE,
  VM_EVENT_ENABLE,
  VM_EVENT_MODE_MONITOR,
  VM_EVENT_MODE_PAGING,
  VM_EVENT_RESUME,
} from "../../hv-core/abi/vm-event.ts";
import { BUFFER, type Event, Guest, type Ring } from "./listener.ts";

const MODES = [VM_EVENT_MODE_PAGING, VM_EVENT_MODE_MONITOR];
const FIRST = 4;
const GFNS = 6;
/** Most requests of a vCPU that can wait for answers: a hypercall and a fault. */
const MOST_PAUSES = 16;

type Op =
  | { readonly kind: "run" }
  | { readonly kind: "page"; readonly op: number; readonly gfn: number }
  | { readonly kind: "access"; readonly access: number; readonly gfn: number }
  | { readonly kind: "answer"; readonly ring: number; readonly pick: number }
  | { readonly kind: "lie"; readonly ring: number; readonly words: readonly number[]; readonly ahead: number }
  | { readonly kind: "index"; readonly ring: number; readonly index: number }
  | { readonly kind: "resume"; readonly ring: number }
  | { readonly kind: "toggle"; readonly ring: number };

const ring = fc.integer({ min: 0, max: 1 });
const gfn = fc.integer({ min: FIRST, max: FIRST + GFNS - 1 });
const word = fc.oneof(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 0xffff }), fc.constant(0xffff_ffff));
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 5, arbitrary: fc.constant({ kind: "run" } as const) },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("page" as const), op: fc.integer({ min: 0, max: 2 }), gfn }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("access" as const), access: fc.integer({ min: 0, max: 11 }), gfn }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("answer" as const), ring, pick: fc.nat(7) }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("lie" as const),
      ring,
      words: fc.array(word, { minLength: 16, maxLength: 100 }),
      ahead: fc.integer({ min: 0, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("index" as const),
      ring,
      index: fc.integer({ min: 0, max: 0x7fff_ffff }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("resume" as const), ring }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("toggle" as const), ring }) },
);

/** The books of a ring (hv-core/hv/vm-event/ring.ts). */
function books(guest: Guest, mode: number) {
  const { view } = guest.door;
  for (let slot = 0; slot < 8; slot++) {
    const domain = DOMAINS_BASE + slot * DOMAIN_SIZE;
    if (view.getUint32(domain, true) === 0 || view.getUint32(domain + 8, true) !== guest.domid) continue;
    const at = domain + DOMAIN_EVENTS_OFFSET + (mode - 1) * 64;
    const u32 = (offset: number) => view.getUint32(at + offset, true);
    return {
      mfn: u32(4),
      reqProd: u32(16),
      rspCons: u32(20),
      target: u32(24),
      foreign: u32(28),
      queued: u32(32),
      blocked: u32(36),
    };
  }
  throw new Error("no such domain");
}

class World {
  readonly guest: Guest;
  readonly other: Guest;
  readonly rings: Ring[];
  private readonly open: Event[][] = [[], []];
  private readonly otherBefore: string;

  constructor() {
    const body = Array.from({ length: 12 }, (_, i) => {
      const at = ((FIRST + (i % GFNS)) << 12) + i * 4;
      return i % 2 === 0 ? store32(at, i + 1) : load32(at);
    });
    this.guest = new Guest({ body, others: [body, body] });
    this.rings = MODES.map((mode) => this.guest.listen(mode));
    this.other = new Guest({ door: this.guest.door, body: [store32(0x4000, 1)] });
    for (const mode of MODES) this.other.listen(mode);
    this.otherBefore = this.otherNow();
  }

  private otherNow(): string {
    return JSON.stringify([
      MODES.map((mode) => books(this.other, mode)),
      this.other.pauseCount(),
      this.other.pauseFlags(),
      this.other.crashReason(),
      [4, 5, 6].map((g) => this.other.type(g)),
    ]);
  }

  do(o: Op): void {
    const { guest } = this;
    switch (o.kind) {
      case "run":
        guest.run(200);
        break;
      case "page":
        guest.paging(o.op, o.gfn, BUFFER);
        break;
      case "access":
        guest.access(ACCESS_SET, { access: o.access, pfn: o.gfn });
        break;
      case "answer": {
        const r = this.rings[o.ring]!;
        if (books(guest, r.mode).mfn === 0) break;
        const waiting = this.open[o.ring]!;
        waiting.push(...r.take());
        const event = waiting.splice(o.pick % Math.max(1, waiting.length), 1)[0];
        if (event) r.answer(event);
        break;
      }
      case "lie": {
        const r = this.rings[o.ring]!;
        const prod = r.view.getUint32(r.page + RING_RSP_PROD, true);
        const at = r.entry(prod);
        for (const [i, value] of o.words.entries()) r.view.setUint32(at + i * 4, value, true);
        if (o.ahead !== 0) r.view.setUint32(at, 7, true);
        r.setResponses((prod + o.ahead) >>> 0);
        r.kick();
        break;
      }
      case "index":
        this.rings[o.ring]!.setResponses(o.index);
        this.rings[o.ring]!.kick();
        break;
      case "resume":
        guest.vmEvent(VM_EVENT_RESUME, MODES[o.ring]!);
        break;
      case "toggle": {
        // A listener that goes and comes again; the page stays in dom0, so the new ring starts where its indexes are cleared.
        const mode = MODES[o.ring]!;
        if (guest.vmEvent(VM_EVENT_DISABLE, mode) === 0) {
          guest.vmEvent(VM_EVENT_ENABLE, mode);
          this.open[o.ring]!.length = 0;
        }
      }
    }
  }

  check(): void {
    const { guest } = this;
    for (const mode of MODES) {
      const b = books(guest, mode);
      if (b.mfn === 0) continue;
      const outstanding = (b.reqProd - b.rspCons) >>> 0;
      expect(outstanding + b.target + b.foreign).toBeLessThanOrEqual(RING_SLOTS);
      expect([b.target, b.foreign]).toEqual([0, 0]); // nobody is in the middle of a request now
      expect(b.queued + b.blocked).toBeLessThanOrEqual(guest.vcpus);
    }
    for (let vcpu = 0; vcpu < guest.vcpus; vcpu++) {
      const count = guest.pauseCount(vcpu);
      expect(count).toBeLessThan(MOST_PAUSES);
      expect((guest.pauseFlags(vcpu) & 128) !== 0).toBe(count !== 0);
    }
    expect(guest.door.core.p2mInvariants(guest.domid)).toBe(0);
    const out = Array.from({ length: GFNS }, (_, i) => guest.entryOf(FIRST + i)).filter(
      (e) => e.type === "ram_paged" || (e.type === "ram_paging_in" && e.mfn > 0xf_ffff),
    ).length;
    expect(guest.pagedPages()).toBe(BigInt(out));
    expect(this.otherNow()).toBe(this.otherBefore);
  }
}

/** @throws the counter-example that fast-check has made small. */
export function playHostile(runs: number, length: number, seed: number): void {
  fc.assert(
    fc.property(fc.array(op, { minLength: 5, maxLength: length }), (ops) => {
      const world = new World();
      for (const o of ops) {
        world.do(o);
        world.check();
      }
    }),
    { numRuns: runs, seed, endOnFailure: false },
  );
}
