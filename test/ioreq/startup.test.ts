/** INIT and start-up IPI meet a processor that waits for a device model: the answer that is still to come belongs to nobody. */
import { expect, it } from "vitest";
import { asm, assemble } from "../../guests/asm/assembler.ts";
import { start } from "../../guests/lib/boot.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const MEMORY = 2 ** 22;
/** Real mode: if AX is not 0 as after INIT, write "c" to the debug port and halt; otherwise read the UART's line status for ever. */
const PROCESSOR = "0x85, 0xc0, 0x75, 0x06, 0xba, 0xfd, 0x03, 0xec, 0xeb, 0xfd, 0xb0, 0x63, 0xe6, 0xe9, 0xf4, 0xf4";

const SOURCE = asm`
        org 0x100000
${start()}
main:   mov esi, processor
        mov edi, 0x20000
        mov ecx, 16
        rep movsb
        mov edi, 0xfee00000
        mov dword [edi+0xf0], 0x1ff
        mov dword [edi+0x310], 0x2000000        ; to the second processor
        mov esi, 300
.again: mov dword [edi+0x300], 0x4500           ; INIT
        mov dword [edi+0x300], 0x4620           ; start-up at 0x20000
        mov eax, 29                             ; sched_op(yield): it runs up to its request
        xor ebx, ebx
        xor ecx, ecx
        vmmcall
        dec esi
        jnz .again
        mov al, 0
        out 0xf4, al
processor: db ${PROCESSOR}
        zero 4096
stack_top:
`;

it("starts a processor in its reset state, whatever it waited for", () => {
  const machine = createMachine(compileBuild("debug"), { memoryBytes: MEMORY, vcpus: 2, knobs: { "device.at": 0 } });
  const segments = assemble(SOURCE).sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  const image = { format: "pvh", description: "test", entry: 0x10_0000, segments } as const;
  const { domid } = machine.createGuest({ image, memoryBytes: MEMORY, vcpus: 2, cmdline: "", modules: [] });
  machine.run({ maxInstructions: 1_000_000 });
  expect(machine.stats().exits.IO_INSTRUCTION).toBeGreaterThan(100);
  expect(machine.console()).toBe("");
  expect(machine.ended(domid)?.outcome).toBe("poweroff");
});
