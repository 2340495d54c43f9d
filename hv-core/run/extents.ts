/**
 * The used extents of linear memory, by class (docs/architecture.md section 3): what a snapshot copies and a state hash covers.
 * Each region ends at its mark, so room for thousands of domains costs nothing.
 */
import {
  ACTOR_SIZE,
  ACTORS_BASE,
  COUNTERS_BASE,
  COUNTERS_SIZE,
  DEVICES_BASE,
  DOMAIN_SIZE,
  DOMAINS_BASE,
  FRAME_OWNERS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  FRAMES_BASE,
  IOREQ_SERVER_SIZE,
  IOREQ_SERVERS_BASE,
  MACHINE_BASE,
  MAX_ACTORS,
  PAGE_SIZE,
  RANGE_NODE_SIZE,
  RANGE_NODES_BASE,
  TRACE_BASE,
  TRACE_HEADER_SIZE,
  TRACE_RECORD_SIZE,
  TRACE_RECORDS,
  VCPU_SIZE,
  VCPUS_BASE,
} from "../abi/layout";
import { TRACE_NEXT } from "../abi/trace-events";
import { Machine } from "../base/machine";
import { DEVICE_STATE_SIZE, MAX_DEVICE_DOMAINS } from "../dev/state";
import { FRAME_OWNER_SIZE } from "../mem/frame-owner";

export const EXTENT_SEMANTIC: u32 = 1;
export const EXTENT_JOURNAL: u32 = 3;

/** Machine header, knobs, hash of the domains and policy: all of it that is used. */
const MACHINE_USED: u32 = 0x3000;

/** One past the last actor slab that is in use (its kind, the first word, is not 0). */
function actorMark(): u32 {
  let mark: u32 = MAX_ACTORS;
  while (mark != 0 && load<u32>(ACTORS_BASE + (mark - 1) * ACTOR_SIZE) == 0) mark--;
  return mark;
}

function traceBytes(): u32 {
  const next = load<u32>(TRACE_BASE, TRACE_NEXT);
  return TRACE_HEADER_SIZE + (next < <u32>TRACE_RECORDS ? next : TRACE_RECORDS) * TRACE_RECORD_SIZE;
}

/** Number of extents; the last one is the frames. */
export const EXTENTS: u32 = 12;
export const EXTENT_MACHINE: u32 = 0;
export const EXTENT_VCPUS: u32 = 2;
export const EXTENT_FRAMES: u32 = 11;

export class Extent {
  static start(index: u32): u32 {
    switch (index) {
      case 0:
        return MACHINE_BASE;
      case 1:
        return DOMAINS_BASE;
      case 2:
        return VCPUS_BASE;
      case 3:
        return IOREQ_SERVERS_BASE;
      case 4:
        return RANGE_NODES_BASE;
      case 5:
        return DEVICES_BASE;
      case 6:
        return ACTORS_BASE;
      case 7:
        return FRAME_TABLE_BASE;
      case 8:
        return COUNTERS_BASE;
      case 9:
        return TRACE_BASE;
      case 10:
        return FRAME_OWNERS_BASE;
      default:
        return FRAMES_BASE;
    }
  }

  static bytes(index: u32): u32 {
    const m = Machine.get();
    switch (index) {
      case 0:
        return MACHINE_USED;
      case 1:
        return m.domainMark * DOMAIN_SIZE;
      case 2:
        return m.vcpuMark * VCPU_SIZE;
      case 3:
        return m.ioreqServerMark * IOREQ_SERVER_SIZE;
      case 4:
        return (m.rangeNodeMark + 1) * RANGE_NODE_SIZE;
      case 5:
        return min<u32>(m.domainMark, MAX_DEVICE_DOMAINS) * DEVICE_STATE_SIZE;
      case 6:
        return actorMark() * ACTOR_SIZE;
      case 7:
        return m.frameMark * FRAME_RECORD_SIZE;
      case 8:
        return COUNTERS_SIZE;
      case 9:
        return traceBytes();
      case 10:
        return m.domainMark * FRAME_OWNER_SIZE;
      default:
        return m.frameMark * PAGE_SIZE;
    }
  }

  @inline static kind(index: u32): u32 {
    return index == 8 || index == 9 ? EXTENT_JOURNAL : EXTENT_SEMANTIC;
  }
}
