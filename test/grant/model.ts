/**
 * A plain model of grants between three domains (version 1), and random operations that are put to it and to the hypervisor alike: every
 * status, every mark, every byte that matters, and at the end no reference is left.
 */
import fc from "fast-check";
import { expect } from "vitest";
import * as g from "../../hv-core/abi/grant.ts";
import { FREE_GFN, type Granter, openWorld, type World } from "./world.ts";

const REFS = [8, 9, 10, 11];
/** Pages that are granted and copied; gfns at which grants are mapped. */
const PAGES = [10, 11, 12];
const PLACES = [FREE_GFN, FREE_GFN + 1, FREE_GFN + 2, FREE_GFN + 3];
const RO = g.GNTMAP_HOST_MAP | g.GNTMAP_READONLY;

export type Operation =
  | { readonly kind: "grant"; owner: number; ref: number; to: number; page: number; flags: number }
  | { readonly kind: "map"; by: number; owner: number; ref: number; place: number; readOnly: boolean }
  | { readonly kind: "unmap"; by: number; place: number; wrong: boolean }
  | { readonly kind: "copyFrom" | "copyTo"; by: number; owner: number; ref: number; page: number }
  | { readonly kind: "swap"; by: number; a: number; b: number }
  | { readonly kind: "version"; by: number }
  | { readonly kind: "write"; by: number; page: number; value: number };

const domain = fc.integer({ min: 0, max: 2 });
const ref = fc.constantFrom(...REFS);
const page = fc.constantFrom(...PAGES);
const place = fc.constantFrom(...PLACES);
const flags = fc.constantFrom(0, 1, 1, 1, 1, 1, 2, 5, 0x21);

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("grant" as const), owner: domain, ref, to: domain, page, flags }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("map" as const),
      by: domain,
      owner: domain,
      ref,
      place,
      readOnly: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("unmap" as const), by: domain, place, wrong: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("copyFrom" as const, "copyTo" as const),
      by: domain,
      owner: domain,
      ref,
      page,
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("swap" as const), by: domain, a: ref, b: ref }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("version" as const), by: domain }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("write" as const), by: domain, page, value: fc.nat() }) },
);

interface Entry {
  flags: number;
  to: number;
  page: number;
}
interface Use {
  user: number;
  page: number;
  reads: number;
  writes: number;
}
interface Mapping {
  readonly owner: number;
  readonly ref: number;
  readonly page: number;
  readonly readOnly: boolean;
  readonly handle: number;
}

class Model {
  readonly entries = [0, 1, 2].map(() => new Map<number, Entry>(REFS.map((r) => [r, { flags: 0, to: 0, page: 0 }])));
  readonly uses = [0, 1, 2].map(() => new Map<number, Use>());
  readonly maps = [0, 1, 2].map(() => new Map<number, Mapping>());
  readonly words = [0, 1, 2].map(() => new Map<number, number>(PAGES.map((p) => [p, 0])));

  /** Whether `user` may begin a use: 0, or the status. The page is the pinned one, or what the entry says. */
  begin(owner: number, r: number, user: number, readOnly: boolean): { status: number; page: number } {
    const use = this.uses[owner]!.get(r);
    const entry = this.entries[owner]!.get(r)!;
    const refused = { status: g.GNTST_GENERAL_ERROR, page: 0 };
    if (use && use.user !== user) return refused;
    if (!use || (!readOnly && use.writes === 0)) {
      if ((entry.flags & 3) !== 1 || entry.to !== user) return refused;
      if (!readOnly && (entry.flags & g.GTF_READONLY) !== 0) return refused;
    }
    return { status: 0, page: use?.page ?? entry.page };
  }

  marks(owner: number, r: number): number {
    const use = this.uses[owner]!.get(r);
    return use ? g.GTF_READING | (use.writes > 0 ? g.GTF_WRITING : 0) : 0;
  }
}

/** What a guest writes into an entry replaces the marks as well: the ones of today are taken over, as an honest guest does. */
function apply(world: World, parties: readonly Granter[], model: Model, op: Operation): void {
  const id = (i: number) => parties[i]!.domid;
  switch (op.kind) {
    case "grant": {
      const old = parties[op.owner]!.flags(op.ref) & (g.GTF_READING | g.GTF_WRITING);
      parties[op.owner]!.grant(op.ref, id(op.to), op.page, op.flags | old);
      model.entries[op.owner]!.set(op.ref, { flags: op.flags, to: op.to, page: op.page });
      return;
    }
    case "map": {
      if (op.by === op.owner || model.maps[op.by]!.has(op.place)) return; // one's own page would move; a grant in the way crashes
      const { status, page: which } = model.begin(op.owner, op.ref, op.by, op.readOnly);
      // A memory type counts at the mapping, after everything else.
      const expected =
        status === 0 && (model.entries[op.owner]!.get(op.ref)!.flags & 0xe0) !== 0 ? g.GNTST_GENERAL_ERROR : status;
      const got = parties[op.by]!.map({
        ref: op.ref,
        domid: id(op.owner),
        gfn: op.place,
        flags: op.readOnly ? RO : g.GNTMAP_HOST_MAP,
      });
      expect(got.status).toBe(expected);
      if (expected !== 0) return;
      const use = model.uses[op.owner]!.get(op.ref) ?? { user: op.by, page: which, reads: 0, writes: 0 };
      if (op.readOnly) use.reads++;
      else use.writes++;
      model.uses[op.owner]!.set(op.ref, use);
      model.maps[op.by]!.set(op.place, {
        owner: op.owner,
        ref: op.ref,
        page: which,
        readOnly: op.readOnly,
        handle: got.handle,
      });
      expect(world.entry(id(op.by), op.place).mfn).toBe(world.entry(id(op.owner), which).mfn);
      return;
    }
    case "unmap": {
      const mapping = model.maps[op.by]!.get(op.place);
      if (!mapping) return;
      const at = op.wrong ? op.place + 0x80 : op.place;
      expect(parties[op.by]!.unmap(mapping.handle, at)).toBe(op.wrong ? g.GNTST_GENERAL_ERROR : 0);
      if (op.wrong) return;
      model.maps[op.by]!.delete(op.place);
      const use = model.uses[mapping.owner]!.get(mapping.ref)!;
      if (mapping.readOnly) use.reads--;
      else use.writes--;
      if (use.reads + use.writes === 0) model.uses[mapping.owner]!.delete(mapping.ref);
      return;
    }
    case "copyFrom":
    case "copyTo": {
      const readOnly = op.kind === "copyFrom";
      const { status, page: which } = model.begin(op.owner, op.ref, op.by, readOnly);
      const granted = { ref: op.ref, domid: id(op.owner) };
      const own = { gfn: op.page };
      const got = readOnly ? parties[op.by]!.copy(granted, own, 4) : parties[op.by]!.copy(own, granted, 4);
      expect(got).toBe(status);
      if (status !== 0) return;
      const word = readOnly ? model.words[op.owner]!.get(which)! : model.words[op.by]!.get(op.page)!;
      if (readOnly) model.words[op.by]!.set(op.page, word);
      else model.words[op.owner]!.set(which, word);
      return;
    }
    case "swap": {
      const busy = [op.a, op.b].some((r) => model.uses[op.by]!.has(r));
      const expected = op.a === op.b ? 0 : busy ? g.GNTST_EAGAIN : 0;
      expect(
        parties[op.by]!.op(
          g.GNTTABOP_SWAP_GRANT_REF,
          [
            [0, 4, op.a],
            [4, 4, op.b],
          ],
          12,
        ),
      ).toBe(0);
      expect(parties[op.by]!.i16(8)).toBe(expected);
      if (expected !== 0) return;
      const table = model.entries[op.by]!;
      const [x, y] = [table.get(op.a)!, table.get(op.b)!];
      table.set(op.a, y);
      table.set(op.b, x);
      return;
    }
    case "version": {
      const busy = model.uses[op.by]!.size > 0;
      expect(parties[op.by]!.setVersion(2)).toBe(busy ? -16 : 0);
      if (busy) return;
      expect(parties[op.by]!.setVersion(1)).toBe(0);
      for (const r of REFS) model.entries[op.by]!.set(r, { flags: 0, to: 0, page: 0 });
      return;
    }
    case "write": {
      new DataView(world.door.view.buffer).setUint32(parties[op.by]!.page(op.page).byteOffset, op.value, true);
      model.words[op.by]!.set(op.page, op.value >>> 0);
    }
  }
}

function compare(world: World, parties: readonly Granter[], model: Model): void {
  for (const [i, party] of parties.entries()) {
    for (const r of REFS) expect(party.flags(r) & (g.GTF_READING | g.GTF_WRITING)).toBe(model.marks(i, r));
    for (const p of PAGES) {
      const used = [...model.uses[i]!.values()].filter((u) => u.page === p).reduce((n, u) => n + u.reads + u.writes, 0);
      const { mfn } = world.entry(party.domid, p);
      expect([world.refs(mfn), world.typeCount(mfn)]).toEqual([1 + used, 0]);
      expect(new DataView(world.door.view.buffer).getUint32(party.page(p).byteOffset, true)).toBe(
        model.words[i]!.get(p),
      );
    }
  }
}

export function runModel(operations: readonly Operation[]): void {
  const world = openWorld();
  const parties = [world.dom0, world.guest(), world.guest()];
  const model = new Model();
  for (const party of parties) {
    for (const r of REFS) party.grant(r, 0, 0, 0);
    for (const p of PAGES) party.page(p).fill(0);
  }
  for (const op of operations) apply(world, parties, model, op);
  compare(world, parties, model);
  for (const [by, party] of parties.entries())
    for (const [at, { handle }] of model.maps[by]!) expect(party.unmap(handle, at)).toBe(0);
  for (const uses of model.uses) uses.clear();
  compare(world, parties, model);
}
