/** N-1: a guest runs code from a page of type ioreq_server. */
import { DMOP_MEM_ACCESS_WRITE } from "../../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../../../hv-core/abi/p2m-types.ts";
import { jump } from "../../explore/code.ts";
import { deviceActor } from "../../explore/device-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { describeDomain } from "../../explore/state-text.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { mapMemType, setMemType } from "../../toolstack/dm-op.ts";
import { writeGuest } from "../../toolstack/foreign.ts";
import { CODE, mmioGuest } from "../mmio-guest.ts";

const PAGE = 0x2000;
/** nop, and behind it the end of the program. */
const TARGET = new Uint8Array([0x90, 0xeb, 0xfe]);

export const fetchLivelock = defineRace({
  name: "fetch-livelock",
  id: "N-1",
  title: "Code on a watched page never runs",
  lesson:
    "A page of type ioreq_server is mapped without the right to execute. A fetch from it is an EPT violation that no branch of the " +
    "handler is for: the page is RAM, the access is no write, so the instruction runs again, and faults again, for ever (seen on a real " +
    "Xen 4.17: N-1). Nobody races here: a single vCPU and a fair scheduler suffice. The type is about writes, so the smallest repair is " +
    "to leave the right to execute.",
  variants: {
    "4.17": { text: "pages of the type cannot be executed", knobs: {}, expect: "livelock" },
    fixed: { text: "pages of the type can be executed", knobs: { "type.fetch": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs, [jump(CODE, PAGE)]);
    const { world, end, programs } = guest;
    writeGuest(world.dom0, world.window, world.domid, PAGE, TARGET);
    mapMemType(world.dom0, world.domid, end.server, DMOP_MEM_ACCESS_WRITE);
    setMemType(world.dom0, world.domid, PAGE / 4096, 1, HVMMEM_IOREQ_SERVER);
    return {
      ...guest,
      describeState: () => describeDomain(world, end, PAGE),
      actors: [
        vcpuActor(world, {
          name: "guest0",
          index: 0,
          vcpu: 0,
          end: PAGE + 1,
          instructions: [...programs[0]!.instructions, [PAGE, "nop on the watched page"]],
        }),
        deviceActor(world, { name: "emulator", index: 1, end }),
      ],
      invariants: [],
    };
  },
});
