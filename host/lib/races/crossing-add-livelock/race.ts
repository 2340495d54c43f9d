/** N-2: one instruction with four device accesses, and a cache that remembers three. */
import { add32, program } from "../../explore/code.ts";
import { createServer, deviceActor, slotState } from "../../explore/device-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { describeDomain } from "../../explore/state-text.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld } from "../../explore/world.ts";
import { CODE, MMIO } from "../mmio-guest.ts";

export const crossingAddLivelock = defineRace({
  name: "crossing-add-livelock",
  id: "N-2",
  title: "An addition across two device pages never ends",
  lesson:
    "`add [m], 1` reads and writes; across the border of two device pages that is two reads and two writes. While the instruction waits " +
    "for a device model its finished accesses are remembered, and Xen 4.17 has room for three. The fourth does not fit, the emulation " +
    "fails, and the instruction starts again from nothing: the device sees the lower half incremented for ever (seen on a real machine). " +
    "One actor and a device are enough: it is a livelock without a race. The repair is room for every access an instruction can make.",
  variants: {
    "4.17": { text: "three device accesses of an instruction are remembered", knobs: {}, expect: "livelock" },
    fixed: { text: "all of them are", knobs: { "emulate.cache": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const programs = [program(CODE, [add32(MMIO + 0xffe, 1)])];
    const world = createWorld(module, { pages: 4, programs, knobs });
    const end = createServer(world, { range: [MMIO, MMIO + 0x1fff] });
    return {
      world,
      slotStates: () => [slotState(world, end, 0)],
      describeState: () => describeDomain(world, end),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        deviceActor(world, { name: "emulator", index: 1, end, keepsLog: false }),
      ],
      invariants: [],
    };
  },
});
