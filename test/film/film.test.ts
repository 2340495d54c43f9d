/** Films: frames with the state beside each step, seeking, going another way, and what schedule files make of it. */
import { describe, expect, it } from "vitest";
import { replay } from "../../host/lib/explore/replay.ts";
import { formatSchedule, parseSchedule } from "../../host/lib/explore/schedule.ts";
import { createFilm } from "../../host/lib/film/film.ts";
import { filmOf, scheduleOf, storyOfFilm } from "../../host/lib/film/script.ts";
import { stateTable } from "../../host/lib/film/state-table.ts";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { choices, numbers, open } from "../explore/support.ts";
import { committed } from "./support.ts";

const C1 = "ioreq-unmap-window";
describe("the film of the lost write", () => {
  const film = filmOf(open(C1, "early-null"), committed(C1, "early-null"));

  it("begins before any step, with the state and who can go on", () => {
    const [first] = film.frames;
    expect(first!.step).toBeUndefined();
    expect(first!.state).toEqual([
      { name: "page", value: "ioreq_server" },
      { name: "type", value: "has its server" },
      { name: "slot", value: "NONE" },
    ]);
    expect(first!.lanes.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "guest0 runnable",
      "toolstack runnable",
      "emulator idle",
    ]);
    expect(first!.lanes[0]!.text).toBe("runs mov dword [0x2000], 1");
  });

  it("has the state beside each step, says what changed, and knows when the invariant breaks", () => {
    const cleared = film.frames.find((frame) => frame.state.some((row) => row.was === "has its server"))!;
    expect(cleared.step!.actor).toBe("toolstack");
    const last = film.frames.at(-1)!;
    expect(last.verdict).toMatchObject({ kind: "violation", invariant: "every-write-once" });
    expect(last.verdict.kind === "violation" && last.verdict.rule).toBeTruthy();
    expect(last.state).toContainEqual({ name: "page", value: "ram_rw" });
    expect(last.state).toContainEqual({ name: "p2m lock", value: "free" });
    expect(film.frames.slice(0, -1).every((frame) => frame.verdict.kind === "open")).toBe(true);
  });

  it("says who is kept by whom", () => {
    const held = createFilm(open(C1, "fixed"));
    // The guest takes the p2m lock; the toolstack unmaps and comes to the lock.
    for (let i = 0; i < 3; i++) held.choose(0);
    while (held.frames.at(-1)!.lanes[1]!.status === "runnable") held.choose(1);
    expect(held.frames.at(-1)!.lanes[1]).toMatchObject({ status: "blocked", place: "Lock", isSuspended: true });
    expect(held.frames.at(-1)!.lanes[1]!.text).toBe("waits for the p2m lock of domain 1, which guest0 holds");
    expect(() => held.choose(1)).toThrow("toolstack cannot go on: it waits for the p2m lock");
    expect(() => held.choose(7)).toThrow("no actor 7");
  });

  it("goes on nowhere once it is over", () => {
    expect(() => film.choose(0)).toThrow("the film is over");
  });

  it("is a story for every report, and can be written down and read again", () => {
    const text = formatSchedule(scheduleOf(film, "early-null"));
    expect(text).toBe(formatSchedule(committed(C1, "early-null")));
    expect(storyOfFilm(film, "early-null", "vmexit replay x").steps.length).toBe(film.choices.length);
  });
});

describe("cutting", () => {
  it("leads to the same frames as never having gone that way, at every frame", () => {
    const schedule = committed(C1, "early-null");
    const whole = filmOf(open(C1, "early-null"), schedule);
    const film = filmOf(open(C1, "early-null"), schedule);
    for (const at of [14, 9, 8, 7, 3, 0]) {
      film.cut(at);
      for (const actor of whole.choices.slice(at)) film.choose(actor);
      expect(film.frames).toEqual(whole.frames);
    }
    expect(() => film.cut(99)).toThrow("no frame 99");
  });

  it("any way through any race can be cut and gone again", () => {
    for (const [i, race] of RACES.entries()) {
      const variant = Object.keys(race.variants)[0]!;
      const film = createFilm(open(race.name, variant));
      const random = numbers(i + 1);
      for (let n = 0; n < 30 && film.frames.at(-1)!.verdict.kind === "open"; n++) {
        const able = choices(film.instance);
        film.choose(able[random(able.length)]!);
      }
      const frames = structuredClone(film.frames) as typeof film.frames;
      const chosen = [...film.choices];
      const at = random(frames.length);
      film.cut(at);
      for (const actor of chosen.slice(at)) film.choose(actor);
      expect(film.frames, `${race.name} cut at ${at}`).toEqual(frames);
    }
  });
});

describe("playing", () => {
  it("the right choices lose the write; the same choices cannot be made, or lose nothing, with the fix", () => {
    const film = createFilm(open(C1, "early-null"));
    for (let i = 0; i < 3; i++) film.choose(0);
    while (film.frames.at(-1)!.lanes[1]!.status === "runnable") film.choose(1);
    while (film.frames.at(-1)!.verdict.kind === "open") film.choose(0);
    expect(film.frames.at(-1)!.verdict).toMatchObject({ kind: "violation", invariant: "every-write-once" });
    const schedule = parseSchedule(formatSchedule(scheduleOf(film, "early-null")));
    expect(replay(open(C1, "early-null"), schedule).violation?.invariant).toBe("every-write-once");
  });

  it("an order in which everybody is done is told as clean", () => {
    const film = createFilm(open(C1, "fixed"));
    for (let n = 0; film.frames.at(-1)!.verdict.kind === "open"; n++) {
      if (n > 200) throw new Error("does not end");
      film.choose(film.frames.at(-1)!.lanes.find((lane) => lane.status === "runnable")!.actor);
    }
    expect(film.frames.at(-1)!.verdict).toEqual({ kind: "clean" });
    expect(film.frames.at(-1)!.lanes.every((lane) => lane.status === "idle")).toBe(true);
  });

  it("a deadlock says who waits for what", () => {
    const film = filmOf(open("crossed-shares", "named"), committed("crossed-shares", "named"));
    const { verdict } = film.frames.at(-1)!;
    expect(verdict).toMatchObject({ kind: "violation", invariant: "deadlock" });
    expect(verdict.kind === "violation" && verdict.message).toBe(
      "one waits for the p2m lock of domain 2, which other holds; other waits for the p2m lock of domain 1, which one holds",
    );
  });

  it("writing a film down leaves it where it was", () => {
    const film = createFilm(open(C1, "early-null"));
    for (let i = 0; i < 3; i++) film.choose(0);
    scheduleOf(film, "early-null");
    expect(film.choose(1).step!.text).toBe("unmaps the page type from the server");
  });
});

describe("a livelock", () => {
  it("is a film that comes back to a frame it has had, and is told as one", () => {
    const schedule = committed(C1, "retry-no-reset");
    const film = filmOf(open(C1, "retry-no-reset"), schedule);
    expect(film.frames.at(-1)!.sameAs).toBe(schedule.cycleFrom);
    expect(film.frames.at(-1)!.verdict).toMatchObject({ kind: "violation", invariant: "livelock" });
    expect(formatSchedule(scheduleOf(film, "retry-no-reset"))).toBe(formatSchedule(schedule));
  });
});

describe("files that do not fit", () => {
  const wrong = (steps: string) => () =>
    filmOf(open(C1, "early-null"), {
      ...committed(C1, "early-null"),
      steps: steps.split(" ").map((s) => ({ actor: s.split(":")[0]!, place: s.split(":")[1]! })),
    });
  it("name the step and who could run", () => {
    expect(wrong("guest0:run guest0:TypeRead")).toThrow(
      "step 2 of the schedule cannot be taken: wanted guest0:TypeRead, runnable guest0:Exited, toolstack:call0",
    );
    expect(wrong("guest0:NoSuch")).toThrow("this core has no window NoSuch");
    expect(wrong("nobody:run")).toThrow("wanted nobody:run");
  });
  it("are not followed beyond the end", () => {
    const schedule = committed(C1, "early-null");
    const longer = { ...schedule, steps: [...schedule.steps, { actor: "guest0", place: "run" }] };
    expect(() => filmOf(open(C1, "early-null"), longer)).toThrow(
      "goes on after step 15, where every-write-once breaks",
    );
  });
});

describe("the table of facts", () => {
  it("keeps a row for every lock that was ever held, and tells what changed", () => {
    const first = stateTable(["page ram_rw", "mapped"]);
    expect(first).toEqual([
      { name: "page", value: "ram_rw" },
      { name: "state", value: "mapped" },
    ]);
    const locked = stateTable(["page ram_rw", "not mapped", "p2m lock: guest0"], first);
    expect(locked).toEqual([
      { name: "page", value: "ram_rw" },
      { name: "not", value: "mapped", was: "state mapped" },
      { name: "p2m lock", value: "guest0", was: "free" },
    ]);
    expect(stateTable(["page ram_rw", "not mapped"], locked).at(-1)).toEqual({
      name: "p2m lock",
      value: "free",
      was: "guest0",
    });
  });
});
