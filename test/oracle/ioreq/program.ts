/**
 * The guest of the recorded ioreq scenario: 64-bit code at 0x100000, started in long mode with an identity map of 4 GiB. It waits for
 * a command in its mailbox page, runs one snippet with the registers given there, and stores the registers back.
 *
 * The code around a snippet is the recorded guest's, instruction by instruction: the arithmetic flags a snippet starts with come from
 * the loop's comparison. Read next: world.ts (the other side of the mailbox).
 */
import { asm, assemble } from "../../../guests/asm/assembler.ts";

export const IMAGE_AT = 0x100000;
export const MAILBOX = 0x20000;
/** Offsets in the mailbox. */
export const POSTED = 0;
export const FINISHED = 8;
export const SNIPPET = 16;
/** rax rbx rcx rdx rsi rdi, 8 bytes each: before and after. */
export const REGISTERS_IN = 24;
export const REGISTERS_OUT = 0x80;
export const FLAGS_OUT = 0xc0;
/** Vector, error code and rip of an exception; vector is -1 without one. */
export const FAULT = 0xc8;
export const HEARTBEAT = 0x200;
export const STREAMED = 0x208;
export const STOP_STREAM = 0x210;

const MB = MAILBOX;
/** These push an error code. */
const WITH_ERROR = new Set([8, 10, 11, 12, 13, 14, 17]);

/** One line each; `ret` is added. */
const SHORT: Readonly<Record<string, string>> = {
  w1: "mov [rdi], al",
  w2: "mov [rdi], ax",
  w4: "mov [rdi], eax",
  w8: "mov [rdi], rax",
  r1: "mov al, [rdi]",
  r2: "mov ax, [rdi]",
  r4: "mov eax, [rdi]",
  r8_: "mov rax, [rdi]",
  movzx1: "movzx eax, byte [rdi]",
  movsx2: "movsx rax, word [rdi]",
  imm8: "mov qword [rdi], -2",
  movnti8: "movnti [rdi], rax",
  add4: "add [rdi], eax",
  add8: "add [rdi], rax",
  or1: "or [rdi], al",
  and2: "and [rdi], ax",
  inc4: "inc dword [rdi]",
  not4: "not dword [rdi]",
  neg8: "neg qword [rdi]",
  shl4: "shl dword [rdi], 1",
  addr4: "add eax, [rdi]",
  cmp4: "cmp [rdi], eax",
  test4: "test [rdi], eax",
  xchg4: "xchg [rdi], eax",
  xchg8: "xchg [rdi], rax",
  lockadd4: "lock add [rdi], eax",
  xadd4: "lock xadd [rdi], eax",
  cmpxchg4: "lock cmpxchg [rdi], ecx",
  cmpxchg8: "lock cmpxchg [rdi], rcx",
  cmpxchg8b_: "lock cmpxchg8b [rdi]",
  cmpxchg16b_: "lock cmpxchg16b [rdi]",
  bts4: "bts [rdi], ecx",
  btsi: "bts dword [rdi], 3",
  setz_: "setz [rdi]",
  movsd_: "movsd",
  movsq_: "movsq",
  repmovsb: "rep movsb",
  repmovsw: "rep movsw",
  repmovsd: "rep movsd",
  repmovsq: "rep movsq",
  repmovsd_df: "std\n rep movsd",
  repmovsb_df: "std\n rep movsb",
  stosd_: "stosd",
  repstosb: "rep stosb",
  repstosd: "rep stosd",
  repstosq: "rep stosq",
  repstosd_df: "std\n rep stosd",
  lodsd_: "lodsd",
  replodsd: "rep lodsd",
  repnescasb: "repne scasb",
  repecmpsb: "repe cmpsb",
  in1: "in al, dx",
  in2: "in ax, dx",
  in4: "in eax, dx",
  out1: "out dx, al",
  out2: "out dx, ax",
  out4: "out dx, eax",
  outsb_: "outsb",
  repoutsb: "rep outsb",
  repoutsd: "rep outsd",
  repinsb: "rep insb",
  repinsd: "rep insd",
  repoutsw_df: "std\n rep outsw",
  clflush_: "clflush [rdi]",
  prefetch_: "prefetcht0 [rdi]",
  callmem: "call rdi",
  vmmcall_: "vmmcall",
};

/** The ones with several instructions; floating point as bytes, which the assembler has no names for. */
const LONG = asm`
push_:  mov rsp, rdi
        push rax
        mov rsp, r15
        sub rsp, 8
        ret
pop_:   mov rsp, rdi
        pop rax
        mov rsp, r15
        sub rsp, 8
        ret
pushm:  push qword [rdi]
        pop rax
        ret
popm:   push rax
        pop qword [rdi]
        ret
movdqu_w: db 0x66, 0x48, 0x0f, 0x6e, 0xc0  ; movq xmm0, rax
        db 0x66, 0x0f, 0x6c, 0xc0          ; punpcklqdq xmm0, xmm0
        db 0xf3, 0x0f, 0x7f, 0x07          ; movdqu [rdi], xmm0
        ret
movdqu_r: db 0xf3, 0x0f, 0x6f, 0x07        ; movdqu xmm0, [rdi]
        db 0x66, 0x48, 0x0f, 0x7e, 0xc0    ; movq rax, xmm0
        db 0x66, 0x0f, 0x73, 0xd8, 0x08    ; psrldq xmm0, 8
        db 0x66, 0x48, 0x0f, 0x7e, 0xc3    ; movq rbx, xmm0
        ret
movss_w: db 0x66, 0x0f, 0x6e, 0xc0         ; movd xmm0, eax
        db 0xf3, 0x0f, 0x11, 0x07          ; movss [rdi], xmm0
        ret
fst_w:  db 0xd9, 0xe8                      ; fld1
        db 0xdd, 0x1f                      ; fstp qword [rdi]
        ret
fld_r:  db 0xdd, 0x07                      ; fld qword [rdi]
        db 0xdd, 0x1c, 0x25                ; fstp qword [MB+0x300]
        dd ${MB + 0x300}
        mov rax, [${MB + 0x300}]
        ret
pci_r4: mov dx, 0xcf8
        out dx, eax
        mov dx, 0xcfc
        add dx, cx
        in eax, dx
        ret
pci_w2: mov dx, 0xcf8
        out dx, eax
        mov dx, 0xcfc
        add dx, cx
        mov eax, ebx
        out dx, ax
        ret
stream: xor eax, eax
.l:     inc rax
        mov [rdi], rax
        mov [${MB + STREAMED}], rax
        cmp qword [${MB + STOP_STREAM}], 0
        je .l
        ret`;

const stub = (vector: number): string => asm`
        align 16
${WITH_ERROR.has(vector) ? "        nop\n        nop" : "        push 0"}
        push ${vector}
        jmp trap`;

const SOURCE = asm`
        bits 64
        org ${IMAGE_AT}
start:  mov rsp, 0x80000
        lgdt [gdtr]
        mov eax, 0x10
        mov ds, eax
        mov es, eax
        mov ss, eax
        push 8
        push .cs
        retfq
.cs:    mov rdi, 0x60000
        mov rbx, stubs
        mov ecx, 32
.g:     mov rax, rbx
        mov [rdi], ax
        mov word [rdi+2], 8
        mov word [rdi+4], 0x8e00
        shr rax, 16
        mov [rdi+6], ax
        mov qword [rdi+8], 0
        add rdi, 16
        add rbx, 16
        loop .g
        lidt [idtr]
mainl:  inc qword [${MB + HEARTBEAT}]
        pause
        mov rax, [${MB + POSTED}]
        cmp rax, [${MB + FINISHED}]
        je mainl
        mov rsp, 0x80000
        mov qword [${MB + FAULT}], -1
        cld
        mov rax, [${MB + REGISTERS_IN}]
        mov rbx, [${MB + REGISTERS_IN + 8}]
        mov rcx, [${MB + REGISTERS_IN + 16}]
        mov rdx, [${MB + REGISTERS_IN + 24}]
        mov rsi, [${MB + REGISTERS_IN + 32}]
        mov rdi, [${MB + REGISTERS_IN + 40}]
        mov r8, [${MB + REGISTERS_IN + 48}]
        mov r10, [${MB + REGISTERS_IN + 56}]
        mov r15, rsp
        call qword [${MB + SNIPPET}]
fin:    pushfq
        pop qword [${MB + FLAGS_OUT}]
        cld
        mov [${MB + REGISTERS_OUT}], rax
        mov [${MB + REGISTERS_OUT + 8}], rbx
        mov [${MB + REGISTERS_OUT + 16}], rcx
        mov [${MB + REGISTERS_OUT + 24}], rdx
        mov [${MB + REGISTERS_OUT + 32}], rsi
        mov [${MB + REGISTERS_OUT + 40}], rdi
        mov rax, [${MB + POSTED}]
        mov [${MB + FINISHED}], rax
        jmp mainl
        align 16
stubs:
${Array.from({ length: 32 }, (_, vector) => stub(vector)).join("\n")}
        align 16
trap:   pop qword [${MB + FAULT}]
        pop qword [${MB + FAULT + 8}]
        pop qword [${MB + FAULT + 16}]
        mov rsp, 0x80000
        jmp fin
${Object.entries(SHORT)
  .map(([name, text]) => `${name}: ${text}\n ret`)
  .join("\n")}
${LONG}
        align 8
gdt:    dq 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:   dw 23
        dq gdt
idtr:   dw 511
        dq 0x60000`;

export interface ScenarioGuest {
  readonly image: Uint8Array;
  readonly entry: number;
  /** Address of a snippet. @throws Error for a name that is none. */
  snippet(name: string): number;
  readonly snippets: readonly string[];
}

/** The image goes to IMAGE_AT. */
export function buildScenarioGuest(): ScenarioGuest {
  const program = assemble(SOURCE);
  const snippets = [...Object.keys(SHORT), ...[...LONG.matchAll(/^(\w+):/gm)].map((m) => m[1]!)];
  return {
    image: program.sections[0]!.bytes,
    entry: program.symbols.get("start")!,
    snippets,
    snippet(name) {
      const at = snippets.includes(name) ? program.symbols.get(name) : undefined;
      if (at === undefined) throw new Error(`no snippet "${name}"`);
      return at;
    },
  };
}
