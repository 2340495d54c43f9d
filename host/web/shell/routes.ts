/**
 * The registry of routes: one folder below host/web each, loaded when the address names it. A route's module exports the tag of a custom
 * element, which gets the place as its property `place` and may be reused when only the place changes.
 */
import type { Place } from "./location.ts";

export interface RouteModule {
  /** Name of the custom element that the module defines. */
  readonly tag: string;
}

export interface Routed extends HTMLElement {
  place: Place;
}

export interface Route {
  /** First segment of the address. */
  readonly name: string;
  /** Name in the navigation (texts/en.ts, `nav`). */
  readonly label: "machine" | "race" | "lesson";
  load(): Promise<RouteModule>;
}

export const ROUTES: readonly Route[] = [
  { name: "lesson", label: "lesson", load: () => import("../lesson/route.ts") },
  { name: "machine", label: "machine", load: () => import("../machine/route.ts") },
  { name: "race", label: "race", load: () => import("../race/route.ts") },
];

/** Where the bare page goes. */
export const FIRST_ROUTE = "machine";
