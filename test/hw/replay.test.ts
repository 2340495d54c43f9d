import { describe, expect, it } from "vitest";
import { EXIT_NEED_ANSWER, EXIT_UNHANDLEABLE } from "../../hv-core/abi/exits.ts";
import { type Board, createBoard, FETCH, OPEN, READ, READ_FOR_WRITE, WRITE } from "./board.ts";

const NEED = `exit ${EXIT_NEED_ANSWER} q=0`;
const UNHANDLEABLE = `exit ${EXIT_UNHANDLEABLE} q=0`;
const DEVICE = 0x30; // gfn without a mapping

function replaying(): Board {
  const board = createBoard();
  board.exports.siliconMap(DEVICE, 0, 0);
  board.exports.siliconMap(DEVICE + 1, 0, 0);
  board.setReplay(true);
  return board;
}

const count = (board: Board) => board.view.getUint32(board.answersAt, true);
const used = (board: Board) => board.view.getUint32(board.answersAt + 4, true);
const mismatch = (board: Board) => board.view.getUint32(board.answersAt + 8, true);
const restart = (board: Board) => board.view.setUint32(board.answersAt + 4, 0, true);

function entry(board: Board, index: number) {
  const at = board.answersAt + 16 + index * 32;
  const byte = (offset: number) => board.view.getUint8(at + offset);
  return {
    addr: Number(board.view.getBigUint64(at, true)),
    data: board.view.getBigUint64(at + 8, true),
    size: byte(24),
    dir: byte(25),
    state: byte(27),
  };
}

function answer(board: Board, index: number, data?: bigint): void {
  const at = board.answersAt + 16 + index * 32;
  if (data !== undefined) board.view.setBigUint64(at + 8, data, true);
  board.view.setUint8(at + 27, 1);
}

describe("replay", () => {
  it("asks, and takes the answer the next time", () => {
    const board = replaying();
    expect(board.outcome(board.access(READ, 0x30008n, 4))).toBe(NEED);
    expect(entry(board, 0)).toEqual({ addr: 0x30008, data: 0n, size: 4, dir: 1, state: 0 });
    restart(board);
    expect(board.outcome(board.access(READ, 0x30008n, 4))).toBe(NEED); // still no answer, and no second question
    expect(count(board)).toBe(1);
    answer(board, 0, 0xffff_ffff_1234_5678n);
    restart(board);
    expect(board.access(READ, 0x30008n, 4)).toEqual({ fault: 0, value: 0x1234_5678n });
    expect(used(board)).toBe(1);
  });

  it("hands over the data of a write", () => {
    const board = replaying();
    expect(board.outcome(board.access(WRITE, 0x30010n, 2, 0xabcd1234n))).toBe(NEED);
    expect(entry(board, 0)).toEqual({ addr: 0x30010, data: 0x1234n, size: 2, dir: 0, state: 0 });
    answer(board, 0);
    restart(board);
    expect(board.access(WRITE, 0x30010n, 2, 0xabcd1234n).fault).toBe(0);
  });

  it("notices that the instruction is another one", () => {
    const board = replaying();
    board.access(READ, 0x30008n, 4);
    answer(board, 0, 1n);
    for (const [kind, lin, size] of [
      [READ, 0x30008n, 2],
      [READ, 0x3000cn, 4],
      [WRITE, 0x30008n, 4],
    ] as const) {
      restart(board);
      expect(board.outcome(board.access(kind, lin, size))).toBe(UNHANDLEABLE);
      expect(mismatch(board)).toBe(1);
    }
  });

  it("splits an access over a page border, each part into powers of two", () => {
    const board = replaying();
    const parts: string[] = [];
    let result = board.access(READ, 0x30ffdn, 8);
    for (let i = 0; result.fault !== 0; i++) {
      const { addr, size } = entry(board, i);
      parts.push(`${addr.toString(16)}/${size}`);
      answer(board, i, 0x1111_1111_1111_1111n * BigInt(i + 1));
      restart(board);
      result = board.access(READ, 0x30ffdn, 8);
    }
    expect(parts).toEqual(["30ffd/2", "30fff/1", "31000/4", "31004/1"]);
    expect(result.value).toBe(0x44_33333333_22_1111n);
  });

  it("writes the RAM part of a split access only with every answer there", () => {
    const board = replaying();
    board.write32(0x2f_ffc, 0);
    expect(board.outcome(board.access(WRITE, 0x2fffen, 4, 0x44332211n))).toBe(NEED);
    expect(entry(board, 0)).toMatchObject({ addr: 0x30000, size: 2, data: 0x4433n });
    expect(board.read32(0x2f_ffc)).toBe(0);
    answer(board, 0);
    restart(board);
    expect(board.access(WRITE, 0x2fffen, 4, 0x44332211n).fault).toBe(0);
    expect(board.read32(0x2f_ffc)).toBe(0x22110000);
  });

  it("reads RAM directly, also where only the write of a read-modify-write is refused", () => {
    const board = replaying();
    board.exports.siliconMap(0x40, 0x40, 0x35);
    board.write32(0x4_0000, 42);
    expect(board.access(READ_FOR_WRITE, 0x4_0000n, 4)).toEqual({ fault: 0, value: 42n });
    expect(board.outcome(board.access(WRITE, 0x4_0000n, 4, 43n))).toBe(NEED);
    // The read is remembered: a device model may carry out the write before the instruction is run again.
    expect(entry(board, 0)).toMatchObject({ addr: 0x4_0000, dir: 1, data: 42n });
    expect(entry(board, 1)).toMatchObject({ addr: 0x4_0000, dir: 0, data: 43n });
    expect(board.read32(0x4_0000)).toBe(42);
  });

  it("cannot fetch from what is not RAM", () => {
    expect(((board) => board.outcome(board.access(FETCH, 0x30000n, 1)))(replaying())).toBe(UNHANDLEABLE);
  });

  it("does not run out of its list", () => {
    const board = replaying();
    board.view.setUint32(board.answersAt, 60, true);
    board.view.setUint32(board.answersAt + 4, 60, true);
    expect(board.outcome(board.access(READ, 0x30008n, 4))).toBe(UNHANDLEABLE);
    board.exports.siliconMap(DEVICE, DEVICE, OPEN);
    expect(board.access(READ, 0x30008n, 4).fault).toBe(0);
  });
});
