import { describe, expect, it } from "vitest";
import { UsageError } from "../../host/lib/errors.ts";
import { ERAS, type EraName, eraKnobs, KNOBS, knobSettings, parseEra, parseKnob } from "../../host/lib/knobs.ts";
import { KNOB_DEVICE_AT, KNOB_ERA, KNOB_TLB_ENTRIES, NR_KNOBS } from "../../hv-core/abi/knobs.ts";

describe("knob table", () => {
  it("has distinct names and indices inside the header", () => {
    expect(new Set(KNOBS.map((k) => k.name)).size).toBe(KNOBS.length);
    expect(new Set(KNOBS.map((k) => k.index)).size).toBe(KNOBS.length);
    for (const k of KNOBS) expect(k.index).toBeLessThan(NR_KNOBS);
  });

  it("accepts its own defaults in every era", () => {
    for (const era of Object.keys(ERAS) as EraName[]) expect(() => knobSettings(era, eraKnobs(era))).not.toThrow();
  });

  it("gives the core the era and every knob", () => {
    const settings = new Map(knobSettings("4.17", { "tlb.entries": 64, "device.at": 1 }));
    expect(settings.get(KNOB_ERA)).toBe(ERAS["4.17"]);
    expect(settings.get(KNOB_TLB_ENTRIES)).toBe(64);
    expect(settings.get(KNOB_DEVICE_AT)).toBe(1);
    expect(settings.size).toBe(KNOBS.length + 1);
  });
});

describe("parsing", () => {
  it("reads numbers and named values", () => {
    expect(parseKnob("tlb.entries=64")).toEqual(["tlb.entries", 64]);
    expect(parseKnob("device.at=core")).toEqual(["device.at", 1]);
    expect(parseKnob("trace.mask=0x7e")).toEqual(["trace.mask", 0x7e]);
  });

  it.each([
    ["tlb.entries", /name=value/],
    ["=5", /name=value/],
    ["nonsense=1", /unknown knob "nonsense"/],
    ["tlb.entries=abc", /not a number/],
    ["tlb.entries=65", /power of two/],
    ["tlb.entries=2048", /from 16 to 1024/],
    ["device.at=moon", /not one of host, core/],
    ["device.at=toString", /not one of/],
    ["seed=-1", /not a number/],
  ])("%s says what to do", (text, words) => {
    expect(() => parseKnob(text)).toThrow(UsageError);
    expect(() => parseKnob(text)).toThrow(words);
  });

  it("knows the eras", () => {
    expect(parseEra("4.17")).toBe("4.17");
    expect(() => parseEra("2016-v6")).toThrow(/era 2016-v6 is not built yet: use --era 4.17/);
    expect(() => parseEra("2015")).toThrow(/unknown era "2015": use one of/);
  });
});
