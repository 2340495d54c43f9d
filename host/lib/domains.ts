/** The domain table as the core keeps it (abi/domain.ts): what getdomaininfo does not say. Read only. */
import { CRASH_NONE } from "../../hv-core/abi/crash.ts";
import {
  DOM_CRASH_REASON,
  DOM_DOMID,
  DOM_IS_SHUT_DOWN,
  DOM_SHUTDOWN_CODE,
  DOM_STATE,
  MACHINE_DOMAIN_MARK,
} from "../../hv-core/abi/domain.ts";
import { DOMAIN_SIZE, DOMAINS_BASE, MACHINE_BASE } from "../../hv-core/abi/layout.ts";
import type { Core } from "./core.ts";
import type { DomId } from "./ids.ts";

const FREE = 0;
const ALIVE = 1;

const field = (core: Core, slot: number, offset: number): number =>
  core.u32[(DOMAINS_BASE + slot * DOMAIN_SIZE + offset) >> 2]!;

/** One past the highest slot that was ever used. */
const domainMark = (core: Core): number => core.u32[(MACHINE_BASE + MACHINE_DOMAIN_MARK) >> 2]!;

/** Ids of all living domains but dom0. */
export function liveDomains(core: Core): DomId[] {
  const found: DomId[] = [];
  for (let slot = 1; slot < domainMark(core); slot++) {
    if (field(core, slot, DOM_STATE) === ALIVE) found.push(field(core, slot, DOM_DOMID) as DomId);
  }
  return found;
}

/** Index of a domain in the table, -1 when there is none. */
export function domainSlot(core: Core, domid: DomId): number {
  for (let slot = 0; slot < domainMark(core); slot++) {
    if (field(core, slot, DOM_STATE) !== FREE && field(core, slot, DOM_DOMID) === domid) return slot;
  }
  return -1;
}

/** CRASH_* of a domain. */
export function crashReason(core: Core, domid: DomId): number {
  const slot = domainSlot(core, domid);
  return slot < 0 ? CRASH_NONE : field(core, slot, DOM_CRASH_REASON);
}

/** SHUTDOWN_* of a domain that has shut down, undefined while it lives. Looking leaves no trace, unlike getdomaininfo. */
export function shutdownCode(core: Core, domid: DomId): number | undefined {
  const slot = domainSlot(core, domid);
  return slot >= 0 && field(core, slot, DOM_IS_SHUT_DOWN) !== 0 ? field(core, slot, DOM_SHUTDOWN_CODE) : undefined;
}
