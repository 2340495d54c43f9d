/** Test exit port 0xF4: 0 = power off, 1 = reboot, anything else = crash. The device model asks Xen to shut the domain down. */
import { SHUTDOWN_CRASH, SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT } from "../../../hv-core/abi/hypercalls.ts";
import { ACTOR_DOMID, getField } from "../actors.ts";
import { DomId } from "../ids.ts";
import { dmRemoteShutdown } from "../toolstack/dm-op.ts";
import type { DeviceModel } from "./model.ts";

export const testExit: DeviceModel = {
  read: () => 0xff,
  write: (context, slab, _offset, _size, low) => {
    const reason = low === 0 ? SHUTDOWN_POWEROFF : low === 1 ? SHUTDOWN_REBOOT : SHUTDOWN_CRASH;
    dmRemoteShutdown(context.dom0, DomId(getField(context.dom0.core, slab, ACTOR_DOMID)), reason);
  },
};
