/** Knob ioreq.buffered: writes go through the ring, nobody waits, and the device sees the same in the same order. */
import { describe, expect, it } from "vitest";
import { startLoop } from "../../bench/guest-loop.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { COUNTER_BASE, DEBUG_PORT, UART_PORT } from "../../hv-core/abi/devices.ts";
import { BUFFERED_WRITES } from "../../hv-core/abi/knobs.ts";

const wasm = compileBuild("release");

/** What a guest gets written, and what it took, with the knob and without. */
function play(body: string, buffered: number, instructions: number) {
  const { machine, retire } = startLoop(
    wasm,
    { knobs: { "ioreq.buffered": buffered }, memoryBytes: 2 ** 22 },
    "xor ebx, ebx",
    body,
  );
  using _ = machine;
  retire(instructions);
  // What is in the ring still belongs to the guest's past.
  while (machine.serve());
  return { text: machine.console(), counters: machine.stats().counters };
}

const letters = `mov edx, ${DEBUG_PORT}
        mov al, bl
        and al, 15
        add al, 65
        out dx, al
        inc ebx`;

describe("writes in the ring", () => {
  it("reach the device in order, and no request is waited for", () => {
    const waited = play(letters, 0, 3500);
    const buffered = play(letters, BUFFERED_WRITES, 3500);
    expect(waited.counters.ioreqBuffered).toBe(0);
    expect(waited.counters.ioreqSent).toBeGreaterThan(400);
    expect(buffered.counters.ioreqSent).toBe(0);
    expect(buffered.counters.ioreqBuffered).toBeGreaterThan(400);
    expect(buffered.text).toBe("ABCDEFGHIJKLMNOP".repeat(100).slice(0, buffered.counters.ioreqBuffered));
    expect(waited.text.startsWith(buffered.text.slice(0, 400))).toBe(true);
  });

  it("come before a read that follows them", () => {
    // The scratch register of the UART: what is read is what was written just before.
    const body = `mov edx, ${UART_PORT + 7}
        mov al, bl
        out dx, al
        in al, dx
        cmp al, bl
        je same
        mov edx, ${DEBUG_PORT}
        mov al, 33
        out dx, al
same:   inc ebx`;
    const { text, counters } = play(body, BUFFERED_WRITES, 4000);
    expect(text).toBe("");
    expect(counters.ioreqBuffered).toBeGreaterThan(300);
    expect(counters.ioreqSent).toBeGreaterThan(300);
  });

  it("that do not fit the ring wait like any other: above 1 MiB, and from memory", () => {
    const store = play(`mov edi, ${COUNTER_BASE}\n        mov [edi], eax`, BUFFERED_WRITES, 300);
    expect([store.counters.ioreqBuffered, store.counters.ioreqSent! > 50]).toEqual([0, true]);
    const string = `mov esi, 0x100000
        mov edx, ${DEBUG_PORT}
        mov ecx, 4
        cld
        rep outsb`;
    const outs = play(string, BUFFERED_WRITES, 300);
    expect([outs.counters.ioreqBuffered, outs.counters.ioreqSent! > 10]).toEqual([0, true]);
  });
});
