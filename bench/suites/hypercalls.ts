/**
 * Hypercalls: one that does nothing, from a guest and from the toolstack, and getdomaininfo over growing numbers of domains, which walks
 * the list of domains as Xen does.
 */
import { asm, assemble } from "../../guests/asm/assembler.ts";
import { instantiateCore } from "../../host/lib/core.ts";
import { createDom0, type Dom0, hypercall } from "../../host/lib/dom0.ts";
import { DomId } from "../../host/lib/ids.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { domainCreate, domainGetInfo } from "../../host/lib/toolstack/domctl.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { HC_XEN_VERSION } from "../../hv-core/abi/hypercalls.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Row, Table } from "../report.ts";
import type { Sweep } from "../sweep.ts";

const BASE = 0x10_0000;
const MEMORY = 0x40_0000;
const INSTRUCTIONS = 40_000;
const WARM_UP = 1000;
const CALLS = 2000;
const DOM0_PAGES = 16;
/** Root table, shared_info and ports of a domain. */
const FRAMES_EACH = 3;
const DOMAINS = [10, 100, 1000, 10_000] as const;

/** xen_version with command 0: a number, no memory. */
const LOOP = asm`
        bits 32
        org ${BASE}
start:  mov eax, ${HC_XEN_VERSION}
        xor ebx, ebx
        vmcall
        jmp start
`;

function guestContestant(wasm: WebAssembly.Module): Contestant {
  const machine = createMachine(wasm, { memoryBytes: MEMORY, vcpus: 1 });
  const segments = assemble(LOOP).sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  const image = { format: "flat", description: "null hypercall", entry: BASE, segments } as const;
  machine.createGuest({ image, memoryBytes: MEMORY, vcpus: 1, cmdline: "", modules: [] });
  const run = (instructions: number): void => {
    const end = machine.run({ maxInstructions: instructions });
    if (end.kind !== "budget") throw new Error(`null hypercall: the guest stopped (${end.kind})`);
  };
  const exits = (): number => Object.values(machine.stats().exits).reduce((sum, count) => sum + count, 0);
  run(WARM_UP);
  const before = exits();
  run(INSTRUCTIONS);
  return { name: "null hypercall, guest", operations: exits() - before, call: () => run(INSTRUCTIONS) };
}

function machineWith(wasm: WebAssembly.Module, domains: number): Dom0 {
  const frameCount = 1024 + domains * FRAMES_EACH;
  const core = instantiateCore(wasm, { frameCount });
  core.exports.machineInit(frameCount, DOM0_PAGES);
  const dom0 = createDom0(core, DOM0_PAGES);
  for (let i = 0; i < domains; i++) domainCreate(dom0, 1);
  return dom0;
}

function toolstackContestant(wasm: WebAssembly.Module): Contestant {
  const dom0 = machineWith(wasm, 1);
  const call = (): void => {
    for (let i = 0; i < CALLS; i++) hypercall(dom0, HC_XEN_VERSION, 0);
  };
  return { name: "null hypercall, toolstack", operations: CALLS, call };
}

function infoContestant(wasm: WebAssembly.Module, domains: number): Contestant {
  const dom0 = machineWith(wasm, domains);
  const last = DomId(domains);
  const calls = Math.max(1, Math.round(CALLS / domains));
  const call = (): void => {
    for (let i = 0; i < calls; i++) domainGetInfo(dom0, last);
  };
  return { name: `getdomaininfo, the last of ${domains} domains`, operations: calls, call };
}

export function hypercallSuite(effort: Effort): Table {
  const wasm = compileBuild("release");
  const contestants = [
    guestContestant(wasm),
    toolstackContestant(wasm),
    ...DOMAINS.map((domains) => infoContestant(wasm, domains)),
  ];
  const [guest, toolstack, ...infos] = measure(contestants, effort);
  const rows: Row[] = [
    { measurement: guest!, unit: "M/s" },
    { measurement: toolstack!, unit: "M/s", against: guest! },
    ...infos.map((measurement): Row => ({ measurement, unit: "ns", against: infos[0]! })),
  ];
  return {
    title: "Hypercalls",
    rows,
    notes: ["for scale (quoted, another run): a null hypercall of a guest on Xen under QEMU, 0.03 M/s"],
  };
}

export const HYPERCALL_SWEEPS: readonly Sweep[] = [
  {
    name: "getdomaininfo of the last domain",
    sizeLabel: "domains",
    sizes: [10, 100, 1000, 10_000],
    documented: "linear",
    why: "Xen walks the list of domains, and so do we",
    at: (domains) => infoContestant(compileBuild("release"), domains),
  },
];
