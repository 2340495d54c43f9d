/** The assembler: encodings checked against the manual's bytes, branch sizes, data, ELF, and errors that name the line. */
import { describe, expect, it } from "vitest";
import { asm, assemble } from "../../guests/asm/assembler.ts";
import { disassemble } from "../../guests/asm/disassemble.ts";
import { elfImage } from "../../guests/asm/elf.ts";
import { listing } from "../../guests/asm/listing.ts";

const bytesOf = (text: string, bits = 32): string =>
  Buffer.concat(assemble(`bits ${bits}\norg 0x1000\n${text}`).sections.map((s) => s.bytes)).toString("hex");

describe("instructions", () => {
  it.each([
    ["mov eax, 3", "b803000000"],
    ["mov dword [0x12345678], 5", "c7057856341205000000"],
    ["mov byte [eax+ecx*4+8], 'A'", "c644880841"],
    ["mov ax, 16", "66b81000"],
    ["mov ds, ax", "668ed8"],
    ["mov cr3, eax", "0f22d8"],
    ["add eax, -1", "83c0ff"],
    ["add ebx, 0x1000", "81c300100000"],
    ["push 0x300", "6800030000"],
    ["push -1", "6aff"],
    ["shl eax, 1", "d1e0"],
    ["shl eax, cl", "d3e0"],
    ["sal eax, 4", "c1e004"],
    ["rep movsb", "f3a4"],
    ["rep stosw", "f366ab"],
    ["repe cmpsd", "f3a7"],
    ["lock inc dword [ebx]", "f0ff03"],
    ["xchg eax, [ebx]", "8703"],
    ["mov al, fs:[ebx]", "648a03"],
    ["in al, dx", "ec"],
    ["out 0xe9, al", "e6e9"],
    ["jmp 8:0x2000", "ea002000000800"],
    ["jmp far [ebx]", "ff2b"],
    ["ret", "c3"],
    ["retf", "cb"],
    ["iretd", "cf"],
    ["lgdt [0x2000]", "0f011500200000"],
    ["vmcall", "0f01c1"],
    ["bts dword [ebx], 31", "0fba2b1f"],
    ["setnz al", "0f95c0"],
    ["cmovc eax, ecx", "0f42c1"],
    ["movzx eax, byte [ebx]", "0fb603"],
    ["mov eax, (1 << 4) | 3", "b813000000"],
    ["nop", "90"],
  ])("%s", (text, bytes) => {
    expect(bytesOf(text)).toBe(bytes);
  });

  it.each([
    ["mov rax, 0x123456789abcdef0", "48b8f0debc9a78563412"],
    ["mov rax, -1", "48c7c0ffffffff"],
    ["mov r8d, [rsi + r9*8]", "468b04ce"],
    ["mov [rel 0x1010], rax", "48890509000000"],
    ["mov rax, [0x2000]", "488b042500200000"],
    ["push rax", "50"],
    ["jmp qword [rax]", "ff20"],
    ["iretq", "48cf"],
    ["sysretq", "480f07"],
    ["movsq", "48a5"],
    ["cmpxchg16b [rax]", "480fc708"],
  ])("64-bit %s", (text, bytes) => {
    expect(bytesOf(text, 64)).toBe(bytes);
  });
});

describe("layout", () => {
  it("takes short branches where they reach and near ones elsewhere", () => {
    expect(bytesOf("a: jmp a\njz b\nzero 127\nb: nop")).toMatch(/^ebfe747f/);
    expect(bytesOf("jz b\nzero 128\nb: nop")).toMatch(/^0f8480000000/);
  });

  it("lets a branch that grows push others out of reach", () => {
    const program = assemble("org 0\na: jmp c\njmp c\nzero 124\nb: zero 4\nc: nop");
    expect(program.symbols.get("c")).toBe(10 + 128);
  });

  it("keeps local labels apart", () => {
    const program = assemble("org 0\na: nop\n.x: nop\nb: nop\n.x: jmp .x\njmp a.x");
    expect([program.symbols.get("a.x"), program.symbols.get("b.x")]).toEqual([1, 3]);
  });

  it("knows data, constants, alignment and sections", () => {
    const program = assemble(asm`
        org 0x100
        width equ 3
        db "a\n", 0, 'x', width    ; a comment; "with quotes"
        align 8
        dw 0x1234
        dq end - 0x100
        end:
        org 0x1000
        dd 1, end`);
    expect(program.sections.map((s) => [s.address, Buffer.from(s.bytes).toString("hex")])).toEqual([
      [0x100, "610a007803000000" + "3412" + "1200000000000000"],
      [0x1000, "0100000012010000"],
    ]);
  });

  it("lists addresses, bytes and text", () => {
    const text = listing(assemble("org 0x100000\nstart: mov eax, 5 ; five\nhlt"));
    expect(text).toMatch(/start:\n00100000 {2}b8 05 00 00 00 +mov eax, 5\n00100005 {2}f4 +hlt\n/);
  });
});

describe("errors name the line and the reason", () => {
  it.each([
    ["mov eax", /line 3: mov eax\n {2}no instruction takes these operands/],
    ["frob eax", /no instruction takes/],
    ["mov [ebx], 5", /write byte, word, dword or qword/],
    ["jmp nowhere", /no label or constant "nowhere"/],
    ["loop far_away\nzero 200\nfar_away: nop", /loop far_away/],
    ["x: nop\nx: nop", /"x" is defined twice/],
    ["mov eax, 5 +", /not an expression/],
    ["mov eax, [eax+ebx+ecx+edx]", /too many registers/],
    ["bits 16", /bits is 32 or 64/],
    ["push rax", /no label or constant|no instruction/],
  ])("%s", (text, error) => {
    expect(() => bytesOf(text)).toThrow(error);
  });

  it("wants an address before the first bytes", () => {
    expect(() => assemble("nop")).toThrow(/org ADDRESS/);
  });
});

describe("ELF", () => {
  const program = assemble("org 0x100000\nstart: hlt\norg 0x200000\ndb 1, 2, 3");

  it.each([
    [32, "i386", 3],
    [32, "x86-64", 62],
    [64, "x86-64", 62],
  ] as const)("class %i, machine %s", (elfClass, machine, number) => {
    const image = elfImage(program, { elfClass, machine });
    const view = new DataView(image.buffer);
    expect(view.getUint32(0, false)).toBe(0x7f454c46);
    expect(view.getUint8(4)).toBe(elfClass / 32);
    expect(view.getUint16(18, true)).toBe(number);
    expect(view.getUint16(elfClass === 64 ? 56 : 44, true)).toBe(3);
  });

  it("needs its entry symbol", () => {
    expect(() => elfImage(program, { entry: "begin" })).toThrow(/no entry symbol "begin"/);
  });
});

it("disassembles what it assembled", () => {
  const program = assemble("org 0x1000\nmov eax, 5\nhlt");
  expect(disassemble(program.sections[0]!.bytes, 0x1000, 32).text).toMatch(/mov eax,5\n00001005 {2}f4 +hlt/);
});
