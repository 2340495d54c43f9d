/**
 * Printing for guests: characters, texts and hexadecimal numbers to the debug port 0xE9, in 32-bit or 64-bit code.
 *
 * The debug port exists on vmexit and on a real Xen alike, so whatever is printed here can be compared.
 * Put `print(bits)` somewhere after the code; every routine leaves all registers but the flags as they were.
 */
import { DEBUG_PORT } from "../../hv-core/abi/devices.ts";
import { asm } from "../asm/assembler.ts";
import type { Bits } from "../asm/forms.ts";

/** `text` as a quoted string for `db`. */
export const quote = (text: string): string =>
  `"${text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\r", "\\r").replaceAll("\t", "\\t")}"`;

/** Prints `text`. The characters lie behind the call; `say` steps over them. */
export const say = (text: string): string => asm`
        call say
        db ${quote(text)}, 0`;

/** Prints a register or memory operand (32 bits) as eight hexadecimal digits. */
export const hex = (operand: string, bits: Bits = 32): string => {
  const rdx = bits === 64 ? "rdx" : "edx";
  return asm`
        push ${rdx}
        mov edx, ${operand}
        call hex
        pop ${rdx}`;
};

export const newline = (): string => asm`
        call newline`;

/** The routines: putc (al), puts (esi), say (text behind the call), hex (edx), hex8 (dl), decimal (eax), newline. */
export function print(bits: Bits): string {
  const p = bits === 64 ? "r" : "e";
  return asm`
putc:   out ${DEBUG_PORT}, al           ; AL: one character
        ret

puts:   push ${p}ax                     ; ESI: text, ends with 0
        push ${p}si
.next:  lodsb
        test al, al
        jz .end
        call putc
        jmp .next
.end:   pop ${p}si
        pop ${p}ax
        ret

say:    xchg ${p}si, [${p}sp]           ; the return address is the text
        push ${p}ax
.next:  lodsb
        test al, al
        jz .end
        call putc
        jmp .next
.end:   pop ${p}ax
        xchg ${p}si, [${p}sp]
        ret

hex:    push ${p}cx                     ; EDX: eight digits
        mov ecx, 8
        call digits
        pop ${p}cx
        ret
hex8:   push ${p}cx                     ; DL: two digits
        push ${p}dx
        shl edx, 24
        mov ecx, 2
        call digits
        pop ${p}dx
        pop ${p}cx
        ret
digits: push ${p}ax                     ; ECX digits from the top of EDX
        push ${p}dx
.next:  rol edx, 4
        mov al, dl
        and al, 15
        add al, '0'
        cmp al, '9'
        jbe .out
        add al, 'A' - '0' - 10
.out:   call putc
        dec ecx
        jnz .next
        pop ${p}dx
        pop ${p}ax
        ret

decimal: push ${p}ax                    ; EAX: unsigned decimal
        push ${p}cx
        push ${p}dx
        push ${p}bx
        mov ebx, 10
        xor ecx, ecx
.split: xor edx, edx
        div ebx
        push ${p}dx
        inc ecx
        test eax, eax
        jnz .split
.out:   pop ${p}ax
        add al, '0'
        call putc
        dec ecx
        jnz .out
        pop ${p}bx
        pop ${p}dx
        pop ${p}cx
        pop ${p}ax
        ret

newline: push ${p}ax
        mov al, 10
        call putc
        pop ${p}ax
        ret
`;
}
