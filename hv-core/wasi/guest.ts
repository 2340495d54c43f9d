/** The one guest of the command module. */
import { GUEST_BASE } from "./state";

@unmanaged
export class Guest {
  domid: u32;
  storePort: u32;
  consolePort: u32;
  /** Window of dom0 gfns for writing guest memory. */
  window: u32;
  /** dom0's ports for the back ends, and the pages they serve (linear addresses). */
  storeLocalPort: i32;
  consoleLocalPort: i32;
  storePage: u32;
  consolePage: u32;
  /** dom0's port of VIRQ_DOM_EXC, and whether it has fired. */
  domExcPort: i32;
  domainStopped: u32;

  @inline static get(): Guest {
    return changetype<Guest>(GUEST_BASE);
  }
}
