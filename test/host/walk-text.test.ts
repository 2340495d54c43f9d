/** What the last entry of an EPT walk ends in, in words: each way that a processor knows (SDM 3C, 28.3). */
import { expect, it } from "vitest";
import { walkEnd } from "../../host/lib/debug/walk-text.ts";
import { decodeEpte } from "../../host/lib/epte.ts";
import * as ept from "../../hv-core/abi/ept.ts";
import {
  P2M_ACCESS_N,
  P2M_ACCESS_RWX,
  P2M_ACCESS_W,
  P2M_POPULATE_ON_DEMAND,
  P2M_RAM_RW,
} from "../../hv-core/abi/p2m-types.ts";

const SVE = 1n << BigInt(ept.EPTE_SVE_BIT);
const RW = P2M_RAM_RW;

function end(rights: number, type: number, access: number, { level = 1, emt = 6, isLeaf = false } = {}): string {
  const bits: [number, number][] = [
    [rights, 0],
    [emt, ept.EPTE_EMT_SHIFT],
    [isLeaf ? 1 : 0, ept.EPTE_LEAF_BIT],
    [0x1234, ept.EPTE_MFN_SHIFT],
    [type, ept.EPTE_TYPE_SHIFT],
    [access, ept.EPTE_ACCESS_SHIFT],
  ];
  const entry = bits.reduce((sum, [value, shift]) => sum | (BigInt(value) << BigInt(shift)), SVE);
  return walkEnd({ level, tableMfn: 1, index: 0, entry, decoded: decodeEpte(entry) });
}

it("a page", () => {
  expect(end(7, RW, P2M_ACCESS_RWX)).toBe("4K page, p2m type ram_rw, access rwx, memory type WB");
  expect(end(7, RW, P2M_ACCESS_RWX, { level: 2, isLeaf: true })).toMatch(/^2M page, /);
});

it("a hole, and what is not one: a page without rights, a promise", () => {
  const empty = { level: 2, tableMfn: 1, index: 0, entry: SVE, decoded: decodeEpte(SVE) };
  expect(walkEnd(empty)).toBe("EPT violation: nothing is mapped at level 2, p2m type mmio_dm (a hole)");
  expect(end(0, RW, P2M_ACCESS_N)).toBe(
    "EPT violation: the entry at level 1 gives no rights, p2m type ram_rw, access n",
  );
  expect(end(0, P2M_POPULATE_ON_DEMAND, P2M_ACCESS_RWX)).toMatch(/gives no rights, p2m type populate_on_demand/);
});

it("a misconfiguration: made invalid, or writable without being readable", () => {
  expect(end(7, RW, P2M_ACCESS_RWX, { emt: ept.EMT_INVALID })).toMatch(
    /^EPT misconfiguration at level 1: .* recalculated$/,
  );
  expect(end(2, RW, P2M_ACCESS_W)).toMatch(/^EPT misconfiguration at level 1: writable but not readable/);
});
