/** The pager: a guest whose pages go and come, the pager killed before each of its steps, torn files, lost data. */
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { asm } from "../../guests/asm/assembler.ts";
import { assemblyGuest } from "../../guests/guest.ts";
import { say } from "../../guests/lib/print.ts";
import { program32 } from "../../guests/lib/program.ts";
import { loadImage } from "../../host/lib/loader/detect.ts";
import { createMachine, type Machine } from "../../host/lib/machine.ts";
import { createPager, type Pager } from "../../host/lib/pager/pager.ts";
import { memoryStore, type PageStore } from "../../host/lib/pager/store.ts";
import { openPageFile, type PageFile } from "../../host/node/page-file.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const wasm = compileBuild("debug");
const FIRST = 0x180;
const PAGES = 2;
const ROUNDS = 4;
const MEMORY = 2 << 20;
const PAUSE = 300;

/** Each round adds one to a word of every page and checks it against the count of rounds; at the end says what it saw. */
const guest = assemblyGuest({
  name: "counts-pages",
  title: "counts in its pages",
  source: program32(
    asm`
        xor ebp, ebp
.round: mov edi, ${FIRST << 12}
.page:  cmp [edi + 0xabc], ebp
        jne .bad
        add dword [edi + 0xabc], 1
        add edi, 4096
        cmp edi, ${(FIRST + PAGES) << 12}
        jb .page
        mov ecx, ${PAUSE}
.wait:  dec ecx
        jnz .wait
        inc ebp
        cmp ebp, ${ROUNDS}
        jb .round
${say("good\n")}
        jmp .end
.bad:
${say("bad\n")}
.end:
`,
  ),
});

function image() {
  const loaded = loadImage(guest.build());
  if (!loaded.ok) throw new Error("the guest is no image");
  return loaded.value;
}

const folder = mkdtempSync(join(tmpdir(), "vmexit-pager-"));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const freshFile = (): string => join(folder, `pages-${files++}`);

class Killed extends Error {}

interface Play {
  readonly console: string;
  readonly outcome: string;
  readonly steps: number;
  readonly evictions: number;
  readonly names: ReadonlySet<string>;
}

/** Runs the guest while its pages are paged out all the time; the pager dies before step `killAt`, and another takes over. */
function play(open: () => PageStore, killAt = -1, reopen: (old: PageStore) => PageStore = (old) => old): Play {
  using machine: Machine = createMachine(wasm, { memoryBytes: MEMORY, vcpus: 1, knobs: { "mem.paging": 1 } });
  const { domid } = machine.createGuest({
    image: image(),
    memoryBytes: MEMORY,
    vcpus: 1,
    cmdline: "",
    modules: [],
  });
  let store = open();
  let steps = 0;
  let evictions = 0;
  const names = new Set<string>();
  const start = (): Pager => {
    const pager = createPager({
      dom0: machine.dom0,
      window: machine.window,
      domid,
      store,
      onStep(step) {
        names.add(step);
        if (steps++ === killAt) throw new Killed(step);
      },
    });
    machine.attachListener(pager.listener, () => void 0); // served below, where it can be killed
    return pager;
  };
  let pager = start();
  const alive = (body: () => void): void => {
    try {
      body();
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
      store = reopen(store);
      pager = start();
    }
  };
  for (let i = 0; i < 400 && !machine.ended(domid); i++) {
    machine.run({ maxInstructions: 150 });
    alive(() => {
      if (pager.evict(FIRST + (i % PAGES))) evictions++;
    });
    if (i % 2 === 1) machine.run({ maxInstructions: 50 });
    alive(() => void pager.serve());
  }
  return {
    console: machine.console(),
    outcome: machine.ended(domid)?.outcome ?? "alive",
    steps,
    evictions,
    names,
  };
}

describe("a pager", () => {
  it("pages a guest out and in, and the guest never sees a wrong byte", () => {
    const result = play(memoryStore);
    expect([result.console, result.outcome]).toEqual(["good\n", "poweroff"]);
    expect(result.evictions).toBeGreaterThan(4);
  });

  it("killed before each of its steps in turn: another one takes over, with the file", () => {
    const open = (): PageFile => openPageFile(freshFile(), "guest");
    const { steps, names } = play(open);
    expect([...names].sort()).toEqual(
      ["nominate", "read", "store", "evict", "take", "load", "prep", "answer", "forget", "notify"].sort(),
    );
    for (let killAt = 0; killAt < steps; killAt++) {
      const file = freshFile();
      const result = play(
        () => openPageFile(file, "guest"),
        killAt,
        (old) => {
          (old as PageFile).close();
          return openPageFile(file, "guest");
        },
      );
      expect([killAt, result.console, result.outcome]).toEqual([killAt, "good\n", "poweroff"]);
    }
  }, 120_000);

  it("that lost its store tells the domain: it ends, and reads nothing wrong", () => {
    const results = Array.from({ length: 12 }, (_, i) => play(memoryStore, 8 + i, () => memoryStore()));
    expect(results.map((r) => r.console.includes("bad"))).toEqual(results.map(() => false));
    expect(new Set(results.map((r) => r.outcome))).toContain("crash");
  });
});

describe("a file of pages", () => {
  const page = (byte: number): Uint8Array => new Uint8Array(4096).fill(byte);

  it("has the last copy of each page after it is opened again", () => {
    const path = freshFile();
    const file = openPageFile(path, "a");
    file.put(5, page(1));
    file.put(6, page(2));
    file.put(5, page(3));
    file.close();
    const again = openPageFile(path, "a");
    expect([again.get(5)?.[9], again.get(6)?.[9], again.get(7), again.size]).toEqual([3, 2, undefined, 2]);
    again.forget(6);
    expect([again.get(6), again.size]).toEqual([undefined, 1]);
    again.close();
  });

  it("torn at any place in the last record has the copy before", () => {
    const path = freshFile();
    const file = openPageFile(path, "a");
    file.put(5, page(1));
    file.put(5, page(2));
    file.close();
    const whole = readFileSync(path);
    const last = whole.length - 4160;
    for (const cut of [last + 1, last + 20, last + 63, last + 64, last + 2000, whole.length - 1]) {
      const torn = freshFile();
      writeFileSync(torn, whole);
      truncateSync(torn, cut);
      const opened = openPageFile(torn, "a");
      expect([cut, opened.get(5)?.[0]]).toEqual([cut, 1]);
      opened.close();
    }
    const damaged = Buffer.from(whole);
    damaged[last + 3000]! ^= 4;
    writeFileSync(path, damaged);
    const opened = openPageFile(path, "a");
    expect(opened.get(5)?.[0]).toBe(1);
    opened.close();
  });

  it("never overwrites the copy that is still good, and uses places again", () => {
    const path = freshFile();
    const file = openPageFile(path, "a");
    for (let i = 0; i < 10; i++) file.put(5, page(i));
    file.close();
    expect(readFileSync(path).length).toBe(3 * 4160);
  });

  it("belongs to one domain", () => {
    const path = freshFile();
    openPageFile(path, "a").close();
    expect(() => openPageFile(path, "b")).toThrow(/does not hold the pages of b/);
  });
});
