/** Checks on a live machine with one guest: it runs, the toolstack does things to it, and everything can be looked at. */

import { DMOP_MEM_ACCESS_WRITE } from "../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../../hv-core/abi/p2m-types.ts";
import { frameOf } from "../dedup/pages.ts";
import { errnoName, UsageError } from "../errors.ts";
import type { ServerId } from "../ids.ts";
import { pauseFlags } from "../inspect.ts";
import { type EraName, parseKnob } from "../knobs.ts";
import { loadImage } from "../loader/detect.ts";
import { createMachine, type Machine } from "../machine.ts";
import { readP2m } from "../p2m-map.ts";
import { createPager, type Pager } from "../pager/pager.ts";
import { memoryStore } from "../pager/store.ts";
import { createIoreqServer, mapMemType, setIoreqServerState, setMemType } from "../toolstack/dm-op.ts";
import { domainCreate, domainGetInfo, domainList, domainPause, domainUnpause } from "../toolstack/domctl.ts";
import { logDirtyClean, logDirtyEnable, logDirtyOff, logDirtyPeek } from "../toolstack/log-dirty.ts";
import {
  allocSharingOp,
  handleOf,
  nominateGfn,
  shareGfns,
  sharingControl,
  sharingCounts,
} from "../toolstack/sharing.ts";
import { eventName, readTrace } from "../trace/decode.ts";
import { traceText } from "../trace/text.ts";
import { numberOf } from "./check-line.ts";
import type { LessonTools, Stage, Value } from "./stage.ts";

export interface MachineChoice {
  readonly guest: string;
  readonly memoryMiB?: number;
  readonly vcpus?: number;
  readonly era?: EraName;
  /** "tlb.entries=16" */
  readonly knobs: readonly string[];
}

/** Guests of lessons end long before. */
const LONGEST_RUN = 20_000_000;
const BUFIOREQ_OFF = 0;

function fail(reason: string): never {
  throw new UsageError(reason);
}

function count(text: string | undefined, what: string): number {
  const value = text === undefined ? undefined : numberOf(text);
  return value !== undefined && value >= 0 ? value : fail(`${what}: "${text ?? ""}" is no number`);
}

export async function createMachineStage(tools: LessonTools, choice: MachineChoice): Promise<Stage> {
  const guest = (await tools.guest(choice.guest)) ?? fail(`there is no guest "${choice.guest}"`);
  const image = loadImage(guest.file);
  if (!image.ok) fail(`${choice.guest}: ${image.problem}`);
  const memoryBytes = (choice.memoryMiB ?? guest.run?.memoryMiB ?? 16) * 2 ** 20;
  const vcpus = choice.vcpus ?? guest.run?.vcpus ?? 1;
  const knobs = Object.fromEntries(choice.knobs.map(parseKnob));
  const machine: Machine = createMachine(await tools.build("release"), {
    memoryBytes,
    vcpus,
    knobs,
    ...(choice.era ? { era: choice.era } : {}),
  });
  const { dom0, core, window } = machine;
  const { domid } = machine.createGuest({
    image: image.value,
    memoryBytes,
    vcpus,
    cmdline: guest.run?.cmdline ?? "",
    modules: [],
  });
  const pages = memoryBytes / 4096;
  const store = memoryStore();
  let pager: Pager | undefined;
  let server: ServerId | undefined;
  let isShared = false;

  const slot = (): number => machine.vcpus(domid)[0] ?? fail("the guest has no vCPU");
  const exits = (name: string): number => machine.stats().exits[name] ?? 0;
  const rangeOf = (gfn: number) => readP2m(core, domid)?.ranges.find((r) => gfn >= r.gfn && gfn < r.gfn + r.pages);

  function runTo(reason: string): void {
    const before = exits(reason);
    while (exits(reason) === before) {
      const { kind } = machine.step(slot());
      if (kind !== "ran" && exits(reason) === before)
        fail(`the guest never left for ${reason}: it ${kind === "ended" ? "ended" : "waits"}`);
    }
  }

  function runFor(words: readonly string[]): void {
    if (words[0] === "to" && words[1] === "exit") runTo(words[2] ?? "");
    else machine.run({ maxInstructions: words[0] === undefined ? LONGEST_RUN : count(words[0], "run") });
  }

  function watch(first: number, length: number): void {
    server ??= createIoreqServer(dom0, domid, BUFIOREQ_OFF);
    setIoreqServerState(dom0, domid, server, true);
    mapMemType(dom0, domid, server, DMOP_MEM_ACCESS_WRITE);
    setMemType(dom0, domid, first, length, HVMMEM_IOREQ_SERVER);
  }

  function nominated(gfn: number): bigint {
    if (!isShared) sharingControl(dom0, domid, true);
    isShared = true;
    using op = allocSharingOp(dom0);
    const error = nominateGfn(dom0, op, { domid, gfn });
    if (error !== 0) fail(`nominating gfn 0x${gfn.toString(16)} answers -${errnoName(-error) ?? -error}`);
    return handleOf(op);
  }

  function share(one: number, other: number): void {
    const [a, b] = [nominated(one), nominated(other)];
    using op = allocSharingOp(dom0);
    const result = shareGfns(dom0, op, { domid, gfn: one }, a, { domid, gfn: other }, b);
    if (result !== 0) fail(`sharing answers ${result}`);
  }

  function startPager(): void {
    pager = createPager({ dom0, window, domid, store });
    const { listener } = pager;
    const own = pager;
    machine.attachListener(listener, () => {
      if (own === pager) pager.serve();
    });
    pager.serve();
  }

  function domctl(name: string, times: number): void {
    const calls: Readonly<Record<string, () => unknown>> = {
      pause: () => domainPause(dom0, domid),
      unpause: () => domainUnpause(dom0, domid),
      info: () => domainGetInfo(dom0, domid),
      list: () => domainList(dom0),
    };
    const call = Object.hasOwn(calls, name)
      ? calls[name]!
      : fail(`domctl "${name}": use one of ${Object.keys(calls).join(", ")}`);
    for (let i = 0; i < times; i++) call();
  }

  const actions: Readonly<Record<string, (args: readonly string[]) => void>> = {
    run: runFor,
    step: ([n]) => {
      for (let i = n === undefined ? 1 : count(n, "step"); i > 0; i--) machine.step(slot());
    },
    watch: ([first, length]) => watch(count(first, "watch"), count(length ?? "1", "watch")),
    release: () => mapMemType(dom0, domid, server ?? fail("nobody watches"), 0),
    "log-dirty": ([what]) => {
      if (what === "on") logDirtyEnable(dom0, domid);
      else if (what === "off") logDirtyOff(dom0, domid);
      else if (what === "clean") logDirtyClean(dom0, domid, pages);
      else fail(`log-dirty "${what ?? ""}": on, clean or off`);
    },
    share: ([one, other]) => share(count(one, "share"), count(other, "share")),
    nominate: ([gfn]) => void nominated(count(gfn, "nominate")),
    pager: ([what]) => {
      if (what === "start") startPager();
      else if (what === "kill") pager = undefined;
      else fail(`pager "${what ?? ""}": start or kill`);
    },
    evict: ([gfn]) => {
      if (!(pager ?? fail("no pager runs")).evict(count(gfn, "evict")))
        fail(`the page at gfn ${gfn} cannot be evicted now`);
    },
    domctl: ([name, times]) => domctl(name ?? "", times === undefined ? 1 : count(times, "domctl")),
    domains: ([n]) => {
      for (let i = count(n, "domains"); i > 0; i--) domainCreate(dom0, 1);
    },
  };

  const quantities: Readonly<Record<string, (args: readonly string[]) => Value>> = {
    exits: ([name]) => exits(name ?? ""),
    counter: ([name]) => machine.stats().counters[name ?? ""] ?? fail(`no counter is called "${name ?? ""}"`),
    instructions: () => machine.stats().instructions,
    p2m: ([gfn]) => rangeOf(count(gfn, "p2m"))?.type ?? "hole",
    "p2m-rights": ([gfn]) => rangeOf(count(gfn, "p2m-rights"))?.rights ?? "---",
    "p2m-size": ([gfn]) => rangeOf(count(gfn, "p2m-size"))?.pageSize ?? "-",
    "p2m-pending": ([gfn]) =>
      machine.walk(domid, count(gfn, "p2m-pending") * 4096).some((s) => s.decoded.isInvalidated || s.decoded.recalc)
        ? "yes"
        : "no",
    frame: ([gfn]) => frameOf(core, domid, count(gfn, "frame")),
    register: ([name]) => registerOf(name ?? ""),
    word: ([gpa]) => new DataView(machine.peek(domid, count(gpa, "word"), 4).slice().buffer).getUint32(0, true),
    console: () => machine.console(),
    outcome: () => machine.ended(domid)?.outcome ?? "alive",
    blocked: () => (pauseFlags(core, slot()) !== 0 ? "yes" : "no"),
    dirty: () => logDirtyPeek(dom0, domid, pages).reduce((sum, byte) => sum + bits(byte), 0),
    saved: () => sharingCounts(dom0).freedPages,
    trace: () => traceText(readTrace(core)),
    traced: ([name]) => readTrace(core).filter((r) => eventName(r.event) === name).length,
  };

  function registerOf(name: string): number {
    const { general, rip } = machine.regs(slot());
    const wide = name.replace(/^e/, "r");
    const value = wide === "rip" ? rip : (general as Readonly<Record<string, bigint>>)[wide];
    return value === undefined ? fail(`no register is called "${name}"`) : Number(BigInt.asUintN(32, value));
  }

  return {
    act(name, args) {
      if (!Object.hasOwn(actions, name)) return false;
      actions[name]!(args);
      return true;
    },
    quantity: (name, args) => (Object.hasOwn(quantities, name) ? quantities[name]!(args) : undefined),
    dispose: () => machine[Symbol.dispose](),
  };
}

function bits(byte: number): number {
  let n = 0;
  for (; byte !== 0; byte &= byte - 1) n++;
  return n;
}
