/** The word somebody probably meant: error messages suggest it. */

/** Changes of one letter that turn one word into the other (Levenshtein). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next.push(Math.min(next[j - 1]! + 1, row[j]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

/** The most similar of `words`, undefined when none is near. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const ranked = words
    .map((w) => [distance(word.toLowerCase(), w.toLowerCase()), w] as const)
    .sort((x, y) => x[0] - y[0]);
  const [best] = ranked;
  return best && best[0] <= Math.max(2, Math.floor(word.length / 3)) ? best[1] : undefined;
}

/** ` did you mean "x"?`, or the whole list when nothing is near. */
export function suggestion(word: string, words: readonly string[]): string {
  const near = nearest(word, words);
  return near === undefined ? `there are ${words.join(", ")}` : `did you mean "${near}"?`;
}
