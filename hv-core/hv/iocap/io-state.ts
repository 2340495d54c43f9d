/**
 * What is known about the machine's I/O resources as a whole (spec 06 section 6.3): a record at IO_STATE_BASE. Written under its lock, which
 * comes after every p2m lock.
 */

import { MAX_BUS_DEVICES } from "../../abi/bus";
import {
  IO_DEVICE_SIZE,
  IO_DEVICES_BASE,
  IO_LINE_SIZE,
  IO_LINES_BASE,
  IO_NODES_BASE,
  IO_STATE_BASE,
  IO_STATE_SIZE,
  MAX_IO_NODES,
  NR_IO_LINES,
} from "../../abi/layout";
import { Lock } from "../../base/lock";

/** Bytes of a node of a range map. */
export const NODE_BYTES: u32 = 32;

/** Kinds of units. */
export const IO_FRAME: u32 = 0;
export const IO_PORT: u32 = 1;
export const IO_IRQ: u32 = 2;

@unmanaged
export class IoState {
  /** Bytes of the region in use: what a snapshot takes. */
  used: u32;
  lock: u32;
  /** Who holds which units, per kind: roots of range maps (range-map.ts); a value is holder << 16 | flags. */
  frameHolders: u32;
  portHolders: u32;
  lineHolders: u32;
  /** The counts of mapped frames (account/counts.ts): where they begin, and how large they are. */
  countRoot: u32;
  countBuckets: u32;
  /** Frames that are counted, and the sum of all counts. */
  countedFrames: u32;
  countTotal: u32;
  /** 1 = the machine has booted: nothing is reserved any more. */
  isSealed: u32;
  /** Nodes of range maps: the first free one (its address, 0 = none), how many were ever used, and how many are. */
  nodeFree: u32;
  nodeMark: u32;
  nodeCount: u32;

  @inline static get(): IoState {
    return changetype<IoState>(IO_STATE_BASE);
  }

  /** Address of the root of a kind's range map. */
  @inline static holders(kind: u32): usize {
    return IO_STATE_BASE + offsetof<IoState>("frameHolders") + ((<usize>kind) << 2);
  }

  @inline static acquire(): void {
    Lock.acquire(IO_STATE_BASE + offsetof<IoState>("lock"));
  }

  @inline static release(): void {
    Lock.release(IO_STATE_BASE + offsetof<IoState>("lock"));
  }

  /** A node for a range map; its address, 0 = none left. */
  static allocNode(): u32 {
    const io = IoState.get();
    let node = io.nodeFree;
    if (node != 0) io.nodeFree = load<u32>(node);
    else {
      if (io.nodeMark + 1 >= <u32>MAX_IO_NODES) return 0;
      node = IO_NODES_BASE + ++io.nodeMark * NODE_BYTES;
      IoState.use(true);
      io.used = node + NODE_BYTES - IO_STATE_BASE;
    }
    io.nodeCount++;
    memory.fill(node, 0, NODE_BYTES);
    return node;
  }

  static freeNode(node: u32): void {
    const io = IoState.get();
    memory.fill(node, 0, NODE_BYTES);
    store<u32>(node, io.nodeFree);
    io.nodeFree = node;
    io.nodeCount--;
  }

  /** Nodes that could still be had. */
  static nodesLeft(): u32 {
    return <u32>MAX_IO_NODES - 1 - IoState.get().nodeCount;
  }

  /** The interrupt lines are used from now on, or the devices: the snapshot grows by them. What a restored snapshot left there goes. */
  static use(withDevices: bool): void {
    const io = IoState.get();
    const linesEnd: u32 = IO_LINES_BASE - IO_STATE_BASE + NR_IO_LINES * IO_LINE_SIZE;
    const end: u32 = withDevices ? IO_DEVICES_BASE - IO_STATE_BASE + MAX_BUS_DEVICES * IO_DEVICE_SIZE : linesEnd;
    if (io.used >= end) return;
    const from: u32 = io.used == 0 ? <u32>IO_STATE_SIZE : io.used;
    memory.fill(IO_STATE_BASE + from, 0, end - from);
    io.used = end;
  }
}

if (offsetof<IoState>() > <usize>IO_STATE_SIZE) ERROR("IoState outgrew its place");
if (IO_LINES_BASE + NR_IO_LINES * IO_LINE_SIZE > IO_DEVICES_BASE) ERROR("interrupt lines and devices overlap");
