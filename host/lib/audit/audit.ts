/**
 * The audit: what was promised about each domctl against what it does here (spec 05 section 5.5). For every operation the work of one
 * call is counted while domains, vCPUs and the caller's size grow (growth.ts); then it is looked for answers that hold memory of the
 * hypervisor, for effects beyond the domain meant, and for callers that wait for themselves (checks.ts).
 */
import { ENOSYS, EOPNOTSUPP } from "../../../hv-core/abi/errno.ts";
import { evtchnBindVirq } from "../toolstack/evtchn.ts";
import { interferes, pausesItself, runOn, taintLeak, twinLeak } from "./checks.ts";
import { AUDIT_ERAS, type EraSetup } from "./eras.ts";
import { findingsOf } from "./findings.ts";
import { type Growth, growthOf, growthText, type Machines } from "./growth.ts";
import { type AuditMachine, createAuditMachine, type MachineSize } from "./machine.ts";
import { OPERATIONS, type Operation } from "./operations.ts";
import type { TaintBuilds } from "./taint.ts";

export type Verdict = "holds" | "refuted" | "not applicable";

export interface AuditRow {
  readonly op: string;
  readonly number: number;
  readonly era: string;
  readonly claim: string;
  /** Steps of the smallest call and what each further vCPU, domain and unit of the caller's size adds; what of it waits or is locked. */
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

export interface AuditOptions {
  /** The debug build: it alone has the defects and audit_p2m. */
  readonly debug: WebAssembly.Module;
  readonly taint: TaintBuilds;
  readonly eras?: readonly EraSetup[];
  /** Domains to grow to. The fit does not depend on it: 32,000 is what the claim is about. */
  readonly domains?: number;
}

export const MANY_DOMAINS = 32_000;
const SOME_VCPUS = 16;
const MANY_VCPUS = 128;
/** Steps that a call of constant work may take. */
const CONSTANT = 8;
/** A global VIRQ that nobody sends here. */
const VIRQ_ENOMEM = 12;

/** Why the measured growth does not fit the claim, undefined when it does. */
function refutation(operation: Operation, g: Growth): string | undefined {
  const { claim, bound, largest } = operation;
  const parts: string[] = [];
  const grows = (value: number): boolean => Number.isNaN(value) || value > 0;
  if (grows(g.perVcpu) && !claim.includes("V")) parts.push(`${g.perVcpu.toFixed(2)} steps for each vCPU`);
  if (grows(g.perDomain) && !claim.includes("D")) parts.push(`${g.perDomain.toFixed(2)} steps for each domain`);
  if (grows(g.perUnit) && (claim !== "N" || bound === undefined))
    parts.push(`${g.largest.steps} steps when the caller says ${largest}: the caller sets the bound`);
  if (claim === "C" && g.base.steps > CONSTANT) parts.push(`${g.base.steps} steps`);
  if (g.base.frames + g.largest.frames > 0 && claim !== "N") parts.push(`${g.largest.frames} frames allocated`);
  return parts.length > 0 ? parts.join("; ") : undefined;
}

function measuredText(g: Growth): string {
  const parts = [growthText(g)];
  if (g.waitPerVcpu > 0) parts.push("waits for each vCPU");
  if (g.base.lockSteps > 0) parts.push(`${g.base.lockSteps} under the lock`);
  return parts.join(", ");
}

interface EraMachines extends Machines {
  readonly tainted: AuditMachine;
  readonly twins: readonly [AuditMachine, AuditMachine];
}

function createMachines({ debug, taint, domains = MANY_DOMAINS }: AuditOptions, era: EraSetup): EraMachines {
  const make = (size: MachineSize, module: WebAssembly.Module | TaintBuilds = debug): AuditMachine =>
    createAuditMachine(module, era, size);
  const small = { domains: 2, vcpus: 1 };
  const vcpus = (count: number) => [count, make({ ...small, vcpus: count })] as const;
  const grown = (count: number) => [count, make({ ...small, domains: count })] as const;
  const machine = make(small);
  // dom0 listens, so that who takes the event away takes it from somebody.
  evtchnBindVirq(machine.dom0, VIRQ_ENOMEM);
  return {
    small: machine,
    vcpus: [vcpus(SOME_VCPUS), vcpus(MANY_VCPUS)],
    domains: [grown(Math.ceil(domains / 100)), grown(domains)],
    tainted: make(small, taint),
    twins: [make(small), make(small)],
  };
}

function auditRow(machines: EraMachines, operation: Operation, era: string): AuditRow {
  const { op, number, claim } = operation;
  const g = growthOf(machines, operation, runOn);
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
  const measured = measuredText(g);
  if (claim === "debug") return row(measured, "holds", "only in the debug build, as promised; walks every page");
  const reasons: string[] = [];
  const grown = refutation(operation, g);
  if (grown) reasons.push(grown);
  const leak = taintLeak(machines.tainted, operation);
  if (leak) reasons.push(leak);
  if (twinLeak(machines.twins, operation)) reasons.push("the answer depends on what earlier calls left");
  if (pausesItself(machines.small, operation)) reasons.push("the caller can pause itself and waits for ever");
  if (interferes(machines.small, operation)) reasons.push("changes what another domain, or nobody, owns");
  return row(measured, reasons.length > 0 ? "refuted" : "holds", reasons.join("; ") || "no counterexample");
}

function auditEra(options: AuditOptions, era: EraSetup): AuditReport {
  const machines = createMachines(options, era);
  const rows = OPERATIONS.map((operation) => auditRow(machines, operation, era.era));
  return { rows, findings: findingsOf(rows, machines.small, era.era) };
}

export function auditDomctls(options: AuditOptions): AuditReport {
  const reports = (options.eras ?? AUDIT_ERAS).map((era) => auditEra(options, era));
  return { rows: reports.flatMap((r) => r.rows), findings: reports.flatMap((r) => r.findings) };
}
