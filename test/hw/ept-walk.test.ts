import { describe, expect, it } from "vitest";
import { frameAt } from "../../host/lib/silicon.ts";
import { createBoard, OPEN } from "./board.ts";

const MISCONFIG = 1n << 63n;
const MFN = 0x000f_ffff_ffff_f000n;

describe("EPT walk", () => {
  it("finds identity frames with four entries read", () => {
    const board = createBoard();
    expect(board.eptWalk(0x5678n)).toBe(0x5000n | 0x307n);
  });

  it("gives the AND of the rights of all levels", () => {
    const board = createBoard();
    board.exports.siliconMap(9, 9, 0x35); // R, X
    expect(board.eptWalk(0x9000n) & 7n).toBe(5n);
    const directory = tableOf(board, 0n, 2);
    board.view.setBigUint64(directory, board.view.getBigUint64(directory, true) & ~4n, true);
    expect(board.eptWalk(0x9000n) & 7n).toBe(1n);
    expect(board.eptWalk(0xa000n) & 7n).toBe(3n);
  });

  it("follows 2M and 1G leaves", () => {
    const board = createBoard();
    board.exports.siliconSetEntry(0x400, 2, 0x80_0000 | 0x80 | OPEN, 0);
    expect(board.eptWalk(0x40_3123n)).toBe(0x80_3000n | 0xa07n);
    board.exports.siliconSetEntry(0x40000, 3, 0x4000_0000 | 0x80 | OPEN, 0);
    expect(board.eptWalk(0x7654_3210n)).toBe(0x7654_3000n | 0x907n);
  });

  it("calls an absent entry absent at every level", () => {
    const board = createBoard();
    expect(board.eptWalk(0x8000_0000_0000n) & 7n).toBe(0n);
    expect(board.eptWalk(0x80_0000_0000n) & 7n).toBe(0n);
    expect(board.eptWalk(0x4000_0000n) & 7n).toBe(0n);
    board.exports.siliconSetEntry(7, 1, 0, 0);
    expect(board.eptWalk(0x7000n)).toBe(0x300n);
  });

  it("finds illegal entries: W without R, memory types 2, 3, 7, reserved bits of tables, misaligned large leaves", () => {
    const board = createBoard();
    const isMisconfigured = (low12: number, level = 1, gfn = 9, high = 0) => {
      board.exports.siliconSetEntry(gfn, level, low12, high);
      return (board.eptWalk(BigInt(gfn) << 12n) & MISCONFIG) !== 0n;
    };
    expect([0x32, 0x36].map((x) => isMisconfigured(x))).toEqual([true, true]);
    expect([2, 3, 7].map((emt) => isMisconfigured(7 | (emt << 3)))).toEqual([true, true, true]);
    expect([0, 1, 4, 5, 6].map((emt) => isMisconfigured(7 | (emt << 3)))).toEqual([false, false, false, false, false]);
    expect(isMisconfigured(0x34)).toBe(false); // execute-only
    expect(isMisconfigured(0x1000 | 0x80 | OPEN, 2, 0x400)).toBe(true);
    for (const bit of [3, 4, 5, 6])
      expect(isMisconfigured((tableMfn(board) << 12) | 7 | (1 << bit), 2, 0x400)).toBe(true);
    expect(isMisconfigured(0x87, 4, 0x8000000)).toBe(true); // a leaf in the PML4
    expect(isMisconfigured(0x7, 2, 0x400, 0x1000)).toBe(true); // a table outside the machine
  });

  it("agrees with the manual's rules on random entries", () => {
    const board = createBoard();
    let seed = 12345;
    const next = () => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed >>> 8;
    };
    const at = [4, 3, 2, 1].map((level) => tableOf(board, 0n, level));
    const good = at.map((a) => board.view.getBigUint64(a, true));
    const frames = board.view.getUint32(0x1_0000, true);
    for (let n = 0; n < 20000; n++) {
      const entries = good.map((e) => e);
      const level = next() & 3;
      const kind = next() % 3;
      if (kind === 0) entries[level] = entries[level]! ^ (1n << BigInt(next() % 12));
      else if (kind === 1) entries[level] = entries[level]! ^ (1n << BigInt(next() & 63));
      else entries[level] = (entries[level]! & MFN) | BigInt(next() & 0xfff);
      for (const [i, e] of entries.entries()) board.view.setBigUint64(at[i]!, e, true);
      const gpa = BigInt(next() & 0xfff);
      expect(board.eptWalk(gpa), `entries ${entries.map((e) => e.toString(16))}`).toBe(model(board, frames));
    }
  });
});

/** What the walk of an address below 4 KiB must give, written from the manual's rules. */
function model(board: ReturnType<typeof createBoard>, frames: number): bigint {
  let rights = 7n;
  let table = rootOf(board);
  for (let i = 0; i < 4; i++) {
    const e = board.view.getBigUint64(frameAt(table), true);
    const steps = BigInt(i) << 8n;
    rights &= e;
    if ((e & 7n) === 0n) return steps;
    if ((e & 3n) === 2n) return steps | MISCONFIG;
    const isLarge = i < 3 && (e & 0x80n) !== 0n;
    if (i === 3 || isLarge) {
      const emt = Number((e >> 3n) & 7n);
      if (i === 0 || [2, 3, 7].includes(emt)) return steps | MISCONFIG;
      if (!isLarge) return (e & MFN) | steps | rights;
      const offset = i === 1 ? 0x3fff_f000n : 0x1f_f000n;
      return (e & offset) !== 0n ? steps | MISCONFIG : (e & MFN) | steps | rights | 0x800n;
    }
    if ((e & 0x78n) !== 0n || (e & MFN) >> 12n >= BigInt(frames)) return steps | MISCONFIG;
    table = Number((e & MFN) >> 12n);
  }
  throw new Error("not reached");
}

const rootOf = (board: ReturnType<typeof createBoard>) => board.word(632);
const tableMfn = (board: ReturnType<typeof createBoard>) => rootOf(board) + 3;

/** Address in linear memory of the entry for gpa at a level. */
function tableOf(board: ReturnType<typeof createBoard>, gpa: bigint, level: number): number {
  let table = rootOf(board);
  for (let l = 4; l > level; l--) table = Number((board.view.getBigUint64(frameAt(table), true) & MFN) >> 12n);
  return frameAt(table) + Number((gpa >> BigInt(12 + 9 * (level - 1))) & 511n) * 8;
}
