/**
 * Registers as GDB numbers them, and the target description that says so (GDB manual, G.5.6, i386 features). x87 is not part of the processor:
 * its registers are there because GDB insists on them, and are told as not available.
 */
import type { DomId } from "../ids.ts";
import type { Registers } from "../inspect.ts";
import type { Machine } from "../machine.ts";
import { vcpuGetContext, vcpuSetContext } from "../toolstack/vcpu.ts";

export type GdbArch = "i386" | "i386:x86-64";

interface RegisterSpec {
  readonly name: string;
  readonly bits: number;
  readonly type: string;
  /** Undefined: not available. */
  readonly read: ((regs: Registers) => bigint) | undefined;
  /** Byte offset in a vcpu_guest_context, for those that can be written. */
  readonly context: number | undefined;
}

export interface RegisterMap {
  readonly arch: GdbArch;
  readonly xml: string;
  readonly registers: readonly RegisterSpec[];
}

const USER_REGS = 520;
/** cpu_user_regs: r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi, error, rip, cs, rflags, rsp. */
const CONTEXT_ORDER = "r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi error rip cs rflags rsp".split(" ");
const contextOffset = (name: string): number => USER_REGS + CONTEXT_ORDER.indexOf(name) * 8;

const GENERAL_64 = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15".split(" ");
const GENERAL_32 = "eax ecx edx ebx esp ebp esi edi".split(" ");
const SEGMENTS = ["cs", "ss", "ds", "es", "fs", "gs"] as const;
const X87 = [
  ...Array.from({ length: 8 }, (_, i) => ["st", i] as const),
  ...["fctrl", "fstat", "ftag", "fiseg", "fioff", "foseg", "fooff", "fop"].map((name) => [name, -1] as const),
];
const CONTROL = ["cr0", "cr2", "cr3", "cr4", "efer"] as const;

function typeOf(name: string, bits: number): string {
  if (name === "rip" || name === "eip") return "code_ptr";
  if (/^[re][sb]p$/.test(name)) return "data_ptr";
  return `int${bits}`;
}

function describe(arch: GdbArch): RegisterSpec[] {
  const is64 = arch === "i386:x86-64";
  const bits = is64 ? 64 : 32;
  const general = (is64 ? GENERAL_64 : GENERAL_32).map((name): RegisterSpec => {
    const full = (is64 ? name : `r${name.slice(1)}`) as keyof Registers["general"];
    return { name, bits, type: typeOf(name, bits), read: (r) => r.general[full], context: contextOffset(full) };
  });
  const rip = is64 ? "rip" : "eip";
  const segments = SEGMENTS.map(
    (name): RegisterSpec => ({
      name,
      bits: 32,
      type: "int32",
      read: (r) => BigInt(r.segments[name].selector),
      context: undefined,
    }),
  );
  const x87 = X87.map(
    ([name, i]): RegisterSpec => ({
      name: i < 0 ? name : `${name}${i}`,
      bits: i < 0 ? 32 : 80,
      type: i < 0 ? "int" : "i387_ext",
      read: undefined,
      context: undefined,
    }),
  );
  const control = CONTROL.map(
    (name): RegisterSpec => ({ name, bits, type: `int${bits}`, read: (r) => r[name], context: undefined }),
  );
  const bases = (is64 ? (["fs", "gs"] as const) : []).map(
    (name): RegisterSpec => ({
      name: `${name}_base`,
      bits: 64,
      type: "int64",
      read: (r) => r.segments[name].base,
      context: undefined,
    }),
  );
  return [
    ...general,
    { name: rip, bits, type: "code_ptr", read: (r) => r.rip, context: contextOffset("rip") },
    { name: "eflags", bits: 32, type: "i386_eflags", read: (r) => BigInt(r.rflags), context: contextOffset("rflags") },
    ...segments,
    ...x87,
    ...bases,
    ...control,
  ];
}

const FLAGS = [
  ["CF", 0],
  ["PF", 2],
  ["AF", 4],
  ["ZF", 6],
  ["SF", 7],
  ["TF", 8],
  ["IF", 9],
  ["DF", 10],
  ["OF", 11],
  ["NT", 14],
  ["RF", 16],
  ["VM", 17],
  ["AC", 18],
  ["ID", 21],
] as const;

function xmlOf(arch: GdbArch, registers: readonly RegisterSpec[]): string {
  const one = (r: RegisterSpec): string => `<reg name="${r.name}" bitsize="${r.bits}" type="${r.type}"/>`;
  const isBase = (r: RegisterSpec): boolean => r.name.endsWith("_base");
  const isControl = (r: RegisterSpec): boolean => (CONTROL as readonly string[]).includes(r.name);
  const flags = FLAGS.map(([name, bit]) => `<field name="${name}" start="${bit}" end="${bit}"/>`).join("");
  const feature = (name: string, list: readonly RegisterSpec[], types = ""): string =>
    list.length === 0 ? "" : `<feature name="${name}">${types}${list.map(one).join("")}</feature>`;
  return [
    `<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd"><target version="1.0"><architecture>${arch}</architecture>`,
    feature(
      "org.gnu.gdb.i386.core",
      registers.filter((r) => !isBase(r) && !isControl(r)),
      `<flags id="i386_eflags" size="4">${flags}</flags>`,
    ),
    feature("org.gnu.gdb.i386.segments", registers.filter(isBase)),
    feature("org.vmexit.control", registers.filter(isControl)),
    "</target>",
  ].join("");
}

export function registerMap(arch: GdbArch): RegisterMap {
  const registers = describe(arch);
  return { arch, registers, xml: xmlOf(arch, registers) };
}

/** The architecture that fits the mode a vCPU is in now. */
export const archOf = (machine: Machine, slot: number): GdbArch =>
  machine.regs(slot).bitness === 64 ? "i386:x86-64" : "i386";

/** Little-endian bytes in hexadecimal; x for each digit when it is not available. */
export function readRegister(spec: RegisterSpec, regs: Registers): string {
  const bytes = spec.bits / 8;
  if (!spec.read) return "x".repeat(bytes * 2);
  let value = BigInt.asUintN(spec.bits, spec.read(regs));
  let text = "";
  for (let i = 0; i < bytes; i++, value >>= 8n)
    text += Number(value & 0xffn)
      .toString(16)
      .padStart(2, "0");
  return text;
}

/** Writes registers by name through dom0: DOMCTL_setvcpucontext. @throws HvError */
export function writeRegisters(
  machine: Machine,
  domid: DomId,
  vcpu: number,
  values: readonly (readonly [spec: RegisterSpec, bytes: Uint8Array])[],
): void {
  const context = vcpuGetContext(machine.dom0, domid, vcpu);
  for (const [spec, bytes] of values) {
    if (spec.context === undefined) continue;
    context.fill(0, spec.context, spec.context + 8);
    context.set(bytes.subarray(0, Math.min(8, spec.bits / 8)), spec.context);
  }
  vcpuSetContext(machine.dom0, domid, vcpu, context);
}
