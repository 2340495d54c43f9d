/**
 * A small monitor (spec 04 section 4.5): hears of every write to some pages of a guest and of every instruction executed from others, and lets
 * the guest go on. The pages keep their restricted access; the hypervisor carries out the instruction for which an event came (EMULATE), so
 * nothing runs unseen in between, on no vCPU.
 */
import { P2M_ACCESS_R, P2M_ACCESS_RW, P2M_ACCESS_RWX, P2M_ACCESS_RX } from "../../../hv-core/abi/p2m-types.ts";
import {
  EV_ACCESS_FLAGS,
  EV_DATA,
  EV_GLA,
  EV_OFFSET,
  EVF_EMULATE,
  EVF_VCPU_PAUSED,
  MEM_ACCESS_GLA_VALID,
  MEM_ACCESS_IN_GPT,
  MEM_ACCESS_W,
  MEM_ACCESS_X,
  REASON_MEM_ACCESS,
  REGS_RIP,
  VM_EVENT_MODE_MONITOR,
} from "../../../hv-core/abi/vm-event.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { memAccessSet } from "../toolstack/vm-event.ts";
import { type Listener, openListener, type Request } from "../vm-event/listener.ts";

export interface MonitorEvent {
  readonly kind: "write" | "execute";
  /** vcpu_id in the guest. */
  readonly vcpu: number;
  readonly gfn: number;
  /** Byte in the page. */
  readonly offset: number;
  /** Linear address, when the processor had one. */
  readonly gla?: bigint;
  readonly rip: bigint;
  /** The processor itself wrote, setting an accessed or dirty bit in a page table. */
  readonly isPageWalk: boolean;
}

export interface MonitorOptions {
  readonly dom0: Dom0;
  readonly domid: DomId;
  /** Guest frames whose writes, and whose execution, are reported. */
  readonly write: readonly number[];
  readonly execute: readonly number[];
  readonly onEvent: (event: MonitorEvent) => void;
}

export interface Monitor {
  readonly listener: Listener;
  /** Answers what waits on the ring: to be called whenever it has something. */
  serve(): void;
  /** Gives the pages back and stops listening. */
  close(): void;
}

/** @throws HvError EBUSY (somebody monitors already), EINVAL (a page beyond the guest's last), ENOMEM. */
export function createMonitor(options: MonitorOptions): Monitor {
  const { dom0, domid, onEvent } = options;
  const write = new Set(options.write);
  const execute = new Set(options.execute);
  const listener = openListener(dom0, domid, VM_EVENT_MODE_MONITOR);
  const pages = new Set([...write, ...execute]);
  for (const gfn of pages) {
    const access = !execute.has(gfn) ? P2M_ACCESS_RX : write.has(gfn) ? P2M_ACCESS_R : P2M_ACCESS_RW;
    memAccessSet(dom0, domid, access, gfn);
  }

  function report(request: Request): void {
    const { view } = dom0.core;
    const flags = view.getUint32(request.at + EV_ACCESS_FLAGS, true);
    const kind = (flags & MEM_ACCESS_X) !== 0 ? "execute" : (flags & MEM_ACCESS_W) !== 0 ? "write" : undefined;
    if (!kind) return;
    onEvent({
      kind,
      vcpu: request.vcpu,
      gfn: request.gfn,
      offset: view.getUint32(request.at + EV_OFFSET, true),
      ...((flags & MEM_ACCESS_GLA_VALID) !== 0 ? { gla: view.getBigUint64(request.at + EV_GLA, true) } : {}),
      rip: view.getBigUint64(request.at + EV_DATA + REGS_RIP, true),
      isPageWalk: (flags & MEM_ACCESS_IN_GPT) !== 0,
    });
  }

  function serve(): void {
    for (let request = listener.next(); request; request = listener.next()) {
      if (request.reason === REASON_MEM_ACCESS) report(request);
      listener.respond(request, (request.flags & EVF_VCPU_PAUSED) | EVF_EMULATE);
      listener.notify();
    }
  }

  return {
    listener,
    serve,
    close() {
      serve();
      for (const gfn of pages) memAccessSet(dom0, domid, P2M_ACCESS_RWX, gfn);
      listener.close();
    },
  };
}
