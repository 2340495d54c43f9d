/** Which known word somebody may have meant. */

/** Letters to change, add or leave out. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** 'did you mean "web"?' when one is near enough, otherwise 'use one of web, db'. */
export function suggest(word: string, known: readonly string[]): string {
  const best = [...known].sort((a, b) => distance(word, a) - distance(word, b))[0];
  if (best !== undefined && distance(word, best) <= Math.max(1, Math.floor(best.length / 3)))
    return `did you mean "${best}"?`;
  return known.length === 0 ? "there are none" : `use one of ${known.join(", ")}`;
}
