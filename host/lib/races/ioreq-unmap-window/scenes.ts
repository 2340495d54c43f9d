/** The machines of the unmap window: who takes part in each design's race, and what must hold. */
import { EBUSY, EINVAL } from "../../../../hv-core/abi/errno.ts";
import {
  DOMID_SELF,
  EVTCHNOP_STATUS,
  HC_EVENT_CHANNEL_OP,
  HC_XEN_VERSION,
} from "../../../../hv-core/abi/hypercalls.ts";
import { word } from "../../explore/actors.ts";
import { add32, type Instruction, setRegister, store32, vmcall } from "../../explore/code.ts";
import { createServer, deviceActor } from "../../explore/device-actor.ts";
import { mapType, unmapType, watchPage } from "../../explore/hypercall-steps.ts";
import { type ExpectedWrite, everyWriteOnce, ramValue } from "../../explore/invariants.ts";
import type { Invariant, RaceSetup } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { writerActor } from "../../explore/writer-actor.ts";
import { DATA, PAGE, type Settings, type WatchedGuest, watchedGuest } from "../watched-guest.ts";

export type Scene = "unmap" | "again" | "two" | "split" | "events" | "takeover" | "inherit" | "rmw" | "copyout";

const XENVER_EXTRAVERSION = 1;

const guestActors = ({ world, programs }: WatchedGuest) =>
  programs.map((p, vcpu) => vcpuActor(world, { name: `guest${vcpu}`, index: vcpu, vcpu, ...p }));

/** The guest writes, the device model answers, the toolstack unmaps. */
function writeAndUnmap(guest: WatchedGuest, writes: readonly ExpectedWrite[]): RaceSetup {
  const { world, end, programs } = guest;
  const guests = guestActors(guest);
  const program = [unmapType(end)];
  const toolstack = toolstackActor(world, { name: "toolstack", index: guests.length, program });
  const emulator = deviceActor(world, { name: "emulator", index: guests.length + 1, end });
  return {
    ...guest,
    actors: [...guests, toolstack, emulator],
    invariants: [everyWriteOnce(world, programs, [emulator], writes)],
  };
}

/** A write that begins 3 bytes before the end of the page goes to the device model as 2 bytes and 1; the last byte is plain RAM. */
const SPLIT_AT = PAGE + 0xffd;
const PIECES: readonly ExpectedWrite[] = [
  { vcpu: 0, index: 0, address: SPLIT_AT, value: 0x0201, size: 2 },
  { vcpu: 0, index: 0, address: SPLIT_AT + 2, value: 0x03, size: 1 },
  { vcpu: 0, index: 0, address: DATA, value: 0x04, size: 1 },
];

/** A guest whose second vCPU makes a hypercall that is answered into its own memory. */
const hypercallTo = (nr: number, cmd: number, address: number, what: string): Instruction[] => [
  setRegister("eax", nr),
  setRegister("ebx", cmd),
  setRegister("ecx", address),
  vmcall(what),
];

function events(module: WebAssembly.Module, knobs: Settings): RaceSetup {
  const status = hypercallTo(HC_EVENT_CHANNEL_OP, EVTCHNOP_STATUS, DATA, "asks for the status of an event channel");
  const guest = watchedGuest(module, knobs, [[store32(PAGE, 1)], status]);
  const at = guest.world.guestAddress(DATA);
  guest.world.core.view.setUint16(at, DOMID_SELF, true);
  guest.world.core.view.setUint32(at + 4, 1, true);
  return writeAndUnmap(guest, [{ vcpu: 0, index: 0, address: PAGE, value: 1 }]);
}

/** A page of dom0 that nothing else uses (its last pages are arguments of programs, counted down). */
const COPY_GPA = 0x6000;

/** Another server takes the type over. */
function takeover(module: WebAssembly.Module, knobs: Settings): RaceSetup {
  const guest = watchedGuest(module, knobs, [[store32(PAGE, 1)]]);
  const { world, end, programs } = guest;
  const second = createServer(world, {});
  const toolstack = toolstackActor(world, {
    name: "toolstack",
    index: 1,
    program: [
      unmapType(end, "unmaps the page type from the first server"),
      mapType(second, "maps the page type to the second server"),
      watchPage(PAGE, [-EINVAL]),
    ],
  });
  const owner = deviceActor(world, { name: "second", index: 3, end: second });
  const first = deviceActor(world, { name: "first", index: 2, end });
  // The second device model's copy of the page: two words of its own memory, "taken" and the value.
  const copyAt = world.dom0.ramAt + COPY_GPA;
  world.core.u8.fill(0, copyAt, copyAt + 8);
  const copier = writerActor(world, {
    name: "second-reads",
    index: 4,
    loops: false,
    program: [
      {
        text: "reads the page once: from now on it relies on hearing of every write",
        when: () => toolstack.done() === 3,
        run: () => {
          world.core.u32[copyAt >> 2] = 1;
          world.core.u32[(copyAt >> 2) + 1] = ramValue(world, PAGE);
        },
      },
    ],
  });
  const seesAll: Invariant = {
    name: "new-owner-sees-all",
    text: "a device model that has read a page it owns hears of every later write to it",
    always() {
      if (word(world, copyAt) === 0) return undefined;
      const knows = word(world, copyAt + 4) === 1 || owner.log().some((w) => w.address === PAGE);
      const isNews = ramValue(world, PAGE) === 1 && !knows;
      return isNews
        ? "RAM has the guest's write of 1, and the page's new owner has neither read it nor heard of it"
        : undefined;
    },
  };
  const writes = [{ vcpu: 0, index: 0, address: PAGE, value: 1 }];
  return {
    ...guest,
    actors: [...guestActors(guest), toolstack, first, owner, copier],
    invariants: [everyWriteOnce(world, programs, [first, owner], writes), seesAll],
  };
}
function inherit(module: WebAssembly.Module, knobs: Settings): RaceSetup {
  const guest = watchedGuest(module, knobs, [[store32(PAGE, 1)]]);
  const { world, end, programs } = guest;
  const second = createServer(world, {});
  const toolstack = toolstackActor(world, {
    name: "toolstack",
    index: 1,
    program: [
      unmapType(end, "unmaps the page type from the first server"),
      mapType(second, "maps the page type to the second server", [-EBUSY]),
    ],
  });
  const first = deviceActor(world, { name: "first", index: 2, end });
  const heir = deviceActor(world, { name: "second", index: 3, end: second });
  const writes = [{ vcpu: 0, index: 0, address: PAGE, value: 1 }];
  const onlyOwn: Invariant = {
    name: "only-own-pages",
    text: "a device model hears only of pages that it gave the type itself",
    always: () =>
      heir.log().length === 0 ? undefined : "the second server got a write to a page that it never asked for",
  };
  return {
    ...guest,
    actors: [...guestActors(guest), toolstack, first, heir],
    invariants: [everyWriteOnce(world, programs, [first, heir], writes), onlyOwn],
  };
}

function copyOut(module: WebAssembly.Module, knobs: Settings): RaceSetup {
  const body = hypercallTo(
    HC_XEN_VERSION,
    XENVER_EXTRAVERSION,
    PAGE,
    "asks for Xen's version as text, into the watched page",
  );
  const guest = watchedGuest(module, knobs, [[...body, store32(PAGE + 0x100, 1)]]);
  const { world, end, programs } = guest;
  const emulator = deviceActor(world, { name: "emulator", index: 1, end });
  const hearsAll: Invariant = {
    name: "server-hears-all",
    text: "as long as a server has the type, RAM of a watched page changes only when the server writes it",
    always: () =>
      ramValue(world, PAGE) === 0 ? undefined : "the page has changed, and its server has not heard of it",
  };
  const writes = [{ vcpu: 0, index: 4, address: PAGE + 0x100, value: 1 }];
  return {
    ...guest,
    actors: [...guestActors(guest), emulator],
    invariants: [hearsAll, everyWriteOnce(world, programs, [emulator], writes)],
  };
}

const TWO_STORES = [store32(PAGE, 1), store32(PAGE + 4, 2)];
const TWO_WRITES: readonly ExpectedWrite[] = [
  { vcpu: 0, index: 0, address: PAGE, value: 1 },
  { vcpu: 0, index: 1, address: PAGE + 4, value: 2 },
];

export const SCENES: Readonly<Record<Scene, (module: WebAssembly.Module, knobs: Settings) => RaceSetup>> = {
  unmap: (module, knobs) =>
    writeAndUnmap(watchedGuest(module, knobs, [[store32(PAGE, 1)]]), [{ vcpu: 0, index: 0, address: PAGE, value: 1 }]),
  again: (module, knobs) => writeAndUnmap(watchedGuest(module, knobs, [TWO_STORES]), TWO_WRITES),
  two: (module, knobs) =>
    writeAndUnmap(watchedGuest(module, knobs, [TWO_STORES, [store32(PAGE + 8, 3)]]), [
      ...TWO_WRITES,
      { vcpu: 1, index: 0, address: PAGE + 8, value: 3 },
    ]),
  split: (module, knobs) => writeAndUnmap(watchedGuest(module, knobs, [[store32(SPLIT_AT, 0x04030201)]]), PIECES),
  events,
  takeover,
  inherit,
  rmw: (module, knobs) =>
    writeAndUnmap(watchedGuest(module, knobs, [[add32(PAGE, 1)]]), [{ vcpu: 0, index: 0, address: PAGE, value: 1 }]),
  copyout: copyOut,
};
