/** What is audited: the interface of 4.17, that of May 2014 with its defects, and 4.17 with a fix for each finding. */
import {
  AS_FIXED,
  DEFECT_PAUSE_FLAG,
  DEFECT_SELF_PAUSE,
  DEFECT_STACK_PADDING,
  DEFECT_UNCHECKED_IO,
  DOMCTL_ERA_0A,
  KNOB_DOMCTL_BITMAP,
  KNOB_DOMCTL_DEFECTS,
  KNOB_DOMCTL_ERA,
  KNOB_IO_QUOTA,
  KNOB_VIRQ_HANDLER,
  KNOB_XSM,
  KNOB_XSM_MAX_MEM,
  XSM_POLICY,
} from "../../../hv-core/abi/knobs.ts";
import { UsageError } from "../errors.ts";

export type AuditEra = "4.17" | "0x0a" | "fixed";

export interface EraSetup {
  readonly era: AuditEra;
  readonly title: string;
  readonly knobs: readonly (readonly [index: number, value: number])[];
  /** Whether domctls have the layouts of version 0x0a. */
  readonly is0a: boolean;
}

/** Ranges that a domain's I/O rights may consist of, where they are bounded. */
const MOST_RANGES = 64;
const DEFECTS = DEFECT_SELF_PAUSE | DEFECT_STACK_PADDING | DEFECT_PAUSE_FLAG | DEFECT_UNCHECKED_IO;
const POLICY = [KNOB_XSM, XSM_POLICY] as const;

export const AUDIT_ERAS: readonly EraSetup[] = [
  { era: "4.17", title: "Xen 4.17", knobs: [POLICY], is0a: false },
  {
    era: "0x0a",
    title: "May 2014: interface version 0x0a, with its defects",
    knobs: [POLICY, [KNOB_DOMCTL_ERA, DOMCTL_ERA_0A], [KNOB_DOMCTL_DEFECTS, DEFECTS]],
    is0a: true,
  },
  {
    era: "fixed",
    title: "4.17 with a fix for each finding",
    knobs: [
      POLICY,
      [KNOB_DOMCTL_BITMAP, AS_FIXED],
      [KNOB_VIRQ_HANDLER, AS_FIXED],
      [KNOB_XSM_MAX_MEM, 1],
      [KNOB_IO_QUOTA, MOST_RANGES],
    ],
    is0a: false,
  },
];

/** "2014" is the era of version 0x0a. @throws UsageError */
export function parseAuditEra(name: string): EraSetup {
  const found = AUDIT_ERAS.find((e) => e.era === (name === "2014" ? "0x0a" : name));
  if (!found) throw new UsageError(`no era "${name}" to audit: use one of ${AUDIT_ERAS.map((e) => e.era).join(", ")}`);
  return found;
}
