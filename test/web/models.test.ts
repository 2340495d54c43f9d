/** The arithmetic behind the pictures. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { P2mRange } from "../../host/lib/p2m-map.ts";
import { entryType, epteFields } from "../../host/web/model/epte-fields.ts";
import { memoryRows, parseAddress } from "../../host/web/model/memory-rows.ts";
import { entryBytes, indexAt, withIndex } from "../../host/web/model/p2m-address.ts";
import { mapRows } from "../../host/web/model/p2m-rows.ts";
import { P2M_TYPES, p2mStyle } from "../../host/web/model/p2m-style.ts";
import { RecordStore } from "../../host/web/model/records.ts";
import { binColumns, clampWindow, LANES, laneOf, nextShown, zoomWindow } from "../../host/web/model/timeline.ts";
import { judgeEntry } from "../../host/web/model/tlb-stale.ts";
import { TRACE_RECORD_SIZE } from "../../hv-core/abi/layout.ts";
import * as p2mTypes from "../../hv-core/abi/p2m-types.ts";
import { TRC_ENTRY, TRC_EXIT, TRC_IOREQ_STATE, TRC_P2M_SET } from "../../hv-core/abi/trace-events.ts";

describe("p2m types", () => {
  it("every type of the core has a look of its own, by letter and by colour with pattern", () => {
    const names = Object.keys(p2mTypes)
      .filter((n) => n.startsWith("P2M_") && !n.startsWith("P2M_ACCESS_") && !["P2M_ALLOC", "P2M_UNSHARE"].includes(n))
      .map((n) => n.slice(4).toLowerCase());
    expect([...P2M_TYPES].sort()).toEqual(names.sort());
    const styles = P2M_TYPES.map(p2mStyle);
    expect(new Set(styles.map((s) => s.letter)).size).toBe(styles.length);
    const looks = new Set(styles.map((s) => `${s.colour} ${s.pattern}`));
    expect(looks.size).toBe(styles.length);
  });
});

describe("the map", () => {
  const range = (gfn: number, pages: number): P2mRange => ({
    gfn,
    pages,
    mfn: gfn,
    type: "ram_rw",
    access: "rwx",
    rights: "rwx",
    memoryType: "WB",
    pageSize: "4K",
    isPending: false,
  });

  it("shows every page once, and the holes between", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 1e6 })), { maxLength: 60 }), (parts) => {
        const ranges: P2mRange[] = [];
        let next = 0;
        for (const [hole, pages] of parts) {
          ranges.push(range(next + hole, pages));
          next += hole + pages;
        }
        const rows = mapRows(ranges);
        expect(rows.reduce((sum, r) => sum + r.pages, 0)).toBe(next);
        expect(rows.flatMap((r) => (r.kind === "ranges" ? r.segments.map((s) => s.range) : []))).toEqual(ranges);
        for (const row of rows) {
          if (row.kind !== "ranges") continue;
          expect(row.segments[0]!.from).toBe(0);
          expect(row.segments.at(-1)!.to).toBeCloseTo(row.width);
          for (const s of row.segments) expect(s.to).toBeGreaterThan(s.from);
        }
      }),
    );
  });
});

describe("one entry", () => {
  it("its fields are all 64 bits, each once", () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), fc.integer({ min: 1, max: 4 }), (entry, level) => {
        const fields = epteFields(entry, level);
        const bits = fields.reduce((sum, f) => sum + (f.value << BigInt(f.low)), 0n);
        const gaps = fields.slice(1).filter((f, i) => f.high + 1 !== fields[i]!.low);
        // Nothing lies between the fields.
        expect(gaps).toEqual([]);
        expect([fields[0]!.high, fields.at(-1)!.low]).toEqual([63, 0]);
        expect(bits).toBe(entry);
      }),
    );
  });

  it("an empty one is a hole, not RAM", () => {
    expect(entryType(0x8000_0000_0000_0000n)).toBe("mmio_dm (a hole)");
    expect(entryType(7n)).toBe("ram_rw");
  });

  it("an address is four indices and back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 47 }),
        fc.integer({ min: 1, max: 4 }),
        fc.nat(511),
        (gpa, level, index) => {
          const there = withIndex(gpa, level, index);
          expect(indexAt(there, level)).toBe(index);
          for (let above = level + 1; above <= 4; above++) expect(indexAt(there, above)).toBe(indexAt(gpa, above));
          expect(there % entryBytes(level)).toBe(0);
        },
      ),
    );
  });
});

describe("a TLB entry against the tables", () => {
  const entry = { mfn: 5, supervisor: "rw-", isBus: false };
  it.each([
    ["the same", { mfn: 5, rights: "rwx" }, "fresh"],
    ["fewer rights in the TLB than in the tables", { mfn: 5, rights: "rwx" }, "fresh"],
    ["another frame", { mfn: 6, rights: "rwx" }, "frame"],
    ["a right that is gone", { mfn: 5, rights: "r-x" }, "rights"],
    ["nothing there", undefined, "unmapped"],
  ] as const)("%s", (_name, walked, kind) => {
    expect(judgeEntry(entry, walked).kind).toBe(kind);
  });

  it("a device's frame is asked for at every access", () => {
    expect(judgeEntry({ ...entry, isBus: true }, undefined).kind).toBe("fresh");
  });
});

describe("memory", () => {
  it("says where nothing is", () => {
    const [row] = memoryRows(0x100n, Uint8Array.of(0x41, 0xff, 0x42), Uint8Array.of(1, 0, 1));
    expect(row).toEqual({ address: 0x100n, cells: ["41", "--", "42"], text: "A.B" });
  });

  it.each([
    ["0x100000", 0x10_0000n],
    [" 4096 ", 4096n],
    ["0xffff_8000", 0xffff_8000n],
    ["", undefined],
    ["0x", undefined],
    ["-1", undefined],
    ["rip", undefined],
  ])("%s", (text, address) => {
    expect(parseAddress(text)).toBe(address);
  });
});

describe("the timeline", () => {
  it("knows a lane for every class, and none for an entry", () => {
    expect(LANES[laneOf(TRC_EXIT)]).toBe("exits");
    expect(LANES[laneOf(TRC_IOREQ_STATE)]).toBe("ioreq");
    expect(LANES[laneOf(TRC_P2M_SET)]).toBe("p2m");
    expect(laneOf(TRC_ENTRY)).toBe(-1);
    expect(LANES[laneOf(0x7f01)]).toBe("other");
  });

  it("no record is lost in the columns", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 500 }), (total, columns) => {
        const bins = binColumns((i) => i % LANES.length, total, { from: 0, count: total }, columns);
        expect(bins.reduce((a, b) => a + b, 0)).toBe(total);
      }),
    );
  });

  it("a window stays inside, and zooming keeps what is under the pointer", () => {
    expect(clampWindow({ from: -5, count: 1000 }, 100)).toEqual({ from: 0, count: 100 });
    expect(clampWindow({ from: 90, count: 50 }, 100)).toEqual({ from: 50, count: 50 });
    const near = zoomWindow({ from: 0, count: 1000 }, 0.5, 0.25, 1000);
    expect(near.from + near.count * 0.25).toBe(250);
    expect(zoomWindow(near, 8, 0.5, 1000)).toEqual({ from: 0, count: 1000 });
  });

  it("the keyboard goes from shown record to shown record", () => {
    const lanes = [0, -1, 1, 0, -1];
    const lane = (i: number): number => lanes[i]!;
    expect(nextShown(lane, 5, 0, 1)).toBe(2);
    expect(nextShown(lane, 5, 0, 1, 0)).toBe(3);
    expect(nextShown(lane, 5, 3, 1)).toBe(3);
    expect(nextShown(lane, 5, 2, -1)).toBe(0);
  });
});

describe("the records that the page keeps", () => {
  const record = (event: number): Uint8Array => {
    const bytes = new Uint8Array(TRACE_RECORD_SIZE);
    new DataView(bytes.buffer).setUint16(8, event, true);
    return bytes;
  };
  const many = (first: number, n: number): Uint8Array =>
    Buffer.concat(Array.from({ length: n }, (_, i) => record(first + i)));

  it("grow at the end and are cut where the run went another way", () => {
    const store = new RecordStore();
    store.clear(10);
    store.put(10, many(0, 3000));
    expect([store.first, store.end]).toEqual([10, 3010]);
    store.put(3010, many(3000, 5));
    expect(store.eventAt(3004)).toBe(3004);
    expect(store.at(3004)).toMatchObject({ index: 3014, event: 3004 });
    store.put(20, many(7, 1));
    expect([store.length, store.eventAt(10)]).toEqual([11, 7]);
  });

  it("begin anew after a gap: the ring had overwritten what lies between", () => {
    const store = new RecordStore();
    store.put(0, many(0, 4));
    store.put(100, many(9, 2));
    expect([store.first, store.length, store.eventAt(0)]).toEqual([100, 2, 9]);
  });
});
