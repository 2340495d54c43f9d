/** A guest reads its own id through the store ring: request, event, server in the host, reply, event back. */
import { expect, it } from "vitest";
import { asm } from "../../guests/asm/assembler.ts";
import { assemblyGuest } from "../../guests/guest.ts";
import { program32 } from "../../guests/lib/program.ts";
import { loadImage } from "../../host/lib/loader/detect.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { STORE_GFN } from "../../host/lib/toolstack/build.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const guest = assemblyGuest({
  name: "store",
  title: "reads domid from xenstore",
  source: program32(
    asm`
        mov edi, ${STORE_GFN * 4096}
        mov dword [edi], 2
        mov dword [edi+4], 7
        mov dword [edi+8], 0
        mov dword [edi+12], 6
        mov dword [edi+16], 0x696d6f64
        mov word [edi+20], 0x64
        mov dword [edi+2052], 22
        mov eax, 32
        mov ebx, 4
        mov ecx, port
        vmcall
wait_reply:
        mov eax, [edi+2060]
        cmp eax, 17
        jb wait_reply
        mov al, [edi+1040]
        out 0xe9, al
        mov al, [edi+1028]
        add al, 0x30
        out 0xe9, al
`,
    "port: dd 1",
  ),
});

it("the reply echoes the request id and gives the domain's id", () => {
  const image = loadImage(guest.build());
  if (!image.ok) throw new Error(image.problem);
  const memoryBytes = 4 * 2 ** 20;
  const machine = createMachine(compileBuild("release"), { memoryBytes, vcpus: 1 });
  const { domid } = machine.createGuest({ image: image.value, memoryBytes, vcpus: 1, cmdline: "", modules: [] });
  expect(machine.run({ maxInstructions: 10_000_000 })).toEqual({ kind: "ended" });
  expect(machine.ended(domid)?.outcome).toBe("poweroff");
  expect(machine.console()).toBe("17");
});
