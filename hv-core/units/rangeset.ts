/** Unit-test build: rangesets (test/ioreq/rangeset.test.ts). Not part of any shipped build. */
import "../base/abort";
import { MACHINE_BASE, MACHINE_SIZE, RANGE_NODE_SIZE, RANGE_NODES_BASE } from "../abi/layout";
import { RangeNode, Rangeset } from "../hv/iocap/rangeset";

export function reset(): void {
  memory.fill(MACHINE_BASE, 0, MACHINE_SIZE);
  memory.fill(RANGE_NODES_BASE, 0, RANGE_NODE_SIZE * 4096);
}

export function create(limit: u32): u32 {
  return Rangeset.create(limit);
}

export function destroy(head: u32): void {
  Rangeset.destroy(head);
}

export function add(head: u32, start: u64, end: u64): i32 {
  return Rangeset.add(head, start, end);
}

export function remove(head: u32, start: u64, end: u64): i32 {
  return Rangeset.remove(head, start, end);
}

export function contains(head: u32, start: u64, end: u64): bool {
  return Rangeset.contains(head, start, end);
}

export function overlaps(head: u32, start: u64, end: u64): bool {
  return Rangeset.overlaps(head, start, end);
}

export function count(head: u32): u32 {
  return Rangeset.count(head);
}

export function ceiling(head: u32, key: u64): u32 {
  return Rangeset.ceiling(head, key);
}

export function startOf(index: u32): u64 {
  return RangeNode.at(index).start;
}

export function endOf(index: u32): u64 {
  return RangeNode.at(index).end;
}
