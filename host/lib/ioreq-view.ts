/** The ioreq servers of a domain for people: ranges, slots, buffered rings. Read from the hypervisor's records and the shared pages; looking leaves no trace. */
import * as abi from "../../hv-core/abi/ioreq.ts";
import * as server from "../../hv-core/abi/ioreq-server.ts";
import {
  IOREQ_SERVER_SIZE,
  IOREQ_SERVERS_BASE,
  MAX_IOREQ_SERVERS_TOTAL,
  RANGE_NODE_SIZE,
  RANGE_NODES_BASE,
} from "../../hv-core/abi/layout.ts";
import { type Core, frameAddress } from "./core.ts";
import { domainSlot } from "./domains.ts";
import type { DomId } from "./ids.ts";
import { vcpuSlots } from "./inspect.ts";

export const IOREQ_STATES = ["NONE", "READY", "INPROCESS", "RESP_READY"] as const;
export type IoreqState = (typeof IOREQ_STATES)[number];
export const IOREQ_TYPES: Readonly<Record<number, string>> = {
  [abi.IOREQ_TYPE_PIO]: "pio",
  [abi.IOREQ_TYPE_COPY]: "copy",
  [abi.IOREQ_TYPE_PCI_CONFIG]: "pci_config",
  [abi.IOREQ_TYPE_TIMEOFFSET]: "timeoffset",
  [abi.IOREQ_TYPE_INVALIDATE]: "invalidate",
};

/** One synchronous request: what stands in a vCPU's place of the shared page. */
export interface IoreqSlotView {
  readonly vcpu: number;
  readonly state: IoreqState;
  readonly type: string;
  readonly dir: "read" | "write";
  readonly addr: bigint;
  readonly data: bigint;
  /** Bytes of one element, and elements. */
  readonly size: number;
  readonly count: number;
}

export interface IoreqRangeView {
  readonly space: "port" | "memory" | "pci";
  readonly start: bigint;
  /** Inclusive. */
  readonly end: bigint;
}

export interface IoreqServerView {
  readonly id: number;
  /** Domain of the device model. */
  readonly emulator: number;
  readonly isEnabled: boolean;
  /** DMOP_MEM_ACCESS_* of the pages of type ioreq_server; 0 = the type is not this server's. */
  readonly typeFlags: number;
  readonly ranges: readonly IoreqRangeView[];
  /** Empty while the page is not there. */
  readonly slots: readonly IoreqSlotView[];
  /** The buffered ring; undefined when the server has none. */
  readonly buffered: { readonly read: number; readonly write: number } | undefined;
}

const SPACES = ["port", "memory", "pci"] as const;
/** A rangeset has at most this depth by far; a broken one must not hang who looks. */
const MAX_DEPTH = 200;

function addRanges(
  core: Core,
  node: number,
  space: IoreqRangeView["space"],
  into: IoreqRangeView[],
  depth: number,
): void {
  if (node === 0 || depth > MAX_DEPTH) return;
  const at = RANGE_NODES_BASE + node * RANGE_NODE_SIZE;
  addRanges(core, core.view.getUint32(at + server.NODE_LEFT, true), space, into, depth + 1);
  into.push({
    space,
    start: core.view.getBigUint64(at + server.NODE_START, true),
    end: core.view.getBigUint64(at + server.NODE_END, true),
  });
  addRanges(core, core.view.getUint32(at + server.NODE_RIGHT, true), space, into, depth + 1);
}

function slotAt(core: Core, at: number, vcpu: number): IoreqSlotView {
  const bits = core.u8[at + abi.IOREQ_BITS]!;
  const type = core.u8[at + abi.IOREQ_TYPE]!;
  return {
    vcpu,
    state: IOREQ_STATES[bits & 15] ?? "NONE",
    type: IOREQ_TYPES[type] ?? `type${type}`,
    dir: (bits >> 5) & 1 ? "read" : "write",
    addr: core.view.getBigUint64(at + abi.IOREQ_ADDR, true),
    data: core.view.getBigUint64(at + abi.IOREQ_DATA, true),
    size: core.view.getUint32(at + abi.IOREQ_REQ_SIZE, true),
    count: core.view.getUint32(at + abi.IOREQ_COUNT, true),
  };
}

/** All ioreq servers of a domain, in the order of their ids. */
export function readIoreqServers(core: Core, domid: DomId): IoreqServerView[] {
  const target = domainSlot(core, domid);
  if (target < 0) return [];
  const vcpus = vcpuSlots(core, domid).length;
  const found: IoreqServerView[] = [];
  for (let i = 0; i < MAX_IOREQ_SERVERS_TOTAL; i++) {
    const at = IOREQ_SERVERS_BASE + i * IOREQ_SERVER_SIZE;
    const word = (offset: number): number => core.view.getUint32(at + offset, true);
    if (word(server.SERVER_IN_USE) !== 1 || word(server.SERVER_TARGET) !== target) continue;
    const ranges: IoreqRangeView[] = [];
    SPACES.forEach((space, kind) => {
      const head = word(server.SERVER_RANGES + kind * 4);
      if (head !== 0)
        addRanges(
          core,
          core.view.getUint32(RANGE_NODES_BASE + head * RANGE_NODE_SIZE + server.NODE_LEFT, true),
          space,
          ranges,
          0,
        );
    });
    const sync = word(server.SERVER_SYNC_MFN);
    const ring = word(server.SERVER_BUF_MFN);
    found.push({
      id: word(server.SERVER_ID),
      emulator: word(server.SERVER_EMULATOR),
      isEnabled: word(server.SERVER_ENABLED) !== 0,
      typeFlags: word(server.SERVER_TYPE_FLAGS),
      ranges,
      slots:
        sync === 0
          ? []
          : Array.from({ length: vcpus }, (_, id) => slotAt(core, frameAddress(sync, id * abi.IOREQ_SIZE), id)),
      buffered:
        ring === 0
          ? undefined
          : {
              read: core.view.getUint32(frameAddress(ring, abi.BUFIOREQ_READ_POINTER), true),
              write: core.view.getUint32(frameAddress(ring, abi.BUFIOREQ_WRITE_POINTER), true),
            },
    });
  }
  return found.sort((a, b) => a.id - b.id);
}
