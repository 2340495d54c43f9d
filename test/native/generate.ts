/**
 * Makes cases from a seed: batches of cases that share an image of the data pages. Case n of seed s is the same on every machine, so a
 * mismatch is named by (seed, index). Next: native-cpu.ts runs them on the real processor, silicon-guest.ts on ours.
 */
import { type Bits, CaseBuilder } from "./builder.ts";
import type { Batch, TestCase } from "./case-format.ts";
import { FORMS, type Form } from "./forms.ts";
import { appendForm } from "./instructions.ts";
import { DATA_BYTES } from "./layout.ts";
import { Random } from "./random.ts";
import { TEMPLATES, type Template } from "./templates.ts";

export const BATCH_CASES = 1000;

function weighted<T extends { readonly weight?: number }>(list: readonly T[]): readonly T[] {
  return list.flatMap((item) => Array<T>(item.weight ?? 1).fill(item));
}

const FORM_POOL = {
  32: weighted(FORMS.filter((f) => f.mode !== 64)),
  64: weighted(FORMS.filter((f) => f.mode !== 32)),
};
const TEMPLATE_POOL = {
  32: weighted(TEMPLATES.filter((t) => t.mode !== 64)),
  64: weighted(TEMPLATES.filter((t) => t.mode !== 32)),
};

/** Two pages of boundary values and noise; the same seed gives the same bytes. */
function dataImage(seed: number): Uint8Array {
  const rng = new Random(seed);
  const data = new Uint8Array(DATA_BYTES);
  const view = new DataView(data.buffer);
  for (let at = 0; at < DATA_BYTES; at += 8) view.setBigUint64(at, rng.value(), true);
  // Runs of equal bytes, so that REPE and REPNE go further than one element.
  for (let i = 0; i < 40; i++) data.fill(rng.pick([0, 0xff, 0x41]), rng.below(DATA_BYTES), rng.below(DATA_BYTES));
  for (let at = 0; at < DATA_BYTES; at += 8) if (rng.chance(70)) view.setBigUint64(at, rng.value(), true);
  return data;
}

function makeCase(rng: Random, data: Uint8Array): TestCase {
  const bits: Bits = rng.chance(65) ? 64 : 32;
  // Usually at the start of the region; sometimes so that instructions cross into the second page.
  const codeOffset = rng.chance(85) ? rng.below(64) * 16 : 0x1000 - rng.below(40);
  for (;;) {
    const b = new CaseBuilder(rng, bits, data, codeOffset);
    const wanted = rng.pick([1, 1, 1, 2, 2, 3, 4, 6]);
    let made = 0;
    for (let tries = 0; made < wanted && tries < 20; tries++) {
      if (rng.chance(70)) {
        if (appendForm(b, rng.pick<Form>(FORM_POOL[bits]))) made++;
        continue;
      }
      const before = b.size;
      const outcome = rng.pick<Template>(TEMPLATE_POOL[bits]).append(b);
      if (outcome !== "no") made++;
      else if (b.size !== before) break;
      if (outcome === "end") break;
    }
    if (b.size > 0) return b.finish();
  }
}

/** Batch `index` of a seed, with `count` cases (a shorter batch is a prefix of the longer one). */
export function generateBatch(seed: number, index: number, count = BATCH_CASES): Batch {
  const batchSeed = (Math.imul(seed, 0x9e3779b1) + Math.imul(index, 0x85ebca6b)) | 0;
  const data = dataImage(batchSeed ^ 0x5bd1e995);
  const rng = new Random(batchSeed);
  const cases: TestCase[] = [];
  for (let i = 0; i < count; i++) cases.push(makeCase(rng, data));
  return { data, cases };
}
