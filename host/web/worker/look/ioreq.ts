/** ioreq servers of the guest: ranges, slots, rings. */
import type { DomId } from "../../../lib/ids.ts";
import { type IoreqServerView, readIoreqServers } from "../../../lib/ioreq-view.ts";
import type { Machine } from "../../../lib/machine.ts";
import type { Session } from "../session.ts";

export interface IoreqLook {
  readonly servers: readonly IoreqServerView[];
  /** The knob device.at puts the devices into the hypervisor: then there is no server. */
  readonly isInCore: boolean;
}

export function readIoreq({ machine, domid }: Session): IoreqLook {
  return { servers: readIoreqServers(machine.core, domid), isInCore: machine.knobs["device.at"] === 1 };
}

/** The state of one vCPU's slots, by server. */
export function readSlots({ core }: Machine, domid: DomId, vcpu: number): { server: number; state: string }[] {
  return readIoreqServers(core, domid).flatMap((s) =>
    s.slots.filter((slot) => slot.vcpu === vcpu).map((slot) => ({ server: s.id, state: slot.state })),
  );
}
