/** Variants: knobs that bring a historic bug back. Builds without variants (release, wasi) do not contain them. */
import { Knobs } from "./machine";

export class Variant {
  /** Whether the variant knob `knob` has this value. */
  @inline static is(knob: i32, value: u32): bool {
    return isDefined(VARIANTS) ? Knobs.get(knob) == value : false;
  }
}
