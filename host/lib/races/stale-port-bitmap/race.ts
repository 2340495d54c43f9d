/** C-92, IO-9: a port in dom0's I/O bitmap is taken away. */
import { BUS_FIRST_PORT } from "../../../../hv-core/abi/bus.ts";
import { KNOB_IO_PORT_CHECK, PORT_CHECK_BITMAP } from "../../../../hv-core/abi/knobs.ts";
import { out32, program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { DOM0 } from "../../ids.ts";
import {
  accesses,
  accessesBy,
  accountsOf,
  CODE,
  DOM0_CODE,
  describeDevice,
  ioportStep,
  ioRaceWorld,
  marking,
} from "../io-world.ts";

export const stalePortBitmap = defineRace({
  name: "stale-port-bitmap",
  id: "C-92",
  title: "A port is taken away, and the processor does not know",
  lesson:
    "For dom0 the VMCS has a bitmap: accesses to ports whose bit is clear do not exit. It is made once, from the ports that dom0 held then. When a port is taken " +
    "away later, nobody sets its bit: dom0 goes on using it, without the hypervisor seeing it. The accountant sets the bit, and every processor of dom0 loads it.",
  variants: {
    "4.17": { text: "the bitmap is made once", knobs: {}, expect: "O-7" },
    fixed: { text: "the accountant sets the bits of ports that go", knobs: { "iomem.account": 3 }, expect: "clean" },
  },
  setup(module, knobs) {
    const dom0 = program(DOM0_CODE, [...out32(BUS_FIRST_PORT, 1), ...out32(BUS_FIRST_PORT, 2)]);
    const { world, programs } = ioRaceWorld(
      module,
      [[KNOB_IO_PORT_CHECK, PORT_CHECK_BITMAP], ...knobs],
      [program(CODE, [])],
      dom0,
    );
    const toolstack = marking(
      world,
      toolstackActor(world, {
        name: "toolstack",
        index: 2,
        program: [ioportStep("takes the ports away from dom0", DOM0, BUS_FIRST_PORT, false)],
      }),
      0,
      () => accesses(world),
    );
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        vcpuActor(world, { name: "dom0", index: 1, vcpu: 1, ...dom0 }),
        toolstack,
      ],
      invariants: [
        ...accountsOf(world, knobs),
        {
          name: "O-7",
          text: "when a port has been taken away, no access of that domain reaches the device any more",
          always() {
            const mark = toolstack.mark();
            if (mark === undefined || accessesBy(world, DOM0, mark) === 0) return undefined;
            return "dom0 has lost the port and still writes to the device";
          },
        },
      ],
    };
  },
});
