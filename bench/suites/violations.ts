/**
 * What an EPT violation costs from the guest's instruction to the next one, by what the hypervisor finds at the page; and a misconfiguration
 * that is repaired. One operation is one exit. Unsharing a page is a violation, too: suite `sharing`.
 */

import { ServerId } from "../../host/lib/ids.ts";
import { createMonitor } from "../../host/lib/monitor/monitor.ts";
import { mapMemType, setMemType } from "../../host/lib/toolstack/dm-op.ts";
import { logDirtyClean, logDirtyEnable, logDirtyOff } from "../../host/lib/toolstack/log-dirty.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { COUNTER_BASE } from "../../hv-core/abi/devices.ts";
import { DMOP_MEM_ACCESS_WRITE } from "../../hv-core/abi/hypercalls.ts";
import { DEVICE_AT_CORE } from "../../hv-core/abi/knobs.ts";
import { HVMMEM_IOREQ_SERVER, HVMMEM_RAM_RO } from "../../hv-core/abi/p2m-types.ts";
import { countersOf } from "../counted.ts";
import { type Loop, startLoop } from "../guest-loop.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Row, Table } from "../report.ts";

const PAGE = 0x40_0000;
const HOLE = 0x8000_0000;
const MEMORY = 64 * 2 ** 20;
const BUDGET = 4000;
/** Pages that are touched one after the other, where each is an exit only once; tables of 512 pages for misconfigurations. */
const PAGES = 512;
const TABLES = 16;

const store = (address: number) => ({ before: `mov edi, ${address}`, body: "mov [edi], eax" });

function exits(loop: Loop, kind: string): number {
  return loop.machine.stats().exits[kind] ?? 0;
}

/** A guest that does nothing but leave at one address. */
function standing(
  name: string,
  address: number,
  prepare: (loop: Loop) => void = () => {},
  knobs: Readonly<Record<string, number>> = {},
): Contestant {
  const { before, body } = store(address);
  const settings = { knobs: { "p2m.superpages": 0, ...knobs }, memoryBytes: MEMORY };
  const loop = startLoop(compileBuild("release"), settings, before, body);
  prepare(loop);
  loop.run(BUDGET);
  const already = exits(loop, "EPT_VIOLATION");
  loop.run(BUDGET);
  const operations = exits(loop, "EPT_VIOLATION") - already;
  if (operations === 0) throw new Error(`${name}: the guest does not leave`);
  return { name, operations, call: () => loop.run(BUDGET), counters: () => countersOf(loop.machine.core) };
}

interface Preparation {
  once?(loop: Loop): void;
  /** Before each sample: makes the guest leave once at each page. */
  again(loop: Loop): void;
}

/** A guest that goes over `count` pages, `apart` bytes from each other, again and again. */
function passing(
  name: string,
  kind: "EPT_VIOLATION" | "EPT_MISCONFIG",
  { count, apart }: { readonly count: number; readonly apart: number },
  prepare: Preparation,
): Contestant {
  const body = `mov [edi], eax
        add edi, ${apart}
        cmp edi, ${PAGE + count * apart}
        jb loop
        mov edi, ${PAGE}`;
  const settings = { knobs: { "p2m.superpages": 0 }, memoryBytes: MEMORY };
  const loop = startLoop(compileBuild("release"), settings, `mov edi, ${PAGE}`, body);
  loop.retire(8 * count);
  prepare.once?.(loop);
  loop.retire(8 * count);
  return {
    name,
    operations: 1,
    sample() {
      prepare.again(loop);
      const already = exits(loop, kind);
      const began = performance.now();
      loop.retire(4 * count + 4);
      const took = (performance.now() - began) / 1000;
      const left = exits(loop, kind) - already;
      if (left === 0) throw new Error(`${name}: the guest does not leave`);
      return [took / left];
    },
  };
}

function monitored(loop: Loop): void {
  const { dom0 } = loop.machine;
  const monitor = createMonitor({ dom0, domid: loop.domid, write: [PAGE / 4096], execute: [], onEvent: () => {} });
  loop.machine.attachListener(monitor.listener, () => monitor.serve());
}

/** The platform's own server gets the type: it has no device behind it, so what is measured is the way there and back. */
function typed(loop: Loop): void {
  const { dom0 } = loop.machine;
  mapMemType(dom0, loop.domid, ServerId(0), DMOP_MEM_ACCESS_WRITE);
  setMemType(dom0, loop.domid, PAGE / 4096, 1, HVMMEM_IOREQ_SERVER);
}

export function violationContestants(): Contestant[] {
  const everyPage = { count: PAGES, apart: 4096 };
  const everyTable = { count: TABLES, apart: 512 * 4096 };
  return [
    standing("device in the core", COUNTER_BASE, undefined, { "device.at": DEVICE_AT_CORE }),
    standing("hole, nobody answers", HOLE),
    standing("RAM that is read-only, the write is dropped", PAGE, ({ machine, domid }) =>
      setMemType(machine.dom0, domid, PAGE / 4096, 1, HVMMEM_RAM_RO),
    ),
    passing("log-dirty, the page is marked and writable again", "EPT_VIOLATION", everyPage, {
      once: ({ machine, domid }) => logDirtyEnable(machine.dom0, domid),
      again: ({ machine, domid }) => void logDirtyClean(machine.dom0, domid, (PAGE >> 12) + PAGES),
    }),
    standing("page of type ioreq_server, a device model answers", PAGE, typed),
    standing("page access, a monitor hears of it", PAGE, monitored),
    passing("misconfiguration: a table of 512 entries is repaired", "EPT_MISCONFIG", everyTable, {
      // Tracking that ends makes everything invalid, and leaves nothing but misconfigurations.
      again(loop) {
        logDirtyEnable(loop.machine.dom0, loop.domid);
        loop.retire(4 * TABLES + 4);
        logDirtyOff(loop.machine.dom0, loop.domid);
      },
    }),
  ];
}

export function violationsSuite(effort: Effort): Table {
  const [first, ...others] = measure(violationContestants(), effort);
  const rows: Row[] = [
    { measurement: first!, unit: "ns" },
    ...others.map((measurement): Row => ({ measurement, unit: "ns", against: first! })),
  ];
  return { title: "EPT violations by kind (ns each)", rows };
}
