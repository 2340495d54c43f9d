/** Orders of moves: words, letters, played exactly, and tried again with the fix. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFilm } from "../../host/lib/film/film.ts";
import {
  formatOrder,
  packOrder,
  parseOrder,
  playOrder,
  runToEnd,
  tryOrder,
  unpackOrder,
} from "../../host/lib/film/order.ts";
import { filmOf } from "../../host/lib/film/script.ts";
import { open } from "../explore/support.ts";
import { committed } from "./support.ts";

const C1 = "ioreq-unmap-window";
const ACTORS = [{ name: "guest0" }, { name: "toolstack" }, { name: "emulator" }];

describe("as text", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 40 }), (order) => {
        expect(parseOrder(formatOrder(order, ACTORS), ACTORS)).toEqual(order);
        expect(unpackOrder(packOrder(order), 3)).toEqual(order);
      }),
    );
    expect(formatOrder([0, 0, 0, 1, 2, 2], ACTORS)).toBe("guest0*3 toolstack emulator*2");
  });
  it("says what is wrong", () => {
    expect(() => parseOrder("guest", ACTORS)).toThrow("did you mean guest0?");
    expect(() => parseOrder("guest0**", ACTORS)).toThrow('"guest0**"');
    expect(() => parseOrder("guest0*0", ACTORS)).toThrow("from 1 to");
    expect(() => unpackOrder("0103", 3)).toThrow('letter 4 of the steps is "3": the 3 actors are 012');
    expect(() => unpackOrder("0 1", 3)).toThrow("letter 2");
  });
});

describe("played", () => {
  it("exactly, or the step that cannot be taken is named", () => {
    const film = createFilm(open(C1, "early-null"));
    playOrder(film, [0, 0, 0]);
    expect(film.choices).toEqual([0, 0, 0]);
    expect(() => playOrder(film, [1, 2])).toThrow("step 2: emulator cannot go on: it has nothing to do now");
  });

  it("the losing order loses nothing with the fix", () => {
    const losing = filmOf(open(C1, "early-null"), committed(C1, "early-null"));
    const film = createFilm(open(C1, "fixed"));
    const left = tryOrder(film, losing.choices);
    expect(left).toBeGreaterThan(0);
    expect(film.frames.at(-1)!.verdict).toEqual({ kind: "clean" });
  });

  it("in turn, until nobody can go on or all comes round again", () => {
    const film = createFilm(open(C1, "fixed"));
    runToEnd(film);
    expect(film.frames.at(-1)!.verdict.kind).toBe("clean");
    const round = createFilm(open(C1, "retry-no-reset"));
    while (round.frames.at(-1)!.lanes[1]!.status === "runnable") round.choose(1);
    runToEnd(round);
    expect(round.frames.at(-1)!.sameAs).toBeDefined();
  });
});
