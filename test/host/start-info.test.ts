/** The blocks a guest is handed, against what a real Xen 4.17 with xl gave (start info at 0x120000, cmdline "hello world"). */
import { describe, expect, it } from "vitest";
import { ACPI_RSDP_GPA, ACPI_TABLES_GPA, acpiTables } from "../../host/lib/toolstack/acpi.ts";
import { entryContext } from "../../host/lib/toolstack/hvm-context.ts";
import { startInfoBlock } from "../../host/lib/toolstack/start-info.ts";

const map = [
  { base: 0, size: 0x400_0000, type: 1 },
  { base: 0xfeff_8000, size: 0x8000, type: 2 },
];

describe("start info", () => {
  const gpa = 0x12_0000;
  const block = startInfoBlock(gpa, { cmdline: "hello world", modules: [], map, rsdp: ACPI_RSDP_GPA });
  const view = new DataView(block.buffer);
  const u32 = (at: number): number => view.getUint32(at, true);

  it("has the words of a real one", () => {
    expect([0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 52].map((at) => u32(at))).toEqual([
      0x336ec578, 1, 0, 0, 0, 0, 0x12_0038, 0, 0xfc00_8000, 0, 0x12_0888, 0, 0,
    ]);
  });

  it("has the memory map where it says, 24 bytes an entry", () => {
    expect(u32(48)).toBe(2);
    expect([0, 4, 8, 12, 16, 20, 24, 32, 40].map((at) => u32(0x888 + at))).toEqual([
      0, 0, 0x400_0000, 0, 1, 0, 0xfeff_8000, 0x8000, 2,
    ]);
  });

  it("lists modules before the map, and no command line when there is none", () => {
    const other = startInfoBlock(gpa, { cmdline: "", modules: [{ gpa: 0x20_0000, bytes: 77 }], map, rsdp: 0 });
    const words = new DataView(other.buffer);
    expect(words.getUint32(24, true)).toBe(0);
    const list = words.getUint32(16, true) - gpa;
    expect([words.getUint32(list, true), words.getUint32(list + 8, true)]).toEqual([0x20_0000, 77]);
  });
});

describe("ACPI tables", () => {
  const { rsdp, tables } = acpiTables(3);
  const sum = (bytes: Uint8Array): number => bytes.reduce((a, b) => (a + b) & 255, 0);
  const tableAt = (gpa: number): Uint8Array => {
    const at = gpa - ACPI_TABLES_GPA;
    return tables.subarray(at, at + new DataView(tables.buffer, at).getUint32(4, true));
  };
  const signature = (bytes: Uint8Array): string => String.fromCharCode(...bytes.subarray(0, 4));

  it("chain from the RSDP with correct checksums", () => {
    expect(sum(rsdp.subarray(0, 20))).toBe(0);
    expect(sum(rsdp)).toBe(0);
    const xsdt = tableAt(new DataView(rsdp.buffer).getUint32(24, true));
    expect([signature(xsdt), sum(xsdt)]).toEqual(["XSDT", 0]);
    const view = new DataView(xsdt.buffer, xsdt.byteOffset);
    const children = [36, 44].map((at) => tableAt(view.getUint32(at, true)));
    expect(children.map((t) => [signature(t), sum(t)])).toEqual([
      ["FACP", 0],
      ["APIC", 0],
    ]);
  });
});

describe("HVM context", () => {
  it("is HEADER, one CPU of 1032 bytes, an MTRR record for each vCPU, END", () => {
    const records = entryContext({ eip: 0x10_0000, ebx: 0x12_0000 }, 2);
    const view = new DataView(records.buffer);
    const found: [number, number][] = [];
    for (let at = 0; at < records.length; at += 8 + view.getUint32(at + 4, true))
      found.push([view.getUint16(at, true), view.getUint32(at + 4, true)]);
    expect(found).toEqual([
      [1, 24],
      [2, 1032],
      [14, 240],
      [14, 240],
      [0, 0],
    ]);
    const cpu = 8 + 24 + 8;
    expect([view.getUint32(cpu + 640, true), view.getUint32(cpu + 520, true), view.getUint32(cpu + 656, true)]).toEqual(
      [0x10_0000, 0x12_0000, 0x11],
    );
  });
});
