/** C-66 (E-2): a ring is disabled while another domain's processor holds a slot of it. */
import { DOMCTL_VM_EVENT_OP } from "../../../../hv-core/abi/domctl.ts";
import { EAGAIN, EBUSY } from "../../../../hv-core/abi/errno.ts";
import { DMOP_SET_MEM_TYPE, DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_RAM_RO } from "../../../../hv-core/abi/p2m-types.ts";
import { VM_EVENT_DISABLE, VM_EVENT_MODE_PAGING } from "../../../../hv-core/abi/vm-event.ts";
import { defineRace } from "../../explore/race.ts";
import { dmOpStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { DATA_GFN, eventGuest, openRing, pageOut } from "../event-guest.ts";

export const ringDisabledInUse = defineRace({
  name: "ring-disabled-in-use",
  id: "C-66",
  title: "A ring is freed under the feet of whoever holds a slot",
  lesson:
    "A request is made in two parts: claim a slot, then fill it. Disabling a ring pauses the domain, so its own vCPUs are not in between; but a device model that touches a paged page runs in another domain, and nobody counts " +
    "it. Disable frees the ring, and the second part then writes to memory that is gone. Suspected from the source of Xen (E-2), and so it is here. A claimed slot is known to the ring: -EBUSY until it is filled is enough.",
  variants: {
    "4.17": { text: "disable looks only at vCPUs that sleep for a slot", knobs: {}, expect: "assert" },
    fixed: { text: "disable is busy while anybody holds a slot", knobs: { "vmEvent.disable": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = eventGuest(module, knobs, [[]]);
    const { world } = guest;
    openRing(world, VM_EVENT_MODE_PAGING);
    pageOut(world, true);
    return {
      ...guest,
      mayCrash: true, // a touch after the pager has gone
      actors: [
        toolstackActor(world, {
          name: "emulator",
          index: 0,
          program: [
            dmOpStep(
              "sets the type of a page that is out",
              DMOP_SET_MEM_TYPE,
              (view, at) => {
                view.setUint16(at, HVMMEM_RAM_RO, true);
                view.setUint32(at + 4, 1, true);
                view.setUint32(at + 8, DATA_GFN, true);
              },
              [-EAGAIN],
            ),
          ],
        }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            {
              text: "disables the paging ring",
              mayFail: [-EBUSY],
              prepare(w, at, gpa) {
                const { view } = w.core;
                view.setUint32(at, DOMCTL_VM_EVENT_OP, true);
                view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
                view.setUint16(at + 8, w.domid, true);
                view.setUint32(at + 16, VM_EVENT_DISABLE, true);
                view.setUint32(at + 20, VM_EVENT_MODE_PAGING, true);
                return [HC_DOMCTL, gpa];
              },
            },
          ],
        }),
      ],
      invariants: [],
    };
  },
});
