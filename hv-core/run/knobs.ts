/** Knobs are set before the machine is created and stay as they are. */
import { Knobs, Machine } from "../base/machine";

export function setKnob(index: u32, value: u32): void {
  if (Machine.get().frameCount == 0) Knobs.set(<i32>index, value);
}
