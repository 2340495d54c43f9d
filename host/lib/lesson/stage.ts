/** What the lines of a check are carried out on: a machine with a guest, a race, a scenario. One file each beside this one. */
import type { GuestRun } from "../../../guests/guest.ts";

export interface LessonGuest {
  /** The image as a file. */
  readonly file: Uint8Array;
  readonly run?: GuestRun;
}

/** Where modules, guests and files come from: Node or the page's worker. */
export interface LessonTools {
  build(name: "release" | "race"): WebAssembly.Module | Promise<WebAssembly.Module>;
  /** Undefined when there is none of that name. */
  guest(name: string): Promise<LessonGuest | undefined>;
  /** The losing schedule that is kept beside a race. */
  schedule(race: string, variant: string): Promise<string | undefined>;
  /** Runs a command; absent where there is none (the page). */
  shell?(command: string): { readonly output: string; readonly code: number };
}

export type Value = string | number;

export interface Stage {
  /** @returns false when this stage knows no such action. */
  act(name: string, args: readonly string[]): boolean | Promise<boolean>;
  /** Undefined when this stage knows no such quantity. */
  quantity(name: string, args: readonly string[]): Value | undefined;
  dispose?(): void;
}
