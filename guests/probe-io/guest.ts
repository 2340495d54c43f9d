/** Probe: ports and addresses that nobody answers for: reads give ones of the right size, writes vanish, nothing faults. */
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { attempts, faultHandling, loadIdt } from "../lib/faults.ts";
import { hex, newline, say } from "../lib/print.ts";
import { probe32 } from "../lib/probe.ts";

/** RAM ends at 64 MiB; HOLE is the first address behind it. */
const RAM_END = 0x4000000;
const HOLE = 0xf0000000;
const attempt = attempts(32);

const show = (name: string, ...operands: string[]): string => asm`
${say(`${name} =`)}
${operands.map((o) => say(" ") + hex(o)).join("\n")}
${newline()}`;

const PORTS = [
  0x00, 0x10, 0x20, 0x21, 0x40, 0x42, 0x43, 0x60, 0x61, 0x64, 0x70, 0x71, 0x84, 0x92, 0xa0, 0xa1, 0xf0, 0x100, 0x12c,
  0x1f0, 0x2f8, 0x300, 0x3d5, 0x4d0, 0x5658, 0xb000, 0xb008, 0xcf8, 0xcfc, 0xcfe, 0xfff0, 0xfffe, 0xffff,
];

const readPort = (port: number): string => asm`
        mov edx, ${port}
        mov eax, 0x12345678
        in al, dx
        mov [result], eax
        mov eax, 0x12345678
        in ax, dx
        mov [result+4], eax
        mov eax, 0x12345678
        in eax, dx
        mov [result+8], eax
${show(`port ${port.toString(16).padStart(4, "0")} read`, "[result]", "[result+4]", "[result+8]")}`;

const portWrites = (): string => asm`
${attempt("port 0300 writes", "mov edx, 0x300\n mov eax, 0x41424344\n out dx, al\n out dx, ax\n out dx, eax")}
${attempt("port 0010 immediate forms", "out 0x10, al\n out 0x10, ax\n out 0x10, eax\n in al, 0x10\n in ax, 0x10\n in eax, 0x10")}
        mov edi, area
        mov ecx, 16
        xor eax, eax
        rep stosd
        mov edx, 0x300
        mov edi, area
        mov ecx, 3
        rep insb
        mov [result], ecx
        mov [result+4], edi
${show("rep insb of 3", "[area]", "[area+4]", "[result]")}
        mov edi, area + 8
        mov ecx, 2
        rep insw
${show("rep insw of 2", "[area+8]", "[area+12]", "ecx")}
        mov edi, area + 16
        mov ecx, 2
        rep insd
${show("rep insd of 2", "[area+16]", "[area+20]", "[area+24]", "ecx")}
        std
        mov edi, area + 39
        mov ecx, 2
        rep insb
        cld
        sub edi, area
${show("rep insb of 2 downwards", "[area+36]", "edi", "ecx")}
        mov esi, area
        mov ecx, 5
        rep outsb
        sub esi, area
${show("rep outsb of 5", "esi", "ecx")}
        mov esi, area
        mov ecx, 3
        rep outsd
        sub esi, area
${show("rep outsd of 3", "esi", "ecx")}
        xor ecx, ecx
        mov edi, area
        rep insb
        sub edi, area
${show("rep insb of 0", "edi", "ecx")}
`;

const reads = (name: string, address: number): string => asm`
        mov ebx, ${address}
        mov eax, 0x12345678
        mov al, [ebx]
        mov [result], eax
        mov eax, 0x12345678
        mov ax, [ebx]
        mov [result+4], eax
        mov eax, [ebx]
        mov [result+8], eax
        mov eax, [ebx+1]
        mov [result+12], eax
${show(`${name} read`, "[result]", "[result+4]", "[result+8]", "[result+12]")}`;

const memoryForms = (): string => asm`
        mov ebx, ${HOLE}
${attempt("hole store", `mov dword [${HOLE}], 5\n mov byte [${HOLE}], 5\n mov [${HOLE + 3}], ax`)}
        mov ecx, 5
        add [ebx], ecx
        pushfd
        pop dword [result]
        mov eax, [ebx]
${show("hole add: flags and value", "[result]", "eax")}
        xor eax, eax
        xchg eax, [ebx]
${show("hole xchg", "eax")}
        lock inc dword [ebx]
        pushfd
        pop dword [result]
${show("hole lock inc: flags", "[result]")}
        mov eax, -1
        mov ecx, 7
        cmpxchg [ebx], ecx
        pushfd
        pop dword [result]
${show("hole cmpxchg", "eax", "[result]")}
        mov eax, 3
        lock xadd [ebx], eax
${show("hole xadd", "eax")}
        cmp dword [ebx], -1
        pushfd
        pop dword [result]
${show("hole cmp: flags", "[result]")}
        test byte [ebx], 1
        pushfd
        pop dword [result]
${show("hole test: flags", "[result]")}
        movzx eax, byte [ebx]
        movsx ecx, word [ebx]
${show("hole movzx, movsx", "eax", "ecx")}
        push dword [ebx]
        pop eax
${show("hole push", "eax")}
        push 0x77
        pop dword [ebx]
        imul eax, [ebx], 3
${show("hole imul", "eax")}
        bts dword [ebx], 4
        pushfd
        pop dword [result]
        bt dword [ebx], 4
        pushfd
        pop dword [result+4]
        and dword [result], 1
        and dword [result+4], 1
${show("hole bts, bt: carry", "[result]", "[result+4]")}
        mov esi, ${HOLE}
        mov edi, area
        mov ecx, 3
        rep movsd
        sub esi, ${HOLE}
        sub edi, area
${show("hole rep movsd to memory", "[area]", "[area+8]", "esi", "edi", "ecx")}
        mov esi, area
        mov edi, ${HOLE + 0xffc}
        mov ecx, 3
        rep movsd
        sub edi, ${HOLE}
${show("hole rep movsd from memory over a page border", "edi", "ecx")}
        mov edi, ${HOLE}
        mov ecx, 100
        mov eax, 0x5a
        rep stosb
        sub edi, ${HOLE}
${show("hole rep stosb", "edi", "ecx")}
        mov edi, ${HOLE}
        mov ecx, 10
        mov eax, -1
        repe scasd
        sub edi, ${HOLE}
${show("hole repe scasd", "edi", "ecx")}
        mov esi, ${HOLE}
        mov edi, ${HOLE + 0x100}
        mov ecx, 5
        repe cmpsd
${show("hole repe cmpsd", "ecx")}
        mov esi, ${HOLE}
        lodsw
${show("hole lodsw", "eax")}
`;

const borders = (): string => asm`
        mov dword [${RAM_END - 4}], 0x44332211
        mov eax, [${RAM_END - 2}]
${show("read across the end of RAM", "eax")}
        mov dword [${RAM_END - 2}], 0xaabbccdd
        mov eax, [${RAM_END - 4}]
${show("after a write across the end of RAM", "eax")}
        mov esi, ${RAM_END - 8}
        mov edi, area
        mov ecx, 16
        rep movsb
${show("rep movsb across the end of RAM", "[area]", "[area+4]", "[area+8]", "[area+12]", "ecx")}
        mov edi, ${RAM_END - 4}
        mov ecx, 8
        mov eax, 0x66
        rep stosb
        mov eax, [${RAM_END - 4}]
        sub edi, ${RAM_END}
${show("rep stosb across the end of RAM", "eax", "edi", "ecx")}
        mov esi, ${RAM_END + 7}
        mov edi, area + 31
        mov ecx, 16
        std
        rep movsb
        cld
${show("rep movsb downwards across the end of RAM", "[area+16]", "[area+20]", "[area+24]", "[area+28]", "ecx")}
`;

const lapic = (): string => asm`
        mov ebx, 0xfee00000
${[0x20, 0x30, 0x80, 0xd0, 0xe0, 0xf0, 0x100, 0x200, 0x280, 0x300, 0x310, 0x320, 0x330, 0x340, 0x350, 0x360, 0x370, 0x380, 0x3e0].map((r) => show(`local APIC ${r.toString(16).padStart(3, "0")}`, `[ebx+${r}]`)).join("\n")}
        mov dword [ebx+0x80], 0x35
${show("local APIC task priority and processor priority", "[ebx+0x80]", "[ebx+0xa0]")}
        mov dword [ebx+0x80], 0
        mov dword [ebx+0xf0], 0x1ff
${show("local APIC spurious after enabling", "[ebx+0xf0]")}
        mov dword [ebx+0x320], 0x100f0
        mov dword [ebx+0x3e0], 0xb
${show("local APIC timer entry and divider", "[ebx+0x320]", "[ebx+0x3e0]")}
        mov dword [ebx+0x350], 0xffffffff
${show("local APIC LINT0 after all ones", "[ebx+0x350]")}
        mov dword [ebx+0x280], 0
${show("local APIC error status", "[ebx+0x280]")}
        mov dword [ebx+0x300], 0x40f5             ; self as the destination shorthand, vector f5
        mov dword [ebx+0x310], 0
        mov dword [ebx+0x300], 0x440f5
${show("local APIC request register of vector f5", "[ebx+0x270]")}
${show("local APIC command register", "[ebx+0x300]")}
`;

const guest = assemblyGuest({
  name: "probe-io",
  title: "probe: ports and addresses without a device, and the local APIC's registers",
  source: probe32(
    asm`
${loadIdt()}
${PORTS.map(readPort).join("\n")}
${portWrites()}
${reads("hole", HOLE)}
${reads("behind RAM", RAM_END)}
${reads("I/O APIC", 0xfec00000)}
${reads("HPET", 0xfed00000)}
${reads("below 4 GiB", 0xfffffff0)}
${memoryForms()}
${borders()}
${lapic()}
`,
    asm`
${faultHandling(32)}
        align 16
result: zero 16
area:   zero 64
`,
  ),
  isProbe: true,
});

export default guest;
