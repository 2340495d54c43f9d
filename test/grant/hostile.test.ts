/** Tables full of random bytes, in both versions: no operation traps or hangs, and when everybody has gone every frame is back. */
import { expect, it } from "vitest";
import { DOMCTL_DESTROYDOMAIN, DOMID_SELF } from "../../hv-core/abi/hypercalls.ts";
import { type Granter, openWorld } from "./world.ts";

/** xorshift32: the same numbers each time. */
function numbers(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** Never their own code and structures. Entries that are wild, but likely enough to lead somewhere: flags, one of our domids, a gfn that may exist. */
function fill(p: Granter, domids: readonly number[], next: (below: number) => number, version: number): void {
  const size = version === 1 ? 8 : 16;
  for (let ref = 8; ref < 40; ref++) {
    const at = p.entry(0) + ref * size;
    for (let i = 0; i < size; i++) view(p).setUint8(at + i, next(256));
    if (next(4) === 0) continue;
    view(p).setUint16(at, [1, 1, 1, 1, 5, 3, 0x101, 0x21][next(8)]!, true);
    view(p).setUint16(at + 2, domids[next(domids.length)]!, true);
    if (version === 1) view(p).setUint32(at + 4, 4 + next(16), true);
    else {
      view(p).setUint16(at + 4, next(2) === 0 ? domids[next(domids.length)]! : next(4096), true);
      view(p).setBigUint64(at + 8, BigInt(4 + next(16)), true);
    }
  }
}
let view: (p: Granter) => DataView;

it.each([1, 2, 3, 4])("seed %i", (seed) => {
  const world = openWorld();
  view = () => world.door.view;
  const warm = world.guest();
  warm.flags(8);
  warm.release();
  warm.caller!.release();
  world.door.domctl(DOMCTL_DESTROYDOMAIN, warm.domid);
  world.dom0.flags(8);
  const next = numbers(seed * 7919);
  const guests = [world.guest(), world.guest()];
  const parties: readonly Granter[] = [world.dom0, ...guests];
  const [a, b] = guests.map((p) => p.domid) as [number, number];
  const domids = [0, a, b, 4000, 0, a, b, 0, a, b, DOMID_SELF];
  const maps: { by: number; gfn: number; handle: number }[] = [];
  let done = 0;
  for (let round = 0; round < 12; round++) {
    for (const p of guests) {
      const version = 1 + next(2);
      if (p.setVersion(version) === 0) fill(p, domids, next, version);
    }
    for (let i = 0; i < 60; i++) {
      const by = next(3);
      const party = parties[by]!;
      const ref = 8 + next(34);
      const owner = domids[1 + next(3)]!;
      const gfn = 0x1000 + round * 100 + i;
      if (next(2) === 0) {
        const { status, handle } = party.map({ ref, domid: owner, gfn, flags: 2 | (next(2) * 4) });
        if (status === 0) maps.push({ by, gfn, handle });
        done += status === 0 ? 1 : 0;
      } else if (by !== 0) {
        const status = party.copy({ ref, domid: owner, offset: next(64) }, { gfn: 14, offset: next(64) }, next(200));
        done += status === 0 ? 1 : 0;
        party.copy({ gfn: 14 }, { ref, domid: owner, offset: next(4096) }, next(64));
      }
      if (next(3) === 0 && maps.length > 0) {
        const [gone] = maps.splice(next(maps.length), 1);
        expect(parties[gone!.by]!.unmap(gone!.handle, gone!.gfn)).toBe(0);
      }
    }
  }
  expect(done).toBeGreaterThan(20);
  for (const { by, gfn, handle } of maps) if (by === 0) expect(world.dom0.unmap(handle, gfn)).toBe(0);
  for (const p of guests) {
    p.release();
    p.caller!.release();
    expect(world.door.domctl(DOMCTL_DESTROYDOMAIN, p.domid)).toBe(0);
  }
  // Whatever was granted, mapped, or half looked at: nothing of either domain is left.
  for (const p of guests) expect(world.door.domctl(5, p.domid) === 0 && world.door.u16(0x1010) === p.domid).toBe(false);
});
