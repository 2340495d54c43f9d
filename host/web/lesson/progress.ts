/** Which exercises were solved, and what was answered, in this browser. Nothing is sent anywhere. */
const KEY = "vmexit-lessons";

export interface LessonProgress {
  /** Numbers of solved exercises, from 0. */
  readonly solved: readonly number[];
  /** What stands in the answer fields. */
  readonly answers: Readonly<Record<string, string>>;
}

type All = Readonly<Record<string, LessonProgress>>;
const NOTHING: LessonProgress = { solved: [], answers: {} };
/** Kept here as well: storage may be forbidden. */
let known: All | undefined;

const isProgress = (value: unknown): value is LessonProgress =>
  typeof value === "object" &&
  value !== null &&
  Array.isArray((value as LessonProgress).solved) &&
  typeof (value as LessonProgress).answers === "object" &&
  (value as LessonProgress).answers !== null;

function all(): All {
  if (known) return known;
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    const entries = typeof stored === "object" && stored !== null ? Object.entries(stored) : [];
    known = Object.fromEntries(entries.filter((entry): entry is [string, LessonProgress] => isProgress(entry[1])));
  } catch {
    known = {};
  }
  return known;
}

export const progressOf = (lesson: string): LessonProgress => all()[lesson] ?? NOTHING;

export function keepProgress(lesson: string, change: Partial<LessonProgress>): void {
  known = { ...all(), [lesson]: { ...progressOf(lesson), ...change } };
  try {
    localStorage.setItem(KEY, JSON.stringify(known));
  } catch {
    // kept as long as the page is open
  }
}
