/** What can be wrong with an operation beside its growth: leaks, effects on others, a caller that waits for itself. */
import { type AuditMachine, bystanders, dom0Memory, firstDifference, measure, poison, type Work } from "./machine.ts";
import type { Operation } from "./operations.ts";

export function runOn(m: AuditMachine, operation: Operation, n: number, domid: number = m.subject): Work {
  const fill = (m.era.is0a && operation.fill0a) || operation.fill;
  const work = measure(m, operation.number, domid, fill(n));
  if (operation.undo !== undefined && work.result === 0) measure(m, operation.undo, domid, () => {});
  return work;
}

/** What the taint build sees go out, as a sentence; undefined = nothing. */
export function taintLeak(m: AuditMachine, operation: Operation): string | undefined {
  const { leak } = runOn(m, operation, operation.smallest ?? 0);
  return leak && `${leak.bytes} bytes of ${leak.kind} go to the caller`;
}

/**
 * A second opinion that knows nothing of taint: two machines alike but for the bytes that earlier calls left in the hypervisor's work
 * memory. Every byte that dom0 can read must be the same afterwards.
 */
export function twinLeak(twins: readonly [AuditMachine, AuditMachine], operation: Operation): boolean {
  const seen = twins.map((m, i) => {
    poison(m, i === 0 ? 0x11 : 0xee);
    runOn(m, operation, operation.smallest ?? 0);
    return dom0Memory(m);
  });
  const differs = firstDifference(seen[0]!, seen[1]!) >= 0;
  twins[1].core.u8.set(seen[0]!, twins[1].dom0.ramAt); // alike again for the next operation
  return differs;
}

/** Whether the call on `subject` changes what `other` or nobody owns, after `other` had the same done to it. */
export function interferes(m: AuditMachine, operation: Operation): boolean {
  const smallest = operation.smallest ?? 0;
  runOn(m, operation, smallest, m.other);
  const before = bystanders(m);
  runOn(m, operation, smallest);
  return firstDifference(before, bystanders(m)) >= 0;
}

export function pausesItself(m: AuditMachine, operation: Operation): boolean {
  return runOn(m, operation, operation.smallest ?? 0, 0).selfPauses > 0;
}
