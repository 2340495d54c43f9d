/** What the page of races and its worker say to each other: plain data. */
import type { ExplorationOptions, Found } from "../../lib/film/exploration.ts";
import type { Frame } from "../../lib/film/frame.ts";

export interface VariantCard {
  readonly name: string;
  readonly text: string;
  /** "clean", or the invariant that exhaustive search finds broken. */
  readonly expect: string;
  /** A losing schedule is kept beside the race. */
  readonly hasFilm: boolean;
}

export interface RaceCard {
  readonly name: string;
  readonly id: string;
  readonly title: string;
  readonly background: string;
  readonly lesson: string;
  readonly variants: readonly VariantCard[];
  /** Dropped on the page, not of the catalogue. */
  readonly isOwn?: true;
}

/** A race on stage: everything that the page shows. */
export interface Staged {
  readonly race: RaceCard;
  readonly variant: string;
  /** Who takes part, and what each is to do; a lane's `actor` is the index here. */
  readonly cast: readonly { readonly name: string; readonly role: string }[];
  readonly frames: readonly Frame[];
  readonly choices: readonly number[];
  /** What must hold in this race, by name. */
  readonly rules: Readonly<Record<string, string>>;
  /** Steps of an order that this variant did not allow. */
  readonly leftOut?: number;
  /** Something to know that is no error: the schedule was made with another core. */
  readonly notice?: string;
}

/** How a race comes on stage. */
export type Opening =
  /** The losing schedule; where nothing breaks, everybody in turn. */
  | { readonly kind: "film" }
  /** Letters of an order, played exactly (film/order.ts). */
  | { readonly kind: "steps"; readonly steps: string }
  /** The same as far as this variant allows it, then on to the end. */
  | { readonly kind: "try"; readonly steps: string };

export type { ExplorationOptions, Found, Frame };

export type ExploreAnswer =
  | { readonly kind: "found"; readonly found: Found }
  | { readonly kind: "cancelled" }
  | { readonly kind: "problem"; readonly problem: string };
