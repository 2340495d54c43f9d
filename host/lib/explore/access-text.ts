/** An access to shared state in words, for schedules with automatic windows. */
import { DOM_DOMID } from "../../../hv-core/abi/domain.ts";
import {
  DOMAIN_SIZE,
  DOMAINS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  FRAMES_BASE,
  IOREQ_SERVER_SIZE,
  IOREQ_SERVERS_BASE,
  MACHINE_BASE,
  MACHINE_SIZE,
  MAX_DOMAINS,
  MAX_VCPUS,
  PAGE_SIZE,
  RANGE_NODES_BASE,
  VCPU_SIZE,
  VCPUS_BASE,
} from "../../../hv-core/abi/layout.ts";
import type { Core } from "../core.ts";
import type { Suspension } from "./continuations.ts";

const hex = (value: number): string => `0x${value.toString(16)}`;

/** "frame record 12 + 0x4", "domain 1 + 0x208". */
export function memoryName(core: Core, address: number): string {
  const inside = (base: number, size: number, count: number): readonly [index: number, offset: string] | undefined =>
    address >= base && address < base + size * count
      ? [Math.floor((address - base) / size), hex((address - base) % size)]
      : undefined;
  const frame = inside(FRAMES_BASE, PAGE_SIZE, core.frameCount);
  if (frame) return `frame ${frame[0]} + ${frame[1]}`;
  const record = inside(FRAME_TABLE_BASE, FRAME_RECORD_SIZE, core.frameCount);
  if (record) return `the record of frame ${record[0]} + ${record[1]}`;
  const domain = inside(DOMAINS_BASE, DOMAIN_SIZE, MAX_DOMAINS);
  if (domain) return `domain ${core.u32[(DOMAINS_BASE + domain[0] * DOMAIN_SIZE + DOM_DOMID) >> 2]} + ${domain[1]}`;
  const vcpu = inside(VCPUS_BASE, VCPU_SIZE, MAX_VCPUS);
  if (vcpu) return `vCPU slot ${vcpu[0]} + ${vcpu[1]}`;
  const server = inside(
    IOREQ_SERVERS_BASE,
    IOREQ_SERVER_SIZE,
    (RANGE_NODES_BASE - IOREQ_SERVERS_BASE) / IOREQ_SERVER_SIZE,
  );
  if (server) return `ioreq server slot ${server[0]} + ${server[1]}`;
  const machine = inside(MACHINE_BASE, MACHINE_SIZE, 1);
  if (machine) return `the machine header + ${machine[1]}`;
  return hex(address);
}

/** "reads frame 12 + 0x8 in hv/p2m/entry/P2mEntry.write". */
export function accessText(core: Core, at: Suspension, where: string | undefined): string {
  return `${at.isWrite ? "writes" : "reads"} ${memoryName(core, at.addr)}${where === undefined ? "" : ` in ${where}`}`;
}
