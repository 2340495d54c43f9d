/** Says hello on three consoles: debug port, UART, PV console ring. See README.md. */
import { asm } from "../asm/assembler.ts";
import { assemblyGuest } from "../guest.ts";
import { say } from "../lib/print.ts";
import { program32 } from "../lib/program.ts";
import { pvConsole, setUpPvConsole } from "../lib/pv-console.ts";
import { setUpUart, uart } from "../lib/uart.ts";

export default assemblyGuest({
  name: "hello",
  title: "hello on three consoles: debug port, UART, PV console ring",
  source: program32(
    asm`
${say("hello from the debug port\n")}
${setUpUart()}
        mov esi, uart_text
        call uart_puts
${setUpPvConsole()}
        mov esi, pv_text
        call pv_puts
`,
    asm`
uart_text: db "hello from the UART\n", 0
pv_text: db "hello from the PV console\n", 0
${uart()}
${pvConsole()}
`,
  ),
});
