/**
 * Range maps: disjoint ranges of numbers, each with a value that is not 0; ranges that touch and are equal are one. As rangeset.ts a treap
 * ordered by `start` and heaped by a hash of it, so that equal maps have equal shapes. Nodes come from a table of their own
 * (io-state.ts) and are known by their address; a map is known by the address of the word with its root, 0 = empty.
 */
import { CTR_IO_COUNT_STEPS } from "../../abi/counters";
import { ENOMEM, OK } from "../../abi/errno";
import { Count } from "../../base/counters";
import { IoState, NODE_BYTES } from "./io-state";

@unmanaged
export class MapNode {
  start: u64;
  /** Inclusive. */
  end: u64;
  left: u32;
  right: u32;
  priority: u32;
  value: u32;

  @inline static at(node: u32): MapNode {
    return changetype<MapNode>(<usize>node);
  }
}

const LAST: u64 = 0xffff_ffff_ffff_ffff;
if (offsetof<MapNode>() != <usize>NODE_BYTES) ERROR("MapNode is 32 bytes");

function freeTree(node: u32): void {
  if (node == 0) return;
  const left = MapNode.at(node).left;
  const right = MapNode.at(node).right;
  IoState.freeNode(node);
  freeTree(left);
  freeTree(right);
}

/** Nodes with start < key in the low half of the result, the others in the high half. */
function split(node: u32, key: u64): u64 {
  if (node == 0) return 0;
  Count.one(CTR_IO_COUNT_STEPS);
  const n = MapNode.at(node);
  if (n.start < key) {
    const parts = split(n.right, key);
    n.right = <u32>parts;
    return (parts & 0xffff_ffff_0000_0000) | <u64>node;
  }
  const parts = split(n.left, key);
  n.left = <u32>(parts >> 32);
  return (parts & 0xffff_ffff) | ((<u64>node) << 32);
}

function join(a: u32, b: u32): u32 {
  if (a == 0) return b;
  if (b == 0) return a;
  Count.one(CTR_IO_COUNT_STEPS);
  const left = MapNode.at(a);
  const right = MapNode.at(b);
  if (left.priority > right.priority) {
    left.right = join(left.right, b);
    return a;
  }
  right.left = join(a, right.left);
  return b;
}

function insert(root: usize, node: u32, start: u64, end: u64, value: u32): void {
  const n = MapNode.at(node);
  n.start = start;
  n.end = end;
  n.left = 0;
  n.right = 0;
  n.value = value;
  n.priority = <u32>((start * 0x9e3779b97f4a7c15) >> 32);
  const parts = split(load<u32>(root), start);
  store<u32>(root, join(join(<u32>parts, node), <u32>(parts >> 32)));
}

/** Takes out every range that starts in start..end. */
function eraseStarts(root: usize, start: u64, end: u64): void {
  const parts = split(load<u32>(root), start);
  const rest = <u32>(parts >> 32);
  if (end == LAST) {
    freeTree(rest);
    store<u32>(root, <u32>parts);
    return;
  }
  const high = split(rest, end + 1);
  freeTree(<u32>high);
  store<u32>(root, join(<u32>parts, <u32>(high >> 32)));
}

export class RangeMap {
  /** The range with the highest start <= `key`, 0 = none. */
  static floor(root: usize, key: u64): u32 {
    let node = load<u32>(root);
    let best: u32 = 0;
    while (node != 0) {
      Count.one(CTR_IO_COUNT_STEPS);
      const n = MapNode.at(node);
      if (n.start <= key) {
        best = node;
        node = n.right;
      } else node = n.left;
    }
    return best;
  }

  /** The range with the lowest start >= `key`, 0 = none. */
  static ceiling(root: usize, key: u64): u32 {
    let node = load<u32>(root);
    let best: u32 = 0;
    while (node != 0) {
      Count.one(CTR_IO_COUNT_STEPS);
      const n = MapNode.at(node);
      if (n.start >= key) {
        best = node;
        node = n.left;
      } else node = n.right;
    }
    return best;
  }

  /** The range that holds `key`, or the first one after it; 0 = none. */
  static from(root: usize, key: u64): u32 {
    const node = RangeMap.floor(root, key);
    return node != 0 && MapNode.at(node).end >= key ? node : RangeMap.ceiling(root, key);
  }

  @inline static value(root: usize, key: u64): u32 {
    const node = RangeMap.floor(root, key);
    return node != 0 && MapNode.at(node).end >= key ? MapNode.at(node).value : 0;
  }

  /**
   * Gives every number of start..end this value, 0 = none.
   * @returns OK, or -ENOMEM: nothing has changed then. What lies wholly inside start..end can always be taken out: whoever dies needs no memory.
   */
  static assign(root: usize, start: u64, end: u64, value: u32): i32 {
    if (IoState.nodesLeft() < nodesFor(root, start, end, value)) return -ENOMEM;
    cut(root, start);
    if (end != LAST) cut(root, end + 1);
    eraseStarts(root, start, end);
    if (value != 0) insertMerged(root, IoState.allocNode(), start, end, value);
    return OK;
  }

  /** Whether any assignment of a value would find its nodes now. */
  @inline static hasRoom(): bool {
    return IoState.nodesLeft() >= 3;
  }

  /** Whether start..end can be taken out now. */
  static canClear(root: usize, start: u64, end: u64): bool {
    return IoState.nodesLeft() >= nodesFor(root, start, end, 0);
  }
}

/** Nodes that an assignment needs: one for each edge that a range runs over, and one for the new range where none has gone. */
function nodesFor(root: usize, start: u64, end: u64, value: u32): u32 {
  let nodes: u32 = (cutAt(root, start) != 0 ? 1 : 0) + (end != LAST && cutAt(root, end + 1) != 0 ? 1 : 0);
  if (value == 0) return nodes;
  const node = RangeMap.from(root, start);
  if (node == 0 || MapNode.at(node).start > end) nodes++;
  return nodes;
}

/** The range that runs over the edge before `key`, 0 = none. */
function cutAt(root: usize, key: u64): u32 {
  const node = RangeMap.floor(root, key);
  return node == 0 || MapNode.at(node).start == key || MapNode.at(node).end < key ? 0 : node;
}

/** Makes a range begin at `key` where one runs over it. The caller has made sure that a node is there. */
function cut(root: usize, key: u64): void {
  const node = cutAt(root, key);
  if (node == 0) return;
  const n = MapNode.at(node);
  const end = n.end;
  n.end = key - 1;
  insert(root, IoState.allocNode(), key, end, n.value);
}

/** There is nothing in start..end: the new range takes in its equal neighbours. */
function insertMerged(root: usize, node: u32, start: u64, end: u64, value: u32): void {
  const before = start == 0 ? 0 : RangeMap.floor(root, start - 1);
  let from = start;
  let to = end;
  if (before != 0 && MapNode.at(before).end == start - 1 && MapNode.at(before).value == value) {
    from = MapNode.at(before).start;
    eraseStarts(root, from, from);
  }
  const after = end == LAST ? 0 : RangeMap.ceiling(root, end + 1);
  if (after != 0 && MapNode.at(after).start == end + 1 && MapNode.at(after).value == value) {
    to = MapNode.at(after).end;
    eraseStarts(root, end + 1, end + 1);
  }
  insert(root, node, from, to, value);
}
