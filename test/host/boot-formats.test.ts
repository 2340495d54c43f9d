/** Ways to boot, and what the guest is handed: multiboot, flat, modules, several guests in one machine. */
import { describe, expect, it } from "vitest";
import { loadImage } from "../../host/lib/loader/detect.ts";
import type { GuestImage } from "../../host/lib/loader/image.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { loadGuest } from "../../host/node/guests.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const wasm = compileBuild("release");
const MEMORY = 4 * 2 ** 20;
const BUDGET = 10_000_000;

function imageOf(bytes: Uint8Array, flat = false): GuestImage {
  const image = loadImage(bytes, { flat });
  if (!image.ok) throw new Error(image.problem);
  return image.value;
}

const spec = (image: GuestImage) => ({
  image,
  memoryBytes: MEMORY,
  vcpus: 1,
  cmdline: "",
  modules: [] as Uint8Array[],
});

describe("multiboot 1", () => {
  // cmp eax, 2BADB002; jne crash; test dword [ebx], 8 (modules); jz crash; power off; crash: out F4, 9
  const code = [
    0x3d, 2, 0xb0, 0xad, 0x2b, 0x75, 0x0d, 0xf7, 3, 8, 0, 0, 0, 0x74, 5, 0xb0, 0, 0xe6, 0xf4, 0xf4, 0xb0, 9, 0xe6, 0xf4,
    0xf4,
  ];
  const file = new Uint8Array(32 + code.length);
  const flags = 1 << 16;
  const header = [0x1badb002, flags, -(0x1badb002 + flags), 0x10_0000, 0x10_0000, 0, 0, 0x10_0020];
  header.forEach((word, i) => {
    new DataView(file.buffer).setUint32(i * 4, word, true);
  });
  file.set(code, 32);

  it("enters with the magic in EAX and the information block in EBX", () => {
    const machine = createMachine(wasm, { memoryBytes: MEMORY });
    const { domid } = machine.createGuest({
      ...spec(imageOf(file)),
      modules: [new Uint8Array([1, 2, 3])],
      cmdline: "boot",
    });
    machine.run({ maxInstructions: BUDGET });
    expect(machine.ended(domid)).toMatchObject({ outcome: "poweroff" });
  });
});

describe("modules and command line", () => {
  it("lie where start info says", () => {
    const machine = createMachine(wasm, { memoryBytes: MEMORY });
    const module = new Uint8Array(5000).map((_, i) => i & 255);
    const image = imageOf(new Uint8Array([0xf4]), true);
    const { domid, startInfo } = machine.createGuest({ ...spec(image), modules: [module], cmdline: "console=hvc0" });
    const u32 = (gpa: number): number => new DataView(machine.peek(domid, gpa, 4).buffer).getUint32(0, true);
    const list = u32(startInfo + 16);
    expect([u32(startInfo + 12), u32(list + 8)]).toEqual([1, 5000]);
    expect(machine.peek(domid, u32(list), 5000)).toEqual(module);
    expect(new TextDecoder().decode(machine.peek(domid, u32(startInfo + 24), 13))).toBe("console=hvc0\0");
  });

  it("refuses more than fit", () => {
    const machine = createMachine(wasm, { memoryBytes: MEMORY });
    const image = imageOf(new Uint8Array([0xf4]), true);
    const large = new Uint8Array(MEMORY);
    expect(() => machine.createGuest({ ...spec(image), modules: [large] })).toThrow(/give it at least --memory \d+M/);
    expect(() => machine.createGuest({ ...spec(image), modules: [large, large, large] })).toThrow(/at most 2/);
    expect(() => machine.createGuest({ ...spec(image), cmdline: "x".repeat(2000) })).toThrow(/at most 1023/);
  });
});

describe("two guests", () => {
  it("run side by side, each with its own devices, and end each for itself", async () => {
    const [hello, mmio] = await Promise.all(
      ["hello", "mmio"].map(async (name) => imageOf((await loadGuest(name)).build())),
    );
    const machine = createMachine(wasm, { memoryBytes: 2 * MEMORY, vcpus: 2, knobs: { "sched.quantum": 50 } });
    const guests = [machine.createGuest(spec(hello!)), machine.createGuest(spec(mmio!))];
    expect(machine.run({ maxInstructions: BUDGET })).toEqual({ kind: "ended" });
    expect(guests.map((g) => machine.ended(g.domid)?.outcome)).toEqual(["poweroff", "poweroff"]);
    expect(guests.map((g) => g.domid)).toEqual([1, 2]);
  });

  it("leave nothing behind: as many guests one after the other as anybody wants", () => {
    const machine = createMachine(wasm, { memoryBytes: MEMORY, vcpus: 1 });
    const image = imageOf(new Uint8Array([0xb0, 0, 0xe6, 0xf4, 0xf4]), true);
    for (let i = 0; i < 50; i++) {
      const { domid } = machine.createGuest(spec(image));
      expect(machine.run({ maxInstructions: BUDGET })).toEqual({ kind: "ended" });
      expect(machine.ended(domid)?.outcome).toBe("poweroff");
      machine.destroyGuest(domid);
    }
  });
});
