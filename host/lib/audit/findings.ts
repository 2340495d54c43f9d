/** What the rows and a few questions more amount to: the known refutations of the audit (spec 05, F-1 to F-7), found or absent. */
import { DOMCTL_IOMEM_PERMISSION } from "../../../hv-core/abi/domctl.ts";
import {
  DOMCTL_GETDOMAININFO,
  DOMCTL_MAX_MEM,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_UNPAUSEDOMAIN,
  DOMINF_PAUSED,
} from "../../../hv-core/abi/hypercalls.ts";
import { errnoName, HvError } from "../errors.ts";
import { xsmLoadPolicy } from "../toolstack/xsm.ts";
import type { AuditRow, Finding } from "./audit.ts";
import { type AuditMachine, type Fill, measure } from "./machine.ts";

const nothing = (): void => {};

/** Pause twice, unpause once: true when the domain stays paused. */
function pausesNest(m: AuditMachine): boolean {
  measure(m, DOMCTL_UNPAUSEDOMAIN, m.subject, nothing);
  for (let i = 0; i < 2; i++) measure(m, DOMCTL_PAUSEDOMAIN, m.subject, nothing);
  measure(m, DOMCTL_UNPAUSEDOMAIN, m.subject, nothing);
  let flags = 0;
  let union = 0;
  measure(m, DOMCTL_GETDOMAININFO, m.subject, (_, u) => {
    union = u;
  });
  flags = m.core.view.getUint32(union + 4, true);
  return (flags & DOMINF_PAUSED) !== 0;
}

function lostPause(m: AuditMachine, era: string): Finding {
  const nest = pausesNest(m);
  const evidence = `lost pause: ${nest ? "two pauses need two unpauses" : "pause, pause, unpause, and the domain runs"}`;
  return { id: "F-5", era, verdict: nest ? "absent" : "found", evidence };
}

const iomem =
  (first: number, count: number): Fill =>
  (view, u) => {
    view.setUint32(u, first, true);
    view.setUint32(u + 8, count, true);
    view.setUint8(u + 16, 1);
  };

/** F-7: no frames from frame 0 on. In 2014 that granted everything; today a caller must hold what it gives, and nobody holds all. */
function wholeRange(m: AuditMachine, era: string): Finding {
  const { result } = measure(m, DOMCTL_IOMEM_PERMISSION, m.subject, iomem(0, 0));
  const what =
    result === 0 ? "everything is granted" : "the caller does not hold all of it; no test for a wrap stops it";
  const evidence = `whole I/O range: iomem_permission(first 0, number 0) answers ${result}: ${what}`;
  return { id: "F-7", era, verdict: result === 0 ? "found" : "absent", evidence };
}

/** F-6: what a policy can say about max_mem, and what follows when it can say nothing. */
function unseenMaxMem(m: AuditMachine, era: string): Finding {
  const rule = { subject: m.other, target: m.subject, domctl: DOMCTL_MAX_MEM, limitKib: 4096 };
  const finding = (verdict: Finding["verdict"], evidence: string): Finding => ({
    id: "F-6",
    era,
    verdict,
    evidence: `max_mem unseen: ${evidence}`,
  });
  try {
    xsmLoadPolicy(m.dom0, [rule]);
    return finding("absent", "a policy may limit the value: 4096 KiB taken");
  } catch (error) {
    if (!(error instanceof HvError)) throw error;
    return finding("found", `a policy cannot limit the value (${error.code}): who may set it may set any`);
  }
}

const FRAGMENTS = 2000;

/** Every second frame: each costs the hypervisor a record, and nobody counts them. */
function fragments(m: AuditMachine, era: string): Finding {
  const grant = (i: number): number => measure(m, DOMCTL_IOMEM_PERMISSION, m.subject, iomem(0xe0000 + 2 * i, 1)).result;
  let granted = 0;
  let result = 0;
  while (granted < FRAGMENTS && result === 0) {
    result = grant(granted);
    if (result === 0) granted++;
  }
  const end = result === 0 ? "" : `; the next one is refused (${errnoName(-result) ?? result})`;
  const evidence = `iomem_permission: ${granted} single frames granted one by one, each a range of its own${end}`;
  return { id: "unbounded memory", era, verdict: granted === FRAGMENTS ? "found" : "absent", evidence };
}

export function findingsOf(rows: readonly AuditRow[], m: AuditMachine, era: string): Finding[] {
  const fromRows = (id: string, title: string, pattern: RegExp): Finding => {
    const hits = rows.filter((r) => r.verdict === "refuted" && pattern.test(r.evidence));
    const part = (r: AuditRow): string =>
      r.evidence
        .split("; ")
        .filter((e) => pattern.test(e))
        .join("; ");
    const evidence = hits.map((r) => `${r.op}: ${part(r)}`).join("; ");
    return {
      id,
      era,
      verdict: hits.length > 0 ? "found" : "absent",
      evidence: `${title}: ${evidence || "no operation shows it"}`,
    };
  };
  return [
    fromRows("F-1", "self pause", /pause itself/),
    fromRows("F-2", "stack padding", /bytes of .* memory|depends on/),
    fromRows("F-3", "bitmap zero fill", /the caller sets the bound/),
    lostPause(m, era),
    unseenMaxMem(m, era),
    wholeRange(m, era),
    fragments(m, era),
    fromRows("interference", "a machine-wide table", /another domain, or nobody/),
  ];
}
