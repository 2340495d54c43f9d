/**
 * What a real Xen 4.17 asked its device model for, and the registers and memory afterwards (recorded/xen-4.17-ioreq.tsv), against
 * the same instructions here. Requests are compared element by element: Xen sends a repeated access as one request with a count,
 * we send its elements.
 */
import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, it } from "vitest";
import {
  COPY,
  createGuest,
  type Guest,
  MEMORY,
  PCI,
  PCI_CONFIG,
  PORT,
  RAX,
  RBX,
  RCX,
  RDI,
  RDX,
  type Request,
  RSI,
} from "./guest.ts";
import { SNIPPETS } from "./recorded/snippets.ts";

/** Rows where we differ, with the reason. Rows that never finished on Xen (N-2, N-3) are in replay.test.ts. */
const DIFFERENT: Readonly<Record<string, string>> = {
  "repmovsd-straddle-element": "Xen asks for a repeated element over a page border as one access; we split it",
  "repmovsd-into-range-end":
    "Xen drops a repeated access whose end leaves the range as a whole; we ask for its elements",
  "type-repinsb-unclaimed-port-into-type": "N-4: Xen loses the writes; we send them to the type's server",
  "type-repmovsd-mmio-to-type": "N-4: Xen lets the device model write the RAM of the typed page; we send each write",
};

/** Snippets that need SSE, the FPU or CLFLUSH, or a hypercall. */
const UNSUPPORTED = /^(movdqu_|movss_|fst_|fld_|clflush_|vmmcall_|stream)/;

/** The recording filled the device and the RAM buffer anew before these. */
const FILLED = new Set([
  ..."mmio-push mmio-pop mmio-cmpxchg4-fail mmio-cmpxchg4-ok mmio-cmpxchg8-ok mmio-cmpxchg8b-ok mmio-cmpxchg16b".split(
    " ",
  ),
  ..."mmio-bts-far unaligned-w4 cross-w8-two-mmio-pages cross-add8-mmio movsd-ram-to-mmio repmovsb-ram-to-mmio-8".split(
    " ",
  ),
  ..."repmovsd-mmio-to-mmio-4 repmovsd-df-ram-to-mmio-4 repmovsd-mmio-page-cross repstosb-8".split(" "),
]);

interface Case {
  readonly name: string;
  readonly snippet: string;
  readonly input: Record<string, bigint>;
  readonly output: Record<string, bigint>;
  readonly requests: Request[];
  readonly check: { place: string; words: bigint[]; at: number } | undefined;
  readonly fault: number;
  readonly isFinished: boolean;
}

function registers(text: string | undefined): Record<string, bigint> {
  const list: Record<string, bigint> = {};
  for (const pair of (text ?? "").split(" ")) {
    const [name, value] = pair.split("=");
    if (name && value) list[name] = BigInt(`0x${value}`);
  }
  return list;
}

function load(): Case[] {
  const cases: Case[] = [];
  let requests: Request[] = [];
  const text = readFileSync(new URL("recorded/xen-4.17-ioreq.tsv", import.meta.url), "utf8");
  for (const line of text.split("\n").slice(1)) {
    const [name, , kind, type, addr, data, count, size, dir, df, isPointer, note = ""] = line.split("\t");
    if (!name) continue;
    if (kind === "req") {
      requests.push({
        type: Number(type),
        addr: BigInt(addr!),
        data: BigInt(data!),
        count: Number(count),
        size: Number(size),
        isRead: dir === "1",
        isDown: df === "1",
        isPointer: isPointer === "1",
      });
    } else if (kind === "result") {
      const check = /(dev|ram)\[([0-9a-f]+)\]=([0-9a-f]+),([0-9a-f]+)/.exec(note);
      cases.push({
        name,
        snippet: /snippet=(\S+)/.exec(note)?.[1] ?? "",
        input: registers(/ in\(([^)]*)\)/.exec(note)?.[1]),
        output: registers(/ out\(([^)]*)\)/.exec(note)?.[1]),
        requests,
        check: check
          ? {
              place: check[1]!,
              at: Number.parseInt(check[2]!, 16),
              words: [BigInt(`0x${check[3]}`), BigInt(`0x${check[4]}`)],
            }
          : undefined,
        fault: Number(/FAULT vec=(\d+)/.exec(note)?.[1] ?? -1),
        isFinished: !note.startsWith("NOT FINISHED"),
      });
      requests = [];
    }
  }
  return cases;
}

const cases = load();
const mmio = new Uint8Array(0x10000);
let g: Guest;
beforeAll(async () => {
  g = await createGuest();
  const at = (r: Request, i: number) => r.addr + (r.type === COPY ? BigInt(i * r.size) * (r.isDown ? -1n : 1n) : 0n);
  /** Index in `mmio`, -1 for ports and configuration space. */
  const index = (r: Request, i: number) => {
    const addr = r.type === PCI_CONFIG ? 0n : at(r, i);
    if (addr >= 0xf0000000n && addr + BigInt(r.size) <= 0xf0010000n) return Number(addr & 0xffffn);
    if (addr >= 0x400000n && addr + BigInt(r.size) <= 0x401000n) return 0x8000 + Number(addr & 0xfffn);
    return -1;
  };
  const view = new DataView(mmio.buffer);
  g.device.read = (r, i) => {
    const n = index(r, i);
    let value = 0xd3d2d1d0c3c2c1c0n;
    if (n >= 0) value = n + 8 <= 0x10000 ? view.getBigUint64(n, true) : 0n;
    return BigInt.asUintN(r.size * 8, value);
  };
  g.device.write = (r, i, value) => {
    const n = index(r, i);
    if (n >= 0) for (let b = 0; b < r.size; b++) mmio[n + b] = Number((value >> BigInt(b * 8)) & 255n);
  };
});

function fill(): void {
  for (let i = 0; i < mmio.length; i++) mmio[i] = 0x40 + (i & 0x3f);
  const page = Uint8Array.from({ length: 0x1000 }, (_, i) => 0x80 + (i & 0x7f));
  g.poke(0x200000, page);
  g.poke(0x201000, page);
}

function setupBasic(): void {
  g.setup();
  g.range(MEMORY, 0xf0000000n, 0xf0003fffn);
  g.range(MEMORY, 0xf0005000n, 0xf00050ffn);
  g.range(MEMORY, 0x400000n, 0x400fffn);
  g.range(PORT, 0x500n, 0x50fn);
  g.range(PCI, 0x18n, 0x18n);
  fill();
}

function setupType(): void {
  g.setup();
  fill();
  g.poke(0x300000, mmio.subarray(0, 0x1000));
  g.poke(0x301000, mmio.subarray(0, 0x1000));
  expect(
    g.dm(15, [
      [2, 2, 4],
      [4, 4, 2],
    ]),
  ).toBe(0);
  expect(
    g.dm(12, [
      [0, 4, 1],
      [4, 2, 4],
      [8, 8, 0x300],
    ]),
  ).toBe(0);
}

/** A request as its elements; the data of reads and of buffers in guest memory is left out. */
function elements(requests: readonly Request[]): string[] {
  return requests.flatMap((r) =>
    Array.from({ length: r.count }, (_, i) => {
      const addr = r.type === COPY ? r.addr + BigInt(i * r.size) * (r.isDown ? -1n : 1n) : r.addr;
      return `${r.isRead ? "read" : "write"} ${r.type}:${addr.toString(16)} size ${r.size}`;
    }),
  );
}

/** Values written by requests that carry them in the slot, in order. */
const immediates = (requests: readonly Request[]) =>
  requests
    .filter((r) => !r.isRead && !r.isPointer)
    .flatMap((r) => new Array<string>(r.count).fill(r.data.toString(16)));

/**
 * Flags at the start of a snippet: the recorded guest came to its n-th one from comparing n with n - 1, so AF is the borrow.
 * It was started anew after a snippet that did not finish.
 */
function flagsBefore(c: Case): number {
  let n = 0;
  for (const other of cases.filter((o) => o.name.startsWith("type-") === c.name.startsWith("type-"))) {
    n++;
    if (other === c) break;
    if (!other.isFinished) n = 0;
  }
  return n % 16 === 0 ? 0x12 : 2;
}

function play(c: Case): void {
  const { input, output } = c;
  const values = {
    [RAX]: input.rax!,
    [RBX]: input.rbx!,
    [RCX]: input.rcx!,
    [RDX]: input.rdx!,
    [RSI]: input.rsi!,
    [RDI]: input.rdi!,
  };
  const outcome = g.run(SNIPPETS[c.snippet]!, values, flagsBefore(c));
  expect(outcome).toBe("halt");
  expect(g.fault()).toBe(c.fault);
  expect(elements(g.requests)).toEqual(elements(c.requests));
  if (!c.requests.some((r) => r.isPointer)) expect(immediates(g.requests)).toEqual(immediates(c.requests));
  if (c.fault >= 0) return;
  const got = { rax: RAX, rbx: RBX, rcx: RCX, rdx: RDX, rsi: RSI, rdi: RDI };
  for (const [name, index] of Object.entries(got))
    expect(g.reg(index).toString(16), name).toBe(output[name]!.toString(16));
  expect((g.core.rflags() & 0xcd5).toString(16), "flags").toBe(output.fl!.toString(16));
  if (!c.check) return;
  const { place, at, words } = c.check;
  const found =
    place === "ram"
      ? [g.peek64(at), g.peek64(at + 8)]
      : [0, 8].map((n) => new DataView(mmio.buffer).getBigUint64((at & 0xffff) + n, true));
  expect(found.map((n) => n.toString(16))).toEqual(words.map((n) => n.toString(16)));
}

function group(title: string, isMember: (c: Case) => boolean, setup: () => void, before: (c: Case) => void): void {
  describe(title, () => {
    const members = cases.filter(isMember);
    beforeAll(setup);
    for (const c of members) {
      if (!c.snippet && c.isFinished) continue;
      if (UNSUPPORTED.test(c.snippet) || !(c.snippet in SNIPPETS)) {
        it.skip(`${c.name} (${c.snippet || "unfinished on Xen"})`, () => {});
        continue;
      }
      it(c.name, () => {
        before(c);
        if (c.name in DIFFERENT) {
          expect(() => play(c)).toThrow();
          return;
        }
        play(c);
      });
    }
  });
}

const basicEnd = cases.findIndex((c) => c.name === "fetch-from-mmio");
const typeEnd = cases.findIndex((c) => c.name === "type-repmovsd-mmio-to-type");

group(
  "memory, ports and PCI configuration",
  (c) => cases.indexOf(c) <= basicEnd,
  setupBasic,
  (c) => {
    const previous = cases[cases.indexOf(c) - 1];
    if (previous && !previous.isFinished) setupBasic();
    else if (FILLED.has(c.name) || /^mmio-/.test(c.name)) fill();
  },
);

group(
  "a page of type ioreq_server",
  (c) => cases.indexOf(c) > basicEnd && cases.indexOf(c) <= typeEnd,
  setupType,
  (c) => {
    if (c.name === "type-repoutsb-from-type") g.range(PORT, 0x500n, 0x50fn);
    if (c.name === "type-repmovsd-mmio-to-type") g.range(MEMORY, 0xf0000000n, 0xf0000fffn);
  },
);
