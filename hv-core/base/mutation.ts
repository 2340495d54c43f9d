/**
 * Mutations: one lock or one look that is left out of the fixed code, to see that the explorer finds it (test/explore/mutation.test.ts
 * has the table). Builds with variants only; knob 65, which no race and no command sets.
 */
import { KNOB_MUTATION } from "../abi/knobs";
import { Variant } from "./variant";

export class Mutation {
  /** Whether this is the mutation under test: what the caller guards with it is left out. */
  @inline static is(number: u32): bool {
    return Variant.is(KNOB_MUTATION, number);
  }
}
