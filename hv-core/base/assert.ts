/**
 * Invariants of the hypervisor itself. Conditions that a guest can reach are never asserts: they are verdicts or errno.
 * A site is a number (host/lib/assert-sites.ts has the sentences), so that no strings enter the module.
 */
import { MAILBOX_BASE } from "../abi/layout";

export class Hv {
  /** Checked in debug and race only. */
  @inline static assert(condition: bool, site: u32): void {
    if (isDefined(DEBUG)) {
      if (!condition) Hv.failed(site);
    }
  }

  /** Checked in every build: going on would corrupt memory. */
  @inline static assertAlways(condition: bool, site: u32): void {
    if (!condition) Hv.failed(site);
  }

  static failed(site: u32): void {
    store<u32>(MAILBOX_BASE, 0);
    store<u32>(MAILBOX_BASE, site, 4);
    unreachable();
  }
}
