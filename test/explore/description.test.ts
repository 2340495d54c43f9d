/** Races as descriptions: what is refused and how, the examples of docs/, a start from an ordinary guest. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { store32 } from "../../host/lib/explore/code.ts";
import { startGuest } from "../../host/lib/explore/guest-start.ts";
import { openRace } from "../../host/lib/explore/instance.ts";
import { defineRace } from "../../host/lib/explore/race.ts";
import type { RaceDescription } from "../../host/lib/explore/race-description.ts";
import { search } from "../../host/lib/explore/search.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { ROOT } from "../../host/node/paths.ts";
import { fromGuest, loadRaceFile } from "../../host/node/race-files.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { BUDGET, raceBuild } from "./support.ts";

const GOOD: RaceDescription = {
  name: "my-race",
  machine: { servers: [{ mmio: [0x10_0000, 0x10_0fff] }] },
  guests: [{ code: [store32(0x10_0000, 1)] }],
  actors: ({ servers }) => [{ device: "emulator", server: servers[0]! }],
  invariants: () => [],
  variants: { plain: { text: "as it is", expect: "clean" } },
};
const run = (description: unknown, variant = "plain") =>
  search(openRace(raceBuild, defineRace(description as RaceDescription), variant), { budget: BUDGET });

describe("a description", () => {
  it("is enough for a race", () => {
    expect(run(GOOD)).toMatchObject({ verdict: "clean", exhaustive: true });
  });

  it("finds what its invariants say", () => {
    const result = run({
      ...GOOD,
      invariants: ({ device }: Parameters<RaceDescription["invariants"]>[0]) => [
        { name: "silence", text: "", always: () => (device("emulator").log().length > 0 ? "it was told" : undefined) },
      ],
    });
    expect(result.violation).toMatchObject({ invariant: "silence", message: "it was told" });
  });

  it("gives its knobs to all variants", () => {
    const race = defineRace({ ...GOOD, knobs: { "ioreq.wait": 1 } });
    expect(race.variants.plain!.knobs).toEqual({ "ioreq.wait": 1 });
  });

  const code = [store32(0x10_0000, 1)];
  it.each<[string, unknown, string]>([
    ["nothing at all", null, "an object with name, guests, actors, invariants and variants belongs there"],
    ["a name with capitals", { ...GOOD, name: "MyRace" }, "small letters, digits and dashes"],
    ["a field that is mistyped", { ...GOOD, guest: [] }, 'no field is called "guest": did you mean guests?'],
    ["a title that is no text", { ...GOOD, title: 5 }, "title is 5: a text belongs there"],
    ["no variants", { ...GOOD, variants: {} }, "has no variant"],
    ["a variant without a text", { ...GOOD, variants: { a: { expect: "clean" } } }, "variants.a.text is missing"],
    [
      "a variant without expectation",
      { ...GOOD, variants: { a: { text: "x" } } },
      'variants.a.expect is missing: "clean"',
    ],
    ["an unknown knob", { ...GOOD, knobs: { "unmap.pauze": 1 } }, "did you mean unmap.pause?"],
    [
      "a value that a knob has not",
      { ...GOOD, knobs: { "unmap.pause": 9 } },
      "knobs.unmap.pause is 9: a whole number from 0 to 1",
    ],
    ["no guests", { ...GOOD, guests: [] }, "guests is []: a list of 1 to 4 vCPUs, or fromGuest(...)"],
    ["a guest without code", { ...GOOD, guests: [{}] }, "guests[0].code is missing"],
    [
      "bytes that are none",
      { ...GOOD, guests: [{ code: [{ bytes: [300], text: "x" }] }] },
      "guests[0].code[0].bytes[0] is 300",
    ],
    ["code outside RAM", { ...GOOD, guests: [{ at: 0x9000, code }], machine: { pages: 4 } }, "machine.pages is 4"],
    [
      "pages that are no number",
      { ...GOOD, machine: { pages: "four" } },
      'machine.pages is "four": a whole number from 2 to 64',
    ],
    ["half a range", { ...GOOD, machine: { servers: [{ mmio: [1] }] } }, "machine.servers[0].mmio is [1]"],
    ["actors that are a list", { ...GOOD, actors: [] }, "actors is []: a function"],
    ["an actor of no kind", { ...GOOD, actors: () => [{ robot: "r" }] }, "actors[1] is"],
    [
      "a device without a server",
      { ...GOOD, actors: () => [{ device: "d" }] },
      "actors[1].server is missing: one of machine.servers",
    ],
    [
      "a toolstack that does nothing",
      { ...GOOD, actors: () => [{ toolstack: "t", does: [] }] },
      "actors[1].does is []",
    ],
    ["invariants that are missing", { ...GOOD, invariants: undefined }, "invariants is missing"],
    ["a flag that is a word", { ...GOOD, mayCrash: "yes" }, 'mayCrash is "yes": true or false'],
  ])("%s is refused with the field and what belongs there", (_, description, message) => {
    expect(() => run(description)).toThrow(message);
  });

  it("an invariant that asks for an actor that is not there says so", () => {
    expect(() =>
      run({ ...GOOD, invariants: ({ device }: never) => [(device as (name: string) => never)("nobody")] }),
    ).toThrow('no actor of that kind is called "nobody"');
  });
});

const EXAMPLES = join(ROOT, "docs/examples");

describe("docs/examples", () => {
  it("my-race.mjs: the buggy variant is found, the fixed one proved; the text of docs/explorer.md is the file", async () => {
    const race = await loadRaceFile(join(EXAMPLES, "my-race.mjs"));
    for (const [variant, { expect: expected }] of Object.entries(race.variants)) {
      const result = search(openRace(raceBuild, race, variant), { budget: BUDGET });
      expect(result.violation?.invariant ?? result.verdict).toBe(expected);
    }
    const page = readFileSync(join(ROOT, "docs/explorer.md"), "utf8");
    const blocks = [...page.matchAll(/```js\n([\s\S]*?)```/g)].map((match) => match[1]);
    expect(blocks).toContain(readFileSync(join(EXAMPLES, "my-race.mjs"), "utf8"));
  });

  it("from-guest.mjs: starts from the mmio guest and is proved", async () => {
    const race = await loadRaceFile(join(EXAMPLES, "from-guest.mjs"));
    const result = search(openRace(raceBuild, race, "4.17"), { budget: BUDGET });
    expect(result).toMatchObject({ verdict: "clean", exhaustive: true });
    expect(result.states).toBeGreaterThan(20);
  });
});

describe("a start from an ordinary guest", () => {
  it("is the state of an ordinary run at that instruction", async () => {
    const start = await fromGuest("mmio", { at: 20, until: 0x10_00d6 });
    const { world, machine } = startGuest(raceBuild, start, []);
    const { image, memoryBytes, vcpus, cmdline } = start;
    const ordinary = createMachine(compileBuild("debug"), { memoryBytes, vcpus, dom0Pages: 32 });
    const { domid } = ordinary.createGuest({ image, memoryBytes, vcpus, cmdline, modules: [] });
    for (let i = 0; i < start.at; i++) ordinary.step(ordinary.vcpus(domid)[0]!);
    expect(machine.regs(world.vcpus[0]!)).toEqual(ordinary.regs(ordinary.vcpus(domid)[0]!));
    expect(machine.peek(world.domid, 0x10_0000, 0x2000)).toEqual(ordinary.peek(domid, 0x10_0000, 0x2000));
  });

  it("refuses a guest that is over by then, and one that does not exist", async () => {
    const late = await fromGuest("hello", { at: 5_000_000, until: 0 });
    expect(() => startGuest(raceBuild, late, [])).toThrow(/guest hello (ends|sleeps) after \d+ instructions/);
    await expect(fromGuest("helo", { at: 1, until: 0 })).rejects.toThrow("use one of");
    await expect(fromGuest("mmio", { at: -1, until: 0 })).rejects.toThrow("at is no whole number");
  });
});
