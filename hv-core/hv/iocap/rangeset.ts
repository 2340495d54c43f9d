/**
 * Rangesets: sets of 64-bit numbers kept as disjoint ranges that do not even touch (Xen's rangeset). Used for the ranges of
 * ioreq servers (hv/ioreq/ranges.ts) and for a domain's I/O capabilities.
 *
 * A set is a treap of 32-byte nodes at RANGE_NODES_BASE: ordered by `start`, heaped by a hash of `start`, so that equal sets
 * have equal shapes however they came about. A lookup costs about 2 log2(n) steps. Node 0 is "none".
 * A set is named by the index of its head node, which holds the root, the number of ranges and their limit.
 */
import { EINVAL, ENOMEM, OK } from "../../abi/errno";
import { NODE_LEFT, NODE_RIGHT } from "../../abi/ioreq-server";
import { MAX_RANGE_NODES, RANGE_NODE_SIZE, RANGE_NODES_BASE } from "../../abi/layout";
import { Machine } from "../../base/machine";
import { Poison } from "../../base/poison";

/** No limit on the number of ranges of a set. */
export const RANGES_UNLIMITED: u32 = 0xffff_ffff;

@unmanaged
export class RangeNode {
  start: u64;
  /** Inclusive. */
  end: u64;
  /** Children; in a head: the root. In a free node: the next free one. */
  left: u32;
  right: u32;
  /** Heap key; in a head: the limit. */
  priority: u32;
  /** Only in a head: how many ranges there are. */
  count: u32;

  @inline static at(index: u32): RangeNode {
    return changetype<RangeNode>(RANGE_NODES_BASE + <usize>index * RANGE_NODE_SIZE);
  }
}

if (offsetof<RangeNode>() != RANGE_NODE_SIZE) ERROR("RangeNode is 32 bytes");
if (offsetof<RangeNode>("left") != NODE_LEFT || offsetof<RangeNode>("right") != NODE_RIGHT) ERROR("RangeNode moved");

const SITE_NODE_USED_AFTER_FREE: u32 = 16;
/** `start` and `end`: poison while a node is free. */
const RANGE_BYTES: usize = 16;

function allocNode(): u32 {
  const m = Machine.get();
  let index = m.rangeNodeFree;
  if (index != 0) {
    m.rangeNodeFree = RangeNode.at(index).left;
    Poison.check(changetype<usize>(RangeNode.at(index)), RANGE_BYTES, SITE_NODE_USED_AFTER_FREE);
  } else {
    if (m.rangeNodeMark + 1 >= <u32>MAX_RANGE_NODES) return 0;
    index = ++m.rangeNodeMark;
  }
  memory.fill(RANGE_NODES_BASE + <usize>index * RANGE_NODE_SIZE, 0, RANGE_NODE_SIZE);
  return index;
}

function freeNode(index: u32): void {
  const m = Machine.get();
  memory.fill(RANGE_NODES_BASE + <usize>index * RANGE_NODE_SIZE, 0, RANGE_NODE_SIZE);
  Poison.fill(changetype<usize>(RangeNode.at(index)), RANGE_BYTES);
  RangeNode.at(index).left = m.rangeNodeFree;
  m.rangeNodeFree = index;
}

function freeTree(index: u32): void {
  if (index == 0) return;
  const node = RangeNode.at(index);
  const left = node.left;
  const right = node.right;
  freeNode(index);
  freeTree(left);
  freeTree(right);
}

/** Splits a tree: nodes with start < key in the low half of the result, the others in the high half. */
function split(index: u32, key: u64): u64 {
  if (index == 0) return 0;
  const node = RangeNode.at(index);
  if (node.start < key) {
    const parts = split(node.right, key);
    node.right = <u32>parts;
    return (parts & 0xffff_ffff_0000_0000) | <u64>index;
  }
  const parts = split(node.left, key);
  node.left = <u32>(parts >> 32);
  return (parts & 0xffff_ffff) | ((<u64>index) << 32);
}

/** Joins two trees; every start in `a` is below every start in `b`. */
function join(a: u32, b: u32): u32 {
  if (a == 0) return b;
  if (b == 0) return a;
  const left = RangeNode.at(a);
  const right = RangeNode.at(b);
  if (left.priority > right.priority) {
    left.right = join(left.right, b);
    return a;
  }
  right.left = join(a, right.left);
  return b;
}

export class Rangeset {
  /** A new empty set that may hold `limit` ranges; 0 when there is no node left. */
  static create(limit: u32): u32 {
    const head = allocNode();
    if (head != 0) RangeNode.at(head).priority = limit;
    return head;
  }

  static destroy(head: u32): void {
    if (head == 0) return;
    freeTree(RangeNode.at(head).left);
    freeNode(head);
  }

  @inline static count(head: u32): u32 {
    return RangeNode.at(head).count;
  }

  /** The range with the highest start <= `key`, 0 when there is none. */
  static floor(head: u32, key: u64): u32 {
    let index = RangeNode.at(head).left;
    let best: u32 = 0;
    while (index != 0) {
      const node = RangeNode.at(index);
      if (node.start <= key) {
        best = index;
        index = node.right;
      } else {
        index = node.left;
      }
    }
    return best;
  }

  /** The range with the lowest start >= `key`, 0 when there is none. */
  static ceiling(head: u32, key: u64): u32 {
    let index = RangeNode.at(head).left;
    let best: u32 = 0;
    while (index != 0) {
      const node = RangeNode.at(index);
      if (node.start >= key) {
        best = index;
        index = node.left;
      } else {
        index = node.right;
      }
    }
    return best;
  }

  /** Whether every number of start..end is in the set. A set that does not exist (0) is empty. */
  @inline static contains(head: u32, start: u64, end: u64): bool {
    if (head == 0) return false;
    const index = Rangeset.floor(head, start);
    return index != 0 && RangeNode.at(index).end >= end;
  }

  /** Whether some number of start..end is in the set. */
  static overlaps(head: u32, start: u64, end: u64): bool {
    if (head == 0) return false;
    const index = Rangeset.floor(head, end);
    return index != 0 && RangeNode.at(index).end >= start;
  }

  /**
   * Adds start..end, merging it with the ranges it overlaps or touches.
   *
   * @returns OK; -EINVAL when start > end; -ENOMEM when a new range is needed but the limit is reached or nodes have run out.
   * As in Xen, a range that touches only its right neighbour needs a range of its own for a moment, before the two are merged.
   */
  static add(head: u32, start: u64, end: u64): i32 {
    if (start > end) return -EINVAL;
    const set = RangeNode.at(head);
    const left = Rangeset.floor(head, start);
    const touchesLeft = left != 0 && (RangeNode.at(left).end >= start || RangeNode.at(left).end + 1 == start);
    if (!touchesLeft && Rangeset.floor(head, end) == left && !Rangeset.hasRoom(set)) return -ENOMEM;
    let from = start;
    let to = end;
    if (touchesLeft) {
      const node = RangeNode.at(left);
      from = node.start;
      if (node.end > to) to = node.end;
      Rangeset.erase(set, node.start);
    }
    while (true) {
      const right = Rangeset.ceiling(head, from);
      if (right == 0) break;
      const node = RangeNode.at(right);
      if (node.start > to && node.start - 1 != to) break;
      if (node.end > to) to = node.end;
      Rangeset.erase(set, node.start);
    }
    Rangeset.insert(set, from, to);
    return OK;
  }

  /**
   * Takes start..end out of the set; what was not in it does not matter.
   *
   * @returns OK; -EINVAL when start > end; -ENOMEM when a range must be split and the limit is reached (nothing has changed).
   */
  static remove(head: u32, start: u64, end: u64): i32 {
    if (start > end) return -EINVAL;
    const set = RangeNode.at(head);
    const first = Rangeset.floor(head, start);
    if (first != 0) {
      const node = RangeNode.at(first);
      const low = node.start;
      const high = node.end;
      if (high >= start) {
        if (low < start && high > end && !Rangeset.hasRoom(set)) return -ENOMEM;
        Rangeset.erase(set, low);
        if (low < start) Rangeset.insert(set, low, start - 1);
        if (high > end) Rangeset.insert(set, end + 1, high);
      }
    }
    while (true) {
      const index = Rangeset.ceiling(head, start);
      if (index == 0) break;
      const node = RangeNode.at(index);
      const low = node.start;
      const high = node.end;
      if (low > end) break;
      Rangeset.erase(set, low);
      if (high > end) Rangeset.insert(set, end + 1, high);
    }
    return OK;
  }

  private static hasRoom(set: RangeNode): bool {
    if (set.count >= set.priority) return false;
    const m = Machine.get();
    return m.rangeNodeFree != 0 || m.rangeNodeMark + 1 < <u32>MAX_RANGE_NODES;
  }

  /** The caller has made sure that a node is there. */
  private static insert(set: RangeNode, start: u64, end: u64): void {
    const index = allocNode();
    const node = RangeNode.at(index);
    node.start = start;
    node.end = end;
    node.priority = <u32>((start * 0x9e3779b97f4a7c15) >> 32);
    const parts = split(set.left, start);
    set.left = join(join(<u32>parts, index), <u32>(parts >> 32));
    set.count++;
  }

  /** Removes the range that starts at exactly `start`. */
  private static erase(set: RangeNode, start: u64): void {
    const parts = split(set.left, start);
    const rest = <u32>(parts >> 32);
    // The lowest node of `rest` is the one to go: cut it off at start + 1 (or take all when start is the last number).
    if (start == 0xffff_ffff_ffff_ffff) {
      freeTree(rest);
      set.left = <u32>parts;
    } else {
      const high = split(rest, start + 1);
      freeTree(<u32>high);
      set.left = join(<u32>parts, <u32>(high >> 32));
    }
    set.count--;
  }
}
