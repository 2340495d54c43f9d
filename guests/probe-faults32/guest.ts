/**
 * Probe: which vector, error code and CR2 a fault gives in 32-bit protected mode, with paging off and on, from ring 0 and ring 3.
 *
 * Segment limits are left out: the processor under the recorded Xen was an emulated one that does not check them.
 */
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { ABSENT_CODE, ABSENT_DATA, CODE32, DATA, TSS, USER_CODE32, USER_DATA } from "../lib/boot.ts";
import { attempts, faultHandling, loadIdt, loadTss, userAttempts } from "../lib/faults.ts";
import { hypercall } from "../lib/hypercall.ts";
import { hex, newline, say } from "../lib/print.ts";
import { probe32 } from "../lib/probe.ts";

const attempt = attempts(32);

const attemptUser = userAttempts(32, attempt);

/** Page directory and one page table, behind the image; the window of test pages begins at TEST. */
const DIRECTORY = 0x500000;
const TABLE = 0x501000;
const TEST = 0x10000000;
const page = (n: number): number => TEST + n * 0x1000;

const showEntry = (name: string, n: number): string => asm`
${say(`entry ${name} = `)}
        mov eax, [${TABLE + 4 * n}]
        and eax, 0xfff
${hex("eax")}
${newline()}`;

const arithmeticAndOpcodes = (): string => asm`
${attempt("nop", "nop")}
${attempt("ud2", "ud2")}
${attempt("int3", "int3")}
${attempt("int 0x30", "int 0x30")}
${attempt("int 0x31", "int 0x31")}
${attempt("int 0x80 beyond the table", "int 0x80")}
${attempt("int 0xff beyond the table", "int 0xff")}
${attempt("into without overflow", "xor eax, eax\n into")}
${attempt("into with overflow", "mov al, 0x7f\n add al, 1\n into")}
${attempt("div by zero", "xor ecx, ecx\n div ecx")}
${attempt("div byte by zero", "xor ecx, ecx\n div cl")}
${attempt("div overflow", "mov edx, 5\n mov ecx, 5\n div ecx")}
${attempt("idiv overflow", "mov eax, 0x80000000\n cdq\n mov ecx, -1\n idiv ecx")}
${attempt("0f ff", "db 0x0f, 0xff")}
${attempt("mov cs, ax", "db 0x8e, 0xc8")}
${attempt("mov eax, cr1", "db 0x0f, 0x20, 0xc8")}
${attempt("mov eax, cr5", "db 0x0f, 0x20, 0xe8")}
${attempt("lea of a register", "db 0x8d, 0xc0")}
${attempt("lock nop", "db 0xf0, 0x90")}
${attempt("lock mov", "db 0xf0, 0x89, 0x05\n dd scratch")}
${attempt("lock add to a register", "db 0xf0, 0x01, 0xc0")}
${attempt("lock add to memory", "lock add dword [scratch], 1")}
${attempt("15 bytes", "db 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90")}
${attempt("16 bytes", "db 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90")}
${attempt("fe /7", "db 0xfe, 0xf8")}
${attempt("ff /7", "db 0xff, 0xf8")}
${attempt("c6 /1", "db 0xc6, 0xc8, 0")}
${attempt("0f ba /0", "db 0x0f, 0xba, 0xc0, 0")}
${attempt("cmpxchg8b of a register", "db 0x0f, 0xc7, 0xc8")}
${attempt("syscall without EFER.SCE", "syscall")}
${attempt("swapgs in 32-bit code", "db 0x0f, 0x01, 0xf8")}
${attempt("invlpg", "invlpg [0xfffff000]")}
`;

const segments = (): string => asm`
${attempt("ds = null, and back", `xor eax, eax\n mov ds, eax\n mov eax, ${DATA}\n mov ds, eax`)}
${attempt("es = beyond the table", "mov eax, 0x1000\n mov es, eax")}
${attempt("es = local table without one", "mov eax, 0x14\n mov es, eax")}
${attempt("es = code", `mov eax, ${CODE32}\n mov es, eax`)}
${attempt("es = TSS", `mov eax, ${TSS}\n mov es, eax`)}
${attempt("es = not present", `mov eax, ${ABSENT_DATA}\n mov es, eax`)}
${attempt("es = user data, any requested level", `mov eax, ${USER_DATA}\n mov es, eax`)}
${attempt("es = data, requested level 3", `mov eax, ${DATA + 3}\n mov es, eax`)}
${attempt("read through null es", "xor eax, eax\n mov es, eax\n mov al, es:[scratch]")}
        mov eax, ${DATA}
        mov es, eax
${attempt("ss = null", "xor eax, eax\n mov ss, eax")}
${attempt("ss = code", `mov eax, ${CODE32}\n mov ss, eax`)}
${attempt("ss = user data", `mov eax, ${USER_DATA}\n mov ss, eax`)}
${attempt("ss = requested level 3", `mov eax, ${DATA + 3}\n mov ss, eax`)}
${attempt("ss = not present", `mov eax, ${ABSENT_DATA}\n mov ss, eax`)}
${attempt("ss = beyond the table", "mov eax, 0x1000\n mov ss, eax")}
${attempt("far jump to null", "jmp 0:0")}
${attempt("far jump to data", `jmp ${DATA}:0`)}
${attempt("far jump beyond the table", "jmp 0x1000:0")}
${attempt("far jump to user code", `jmp ${USER_CODE32}:0`)}
${attempt("far jump to a code segment that is not present", `jmp ${ABSENT_CODE}:0`)}
${attempt("far call to data", "db 0x9a, 0, 0, 0, 0, 0x10, 0")}
${attempt("far return to null", "push 0\n push 0\n retf")}
${attempt("iret to null", "push 2\n push 0\n push 0\n iretd")}
${attempt("iret to data", `push 2\n push ${DATA}\n push 0\n iretd`)}
${attempt("ltr data", `mov eax, ${DATA}\n ltr ax`)}
${attempt("ltr beyond the table", "mov eax, 0x1000\n ltr ax")}
${attempt("lldt null", "xor eax, eax\n lldt ax")}
${attempt("lldt data", `mov eax, ${DATA}\n lldt ax`)}
${attempt("ltr", `mov eax, ${TSS}\n mov byte [gdt.tss+5], 0x89\n ltr ax`)}
${attempt("ltr of a busy one", `mov eax, ${TSS}\n ltr ax`)}
`;

const control = (): string => asm`
${attempt("cr4 reserved bits", "mov eax, 0x80000000\n mov cr4, eax")}
${attempt("cr0 paging without protection", "mov eax, 0x80000010\n mov cr0, eax")}
${attempt("rdmsr 3a", "mov ecx, 0x3a\n rdmsr")}
${attempt("rdmsr 1234", "mov ecx, 0x480\n rdmsr")}
${attempt("wrmsr 3a", "mov ecx, 0x3a\n xor eax, eax\n xor edx, edx\n wrmsr")}
${attempt("efer reserved bits", "mov ecx, 0xc0000080\n mov eax, 0x10000\n mov edx, 0\n wrmsr")}
${attempt("hypercall page misaligned", "mov ecx, 0x40000000\n mov eax, 0x300001\n xor edx, edx\n wrmsr")}
${attempt("hypercall page nowhere", "mov ecx, 0x40000000\n mov eax, 0xf0000000\n xor edx, edx\n wrmsr")}
${attempt("xgetbv without OSXSAVE", "xor ecx, ecx\n xgetbv")}
`;

const gates = (): string => asm`
        mov byte [idt + 0x32*8 + 5], 0x0e         ; vector 32: not present
${attempt("int 0x32 through a gate that is not present", "int 0x32")}
        mov byte [idt + 6*8 + 5], 0x0e            ; #UD: not present
${attempt("ud2 through a gate that is not present", "ud2")}
        mov byte [idt + 6*8 + 5], 0x8e
        mov word [idt + 0x32*8 + 2], 0            ; null selector
        mov byte [idt + 0x32*8 + 5], 0x8e
${attempt("int 0x32 to a null selector", "int 0x32")}
        mov word [idt + 0x32*8 + 2], ${DATA}
${attempt("int 0x32 to a data selector", "int 0x32")}
        mov word [idt + 0x32*8 + 2], ${CODE32}
        mov byte [idt + 0x32*8 + 5], 0x80         ; not a gate type
${attempt("int 0x32 through something else", "int 0x32")}
        mov byte [idt + 0x32*8 + 5], 0x8f
${attempt("int 0x32 through a trap gate", "int 0x32")}
`;

const paging = (): string => asm`
        mov edi, ${DIRECTORY}                     ; identity map with 4 MiB pages for the first 64 MiB
        mov ecx, 1024
        xor eax, eax
        rep stosd
        mov edi, ${DIRECTORY}
        mov eax, 0x87
.large: mov [edi], eax
        add edi, 4
        add eax, 0x400000
        cmp edi, ${DIRECTORY + 64}
        jb .large
        mov dword [${DIRECTORY + (TEST >>> 22) * 4}], ${TABLE + 7}
        mov dword [${DIRECTORY + ((TEST >>> 22) + 1) * 4}], 0x200087   ; 4 MiB page with a reserved address bit
        mov edi, ${TABLE}
        mov ecx, 1024
        xor eax, eax
        rep stosd
        mov dword [${TABLE + 4 * 1}], 0x600001    ; 1: read-only, supervisor
        mov dword [${TABLE + 4 * 2}], 0x601003    ; 2: writable, supervisor
        mov dword [${TABLE + 4 * 4}], 0x602005    ; 4: read-only, user
        mov dword [${TABLE + 4 * 5}], 0x603007    ; 5: writable, user
        mov eax, cr4
        or eax, 0x10                              ; PSE
        mov cr4, eax
        mov eax, ${DIRECTORY}
        mov cr3, eax
        mov eax, cr0
        or eax, 0x80000000
        mov cr0, eax
${attempt("read absent page", `mov eax, [${page(0) + 0x123}]`)}
${attempt("write absent page", `mov [${page(0) + 0x124}], eax`)}
${attempt("read-modify-write absent page", `add dword [${page(0)}], 1`)}
${attempt("read under an absent directory entry", "mov eax, [0x20000abc]")}
${attempt("write under an absent directory entry", "mov [0x20000abc], eax")}
${attempt("read under a reserved bit", `mov eax, [${TEST + 0x400000}]`)}
${attempt("write under a reserved bit", `mov [${TEST + 0x400000}], eax`)}
${attempt("read read-only page", `mov eax, [${page(1)}]`)}
${showEntry("of the read page", 1)}
${attempt("write read-only page without WP", `mov [${page(1)}], eax`)}
${showEntry("of the written page", 1)}
        mov eax, cr0
        or eax, 0x10000                           ; WP
        mov cr0, eax
${attempt("write read-only page with WP", `mov [${page(1)}], eax`)}
${attempt("read-modify-write read-only page with WP", `add dword [${page(1)}], 1`)}
${attempt("exchange with a read-only page", `xchg [${page(1)}], eax`)}
${attempt("compare and exchange that would not write", `mov eax, 0x55\n mov ecx, 1\n cmpxchg [${page(1)}], ecx`)}
${showEntry("of an untouched page", 2)}
${attempt("read writable page", `mov eax, [${page(2)}]`)}
${showEntry("after a read", 2)}
${attempt("write writable page", `mov [${page(2)}], eax`)}
${showEntry("after a write", 2)}
${attempt("write across into an absent page", `mov dword [${page(2) + 0xffe}], 0x11111111`)}
${attempt("read across into an absent page", `mov eax, [${page(2) + 0xffd}]`)}
${attempt("write across from an absent page", `mov dword [${page(0) + 0xfff}], 0x11111111`)}
${attempt("jump to an absent page", `mov eax, ${page(0) + 0x10}\n jmp eax`)}
${attempt("call into an absent page", `mov eax, ${page(0) + 0x10}\n call eax`)}
${attempt("rep movs into an absent page", `mov edi, ${page(2) + 0xff0}\n mov esi, scratch\n mov ecx, 8\n rep movsd`)}
${say("registers after it = ")}${hex("ecx")}${say(" ")}${hex("edi")}${newline()}
        mov byte [idt + 14*8 + 5], 0x0e           ; #PF: not present
${attempt("page fault through a gate that is not present", `mov eax, [${page(0)}]`)}
        mov byte [idt + 14*8 + 5], 0x8e
`;

const user = (): string => asm`
${attemptUser("nop", "nop")}
${attemptUser("hlt", "hlt")}
${attemptUser("cli", "cli")}
${attemptUser("sti", "sti")}
${attemptUser("in", "mov edx, 0x300\n in al, dx")}
${attemptUser("out", "out 0x80, al")}
${attemptUser("insb", "mov edx, 0x300\n mov edi, scratch\n insb")}
${attemptUser("lgdt", "lgdt [gdt.pointer]")}
${attemptUser("lidt", "lidt [idt.pointer]")}
${attemptUser("ltr", "ltr ax")}
${attemptUser("mov eax, cr0", "mov eax, cr0")}
${attemptUser("mov cr3, eax", "mov cr3, eax")}
${attemptUser("mov eax, dr7", "mov eax, dr7")}
${attemptUser("clts", "clts")}
${attemptUser("invlpg", "invlpg [0]")}
${attemptUser("rdmsr", "mov ecx, 0x10\n rdmsr")}
${attemptUser("wbinvd", "wbinvd")}
${attemptUser("rdtsc", "rdtsc")}
${attemptUser("cpuid", "xor eax, eax\n cpuid")}
${attemptUser("smsw", "smsw eax")}
${attemptUser("ud2", "ud2")}
${attemptUser("int3", "int3")}
${attemptUser("int 0x31", "int 0x31")}
${attemptUser("int 14", "int 14")}
${attemptUser("int 0x80", "int 0x80")}
${attemptUser("div by zero", "xor ecx, ecx\n div ecx")}
${attemptUser("ds = ring 0 data", `mov eax, ${DATA}\n mov ds, eax`)}
${attemptUser("ds = data, requested level 3", `mov eax, ${DATA + 3}\n mov ds, eax`)}
${attemptUser("ss = ring 0 data", `mov eax, ${DATA}\n mov ss, eax`)}
${attemptUser("far jump to ring 0 code", `jmp ${CODE32}:0`)}
${attemptUser("read absent page", `mov eax, [${page(0)}]`)}
${attemptUser("write absent page", `mov [${page(0)}], eax`)}
${attemptUser("read supervisor page", `mov eax, [${page(2)}]`)}
${attemptUser("write supervisor page", `mov [${page(2)}], eax`)}
${attemptUser("write supervisor read-only page", `mov [${page(1)}], eax`)}
${attemptUser("read read-only page", `mov eax, [${page(4)}]`)}
${attemptUser("write read-only page", `mov [${page(4)}], eax`)}
${attemptUser("write writable page", `mov [${page(5)}], eax`)}
${attemptUser("push to absent page", `mov esp, ${page(1)}\n push eax`)}
${attemptUser("pop from absent page", `mov esp, ${page(0)}\n pop eax`)}
${attemptUser("jump to a supervisor page", `mov eax, ${page(2)}\n jmp eax`)}
${attemptUser("write under a reserved bit", `mov [${TEST + 0x400000}], eax`)}
${attemptUser("iret to ring 0", `push 2\n push ${CODE32}\n push 0\n iretd`)}
${attemptUser("hypercall", `${hypercall(32, 17, 0, 0)}\n mov [scratch], eax`)}
${say("its result = ")}${hex("[scratch]")}${newline()}
`;

const checks = asm`
${loadIdt()}
${loadTss()}
${arithmeticAndOpcodes()}
${segments()}
${control()}
${gates()}
${paging()}
${user()}
`;

const data = asm`
${faultHandling(32)}
scratch: zero 64
        zero 2048
user_stack:
        align 16
tss:    dd 0, stack_top - 1024, ${DATA}
        zero 90
        dw 104                          ; I/O bitmap beyond the limit: no ports for ring 3
`;

const guest = assemblyGuest({
  name: "probe-faults32",
  title: "probe: vectors, error codes and CR2 of faults in 32-bit code",
  source: probe32(checks, data),
  isProbe: true,
});

export default guest;
