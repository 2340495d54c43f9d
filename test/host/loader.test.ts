/** Image files: good ones load, every bad one gives exactly one readable line, nothing throws. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { loadImage } from "../../host/lib/loader/detect.ts";
import type { GuestImage, Parsed } from "../../host/lib/loader/image.ts";
import { buildElf, minimalPvh, pvhNote } from "./elf-builder.ts";

function problemOf(result: Parsed<GuestImage>): string {
  expect(result.ok).toBe(false);
  return result.ok ? "" : result.problem;
}

const code = new Uint8Array([0xf4]);
const load = (gpa: number, memBytes = 0x1000) => ({ type: 1, gpa, data: code, memBytes });
const note = (entry: number) => ({ type: 4, gpa: 0, data: pvhNote(entry) });

describe("good images", () => {
  it.each([
    ["ELF32 i386", minimalPvh(false, 3)],
    ["ELF32 x86-64 (legal)", minimalPvh(false, 62)],
    ["ELF64 x86-64", minimalPvh(true, 62)],
  ])("%s with a PVH note", (_name, file) => {
    const result = loadImage(file);
    expect(result).toMatchObject({ ok: true, value: { format: "pvh", entry: 0x10_0000 } });
  });

  it("places segments at p_paddr and zero-fills up to p_memsz", () => {
    const result = loadImage(
      buildElf({ is64: true, segments: [load(0x20_0000, 0x3000), load(0x10_0000), note(0x20_0000)] }),
    );
    expect(result.ok && result.value.segments.map((s) => [s.gpa, s.data.length, s.memBytes])).toEqual([
      [0x10_0000, 1, 0x1000],
      [0x20_0000, 1, 0x3000],
    ]);
  });

  it("multiboot 1 with address fields", () => {
    const file = new Uint8Array(64);
    const view = new DataView(file.buffer);
    const flags = 1 << 16;
    [0x1badb002, flags, -(0x1badb002 + flags), 0x10_0000, 0x10_0000, 0x10_0040, 0x10_1000, 0x10_0020].forEach(
      (v, i) => {
        view.setUint32(i * 4, v, true);
      },
    );
    expect(loadImage(file)).toMatchObject({ ok: true, value: { format: "multiboot", entry: 0x10_0020 } });
  });

  it("a flat image only on request", () => {
    const file = new Uint8Array([0xf4, 0xf4]);
    expect(loadImage(file).ok).toBe(false);
    expect(loadImage(file, { flat: true })).toMatchObject({ ok: true, value: { format: "flat", entry: 0x10_0000 } });
  });
});

describe("bad images", () => {
  const wrongClass = minimalPvh(true);
  wrongClass[4] = 9;
  const bigEndian = minimalPvh(true);
  bigEndian[5] = 2;
  it.each([
    ["empty", new Uint8Array(0), /empty/],
    ["text", new TextEncoder().encode("hello, I am no guest"), /neither an ELF file/],
    ["script", new TextEncoder().encode("#!/bin/sh\n"), /a script/],
    ["gzip", new Uint8Array([0x1f, 0x8b, 8, 0]), /gunzip/],
    ["wrong class", wrongClass, /class 9/],
    ["big endian", bigEndian, /big endian/],
    ["ARM machine", minimalPvh(true, 183), /machine 183/],
    ["truncated header", minimalPvh(true).slice(0, 40), /truncated/],
    ["truncated segment", minimalPvh(true).slice(0, -4), /truncated/],
    ["no note", buildElf({ is64: true, segments: [load(0x10_0000)] }), /without a PVH note/],
    ["nothing to load", buildElf({ is64: false, segments: [note(0x10_0000)] }), /nothing to load/],
    [
      "overlap",
      buildElf({ is64: true, segments: [load(0x10_0000, 0x2000), load(0x10_1000), note(0x10_0000)] }),
      /overlap/,
    ],
    [
      "entry outside",
      buildElf({ is64: true, segments: [load(0x10_0000), note(0x50_0000)] }),
      /entry 0x500000 lies in no segment/,
    ],
    ["huge segment", buildElf({ is64: true, segments: [load(0x10_0000, 2 ** 50), note(0x10_0000)] }), /ends above/],
    [
      "larger in the file",
      buildElf({
        is64: true,
        segments: [{ type: 1, gpa: 0x10_0000, data: new Uint8Array(9), memBytes: 4 }, note(0x10_0000)],
      }),
      /larger in the file/,
    ],
  ])("%s", (_name, file, words) => {
    const problem = problemOf(loadImage(file));
    expect(problem).toMatch(words);
    expect(problem).not.toContain("\n");
  });
});

describe("fuzz (seeded)", () => {
  const seed = 20261120;
  const oneLine = (file: Uint8Array): void => {
    const result = loadImage(file);
    if (result.ok) {
      for (const s of result.value.segments) expect(s.data.length).toBeLessThanOrEqual(s.memBytes);
    } else expect(result.problem).toMatch(/^[^\n]{10,300}$/);
  };

  it("damaged ELF files", () => {
    const damage = fc.array(fc.tuple(fc.nat(300), fc.nat(255)), { maxLength: 12 });
    fc.assert(
      fc.property(fc.boolean(), damage, fc.nat(400), (is64, edits, keep) => {
        const file = minimalPvh(is64);
        for (const [at, value] of edits) if (at < file.length) file[at] = value;
        oneLine(keep > 300 ? file : file.slice(0, keep));
      }),
      { seed, numRuns: 20_000 },
    );
  });

  it("random bytes behind each magic", () => {
    const magic = fc.constantFrom(
      [0x7f, 0x45, 0x4c, 0x46, 1, 1],
      [0x7f, 0x45, 0x4c, 0x46, 2, 1],
      [0x02, 0xb0, 0xad, 0x1b],
      [],
    );
    fc.assert(
      fc.property(magic, fc.uint8Array({ maxLength: 400 }), (head, tail) => {
        oneLine(new Uint8Array([...head, ...tail]));
      }),
      { seed, numRuns: 20_000 },
    );
  });
});
