/** Benchmark build: the bare parts of an unshare, for bench/suites/sharing.ts. See p2m-bench.ts. */
import { PAGE_SIZE } from "../abi/layout";
import { Domain } from "../hv/domain";
import { p2mLookup } from "../hv/p2m/lookup";
import { Frame } from "../mem/frame-table";

/**
 * `n` copies of a page between two regions of `mask` + 1 frames each, `step` frames apart (odd): with a large mask every copy is cold.
 * @param first first frame of the source; the other region follows it.
 */
export function benchCopy(n: u32, first: u32, mask: u32, step: u32): void {
  let at: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    memory.copy(Frame.host(first + mask + 1 + at), Frame.host(first + at), PAGE_SIZE);
    at = (at + step) & mask;
  }
}

/** `n` lookups in the p2m of domain slot 1 (benchCreate), `step` gfns apart. @returns a sum of what was found. */
export function benchWalk(n: u32, mask: u32, step: u32): u32 {
  const d = Domain.at(1);
  let at: u32 = 0;
  let sum: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    sum += p2mLookup(d, at) + d.lookupMfn;
    at = (at + step) & mask;
  }
  return sum;
}
