/** A 16550 UART from the guest's side: set up, wait until it takes a byte, send. 32-bit code. */
import { UART_PORT } from "../../hv-core/abi/devices.ts";
import { asm } from "../asm/assembler.ts";

const DATA = UART_PORT;
const INTERRUPTS = UART_PORT + 1;
const FIFO = UART_PORT + 2;
const LINE = UART_PORT + 3;
const STATUS = UART_PORT + 5;
const DIVISOR_ACCESS = 0x80;
const EIGHT_BITS = 3;
const READY = 0x20;

const write = (port: number, value: number): string =>
  `        mov edx, ${port}\n        mov al, ${value}\n        out dx, al`;

/** 115200 baud, 8 bits, no parity, one stop bit, FIFO on, no interrupts. */
export const setUpUart = (): string =>
  [
    write(INTERRUPTS, 0),
    write(LINE, DIVISOR_ACCESS),
    write(DATA, 1),
    write(INTERRUPTS, 0),
    write(LINE, EIGHT_BITS),
    write(FIFO, 7),
  ].join("\n");

/** The routine `uart_puts`: ESI = text ending with 0. */
export const uart = (): string => asm`
uart_puts: pushad
.next:  lodsb
        test al, al
        jz .done
        mov ah, al
        mov edx, ${STATUS}
.busy:  in al, dx
        test al, ${READY}
        jz .busy
        mov edx, ${DATA}
        mov al, ah
        out dx, al
        jmp .next
.done:  popad
        ret
`;
