/** C-9: one flag of a domain says that device models must drop their mappings, and the wrong vCPU takes it. */
import { HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION } from "../../../../hv-core/abi/hypercalls.ts";
import { setWord, word } from "../../explore/actors.ts";
import { program, setRegister, store32, vmcall } from "../../explore/code.ts";
import { createServer, deviceActor, slotState } from "../../explore/device-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { pageTypeOf } from "../../explore/state-text.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld, type World } from "../../explore/world.ts";
import { writerActor } from "../../explore/writer-actor.ts";

const DATA = 0x2000;
/** The page that the second vCPU gives back; the device model has it mapped. */
const GIVEN = 0x4000;
/** Where the device model notes that it has a mapping: a page of dom0 that nothing else uses. */
const MAPPING_GPA = 0x6000;

/** The argument of XENMEM_decrease_reservation for one page, in the guest's 32-bit layout. */
function writeArgument(world: World): void {
  const { view } = world.core;
  const at = world.guestAddress(DATA);
  view.setUint32(at, DATA + 64, true);
  view.setUint32(at + 4, 1, true);
  view.setUint16(at + 16, 0x7ff0, true); // its own domain
  view.setUint32(at + 64, GIVEN / 4096, true);
}

export const oneFlagForAll = defineRace({
  name: "one-flag-for-all",
  id: "C-9",
  title: "A device model keeps a page that the guest has given back",
  lesson:
    "A guest gives a page back; device models must drop their mappings of it before it runs on. A flag says so, and a vCPU that enters the " +
    "guest with the flag set sends the request and waits. There was one flag for the domain, and it was set before the page was gone. So " +
    "another vCPU takes it: the vCPU that gave the page back runs on without waiting, or, when the other one is quicker still, the device " +
    "models drop everything and map the page again because it is still there. They go on writing to a frame that may belong to somebody " +
    "else by now. The repair (588d961d15): a flag for each vCPU, set where the page is taken out of the map.",
  variants: {
    "domain-flag": {
      text: "one flag for all vCPUs, set before the page goes",
      knobs: { "mapcache.invalidate": 2 },
      expect: "no-stale-mapping",
    },
    fixed: { text: "a flag for each vCPU, set when the page is gone", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const programs = [
      program(0x1000, [store32(DATA + 0x100, 1)]),
      program(0x3000, [
        setRegister("eax", HC_MEMORY_OP),
        setRegister("ebx", XENMEM_DECREASE_RESERVATION),
        setRegister("ecx", DATA),
        vmcall("gives page 4 back"),
        store32(DATA + 0x104, 2),
      ]),
    ];
    const world = createWorld(module, { pages: 5, programs, knobs });
    writeArgument(world);
    const end = createServer(world, {});
    const mappingAt = world.dom0.ramAt + MAPPING_GPA;
    const isMapped = (): boolean => word(world, mappingAt) !== 0;
    const hasReturned = (): boolean => world.rip(1) >= programs[1]!.retiredAt[4]!;
    setWord(world, mappingAt, 1);
    return {
      world,
      slotStates: () => programs.map((_, vcpu) => slotState(world, end, vcpu)),
      describeState: () => `page ${pageTypeOf(world, GIVEN)}, ${isMapped() ? "mapped by the emulator" : "not mapped"}`,
      actors: [
        ...programs.map((p, vcpu) => vcpuActor(world, { name: `guest${vcpu}`, index: vcpu, vcpu, ...p })),
        deviceActor(world, {
          name: "emulator",
          index: 2,
          end,
          onInvalidate: () => setWord(world, mappingAt, 0),
        }),
        writerActor(world, {
          name: "emulator-maps",
          index: 3,
          loops: false,
          program: [
            {
              text: "maps the page again, because it needs it",
              when: () => !isMapped() && pageTypeOf(world, GIVEN) === "ram_rw",
              run: () => setWord(world, mappingAt, 1),
            },
          ],
        }),
      ],
      invariants: [
        {
          name: "no-stale-mapping",
          text: "when the guest runs on after it gave a page back, no device model has the page mapped",
          always: () =>
            hasReturned() && isMapped()
              ? "the guest has given the page back and runs on, and the emulator has it mapped"
              : undefined,
        },
      ],
    };
  },
});
