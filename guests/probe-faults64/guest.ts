/** Probe: which vector, error code and CR2 a fault gives in 64-bit code, from ring 0 and ring 3, and what SYSCALL and interrupt stacks do. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { CODE64, DATA, enterLongMode, IMAGE_BASE, PAGE_TABLES, stack, start, TSS, USER_CODE32 } from "../lib/boot.ts";
import { attempts, faultHandling, loadIdt, userAttempts } from "../lib/faults.ts";
import { hypercall, hypercallPage, setUpHypercalls, shutdown } from "../lib/hypercall.ts";
import { hex, newline, print, say } from "../lib/print.ts";

const attempt = attempts(64);
const attemptUser = userAttempts(64, attempt);

/** One page table behind the others; its window of test pages begins at TEST (the 5th GiB). */
const DIRECTORY = PAGE_TABLES + 0x6000;
const TABLE = PAGE_TABLES + 0x7000;
const TEST = 0x100000000;
const page = (n: number): string => `0x${(TEST + n * 0x1000).toString(16)}`;
const HOLE = "0x8000000000000000";
const EFER = "0xc0000080";

const show = (name: string, ...operands: string[]): string => asm`
${say(`${name} =`)}
${operands.map((o) => say(" ") + hex(o, 64)).join("\n")}
${newline()}`;

const entry = (n: number, value: string): string => asm`
        mov rax, ${value}
        mov [${TABLE + 8 * n}], rax`;

const testPages = (): string => asm`
        mov qword [${PAGE_TABLES + 0x1000 + 8 * 4}], ${DIRECTORY + 7}
        mov edi, ${DIRECTORY}
        mov ecx, 1024                              ; directory and table
        xor eax, eax
        rep stosq
        mov qword [${DIRECTORY}], ${TABLE + 7}
        mov rax, 0x8000000000600087                ; 2 MiB page that must not be executed
        mov [${DIRECTORY + 8}], rax
        mov rax, 0x0000000000602087                ; 2 MiB page with a reserved address bit
        mov [${DIRECTORY + 16}], rax
${entry(1, "0x600001")}
${entry(2, "0x601003")}
${entry(3, "0x8000000000601003")}
${entry(4, "0x602005")}
${entry(5, "0x603007")}
${entry(6, "0x0008000000603003")}
${entry(7, "0x8000000000603007")}
        mov byte [0x601000], 0xc3                  ; RET
        mov byte [0x603000], 0xc3
        mov ecx, ${EFER}
        rdmsr
        or eax, 0x800                              ; NXE
        wrmsr
        mov rax, cr0
        or eax, 0x10000                            ; WP
        mov cr0, rax
`;

const opcodes = (): string => asm`
${attempt("nop", "nop")}
${attempt("ud2", "ud2")}
${attempt("int3", "int3")}
${attempt("int 0x31", "int 0x31")}
${attempt("int 0x80 beyond the table", "int 0x80")}
${attempt("div by zero", "xor ecx, ecx\n div rcx")}
${attempt("div overflow", "mov edx, 5\n mov ecx, 5\n div rcx")}
${attempt("idiv overflow", "mov edx, 5\n xor eax, eax\n mov ecx, 10\n idiv rcx")}
${[0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x9a, 0xce, 0xd4, 0xd5, 0xea].map((b) => attempt(`opcode ${b.toString(16).padStart(2, "0")}`, `db ${b}, 0, 0, 0, 0, 0, 0`)).join("\n")}
${attempt("mov rax, cr1", "db 0x0f, 0x20, 0xc8")}
${attempt("lock nop", "db 0xf0, 0x90")}
${attempt("lock mov", "db 0xf0, 0x89, 0x00")}
${attempt("16 bytes", "db 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90")}
${attempt("cmpxchg16b misaligned", "mov rsi, scratch + 8\n cmpxchg16b [rsi]")}
${attempt("cmpxchg16b", "mov rsi, scratch\n cmpxchg16b [rsi]")}
`;

const canonical = (): string => asm`
${attempt("read non-canonical", `mov rax, ${HOLE}\n mov al, [rax]`)}
${attempt("write non-canonical", `mov rax, ${HOLE}\n mov [rax], al`)}
${attempt("read non-canonical by rbp", `mov rbp, ${HOLE}\n mov al, [rbp]`)}
${attempt("read non-canonical by rbp with ds", `mov rbp, ${HOLE}\n mov al, ds:[rbp]`)}
${attempt("push to non-canonical", `mov rsp, ${HOLE}\n push rax`)}
${attempt("pop from non-canonical", `mov rsp, ${HOLE}\n pop rax`)}
${attempt("jump to non-canonical", `mov rax, ${HOLE}\n jmp rax`)}
${attempt("call to non-canonical", `mov rax, ${HOLE}\n call rax`)}
${attempt("return to non-canonical", `mov rax, ${HOLE}\n push rax\n ret`)}
${attempt("iretq to non-canonical", `mov rax, ${HOLE}\n push ${DATA}\n push stack_top\n push 2\n push ${CODE64}\n push rax\n iretq`)}
${attempt("rep movsb from non-canonical", `mov rsi, ${HOLE}\n mov edi, scratch\n mov ecx, 4\n rep movsb`)}
${attempt("invlpg of non-canonical", `mov rax, ${HOLE}\n invlpg [rax]`)}
${attempt("fs base non-canonical", "mov ecx, 0xc0000100\n xor eax, eax\n mov edx, 0x80000000\n wrmsr")}
${attempt("lstar non-canonical", "mov ecx, 0xc0000082\n xor eax, eax\n mov edx, 0x80000000\n wrmsr")}
`;

const segments = (): string => asm`
${attempt("ds = null", "xor eax, eax\n mov ds, eax")}
${attempt("read through null ds", "mov al, [scratch]")}
${attempt("es = beyond the table", "mov eax, 0x1000\n mov es, eax")}
${attempt("ss = null in ring 0", "xor eax, eax\n mov ss, eax")}
        mov eax, ${DATA}
        mov ds, eax
        mov ss, eax
${attempt("ss = code", `mov eax, ${CODE64}\n mov ss, eax`)}
${attempt("far return to data", `push ${DATA}\n push 0\n retfq`)}
${attempt("far return to null", "push 0\n push 0\n retfq")}
${attempt("iretq to data", `push ${DATA}\n push stack_top\n push 2\n push ${DATA}\n push 0\n iretq`)}
${attempt("ltr data", `mov eax, ${DATA}\n ltr ax`)}
`;

const control = (): string => asm`
${attempt("cr0 without paging", "mov rax, cr0\n btr rax, 31\n mov cr0, rax")}
${attempt("cr0 upper bits", "mov rax, cr0\n bts rax, 40\n mov cr0, rax")}
${attempt("cr4 without PAE", "mov rax, cr4\n btr rax, 5\n mov cr4, rax")}
${attempt("cr4 reserved bits", "mov rax, cr4\n bts rax, 31\n mov cr4, rax")}
${attempt("cr8 = 16", "mov eax, 16\n mov cr8, rax")}
${attempt("efer without LME", `mov ecx, ${EFER}\n rdmsr\n btr eax, 8\n wrmsr`)}
${attempt("efer reserved bits", `mov ecx, ${EFER}\n rdmsr\n bts eax, 16\n wrmsr`)}
${attempt("rdmsr 3a", "mov ecx, 0x3a\n rdmsr")}
${attempt("dr7 upper bits", "mov rax, 0x100000400\n mov dr7, rax")}
`;

const pages = (): string => asm`
${attempt("read absent page", `mov rsi, ${page(0)}\n mov eax, [rsi+0x123]`)}
${attempt("write absent page", `mov rsi, ${page(0)}\n mov [rsi+0x124], eax`)}
${attempt("jump to absent page", `mov rsi, ${page(0)}\n jmp rsi`)}
${attempt("write read-only page", `mov rsi, ${page(1)}\n mov [rsi], eax`)}
${attempt("call into a page", `mov rsi, ${page(2)}\n call rsi`)}
${attempt("call into a page with NX", `mov rsi, ${page(3)}\n call rsi`)}
${attempt("read a page with NX", `mov rsi, ${page(3)}\n mov eax, [rsi]`)}
${attempt("call into a large page with NX", `mov rsi, ${page(512)}\n call rsi`)}
${attempt("read under a reserved bit of a large page", `mov rsi, ${page(1024)}\n mov eax, [rsi]`)}
${attempt("write under a reserved bit", `mov rsi, ${page(6)}\n mov [rsi], eax`)}
${attempt("read under a reserved bit", `mov rsi, ${page(6)}\n mov eax, [rsi]`)}
${attempt("jump under a reserved bit", `mov rsi, ${page(6)}\n jmp rsi`)}
${attempt("write across into a read-only page", `mov rsi, ${page(1)}\n mov [rsi-4], rax`)}
${attempt("read under an absent third level", `mov rsi, 0x7fff00000000\n mov eax, [rsi]`)}
${attempt("write in the upper half", `mov rsi, -4096\n mov [rsi], eax`)}
        mov byte [idt + 14*16 + 5], 0x0e           ; #PF: not present
${attempt("page fault through a gate that is not present", `mov rsi, ${page(0)}\n mov eax, [rsi]`)}
        mov byte [idt + 14*16 + 5], 0x8e
        mov byte [idt + 6*16 + 5], 0x0e            ; #UD: not present
${attempt("ud2 through a gate that is not present", "ud2")}
        mov byte [idt + 6*16 + 5], 0x8e
`;

const interruptStacks = (): string => asm`
        mov dword [seen], 0
        mov word [idt + 0x32*16], on_32 & 0xffff
        mov word [idt + 0x32*16 + 6], on_32 >> 16
        lea rbp, [rsp-8]
        int 0x32
${show("stack in a handler with IST below its top", "[seen]")}
        mov byte [idt + 0x32*16 + 4], 0
        mov rbx, rsp
        sub rsp, 5                                 ; the processor aligns the stack before it pushes
        int 0x32
        mov rsp, rbx
${show("low bits of the stack in a handler", "[seen.low]")}
`;

const syscalls = (): string => asm`
${attempt("syscall without EFER.SCE", "syscall")}
${attempt("sysretq without EFER.SCE", "sysretq")}
        mov ecx, ${EFER}
        rdmsr
        or eax, 1
        wrmsr
        mov ecx, 0xc0000081                        ; STAR: kernel 18/20, user 23..
        xor eax, eax
        mov edx, ${(0x23 << 16) | CODE64}
        wrmsr
        mov ecx, 0xc0000082                        ; LSTAR
        mov eax, on_syscall
        xor edx, edx
        wrmsr
        mov ecx, 0xc0000084                        ; FMASK
        mov eax, 0x401
        xor edx, edx
        wrmsr
        xor ecx, ecx
        xor r11d, r11d
        stc
        std
        syscall
after_syscall:
        cld
        sub ecx, after_syscall
${show("syscall: rcx, r11, flags in the handler, cs and ss", "ecx", "r11d", "[seen.flags]", "[seen.cs]", "[seen.ss]")}
        mov eax, ${DATA}
        mov ss, eax
        mov ecx, 0xc0000101                        ; GS base
        mov eax, scratch
        xor edx, edx
        wrmsr
        mov ecx, 0xc0000102                        ; kernel GS base
        mov eax, scratch + 16
        xor edx, edx
        wrmsr
        mov dword [scratch], 0x1111
        mov dword [scratch+16], 0x2222
        mov eax, gs:[0]
        swapgs
        mov ebx, gs:[0]
        swapgs
        mov esi, gs:[0]
${show("swapgs", "eax", "ebx", "esi")}
`;

const user = (): string => asm`
${attemptUser("nop", "nop")}
${attemptUser("hlt", "hlt")}
${attemptUser("in", "mov edx, 0x300\n in al, dx")}
${attemptUser("rdmsr", "mov ecx, 0x10\n rdmsr")}
${attemptUser("mov rax, cr8", "mov rax, cr8")}
${attemptUser("swapgs", "swapgs")}
${attemptUser("sysretq", "sysretq")}
${attemptUser("int 0x31", "int 0x31")}
${attemptUser("int3", "int3")}
${attemptUser("read supervisor page", `mov rsi, ${page(2)}\n mov eax, [rsi]`)}
${attemptUser("write read-only page", `mov rsi, ${page(4)}\n mov [rsi], eax`)}
${attemptUser("write writable page", `mov rsi, ${page(5)}\n mov [rsi+8], eax`)}
${attemptUser("call into a page", `mov rsi, ${page(5)}\n call rsi`)}
${attemptUser("call into a page with NX", `mov rsi, ${page(7)}\n call rsi`)}
${attemptUser("call into a supervisor page", `mov rsi, ${page(2)}\n call rsi`)}
${attemptUser("push to absent page", `mov rsp, ${page(1)}\n push rax`)}
${attemptUser("non-canonical", `mov rax, ${HOLE}\n mov al, [rax]`)}
${attemptUser("ds = ring 0 data", `mov eax, ${DATA}\n mov ds, eax`)}
${attemptUser("far return to 32-bit user code", `push ${USER_CODE32}\n push compat_code\n retfq`)}
${attemptUser("hypercall", `${hypercall(64, hc.HC_XEN_VERSION, 0, 0)}\n mov [scratch], eax`)}
${show("its result", "[scratch]")}
`;

const longMode = (): string => asm`
        bits 64
long_mode:
        mov eax, ${DATA}
        mov ds, eax
        mov es, eax
        mov ss, eax
        xor eax, eax
        mov fs, eax
        mov gs, eax
        mov eax, tss                               ; the TSS descriptor has 16 bytes now
        mov word [gdt.tss], 103
        mov [gdt.tss+2], ax
        shr eax, 16
        mov [gdt.tss+4], al
        mov byte [gdt.tss+5], 0x89
        mov [gdt.tss+7], ah
        mov eax, ${TSS}
        ltr ax
${loadIdt()}
${testPages()}
${opcodes()}
${canonical()}
${segments()}
${control()}
${pages()}
${interruptStacks()}
${syscalls()}
${user()}
${hypercall(64, hc.HC_XEN_VERSION, 0, 0)}
${show("hypercall from 64-bit code", "eax")}
${say("end = 0\n")}
${shutdown(64)}

on_32:  mov rax, ist_top
        sub rax, rsp
        mov [seen], eax
        mov eax, esp
        and eax, 15
        mov [seen.low], eax
        iretq

on_syscall:
        pushfq
        pop rax
        mov [seen.flags], eax
        xor eax, eax
        mov ax, cs
        mov [seen.cs], eax
        mov ax, ss
        mov [seen.ss], eax
        jmp rcx

        bits 32
compat_code: mov eax, [scratch]
        int 0x30
        bits 64
${print(64)}
${faultHandling(64)}
`;

const guest = assemblyGuest({
  name: "probe-faults64",
  title: "probe: vectors, error codes and CR2 of faults in 64-bit code",
  source: asm`
        org ${IMAGE_BASE}
${start()}
main:
${setUpHypercalls()}
${enterLongMode("long_mode")}
${longMode()}
seen:   dd 0
seen.low: dd 0
seen.flags: dd 0
seen.cs: dd 0
seen.ss: dd 0
        align 16
scratch: zero 64
tss:    dd 0
        dq stack_top - 1024, 0, 0, 0, ist_top
        zero 58
        dw 104                          ; I/O bitmap beyond the limit: no ports for ring 3
        zero 512
        align 16
ist_top:
        zero 1024
user_stack:
${hypercallPage()}
${stack()}
`,
  machine: "x86-64",
  isProbe: true,
});

export default guest;
