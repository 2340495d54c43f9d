/** Benchmark build: the bare parts of an unshare, for bench/suites/sharing.ts. See p2m-bench.ts. */
import { BENCH_ORDER_ADD, BENCH_ORDER_FACTOR } from "../abi/bench-order";
import { PAGE_SIZE } from "../abi/layout";
import { Domain } from "../hv/domain";
import { p2mLookup } from "../hv/p2m/lookup";
import { Frame } from "../mem/frame-table";

/** The page after `at` in an order that visits each of mask + 1 pages once and looks random: no prefetcher foresees it. */
function after(at: u32, mask: u32): u32 {
  return (at * BENCH_ORDER_FACTOR + BENCH_ORDER_ADD) & mask;
}

/**
 * `n` copies of a page between two regions of `mask` + 1 frames each, from page `at` on in the order of `after`: with a large mask every
 * copy is cold.
 * @param first first frame of the source; the other region follows it.
 * @returns the page to go on with: a caller that began anew each time would copy the same pages again, from the cache.
 */
export function benchCopy(n: u32, at: u32, first: u32, mask: u32): u32 {
  for (let i: u32 = 0; i < n; i++) {
    memory.copy(Frame.host(first + mask + 1 + at), Frame.host(first + at), PAGE_SIZE);
    at = after(at, mask);
  }
  return at;
}

/** `n` lookups in the p2m of domain slot 1 (benchCreate), in the same order. @returns the gfn to go on with. */
export function benchWalk(n: u32, at: u32, mask: u32): u32 {
  const d = Domain.at(1);
  let isMissing: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    p2mLookup(d, at);
    if (!Frame.isValid(d.lookupMfn)) isMissing = 1;
    at = after(at, mask);
  }
  return isMissing != 0 ? U32.MAX_VALUE : at;
}
