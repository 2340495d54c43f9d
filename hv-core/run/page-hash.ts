/** Hashes of pages of linear memory: how the host learns which pages changed without reading them (host/lib/travel/image.ts). */
import { MAILBOX_BASE, PAGE_SIZE } from "../abi/layout";
import { Trace } from "../base/trace";

const SEED: u64 = 0xcbf2_9ce4_8422_2325;

/** 0 = all zero; never 0 otherwise. Four chains side by side, because each round waits for the one before it. */
function pageHash(start: usize): u64 {
  let a = SEED;
  let b = SEED ^ 1;
  let c = SEED ^ 2;
  let d = SEED ^ 3;
  let any: u64 = 0;
  const end = start + PAGE_SIZE;
  for (let at = start; at < end; at += 32) {
    const w = load<u64>(at);
    const x = load<u64>(at, 8);
    const y = load<u64>(at, 16);
    const z = load<u64>(at, 24);
    any |= w | x | y | z;
    a = Trace.mix(a, w);
    b = Trace.mix(b, x);
    c = Trace.mix(c, y);
    d = Trace.mix(d, z);
  }
  if (any == 0) return 0;
  const hash = Trace.mix(Trace.mix(Trace.mix(a, b), c), d);
  return hash == 0 ? 1 : hash;
}

/** Hashes of `pages` pages from `start` on, as u64 in the mailbox, which has room for 131,072. */
export function pageHashes(start: u32, pages: u32): void {
  for (let i: u32 = 0; i < pages; i++) store<u64>(MAILBOX_BASE + (i << 3), pageHash(start + i * PAGE_SIZE));
}
