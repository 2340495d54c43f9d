/** The race build for the tests of the explorer. */
import { openRace, type RaceInstance } from "../../host/lib/explore/instance.ts";
import type { Race } from "../../host/lib/explore/race.ts";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { compileBuild } from "../../host/node/wasm.ts";

export const raceBuild = compileBuild("race");

export const raceNamed = (name: string): Race => RACES.find((race) => race.name === name)!;
export const open = (name: string, variant: string): RaceInstance => openRace(raceBuild, raceNamed(name), variant);

export const BUDGET = { steps: 2_000_000, seconds: 100 };

/** A generator of small numbers from a seed. */
export function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Actors that can take a step. */
export const choices = (instance: RaceInstance): number[] =>
  instance.actors.map((a) => a.index).filter((index) => (instance.enabled() >> index) & 1);
