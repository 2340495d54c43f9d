/**
 * The audit: what was promised about each domctl against what it does here (spec 05 section 5.5). For every operation the work of one
 * call is counted while domains, vCPUs and the caller's size grow; then it is looked for answers that depend on memory of the
 * hypervisor, for effects beyond the domain meant, and for callers that wait for themselves.
 *
 * A leak is found by doing the same twice with other bytes left in the hypervisor's work memory: every byte that dom0 can read must be
 * the same afterwards.
 */
import { DOMCTL_IOMEM_PERMISSION } from "../../../hv-core/abi/domctl.ts";
import { ENOSYS, EOPNOTSUPP } from "../../../hv-core/abi/errno.ts";
import { DOMCTL_PAUSEDOMAIN, DOMCTL_UNPAUSEDOMAIN } from "../../../hv-core/abi/hypercalls.ts";
import {
  DEFECT_PAUSE_FLAG,
  DEFECT_SELF_PAUSE,
  DEFECT_STACK_PADDING,
  DEFECT_UNCHECKED_IO,
} from "../../../hv-core/abi/knobs.ts";
import { domainGetInfo } from "../toolstack/domctl.ts";
import {
  type AuditMachine,
  bystanders,
  createAuditMachine,
  dom0Memory,
  firstDifference,
  measure,
  poison,
  type Work,
} from "./machine.ts";
import { OPERATIONS, type Operation } from "./operations.ts";

export type Verdict = "holds" | "refuted" | "not applicable";

export interface AuditRow {
  readonly op: string;
  readonly number: number;
  readonly era: string;
  readonly claim: string;
  /** Steps of the smallest call, and what each further vCPU, domain and unit of the caller's size adds. */
  readonly measured: string;
  readonly verdict: Verdict;
  readonly evidence: string;
}

export interface Finding {
  readonly id: string;
  readonly era: string;
  readonly verdict: "found" | "absent" | "not applicable";
  readonly evidence: string;
}

export interface AuditReport {
  readonly rows: readonly AuditRow[];
  readonly findings: readonly Finding[];
}

const ERA = "4.17";
const ERA_DEFECTS = "4.17 with the defects of 2014";
const DEFECTS = DEFECT_SELF_PAUSE | DEFECT_STACK_PADDING | DEFECT_PAUSE_FLAG | DEFECT_UNCHECKED_IO;
const MANY_VCPUS = 128;
const MANY_DOMAINS = 200;
/** Steps that a call of constant work may take. */
const CONSTANT = 8;

interface Machines {
  readonly small: AuditMachine;
  readonly vcpus: AuditMachine;
  readonly domains: AuditMachine;
  /** Two alike, for leaks. */
  readonly twins: readonly [AuditMachine, AuditMachine];
}

function createMachines(wasm: WebAssembly.Module, defects: number): Machines {
  const make = (domains: number, vcpus: number): AuditMachine => createAuditMachine(wasm, { domains, vcpus, defects });
  return {
    small: make(2, 1),
    vcpus: make(2, MANY_VCPUS),
    domains: make(MANY_DOMAINS, 1),
    twins: [make(2, 1), make(2, 1)],
  };
}

function runOn(m: AuditMachine, operation: Operation, n: number, domid: number = m.subject): Work {
  const work = measure(m, operation.number, domid, operation.fill(n));
  if (operation.undo !== undefined && work.result === 0) measure(m, operation.undo, domid, () => {});
  return work;
}

interface Growth {
  readonly base: Work;
  readonly perVcpu: number;
  readonly perDomain: number;
  readonly perUnit: number;
  readonly largest: Work;
}

function growth(machines: Machines, operation: Operation): Growth {
  const smallest = operation.smallest ?? 0;
  const largestSize = operation.largest ?? smallest;
  const base = runOn(machines.small, operation, smallest);
  const largest = runOn(machines.small, operation, largestSize);
  const slope = (work: Work, units: number): number => (units === 0 ? 0 : (work.steps - base.steps) / units);
  return {
    base,
    largest,
    perVcpu: slope(runOn(machines.vcpus, operation, smallest), MANY_VCPUS - 1),
    perDomain: slope(runOn(machines.domains, operation, smallest), MANY_DOMAINS - 2),
    perUnit: slope(largest, largestSize - smallest),
  };
}

/** Why the measured growth does not fit the claim, undefined when it does. */
function refutation(operation: Operation, g: Growth): string | undefined {
  const { claim } = operation;
  const parts: string[] = [];
  if (g.perVcpu > 0 && !claim.includes("V")) parts.push(`${g.perVcpu.toFixed(2)} steps for each vCPU`);
  if (g.perDomain > 0 && !claim.includes("D")) parts.push(`${g.perDomain.toFixed(2)} steps for each domain`);
  if (g.perUnit > 0 && claim !== "N")
    parts.push(`${g.largest.steps} steps when the caller says ${operation.largest}: the caller sets the bound`);
  if (claim === "C" && g.base.steps > CONSTANT) parts.push(`${g.base.steps} steps`);
  if (g.base.frames + g.largest.frames > 0) parts.push(`${g.largest.frames} frames allocated`);
  return parts.length > 0 ? parts.join("; ") : undefined;
}

/** Where an answer depends on what earlier calls left in the hypervisor; -1 = nowhere. */
function leakAt(machines: Machines, operation: Operation): number {
  const [a, b] = machines.twins;
  const smallest = operation.smallest ?? 0;
  const seen = (
    [
      [a, 0x11],
      [b, 0xee],
    ] as const
  ).map(([m, value]) => {
    poison(m, value);
    measure(m, operation.number, m.subject, operation.fill(smallest));
    const memory = dom0Memory(m);
    if (operation.undo !== undefined) measure(m, operation.undo, m.subject, () => {});
    return memory;
  });
  return firstDifference(seen[0]!, seen[1]!);
}

function interferes(m: AuditMachine, operation: Operation): boolean {
  runOn(m, operation, operation.smallest ?? 0, m.other);
  const before = bystanders(m);
  runOn(m, operation, operation.smallest ?? 0);
  return firstDifference(before, bystanders(m)) >= 0;
}

function auditRow(machines: Machines, operation: Operation, era: string): AuditRow {
  const { op, number, claim } = operation;
  const g = growth(machines, operation);
  const absent = g.base.result === -ENOSYS || g.base.result === -EOPNOTSUPP || (claim === "X" && g.base.result < 0);
  const row = (measured: string, verdict: Verdict, evidence: string): AuditRow => ({
    op,
    number,
    era,
    claim,
    measured,
    verdict,
    evidence,
  });
  if (absent || claim === "X") return row("-", "not applicable", `answers ${g.base.result} in this era`);
  const terms = [`${g.base.steps}`];
  if (g.perVcpu > 0) terms.push(`${round(g.perVcpu)}·vCPUs`);
  if (g.perDomain > 0) terms.push(`${round(g.perDomain)}·domains`);
  if (g.perUnit > 0) terms.push(`${round(g.perUnit)}·n`);
  const measured = terms.join(" + ");
  if (claim === "debug") return row(measured, "holds", "only in the debug build, as promised; walks every page");
  const reasons: string[] = [];
  const grown = refutation(operation, g);
  if (grown) reasons.push(grown);
  const leak = leakAt(machines, operation);
  if (leak >= 0) reasons.push(`byte ${leak % 4096} of the answer depends on the hypervisor's memory`);
  const self = runOn(machines.small, operation, operation.smallest ?? 0, 0);
  if (self.selfPauses > 0) reasons.push("the caller can pause itself and waits for ever");
  if (interferes(machines.small, operation)) reasons.push("changes what another domain, or nobody, owns");
  return row(measured, reasons.length > 0 ? "refuted" : "holds", reasons.join("; ") || "no counterexample");
}

const round = (value: number): string => String(Math.round(value * 1000) / 1000);

/** Pause twice, unpause once: true when the domain stays paused. */
function pausesNest(m: AuditMachine): boolean {
  measure(m, DOMCTL_UNPAUSEDOMAIN, m.subject, () => {});
  for (let i = 0; i < 2; i++) measure(m, DOMCTL_PAUSEDOMAIN, m.subject, () => {});
  measure(m, DOMCTL_UNPAUSEDOMAIN, m.subject, () => {});
  return domainGetInfo(m.dom0, m.subject).isPaused;
}

const iomem =
  (first: number, count: number) =>
  (view: DataView, u: number): void => {
    view.setUint32(u, first, true);
    view.setUint32(u + 8, count, true);
    view.setUint8(u + 16, 1);
  };

/** F-7: no frames from frame 0 on. In 2014 that granted everything; today a caller must hold what it gives, and nobody holds all. */
function wholeRange(m: AuditMachine, era: string): Finding {
  const { result } = measure(m, DOMCTL_IOMEM_PERMISSION, m.subject, iomem(0, 0));
  const evidence = `iomem_permission(first 0, number 0) answers ${result}: ${result === 0 ? "everything is granted" : "the caller does not hold all of it; no test for a wrap stops it"}`;
  return { id: "F-7 whole I/O range", era, verdict: result === 0 ? "found" : "absent", evidence };
}

const FRAGMENTS = 2000;

/** Every second frame: each costs the hypervisor a record, and nobody counts them. */
function fragments(m: AuditMachine, era: string): Finding {
  let granted = 0;
  while (
    granted < FRAGMENTS &&
    measure(m, DOMCTL_IOMEM_PERMISSION, m.subject, iomem(0xe0000 + 2 * granted, 1)).result === 0
  )
    granted++;
  const evidence = `iomem_permission: ${granted} single frames granted one by one, each a range of its own`;
  return { id: "unbounded memory", era, verdict: granted === FRAGMENTS ? "found" : "absent", evidence };
}

function findingsOf(rows: readonly AuditRow[], machines: Machines, era: string): Finding[] {
  const finding = (id: string, pattern: RegExp): Finding => {
    const hits = rows.filter((r) => r.verdict === "refuted" && pattern.test(r.evidence));
    const evidence = hits.map((r) => `${r.op}: ${r.evidence}`).join("; ");
    return { id, era, verdict: hits.length > 0 ? "found" : "absent", evidence: evidence || "no operation shows it" };
  };
  const nest = pausesNest(machines.small);
  return [
    finding("F-1 self pause", /pause itself/),
    finding("F-2 stack padding", /depends on the hypervisor's memory/),
    finding("F-3 bitmap zero fill", /the caller sets the bound/),
    {
      id: "F-5 lost pause",
      era,
      verdict: nest ? "absent" : "found",
      evidence: nest ? "two pauses need two unpauses" : "pause, pause, unpause: the domain runs",
    },
    wholeRange(machines.small, era),
    fragments(machines.small, era),
    finding("interference", /another domain/),
  ];
}

function auditEra(wasm: WebAssembly.Module, era: string, defects: number): AuditReport {
  const machines = createMachines(wasm, defects);
  const rows = OPERATIONS.map((operation) => auditRow(machines, operation, era));
  return { rows, findings: findingsOf(rows, machines, era) };
}

/** @param wasm the debug build: it alone has the defects and audit_p2m. */
export function auditDomctls(wasm: WebAssembly.Module): AuditReport {
  const today = auditEra(wasm, ERA, 0);
  const defects = auditEra(wasm, ERA_DEFECTS, DEFECTS);
  return { rows: [...today.rows, ...defects.rows], findings: [...today.findings, ...defects.findings] };
}
