/** Rings shared with a guest: free-running indices, wrap at 2^32, a peer that lies. */
import { describe, expect, it } from "vitest";
import { CONSOLE_IN, CONSOLE_OUT } from "../../host/lib/device/pv-console.ts";
import { ringPending, ringPut, ringReset, ringTake } from "../../host/lib/device/pv-ring.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { fakeCore } from "./fake-core.ts";

const page = FRAMES_BASE + 4096;
const set = (core: ReturnType<typeof fakeCore>, offset: number, value: number) =>
  core.view.setUint32(page + offset, value, true);

describe("consumer side", () => {
  const core = fakeCore();

  it("takes bytes across the end of the ring and the end of 2^32", () => {
    const start = 2 ** 32 - 3;
    set(core, CONSOLE_OUT.cons, start);
    for (let i = 0; i < 6; i++) core.u8[page + CONSOLE_OUT.data + ((start + i) % CONSOLE_OUT.size)] = 65 + i;
    set(core, CONSOLE_OUT.prod, (start + 6) >>> 0);
    const taken: number[] = [];
    expect(ringTake(core, page, CONSOLE_OUT, 4, (b) => taken.push(b))).toBe(4);
    expect(ringTake(core, page, CONSOLE_OUT, 100, (b) => taken.push(b))).toBe(2);
    expect(String.fromCharCode(...taken)).toBe("ABCDEF");
    expect(core.view.getUint32(page + CONSOLE_OUT.cons, true)).toBe(3);
  });

  it("refuses a producer that claims more than the ring holds", () => {
    set(core, CONSOLE_OUT.cons, 10);
    set(core, CONSOLE_OUT.prod, 10 + CONSOLE_OUT.size + 1);
    expect(ringPending(core, page, CONSOLE_OUT)).toBe(-1);
    expect(ringTake(core, page, CONSOLE_OUT, 5, () => expect.unreachable())).toBe(-1);
    ringReset(core, page, CONSOLE_OUT);
    expect(ringPending(core, page, CONSOLE_OUT)).toBe(0);
  });
});

describe("producer side", () => {
  const core = fakeCore();

  it("fills the ring to its last byte and no further", () => {
    set(core, CONSOLE_IN.cons, 2 ** 32 - 5);
    set(core, CONSOLE_IN.prod, 2 ** 32 - 5);
    let count = 0;
    while (ringPut(core, page, CONSOLE_IN, count & 255)) count++;
    expect(count).toBe(CONSOLE_IN.size);
    expect(ringPending(core, page, CONSOLE_IN)).toBe(CONSOLE_IN.size);
  });

  it("does not write when the consumer's index is impossible", () => {
    set(core, CONSOLE_IN.cons, 500);
    set(core, CONSOLE_IN.prod, 100);
    expect(ringPut(core, page, CONSOLE_IN, 1)).toBe(false);
  });
});
