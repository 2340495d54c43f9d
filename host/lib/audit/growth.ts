/**
 * How the work of an operation grows: measured at several numbers of domains, vCPUs and sizes that the caller says, and fitted with a
 * straight line each. Counts are exact, so a line fits exactly or not at all.
 */
import type { AuditMachine, Work } from "./machine.ts";
import type { Operation } from "./operations.ts";

/** The same hypervisor in several sizes. `domains` and `vcpus` grow, everything else stays as in `small`. */
export interface Machines {
  readonly small: AuditMachine;
  readonly vcpus: readonly (readonly [count: number, machine: AuditMachine])[];
  readonly domains: readonly (readonly [count: number, machine: AuditMachine])[];
}

export interface Growth {
  readonly base: Work;
  readonly largest: Work;
  /** Steps for each further vCPU, domain, unit of the caller's size; NaN when no straight line fits. */
  readonly perVcpu: number;
  readonly perDomain: number;
  readonly perUnit: number;
  /** vCPUs that a pause waits for, for each further vCPU. */
  readonly waitPerVcpu: number;
}

type Point = readonly [x: number, steps: number];
type Run = (m: AuditMachine, operation: Operation, n: number) => Work;

/** Slope of the line through all points, NaN when they are on none. Steps are whole, so a point may be off by one. */
export function slope(points: readonly Point[]): number {
  const [x0, y0] = points[0]!;
  const [x1, y1] = points.at(-1)!;
  if (x1 === x0) return 0;
  const rise = (y1 - y0) / (x1 - x0);
  return points.every(([x, y]) => Math.abs(y0 + rise * (x - x0) - y) <= 1) ? rise : Number.NaN;
}

/** Sizes from the smallest to the largest, four in all, on bytes. */
function sizes({ smallest = 0, largest = smallest }: Operation): number[] {
  if (largest === smallest) return [smallest];
  const step = (largest - smallest) / 3;
  const middle = [1, 2].map((i) => Math.ceil((smallest + i * step) / 8) * 8);
  return [smallest, ...middle, largest];
}

export function growthOf(machines: Machines, operation: Operation, run: Run): Growth {
  const smallest = operation.smallest ?? 0;
  const all = sizes(operation);
  let made = 0;
  const works = all.map((n) => {
    for (; operation.repeats && made < n; made++) run(machines.small, operation, made);
    return run(machines.small, operation, n);
  });
  const base = works[0]!;
  const over = (
    list: readonly (readonly [number, AuditMachine])[],
    of: (work: Work) => number,
    first: number,
  ): number => slope([[first, of(base)], ...list.map(([count, m]): Point => [count, of(run(m, operation, smallest))])]);
  const steps = (work: Work): number => work.steps;
  return {
    base,
    largest: works.at(-1)!,
    perVcpu: over(machines.vcpus, steps, 1),
    perDomain: over(machines.domains, steps, 2),
    perUnit: slope(all.map((n, i): Point => [n, works[i]!.steps])),
    waitPerVcpu: over(machines.vcpus, (work) => work.pauseWait, 1),
  };
}

const round = (value: number): string => String(Math.round(value * 1000) / 1000);

/** "9 + 1·vCPUs + 1·domains": the steps of the smallest call and what makes them more. */
export function growthText(g: Growth): string {
  const terms = [`${g.base.steps}`];
  const add = (value: number, name: string): void => {
    if (Number.isNaN(value)) terms.push(`f(${name})`);
    else if (value > 0) terms.push(`${round(value)}·${name}`);
  };
  add(g.perVcpu, "vCPUs");
  add(g.perDomain, "domains");
  add(g.perUnit, "n");
  return terms.join(" + ");
}
