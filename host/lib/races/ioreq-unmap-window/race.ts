/** C-1: the guest writes to a page of type ioreq_server while the device model takes the type away (spec 03 section 3.7). */
import { DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER, DMOP_MEM_ACCESS_WRITE } from "../../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../../../hv-core/abi/p2m-types.ts";
import { program, store32 } from "../../explore/code.ts";
import { createServer, deviceActor, slotState } from "../../explore/device-actor.ts";
import { everyWriteOnce } from "../../explore/invariants.ts";
import { defineRace } from "../../explore/race.ts";
import { describeDomain } from "../../explore/state-text.ts";
import { dmOpStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld } from "../../explore/world.ts";
import { mapMemType, setMemType } from "../../toolstack/dm-op.ts";

const CODE = 0x1000;
const PAGE = 0x2000;
const SECOND_CODE = 0x3000;

export const ioreqUnmapWindow = defineRace({
  name: "ioreq-unmap-window",
  id: "C-1",
  title: "A write is lost while a page type loses its server",
  lesson:
    "The guest's write faults because the page has the type ioreq_server. Between the fault and the moment when the request is sent, " +
    "the device model's domain unmaps the type: now nobody answers for the page. If the hypervisor drops the p2m lock in between, or " +
    "treats 'no server' as 'nobody there', the write vanishes although the guest sees it done. Xen holds the p2m lock until the " +
    "request is sent, and runs the instruction again when the type has no server: by then the page is RAM.",
  variants: {
    "early-null": {
      text: "the p2m lock is dropped after the lookup, and no server means: drop the write",
      knobs: { "unmap.p2mLock": 1, "unmap.onNoServer": 1 },
      expect: "every-write-once",
    },
    "held-null": {
      text: "the p2m lock is held, but no server still means: drop the write",
      knobs: { "unmap.onNoServer": 1 },
      expect: "every-write-once",
    },
    "early-retry": {
      text: "no server means: run the instruction again; but the lock is dropped, so the type may have become RAM meanwhile",
      knobs: { "unmap.p2mLock": 1 },
      expect: "every-write-once",
    },
    "pause-null": {
      text: "v6 of 2016: the domain is paused while server and types go, so the lock and the null handler do not matter",
      knobs: { "unmap.p2mLock": 1, "unmap.onNoServer": 1, "unmap.pause": 1 },
      expect: "clean",
    },
    fixed: {
      text: "as merged in 2017: the lock is held until the request is sent, and no server means: run the instruction again",
      knobs: {},
      expect: "clean",
    },
    "fixed-2-vcpus": {
      text: "the same with two vCPUs that write to the page",
      knobs: {},
      expect: "clean",
    },
  },
  setup(module, knobs, variant) {
    const programs = [program(CODE, [store32(PAGE, 1), store32(PAGE + 4, 2)])];
    if (variant === "fixed-2-vcpus") programs.push(program(SECOND_CODE, [store32(PAGE + 8, 3)]));
    const world = createWorld(module, { pages: 4, programs, knobs });
    const end = createServer(world, {});
    mapMemType(world.dom0, world.domid, end.server, DMOP_MEM_ACCESS_WRITE);
    setMemType(world.dom0, world.domid, PAGE / 4096, 1, HVMMEM_IOREQ_SERVER);
    const guests = programs.map((p, vcpu) => vcpuActor(world, { name: `guest${vcpu}`, index: vcpu, vcpu, ...p }));
    const toolstack = toolstackActor(world, {
      name: "toolstack",
      index: guests.length,
      program: [
        dmOpStep("unmaps the page type from the server", DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER, (view, at) => {
          view.setUint16(at, end.server, true);
          view.setUint16(at + 2, HVMMEM_IOREQ_SERVER, true);
        }),
      ],
    });
    const device = deviceActor(world, { name: "emulator", index: guests.length + 1, end });
    const writes = [
      { vcpu: 0, index: 0, address: PAGE, value: 1 },
      { vcpu: 0, index: 1, address: PAGE + 4, value: 2 },
      { vcpu: 1, index: 0, address: PAGE + 8, value: 3 },
    ].filter((write) => write.vcpu < programs.length);
    return {
      world,
      actors: [...guests, toolstack, device],
      invariants: [everyWriteOnce(world, programs, [device], writes)],
      slotStates: () => programs.map((_, vcpu) => slotState(world, end, vcpu)),
      describeState: () => describeDomain(world, end, PAGE),
    };
  },
});
