/** Guest programs of races: a few instructions of flat 32-bit code with what each does, ending in a jump to itself. */

export interface Instruction {
  readonly bytes: readonly number[];
  readonly text: string;
}

const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
const hex = (value: number): string => `0x${value.toString(16)}`;

/** mov dword [address], value */
export const store32 = (address: number, value: number): Instruction => ({
  bytes: [0xc7, 0x05, ...u32(address), ...u32(value)],
  text: `mov dword [${hex(address)}], ${value}`,
});

/** mov esp/eax/ebx/ecx, value */
export const setRegister = (name: "eax" | "ecx" | "edx" | "ebx" | "esp", value: number): Instruction => ({
  bytes: [0xb8 + ["eax", "ecx", "edx", "ebx", "esp"].indexOf(name), ...u32(value)],
  text: `mov ${name}, ${hex(value)}`,
});

/** The hypercall whose number and arguments are in eax, ebx, ecx. @param what it asks for, for reports. */
export const vmcall = (what: string): Instruction => ({ bytes: [0x0f, 0x01, 0xc1], text: `vmcall (${what})` });

/** xsetbv: XCR0 (ecx = 0) := edx:eax */
export const xsetbv: Instruction = { bytes: [0x0f, 0x01, 0xd1], text: "xsetbv" };

/** mov al, value; out port, al: one byte to a port below 256. */
export const out8 = (port: number, value: number): Instruction[] => [
  { bytes: [0xb0, value], text: `mov al, ${hex(value)}` },
  { bytes: [0xe6, port], text: `out ${hex(port)}, al` },
];

/** mov eax, [address] */
export const load32 = (address: number): Instruction => ({
  bytes: [0xa1, ...u32(address)],
  text: `mov eax, [${hex(address)}]`,
});

/** add dword [address], value: a read-modify-write */
export const add32 = (address: number, value: number): Instruction => ({
  bytes: [0x81, 0x05, ...u32(address), ...u32(value)],
  text: `add dword [${hex(address)}], ${value}`,
});

/** mov edx, port; mov eax, value; out dx, eax */
export const out32 = (port: number, value: number): readonly Instruction[] => [
  { bytes: [0xba, ...u32(port)], text: `mov edx, ${hex(port)}` },
  { bytes: [0xb8, ...u32(value)], text: `mov eax, ${value}` },
  { bytes: [0xef], text: `out ${hex(port)}, ${value}` },
];

/** jmp to `target`, from an instruction at `from` */
export const jump = (from: number, target: number): Instruction => ({
  bytes: [0xe9, ...u32(target - (from + 5))],
  text: `jmp ${hex(target)}`,
});

/** Hypercall `nr` with two arguments, in one step for each of its instructions. */
export const hypercall = (nr: number, a1: number, a2 = 0): Instruction[] => [
  { bytes: [0xb8, ...u32(nr)], text: `mov eax, ${nr}` },
  { bytes: [0xbb, ...u32(a1)], text: `mov ebx, ${hex(a1)}` },
  { bytes: [0xb9, ...u32(a2)], text: `mov ecx, ${hex(a2)}` },
  { bytes: [0x0f, 0x01, 0xc1], text: "vmcall" },
];

export interface Program {
  readonly gpa: number;
  readonly code: Uint8Array;
  /** Address of the jump at the end. */
  readonly end: number;
  readonly instructions: readonly (readonly [address: number, text: string])[];
  /** Address behind each instruction: rip from there on means that it has retired. */
  readonly retiredAt: readonly number[];
}

/** Puts instructions at `gpa`. */
export function program(gpa: number, body: readonly Instruction[]): Program {
  let at = gpa;
  const instructions: [number, string][] = [];
  const retiredAt: number[] = [];
  for (const { bytes, text } of body) {
    instructions.push([at, text]);
    at += bytes.length;
    retiredAt.push(at);
  }
  const code = new Uint8Array([...body.flatMap((i) => i.bytes), 0xeb, 0xfe]);
  return { gpa, code, end: at, instructions, retiredAt };
}
