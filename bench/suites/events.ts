/** Event channels: a send by a guest to itself and to dom0, a hypercall each. */
import { Port } from "../../host/lib/ids.ts";
import { evtchnBindInterdomain } from "../../host/lib/toolstack/evtchn.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import {
  EVTCHNOP_ALLOC_UNBOUND,
  EVTCHNOP_BIND_IPI,
  EVTCHNOP_SEND,
  HC_EVENT_CHANNEL_OP,
} from "../../hv-core/abi/hypercalls.ts";
import { countersOf } from "../counted.ts";
import { type Loop, startLoop } from "../guest-loop.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Row, Table } from "../report.ts";
import type { Sweep } from "../sweep.ts";

const MEMORY = 2 ** 22;
const BUDGET = 8000;
/** Where the guest keeps the argument of its hypercalls. */
const ARGUMENT = 0x9000;
const DOMID_SELF = 0x7ff0;
const DOM0 = 0;

/** A loop that sends in each turn. `setUp` is run once before and leaves the port at ARGUMENT; `prepare` is what the toolstack does then. */
function guestSends(name: string, setUp: string, prepare: (loop: Loop) => void = () => {}): Contestant {
  const loop = startLoop(
    compileBuild("release"),
    { knobs: {}, memoryBytes: MEMORY },
    setUp,
    `mov eax, ${HC_EVENT_CHANNEL_OP}
        mov ebx, ${EVTCHNOP_SEND}
        mov ecx, ${ARGUMENT}
        vmcall`,
  );
  const { machine } = loop;
  const sends = (): number => machine.stats().counters.evtchnSends ?? 0;
  loop.run(BUDGET);
  prepare(loop);
  loop.run(BUDGET);
  const before = sends();
  loop.run(BUDGET);
  const operations = sends() - before;
  if (operations === 0) throw new Error(`${name}: nothing is sent`);
  return { name, operations, call: () => loop.run(BUDGET), counters: () => countersOf(machine.core) };
}

/** Binds an IPI port of vCPU 0; `ports` in all, the last one is sent to. */
const bindIpi = (ports: number): string => `mov esi, ${ports}
bind:   mov dword [${ARGUMENT}], 0
        mov eax, ${HC_EVENT_CHANNEL_OP}
        mov ebx, ${EVTCHNOP_BIND_IPI}
        mov ecx, ${ARGUMENT}
        vmcall
        dec esi
        jnz bind
        mov eax, [${ARGUMENT + 4}]
        mov [${ARGUMENT}], eax`;

/** A port that dom0 may bind. */
const forDom0 = `mov dword [${ARGUMENT}], ${DOMID_SELF + DOM0 * 65536}
        mov eax, ${HC_EVENT_CHANNEL_OP}
        mov ebx, ${EVTCHNOP_ALLOC_UNBOUND}
        mov ecx, ${ARGUMENT}
        vmcall
        mov eax, [${ARGUMENT + 4}]
        mov [${ARGUMENT}], eax`;

export const ipiContestant = (ports: number): Contestant =>
  guestSends(`send to itself, ${ports} port${ports > 1 ? "s" : ""}`, bindIpi(ports));

function dom0Contestant(): Contestant {
  return guestSends("send to dom0, which looks at it", forDom0, ({ machine, domid }) => {
    const [port] = new Uint32Array(machine.peek(domid, ARGUMENT, 4).slice().buffer);
    evtchnBindInterdomain(machine.dom0, domid, Port(port!));
  });
}

export function eventsSuite(effort: Effort): Table {
  const [first, ...others] = measure([ipiContestant(1), ipiContestant(100), dom0Contestant()], effort);
  const rows: Row[] = [
    { measurement: first!, unit: "ns" },
    ...others.map((measurement): Row => ({ measurement, unit: "ns", against: first! })),
  ];
  return { title: "Event channels (ns each)", rows };
}

export const EVENT_SWEEPS: readonly Sweep[] = [
  {
    name: "event sent by a guest",
    sizeLabel: "ports bound",
    sizes: [1, 8, 64, 512],
    documented: "constant",
    why: "a port is found by its number",
    at: ipiContestant,
  },
];
