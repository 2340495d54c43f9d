/**
 * C-103, spec 07 section 7.4: the testbed's own variant of a page that moves under a pointer. Growing a WebAssembly memory detaches every
 * view of it; what is then written through one is lost.
 */
import { CONT_FIRST_PROCESSOR, CONT_HYPERCALL } from "../../../../hv-core/abi/continuation.ts";
import { DOMCTL_SIZE, DOMCTL_UNION } from "../../../../hv-core/abi/domctl.ts";
import { DOMCTL_GETDOMAININFO, DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../../hv-core/abi/hypercalls.ts";
import { ACTOR_RACE_TOOLSTACK, allocActor, slabOf } from "../../actors.ts";
import { errnoName } from "../../errors.ts";
import { type Actor, setWord, word } from "../../explore/actors.ts";
import { program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { createWorld, type World } from "../../explore/world.ts";
import { DOM0 } from "../../ids.ts";

/** Fields of the toolstack's slab: program counter, how often the memory grew, how often it had when the view was made, results. */
const PC = 8;
const GROWTH = 12;
const VIEW_MADE = 16;
const RESULT = 20;
const ANSWER = 24;
const BUFFER_PAGE = 11;
const NO_ANSWER = 0xffff_ffff;

/**
 * A view as the program is left with after the growth. It is one of another memory: the machine's own must not grow, because a state of
 * the explorer could not be put back.
 */
function detachedView(): Uint8Array {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const view = new Uint8Array(memory.buffer, 0, DOMCTL_SIZE);
  memory.grow(1);
  return view;
}

function makeActors(world: World, keepsView: boolean): { toolstack: Actor; grower: Actor; slab: number } {
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_TOOLSTACK, DOM0));
  const gpa = BUFFER_PAGE * 4096;
  const at = world.dom0.ramAt + gpa;
  const field = (offset: number): number => word(world, slab + offset);
  const set = (offset: number, value: number): void => setWord(world, slab + offset, value);

  /** Whether the program's view is one that the growth has detached. */
  const isDetached = (): boolean => keepsView && field(VIEW_MADE) !== field(GROWTH);

  function fill(): void {
    const request = new DataView(new ArrayBuffer(DOMCTL_SIZE));
    request.setUint32(0, DOMCTL_GETDOMAININFO, true);
    request.setUint32(4, DOMCTL_INTERFACE_VERSION_4_17, true);
    request.setUint16(8, world.domid, true);
    const bytes = new Uint8Array(request.buffer);
    if (!isDetached()) {
      world.core.u8.set(bytes, at);
      return;
    }
    const view = detachedView();
    for (let i = 0; i < DOMCTL_SIZE; i++) view[i] = bytes[i]!; // nothing happens, and nothing is thrown
  }

  function read(): void {
    const view = isDetached() ? detachedView() : world.core.u8.slice(at, at + DOMCTL_SIZE);
    const [low, high] = [view[DOMCTL_UNION], view[DOMCTL_UNION + 1]];
    set(ANSWER, low === undefined || high === undefined ? NO_ANSWER : low | (high << 8));
  }

  function ended(result: number): void {
    set(RESULT, result);
    set(PC, field(PC) + 1);
  }

  const processor = CONT_FIRST_PROCESSOR + 1;
  const steps: readonly { readonly word: string; readonly text: string; run(): void }[] = [
    { word: "view", text: "makes a view of its buffer", run: () => set(VIEW_MADE, field(GROWTH)) },
    { word: "fill", text: "fills in the argument", run: fill },
    {
      word: "call",
      text: "makes the hypercall getdomaininfo",
      run() {
        const result = world.continuations.start(0, { kind: CONT_HYPERCALL, args: [HC_DOMCTL, gpa], processor });
        if (result !== undefined) ended(result);
      },
    },
    { word: "read", text: "reads the answer", run: read },
  ];
  const isRunning = (): boolean => field(PC) < steps.length;
  const toolstack: Actor = {
    name: "toolstack",
    index: 0,
    processor,
    isReady: isRunning,
    hasWork: isRunning,
    next: () => steps[field(PC)] ?? { word: "through", text: "has nothing left to do" },
    begin() {
      const step = steps[field(PC)]!;
      step.run();
      if (step.word !== "call") set(PC, field(PC) + 1); // a hypercall ends with ended()
    },
    ended,
  };
  const grower: Actor = {
    name: "another",
    index: 1,
    processor: 0,
    isReady: () => isRunning() && field(GROWTH) === 0,
    hasWork: () => false,
    next: () => ({ word: "grow", text: "makes the memory grow: every view of it is detached" }),
    begin: () => set(GROWTH, field(GROWTH) + 1),
    ended() {},
  };
  return { toolstack, grower, slab };
}

export const staleView = defineRace({
  name: "stale-view",
  id: "C-103",
  title: "A view of the linear memory is kept while the memory grows",
  lesson:
    "A host program holds a typed array over the linear memory, which is its pointer into the machine. When the memory grows, every view of the old buffer is " +
    "detached: its length is 0, writes to it vanish without an exception and reads find nothing. It is the same mistake as a locked " +
    "page that moves: an address is only good as long as nobody changes what it means. The rule: keep offsets, which stay true, and " +
    "make the view at each access. host/lib/buffers does that, and its arena can make the memory grow at every allocation to prove it.",
  varies: "the host program",
  variants: {
    kept: { text: "the view is made once and kept", knobs: {}, expect: "argument-arrives" },
    fixed: { text: "a view is made at each access", knobs: {}, expect: "clean" },
  },
  setup(module, knobs, variant) {
    const world = createWorld(module, { pages: 2, programs: [program(0x1000, [])], knobs });
    const { toolstack, grower, slab } = makeActors(world, variant === "kept");
    const field = (offset: number): number => word(world, slab + offset);
    return {
      world,
      actors: [toolstack, grower],
      describeState: () => `the memory grew ${field(GROWTH)} time(s), the view is from ${field(VIEW_MADE)}`,
      invariants: [
        {
          name: "argument-arrives",
          text: "the hypervisor sees what the toolstack filled in, and the toolstack what the hypervisor answered",
          always() {
            const result = field(RESULT) | 0;
            if (result < 0) return `the hypercall failed: ${errnoName(-result)}: its argument was never filled in`;
            if (field(PC) === 4 && field(ANSWER) !== world.domid) return "the answer was there and could not be read";
            return undefined;
          },
        },
      ],
    };
  },
});
