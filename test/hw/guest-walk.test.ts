import { describe, expect, it } from "vitest";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import {
  CR0_ET,
  CR0_PE,
  CR0_PG_BIT,
  CR0_WP,
  CR4_PAE,
  CR4_PGE,
  CR4_PSE,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
} from "../../hv-core/abi/regs.ts";
import { type Board, createBoard, FETCH, OPEN, READ, READ_FOR_WRITE, WRITE } from "./board.ts";

const PG = (2n ** BigInt(CR0_PG_BIT)) | BigInt(CR0_PE | CR0_ET);
const WP = BigInt(CR0_WP);

// Guest-physical places of the tables.
const PML4 = 0x10000;
const PDPT = 0x11000;
const PD = 0x12000;
const PT = 0x13000;
const NX = 1n << 63n;

/** Linear 0x400000 + n * 4096 maps to the entry n of the page table. */
const BASE = 0x40_0000;

type Kind = "two-level" | "PAE" | "four-level";
const KINDS: readonly Kind[] = ["two-level", "PAE", "four-level"];

/** Paging on, with everything open above the page tables and the first pages of BASE filled by `leaf`. */
function paged(kind: Kind, cpl = 0, cr0 = PG): Board {
  const board = createBoard();
  for (const table of [PML4, PDPT, PD, PT]) board.u8.fill(0, table + FRAMES_BASE, table + FRAMES_BASE + 0x1000);
  if (kind === "two-level") {
    board.write32(PD + 4, PT | 7);
    board.control({ cr0, cr3: BigInt(PD), cr4: BigInt(CR4_PSE | CR4_PGE), efer: 0n, cpl });
  } else {
    board.write64(PD + 16, BigInt(PT) | 7n);
    board.write64(PML4, BigInt(PDPT) | 7n);
    board.write64(PDPT, BigInt(PD) | (kind === "PAE" ? 1n : 7n));
    const cr4 = BigInt(CR4_PAE | CR4_PGE);
    if (kind === "PAE") {
      board.setField(440, BigInt(PD) | 1n); // PDPTE 0
      board.control({ cr0, cr3: BigInt(PDPT), cr4, efer: BigInt(EFER_NXE), cpl });
    } else board.control({ cr0, cr3: BigInt(PML4), cr4, efer: BigInt(EFER_LME | EFER_LMA | EFER_NXE), cpl });
  }
  return board;
}

const isWide = (kind: Kind) => kind !== "two-level";
const leaf = (board: Board, kind: Kind, index: number, value: bigint) =>
  isWide(kind) ? board.write64(PT + index * 8, value) : board.write32(PT + index * 4, Number(value));
const readLeaf = (board: Board, kind: Kind, index: number) =>
  isWide(kind) ? board.read64(PT + index * 8) : BigInt(board.read32(PT + index * 4));
const at = (index: number, offset = 0) => BigInt(BASE + index * 0x1000 + offset);
const result = (board: Board, access: number, lin: bigint, size = 4) => board.outcome(board.access(access, lin, size));

describe.each(KINDS)("guest walk, %s", (kind) => {
  it("translates and sets accessed and dirty bits", () => {
    const board = paged(kind);
    leaf(board, kind, 0, 0x5_0007n);
    board.write32(0x5_0010, 0x1234);
    expect(board.access(READ, at(0, 0x10), 4).value).toBe(0x1234n);
    expect(readLeaf(board, kind, 0)).toBe(0x5_0027n);
    expect(board.access(WRITE, at(0, 0x10), 4, 0x99n).fault).toBe(0);
    expect(readLeaf(board, kind, 0)).toBe(0x5_0067n);
    expect(board.read32(0x5_0010)).toBe(0x99);
    const upper = isWide(kind) ? board.read64(PD + 16) : BigInt(board.read32(PD + 4));
    expect(upper & 0x60n).toBe(0x20n);
  });

  it("reports P, W, U in the error code", () => {
    const board = paged(kind, 3);
    expect(result(board, READ, at(0))).toBe("#PF(4) cr2=400000");
    expect(result(board, WRITE, at(0, 8))).toBe("#PF(6) cr2=400008");
    leaf(board, kind, 0, 0x5_0003n); // supervisor
    expect(result(board, READ, at(0))).toBe("#PF(5) cr2=400000");
    leaf(board, kind, 1, 0x5_0005n); // read-only
    expect(result(board, READ, at(1))).toBe("");
    expect(result(board, WRITE, at(1))).toBe("#PF(7) cr2=401000");
    expect(result(board, READ_FOR_WRITE, at(1))).toBe("#PF(7) cr2=401000");
    board.control({ cpl: 0 });
    expect(result(board, READ, at(2))).toBe("#PF(0) cr2=402000");
    expect(result(board, WRITE, at(2))).toBe("#PF(2) cr2=402000");
  });

  it("lets the supervisor write read-only pages only while WP is clear", () => {
    const board = paged(kind);
    leaf(board, kind, 0, 0x5_0005n);
    expect(result(board, WRITE, at(0))).toBe("");
    board.control({ cr0: PG | WP });
    expect(result(board, WRITE, at(0))).toBe("#PF(3) cr2=400000");
  });

  it("keeps a stale entry until it is flushed, and re-walks before a fault", () => {
    const board = paged(kind, 3);
    leaf(board, kind, 0, 0x5_0007n);
    board.write32(0x5_0000, 1);
    board.write32(0x6_0000, 2);
    expect(board.access(READ, at(0), 4).value).toBe(1n);
    leaf(board, kind, 0, 0x6_0007n);
    expect(board.access(READ, at(0), 4).value).toBe(1n); // stale
    leaf(board, kind, 0, 0n);
    expect(board.access(READ, at(0), 4).value).toBe(1n); // still
    board.exports.siliconFlush();
    expect(result(board, READ, at(0))).toBe("#PF(4) cr2=400000");
    leaf(board, kind, 1, 0x5_0005n);
    expect(result(board, READ, at(1))).toBe("");
    leaf(board, kind, 1, 0x5_0007n); // more rights need no flush
    expect(result(board, WRITE, at(1))).toBe("");
  });

  it("faults on the right byte of an access over a page border, before anything is written", () => {
    const board = paged(kind);
    leaf(board, kind, 0, 0x5_0007n);
    board.write32(0x5_0ffc, 0);
    expect(result(board, WRITE, at(0, 0xffe))).toBe("#PF(2) cr2=401000");
    expect(board.read32(0x5_0ffc)).toBe(0);
    leaf(board, kind, 1, 0x8_0007n);
    expect(board.outcome(board.access(WRITE, at(0, 0xffd), 8, 0x8877665544332211n))).toBe("");
    expect(board.read32(0x5_0ffc) >>> 8).toBe(0x332211);
    expect(board.read32(0x8_0000)).toBe(0x77665544);
    expect(board.access(READ, at(0, 0xffd), 8).value).toBe(0x8877665544332211n);
  });

  it("exits with the qualification of table accesses and of the final one", () => {
    const board = paged(kind);
    leaf(board, kind, 0, 0x5_0027n);
    board.exports.siliconMap(0x50, 0x50, 0x31); // R
    expect(result(board, WRITE, at(0, 4))).toBe("exit 48 q=18a gpa=50004 gla=400004");
    expect(result(board, READ_FOR_WRITE, at(0, 4))).toBe("exit 48 q=18b gpa=50004 gla=400004");
    board.exports.siliconMap(0x50, 0, 0);
    expect(result(board, READ, at(0, 4))).toBe("exit 48 q=181 gpa=50004 gla=400004");
    expect(result(board, FETCH, at(0, 4))).toBe("exit 48 q=184 gpa=50004 gla=400004");
    board.exports.siliconMap(0x50, 0x50, 0x3f); // memory type 7
    expect(result(board, READ, at(0, 4))).toBe("exit 49 q=0 gpa=50004 gla=400004");
    board.exports.siliconMap(0x50, 0x50, OPEN);
    board.exports.siliconMap(PT >> 12, PT >> 12, 0x31);
    leaf(board, kind, 0, 0x5_0007n); // the accessed bit cannot be set
    const entry = (PT + 0).toString(16);
    expect(result(board, READ, at(0, 4))).toBe(`exit 48 q=8b gpa=${entry} gla=400004`);
    board.exports.siliconMap(PT >> 12, 0, 0);
    expect(result(board, READ, at(0, 4))).toBe(`exit 48 q=81 gpa=${entry} gla=400004`);
  });

  it("looks without side effects for the hypervisor", () => {
    const board = paged(kind);
    leaf(board, kind, 0, 0x5_0005n);
    expect(board.translate(at(0, 0x123), false, true)).toBe(0x5_0123n);
    expect(board.translate(at(0), true, true)).toBe(0xffff_ffff_ffff_ffffn);
    expect(board.translate(at(1), false, false)).toBe(0xffff_ffff_ffff_ffffn);
    expect(readLeaf(board, kind, 0)).toBe(0x5_0005n);
  });

  it("reads ones from a frame that does not exist and drops writes to it", () => {
    const board = paged(kind);
    leaf(board, kind, 0, 0x5_0007n);
    board.exports.siliconMap(0x50, 0xf0000, OPEN);
    expect(board.access(WRITE, at(0), 4, 5n).fault).toBe(0);
    expect(board.access(READ, at(0), 4)).toEqual({ fault: 0, value: 0xffff_ffffn });
    expect(board.access(READ, at(0), 8).value).toBe(0xffff_ffff_ffff_ffffn);
    expect(result(board, FETCH, at(0))).toBe("#UD");
  });
});

describe.each(["PAE", "four-level"] as const)("reserved bits and NX, %s", (kind) => {
  it("faults on bits above the address width and, without NXE, on NX", () => {
    const board = paged(kind, 3);
    leaf(board, kind, 0, 0x5_0007n | (1n << 45n));
    expect(result(board, READ, at(0))).toBe("#PF(d) cr2=400000");
    leaf(board, kind, 1, 0x5_0007n | NX);
    expect(result(board, READ, at(1))).toBe("");
    expect(result(board, FETCH, at(1))).toBe("#PF(15) cr2=401000");
    board.control({ efer: kind === "PAE" ? 0n : BigInt(EFER_LME | EFER_LMA) });
    expect(result(board, READ, at(1))).toBe("#PF(d) cr2=401000");
    expect(result(board, FETCH, at(0))).toBe("#PF(d) cr2=400000");
  });

  it("follows 2 MiB pages and refuses misaligned ones", () => {
    const board = paged(kind);
    board.write64(PD + 24, 0x40_0000n | 0x87n);
    board.write32(0x41_2344, 77);
    expect(board.access(READ, 0x61_2344n, 4).value).toBe(77n);
    board.write64(PD + 32, 0x40_2000n | 0x87n);
    expect(result(board, READ, 0x80_0000n)).toBe("#PF(9) cr2=800000");
  });
});

describe("other pages", () => {
  it("follows 4 MiB pages when PSE is set", () => {
    const board = paged("two-level");
    board.write32(PD + 8, 0x40_0087);
    board.write32(0x41_2344, 78);
    expect(board.access(READ, 0x81_2344n, 4).value).toBe(78n);
    board.write32(PD + 12, 0x60_0087);
    expect(result(board, READ, 0xc0_0000n)).toBe("#PF(9) cr2=c00000");
  });

  it("follows 1 GiB pages", () => {
    const board = paged("four-level");
    board.write64(PDPT + 8, 0x87n);
    board.write32(0x7_0000, 79);
    expect(board.access(READ, 0x4007_0000n, 4).value).toBe(79n);
  });

  it("raises #GP(0) or #SS(0) for addresses that are not canonical, and wraps nothing into the hole", () => {
    const board = createBoard();
    board.exports.siliconReset(64, 0x1000);
    expect(board.outcome(board.access(READ, 0x8000_0000_0000n, 4))).toBe("#GP(0)");
    expect(board.outcome(board.access(READ, 0x8000_0000_0000n, 4, 0n, 2))).toBe("#SS(0)");
    expect(board.outcome(board.access(WRITE, 0x7fff_ffff_fffcn, 8))).toBe("#GP(0)");
  });
});
