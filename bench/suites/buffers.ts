/**
 * Hypercall buffers: what it costs to bring an argument of 16 bytes, 4 KiB and 64 KiB into safe memory, with the arena's cache warm and
 * emptied, against a plain copy of as many bytes into the linear memory; and what that adds to the smallest hypercall there is.
 */
import { addressOf, allocBlock, freeBlock } from "../../host/lib/buffers/arena.ts";
import { releaseKept } from "../../host/lib/buffers/books.ts";
import { bounce } from "../../host/lib/buffers/bounce.ts";
import { plain, safeHypercall } from "../../host/lib/buffers/call.ts";
import { U8 } from "../../host/lib/buffers/element.ts";
import { allocSafe } from "../../host/lib/buffers/safe.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { HC_XEN_VERSION } from "../../hv-core/abi/hypercalls.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Row, Table } from "../report.ts";
import type { Sweep } from "../sweep.ts";

const SIZES = [16, 4096, 65536];
const REPEAT = 200;
const XENVER_VERSION = 0;

const sizeName = (bytes: number): string => (bytes < 1024 ? `${bytes} B` : `${bytes / 1024} KiB`);

export function buffersSuite(effort: Effort): Table {
  const { dom0, core } = createMachine(compileBuild("release"), { memoryBytes: 2 ** 20 });
  const { arena } = dom0;
  const repeated = (name: string, once: () => void): Contestant => ({
    name,
    operations: REPEAT,
    call() {
      for (let i = 0; i < REPEAT; i++) once();
    },
  });
  const nothing = (): void => {};
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const bytes of SIZES) {
    const size = sizeName(bytes);
    const user = new Uint8Array(bytes).fill(7);
    const block = allocBlock(arena, bytes, "raw");
    const at = addressOf(arena, block);
    using held = allocSafe(arena, U8, "inout", bytes, "held");
    const nullCall = (): void => void safeHypercall(dom0, plain(HC_XEN_VERSION), plain(XENVER_VERSION), null);
    const contestants = [
      repeated(`${size}: plain copy in`, () => core.u8.set(user, at)),
      repeated(`${size}: bounced in, cache warm`, () => bounce(arena, user, "in", nothing)),
      repeated(`${size}: bounced in, cache empty`, () => {
        releaseKept(arena.books);
        bounce(arena, user, "in", nothing);
      }),
      repeated(`${size}: bounced in and out, cache warm`, () => bounce(arena, user, "inout", nothing)),
      repeated(`${size}: hypercall, argument held in safe memory`, () => {
        held.setBytes(user);
        nullCall();
      }),
      repeated(`${size}: hypercall, argument bounced in and out`, () => bounce(arena, user, "inout", nullCall)),
    ];
    const measured = measure(contestants, effort);
    measured.forEach((measurement, i) => {
      rows.push({
        measurement,
        unit: "ns",
        ...(i > 0 ? { against: measured[0]! } : {}),
        ...(i === 1 && bytes === 65536
          ? {
              goal: {
                atMost: 1.3,
                limit: "blocks of more than four pages are never kept, and their pages are looked for each time",
              },
            }
          : {}),
      });
    });
    const zeroed = (direction: "in" | "out"): number => {
      const before = arena.stats.bytesZeroed;
      bounce(arena, user, direction, nothing);
      return arena.stats.bytesZeroed - before;
    };
    notes.push(`${size}: bytes cleared for an argument that is read ${zeroed("in")}, that is written ${zeroed("out")}`);
    freeBlock(arena, block);
  }
  notes.push("blocks of more than four pages are never kept, as in libxc: their pages are looked for each time");
  return { title: "Hypercall buffers", rows, notes };
}

export const BUFFER_SWEEPS: readonly Sweep[] = [
  {
    name: "argument bounced in and out",
    sizeLabel: "bytes",
    sizes: [64, 512, 4096, 32_768, 262_144],
    documented: "linear",
    why: "each byte is copied in and out once",
    at(bytes) {
      const { dom0 } = createMachine(compileBuild("release"), { memoryBytes: 2 ** 20, dom0Pages: 256 });
      const user = new Uint8Array(bytes).fill(7);
      return {
        name: `${bytes}`,
        operations: REPEAT,
        call() {
          for (let i = 0; i < REPEAT; i++) bounce(dom0.arena, user, "inout", () => {});
        },
      };
    },
  },
];
