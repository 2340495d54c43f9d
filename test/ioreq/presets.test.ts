/**
 * The presets of map_mem_type_to_ioreq_server by name (host/lib/presets.ts). Oracle for each: after an unmap no EPT violation may be
 * seen on the pages that had the type, only misconfigurations; every write is in RAM; the type can be given away again.
 */
import { describe, expect, it } from "vitest";
import { DEFAULT_ERA, knobSettings } from "../../host/lib/knobs.ts";
import { presetKnobs, UNMAP_PRESETS } from "../../host/lib/presets.ts";
import { CTR_EXITS } from "../../hv-core/abi/counters.ts";
import { EXIT_EPT_MISCONFIG, EXIT_EPT_VIOLATION } from "../../hv-core/abi/exits.ts";
import { KNOB_UNMAP_RESET, RESET_NONE } from "../../hv-core/abi/knobs.ts";
import { COUNTERS_BASE } from "../../hv-core/abi/layout.ts";
import { type Registers, ScenarioWorld } from "../oracle/ioreq/world.ts";

type Settings = readonly (readonly [index: number, value: number])[];
/** Eight pages over the border of two EPT tables, in RAM that the guest's program leaves alone. */
const FIRST = 0x1fc;
const PAGES = 8;
const NAMES = Object.keys(UNMAP_PRESETS);

const at = (gfn: number, value: bigint): Registers => [value, 0n, 0n, 0n, 0n, BigInt(gfn << 12)];

function world(settings: Settings): ScenarioWorld {
  const w = new ScenarioWorld(settings);
  w.createDomain();
  w.attach(0);
  w.fill();
  w.start();
  return w;
}

const exits = (w: ScenarioWorld, reason: number): number =>
  Number(w.door.view.getBigUint64(COUNTERS_BASE + (CTR_EXITS + reason) * 8, true));

/** One write of the guest: requests it made, and the violations and misconfigurations on its way. */
function write(w: ScenarioWorld, gfn: number, value: bigint) {
  const before = [exits(w, EXIT_EPT_VIOLATION), exits(w, EXIT_EPT_MISCONFIG)];
  w.requests = 0;
  w.post("w4", at(gfn, value));
  const isFinished = w.finish();
  return {
    isFinished,
    requests: w.requests,
    violations: exits(w, EXIT_EPT_VIOLATION) - before[0]!,
    misconfigurations: exits(w, EXIT_EPT_MISCONFIG) - before[1]!,
    inRam: w.peek64(gfn << 12) & 0xffff_ffffn,
  };
}

it("are three, and stand for knobs that exist", () => {
  expect(NAMES).toEqual(["2016-v6", "early-release", "merged"]);
  for (const name of NAMES) expect(knobSettings(DEFAULT_ERA, presetKnobs(`unmap=${name}`)!).length).toBeGreaterThan(0);
  expect(presetKnobs("unmap.pause=on")).toBeUndefined();
  expect(() => presetKnobs("unmap=2015")).toThrow(/2016-v6, early-release, merged/);
});

it("merged is what the default era does", () => {
  const values = (settings: Settings) => new Map(settings);
  expect(values(knobSettings(DEFAULT_ERA, UNMAP_PRESETS.merged!))).toEqual(values(knobSettings(DEFAULT_ERA, {})));
});

describe.each(NAMES)("unmap=%s", (name) => {
  const settings = knobSettings(DEFAULT_ERA, UNMAP_PRESETS[name]!);

  it("writes go to the server while it has the type", () => {
    const w = world(settings);
    expect([w.mapType(2), w.setType(FIRST, PAGES, 4)]).toEqual([0, 0]);
    expect(write(w, FIRST, 7n)).toMatchObject({ isFinished: true, requests: 1, violations: 1, misconfigurations: 0 });
  });

  it("after an unmap: no violation, only misconfigurations, and every write is in RAM", () => {
    const w = world(settings);
    expect([w.mapType(2), w.setType(FIRST, PAGES, 4)]).toEqual([0, 0]);
    expect(w.mapType(0)).toBe(0);
    let misconfigurations = 0;
    for (let i = 0; i < PAGES; i++) {
      const seen = write(w, FIRST + i, BigInt(100 + i));
      expect(seen).toMatchObject({ isFinished: true, requests: 0, violations: 0, inRam: BigInt(100 + i) });
      misconfigurations += seen.misconfigurations;
    }
    // A repair brings its whole table of 512 with it; a sweep has done all of it before the guest comes.
    if (name === "2016-v6") expect([1, 2, 3]).toContain(misconfigurations);
    else expect(misconfigurations).toBe(0);
    expect(w.getType(FIRST)).toBe(0);
  });

  it("unmap, then map again: not -EBUSY, and the pages are plain RAM for the new server too", () => {
    const w = world(settings);
    expect([w.mapType(2), w.setType(FIRST, PAGES, 4)]).toEqual([0, 0]);
    for (let round = 0; round < 3; round++) {
      expect([w.mapType(0), w.mapType(2)]).toEqual([0, 0]);
    }
    // What is marked but not touched yet belongs to the new server again where that is allowed (2016-v6): the price of not sweeping.
    expect(write(w, FIRST, 9n).requests).toBe(name === "2016-v6" ? 1 : 0);
  });
});

it("the oracle is not blind: without any reset the first touch is a violation", () => {
  const w = world([[KNOB_UNMAP_RESET, RESET_NONE]]);
  expect([w.mapType(2), w.setType(FIRST, PAGES, 4), w.mapType(0)]).toEqual([0, 0, 0]);
  const seen = write(w, FIRST, 9n);
  expect(seen.isFinished).toBe(false);
  expect(seen.violations).toBeGreaterThan(1);
});
