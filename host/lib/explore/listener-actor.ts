/**
 * A listener on a vm_event ring as an actor: takes a request, brings the page back if it is a pager, answers, tells the hypervisor; each
 * of these is a step. Slab: phase @8, requests taken @12, the request under way {gfn @16, flags @20, paging flags @24}, log from 64 on
 * {gfn u32, paging flags u32}.
 */
import { CONT_FIRST_PROCESSOR, CONT_HYPERCALL } from "../../../hv-core/abi/continuation.ts";
import { EVTCHNOP_SEND, HC_EVENT_CHANNEL_OP, HC_MEMORY_OP } from "../../../hv-core/abi/hypercalls.ts";
import {
  EV_FLAGS,
  EV_GFN,
  EV_PAGING_FLAGS,
  PAGING_PREP,
  RING_ENTRIES,
  RING_REQ_PROD,
  RING_RSP_PROD,
  RING_SLOTS,
  VM_EVENT_SIZE,
  XENMEM_PAGING_OP,
} from "../../../hv-core/abi/vm-event.ts";
import { ACTOR_RACE_LISTENER, allocActor, slabOf } from "../actors.ts";
import { type Actor, setWord, word } from "./actors.ts";
import type { World } from "./world.ts";

const PHASE = 8;
const TAKEN = 12;
const GFN = 16;
const FLAGS = 20;
const PAGING_FLAGS = 24;
const LOG = 64;
const LOG_MAX = 32;

const IDLE = 0;
const PREPARING = 1;
const ANSWERING = 2;
const NOTIFYING = 3;
/** Page of dom0 for its arguments, as for other actors; page with the contents that prep gives. */
const LAST_PAGE = 11;
export const CONTENTS_PAGE = 5;

/** A ring as dom0 sees it: linear address of its page, and dom0's port. */
export interface RingEnd {
  readonly page: number;
  readonly port: number;
}

export interface TakenRequest {
  readonly gfn: number;
  readonly pagingFlags: number;
}

export interface ListenerOptions {
  readonly name: string;
  readonly index: number;
  readonly ring: RingEnd;
  /** What it does about a page before it answers: prep with contents, prep without (and then writes them), or nothing. */
  readonly prep?: (request: TakenRequest) => "with contents" | "early" | "no";
  /** What it writes to a page that was prepared early, at linear address `at`. */
  readonly fill?: (at: number) => void;
  /** Flags of the answer; those of the request unless told. `more` writes other fields of the entry. */
  readonly answer?: (flags: number) => number;
  readonly more?: (view: DataView, at: number) => void;
}

export interface ListenerActor extends Actor {
  /** Requests it has taken, in order. */
  log(): readonly TakenRequest[];
}

export function listenerActor(world: World, options: ListenerOptions): ListenerActor {
  const { index, ring } = options;
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_LISTENER, world.domid));
  const processor = CONT_FIRST_PROCESSOR + index + 1;
  const gpa = (LAST_PAGE - index) * 4096;
  const at = world.dom0.ramAt + gpa;
  const phase = (): number => word(world, slab + PHASE);
  const entry = (): number =>
    ring.page + RING_ENTRIES + (word(world, ring.page + RING_RSP_PROD) % RING_SLOTS) * VM_EVENT_SIZE;
  const isWaiting = (): boolean => word(world, ring.page + RING_REQ_PROD) !== word(world, ring.page + RING_RSP_PROD);
  const request = (): TakenRequest => ({
    gfn: word(world, slab + GFN),
    pagingFlags: word(world, slab + PAGING_FLAGS),
  });

  function start(args: readonly number[]): void {
    const result = world.continuations.start(index, { kind: CONT_HYPERCALL, args, processor });
    if (result !== undefined) ended();
  }

  function take(): void {
    for (const [from, to] of [
      [EV_GFN, GFN],
      [EV_FLAGS, FLAGS],
      [EV_PAGING_FLAGS, PAGING_FLAGS],
    ] as const)
      setWord(world, slab + to, word(world, entry() + from));
    const taken = word(world, slab + TAKEN);
    if (taken < LOG_MAX) {
      setWord(world, slab + LOG + taken * 8, request().gfn);
      setWord(world, slab + LOG + taken * 8 + 4, request().pagingFlags);
      setWord(world, slab + TAKEN, taken + 1);
    }
    setWord(world, slab + PHASE, (options.prep?.(request()) ?? "no") === "no" ? ANSWERING : PREPARING);
  }

  function prep(): void {
    const { view } = world.core;
    view.setUint8(at, PAGING_PREP);
    view.setUint16(at + 2, world.domid, true);
    view.setUint32(at + 8, options.prep?.(request()) === "early" ? 0 : CONTENTS_PAGE * 4096, true);
    view.setUint32(at + 16, request().gfn, true);
    start([HC_MEMORY_OP, XENMEM_PAGING_OP, gpa]);
  }

  function answer(): void {
    if (options.prep?.(request()) === "early") options.fill?.(world.guestAddress(request().gfn * 4096));
    const flags = word(world, slab + FLAGS);
    setWord(world, entry() + EV_FLAGS, options.answer?.(flags) ?? flags);
    options.more?.(world.core.view, entry());
    setWord(world, ring.page + RING_RSP_PROD, word(world, ring.page + RING_RSP_PROD) + 1);
    setWord(world, slab + PHASE, NOTIFYING);
  }

  function notify(): void {
    setWord(world, at, ring.port);
    start([HC_EVENT_CHANNEL_OP, EVTCHNOP_SEND, gpa]);
  }

  function ended(): void {
    world.core.u8.fill(0, at, at + 64);
    if (phase() === PREPARING) setWord(world, slab + PHASE, ANSWERING);
    else {
      for (const field of [PHASE, GFN, FLAGS, PAGING_FLAGS]) setWord(world, slab + field, 0);
    }
  }

  const steps = [
    { word: "take", text: "takes a request off the ring", run: take },
    { word: "prep", text: "brings the page back", run: prep },
    { word: "answer", text: "puts its answer on the ring", run: answer },
    { word: "notify", text: "tells the hypervisor", run: notify },
  ];
  return {
    name: options.name,
    index,
    processor,
    isReady: () => phase() !== IDLE || isWaiting(),
    hasWork: () => phase() !== IDLE || world.continuations.suspension(index) !== undefined,
    next: () => steps[phase()]!,
    begin: () => steps[phase()]!.run(),
    ended,
    log: () =>
      Array.from({ length: word(world, slab + TAKEN) }, (_, i) => ({
        gfn: word(world, slab + LOG + i * 8),
        pagingFlags: word(world, slab + LOG + i * 8 + 4),
      })),
  };
}
