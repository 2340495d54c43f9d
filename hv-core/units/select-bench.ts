/**
 * Benchmark build (part of target `p2m-bench`, bench/suites/select.ts): choosing the ioreq server of an access, with more and more
 * servers and ranges. The access belongs to the oldest server, which is asked last.
 */

import { BUFIOREQ_OFF, IO_RANGE_MEMORY, IOREQ_TYPE_COPY } from "../abi/ioreq";
import { KNOB_TLB_ENTRIES } from "../abi/knobs";
import { Knobs } from "../base/machine";
import { Domain, NO_SERVER } from "../hv/domain";
import { domainCreate } from "../hv/domain/create";
import { createVcpus } from "../hv/domain/vcpu-create";
import { ioreqServerCreate, ioreqServerSetState } from "../hv/ioreq/life-cycle";
import { ioreqRangeMap } from "../hv/ioreq/ranges";
import { ioreqSelect } from "../hv/ioreq/select";
import { Vcpu } from "../hv/vcpu";
import { machineInit } from "../run/machine-init";

const SLOT: u32 = 1;
const FRAMES: u32 = 1024;
const DOM0: u32 = 0;
const RANGE: u64 = 0x1000;
/** Ranges do not touch, or they would be one. */
const STEP: u64 = 2 * RANGE;
const FIRST: u64 = 0x1_0000_0000;

/** Where range `index` of server `id` starts: far from those of the others. */
function startOf(id: u32, index: u32): u64 {
  return FIRST + ((<u64>id) << 32) + <u64>index * STEP;
}

/** A domain with that many servers, each with that many memory ranges. @returns 0 or -errno. */
export function selectCreate(servers: u32, ranges: u32): i32 {
  Knobs.set(KNOB_TLB_ENTRIES, 16);
  const error = machineInit(FRAMES, 1);
  if (error != 0) return error;
  const d = Domain.at(domainCreate(1, 1, 100));
  createVcpus(d);
  for (let id: u32 = 0; id < servers; id++) {
    const created = ioreqServerCreate(d, DOM0, BUFIOREQ_OFF);
    if (created < 0) return created;
    const state = ioreqServerSetState(d, id, DOM0, true);
    if (state != 0) return state;
    for (let i: u32 = 0; i < ranges; i++) {
      const start = startOf(id, i);
      const mapped = ioreqRangeMap(d, id, DOM0, IO_RANGE_MEMORY, start, start + RANGE - 1);
      if (mapped != 0) return mapped;
    }
  }
  return 0;
}

/** `n` accesses at random places of the oldest server's ranges. @returns how many of them found it. */
export function selectMany(n: u32, ranges: u32): u32 {
  const d = Domain.at(SLOT);
  const v = Vcpu.at(d.firstVcpu);
  v.ioKind = IOREQ_TYPE_COPY;
  v.ioCount = 1;
  v.ioSize = 4;
  const wanted = d.ioreqServer(0);
  let x: u32 = 1;
  let found: u32 = 0;
  for (let i: u32 = 0; i < n; i++) {
    x ^= x << 13;
    x ^= x >> 17;
    x ^= x << 5;
    v.ioAddr = startOf(0, x & (ranges - 1)) + <u64>((x >> 16) & 0xff8);
    if (ioreqSelect(v, d) == wanted && wanted != NO_SERVER) found++;
  }
  return found;
}
