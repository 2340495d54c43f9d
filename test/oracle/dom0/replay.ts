/** All scripts in the order of the recorded program, and the recorded rows they stand against. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../../../host/node/paths.ts";
import { lifeAndResources, pageInfo, restAndDestroy, settings, shadow } from "./domctls.ts";
import { events } from "./events.ts";
import { physmap, questions, reservations } from "./memory.ts";
import { params } from "./params.ts";
import { permissions } from "./permissions.ts";
import { createProbe, type Row } from "./probe.ts";
import { createdomain, domains, envelope } from "./setup.ts";
import { sharing } from "./sharing.ts";
import { shutdowns, theEnd } from "./shutdowns.ts";
import { extended, hvmContext, vcpus } from "./vcpus.ts";
import { paging, vmEvents } from "./vm-events.ts";

export interface RecordedRow extends Row {
  readonly id: string;
}

/** Parts of the record that are put to vmexit elsewhere or not yet: I/O mappings and dm_ops, sysctl and the rest. */
const NOT_REPLAYED: readonly (readonly [first: number, last: number])[] = [
  [499, 817],
  [1312, 1382],
];

export function recordedRows(): RecordedRow[] {
  const file = join(ROOT, "test", "oracle", "recorded", "dom0-vectors.tsv");
  const lines = readFileSync(file, "utf8").trimEnd().split("\n").slice(1);
  return lines
    .map((line) => {
      const [id, area, call, text, result, outputs] = line.split("\t") as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      return { id, area, call, text, result, outputs };
    })
    .filter(({ id }) => {
      const number = Number(id.slice(1));
      return !NOT_REPLAYED.some(([first, last]) => number >= first && number <= last);
    });
}

export function replay(): Row[] {
  const p = createProbe();
  domains(p);
  envelope(p);
  createdomain(p);
  const N = lifeAndResources(p);
  shadow(p, N);
  vcpus(p, N);
  settings(p);
  pageInfo(p);
  hvmContext(p, N);
  extended(p);
  restAndDestroy(p, N);
  permissions(p);
  params(p);
  reservations(p);
  physmap(p);
  questions(p);
  vmEvents(p);
  sharing(p);
  paging(p);
  events(p);
  shutdowns(p);
  theEnd(p);
  return p.rows;
}
