/** A model of a set-associative TLB with least-recently-used replacement: counts misses over a list of page numbers. */

export interface Misses {
  readonly misses: number;
}

/** @param entries and `ways` powers of two; @param from index of the first access that is counted */
export function missesOf(entries: number, ways: number, pages: readonly number[], from: number): Misses {
  const sets: number[][] = Array.from({ length: entries / ways }, () => []);
  let misses = 0;
  pages.forEach((page, i) => {
    const set = sets[page % sets.length]!;
    const at = set.indexOf(page);
    if (at >= 0) set.splice(at, 1);
    else if (i >= from) misses++;
    set.unshift(page);
    if (set.length > ways) set.pop();
  });
  return { misses };
}

/** The pages that the benchmark loop of hv-core/silicon/bench.ts touches. @param pages a power of two */
export function randomPages(count: number, pages: number, seed: number): number[] {
  let x = seed | 1;
  return Array.from({ length: count }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) & (pages - 1);
  });
}
