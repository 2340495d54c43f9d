/**
 * Everything outside the hypervisor that a domain gets: consoles, store, and the small devices behind one ioreq server.
 * With knob device.at = core the small devices are handlers inside the core and no ioreq server is created.
 */
import {
  COUNTER_BASE,
  COUNTER_SIZE,
  DEBUG_PORT,
  EXIT_PORT,
  POST_PORT,
  SHADOW_BASE,
  SHADOW_SIZE,
  UART_PORT,
  UART_PORTS,
} from "../../../hv-core/abi/devices.ts";
import { IO_RANGE_MEMORY, IO_RANGE_PORT } from "../../../hv-core/abi/ioreq.ts";
import {
  ACTOR_CORE_INPUT,
  ACTOR_COUNTER,
  ACTOR_DEBUG_PORT,
  ACTOR_IOREQ_SERVER,
  ACTOR_KIND,
  ACTOR_POST,
  ACTOR_PV_CONSOLE,
  ACTOR_SHADOW_TABLE,
  ACTOR_TEST_EXIT,
  ACTOR_TOOLSTACK,
  ACTOR_UART,
  ACTOR_XENSTORE,
  type ActorId,
  actorsOf,
  allocActor,
  freeActorsOf,
  getField,
  setField,
  slabOf,
  TOOLSTACK_DOM_EXC,
} from "../actors.ts";
import type { DomId } from "../ids.ts";
import { type BuiltDomain, CONSOLE_GFN, STORE_GFN } from "../toolstack/build.ts";
import type { DeviceContext } from "./context.ts";
import { coreInputReceive, createCoreInput } from "./core-input.ts";
import { addRange, closeServer, createServer, enableServer } from "./ioreq-server.ts";
import { serveEvent } from "./ioreq-service.ts";
import { closePvConsole, createPvConsole, pvConsoleReceive, servePvConsole } from "./pv-console.ts";
import { closeShadowTable } from "./shadow-table.ts";
import { uartReceive } from "./uart.ts";
import { closeXenstore, createXenstore, serveXenstore } from "./xenstore/server.ts";

/** The small devices: slab kind, range. */
const SMALL_DEVICES: readonly (readonly [kind: number, space: number, start: number, size: number])[] = [
  [ACTOR_UART, IO_RANGE_PORT, UART_PORT, UART_PORTS],
  [ACTOR_DEBUG_PORT, IO_RANGE_PORT, DEBUG_PORT, 1],
  [ACTOR_POST, IO_RANGE_PORT, POST_PORT, 1],
  [ACTOR_TEST_EXIT, IO_RANGE_PORT, EXIT_PORT, 1],
  [ACTOR_COUNTER, IO_RANGE_MEMORY, COUNTER_BASE, COUNTER_SIZE],
  [ACTOR_SHADOW_TABLE, IO_RANGE_MEMORY, SHADOW_BASE, SHADOW_SIZE],
];

export interface PlatformOptions {
  readonly vcpus: number;
  readonly memoryBytes: number;
  /** Small devices in the host, as an ioreq server. */
  readonly smallDevices: boolean;
}

/** What libxl writes into the store before the domain starts; relative to /local/domain/<domid>. */
function storeSeed(domain: BuiltDomain, options: PlatformOptions): Record<string, string> {
  const seed: Record<string, string> = {
    domid: String(domain.domid),
    name: "guest",
    vm: "/vm/00000000-0000-0000-0000-000000000000",
    "memory/target": String(options.memoryBytes / 1024),
    "memory/static-max": String(options.memoryBytes / 1024),
    "store/port": String(domain.storePort),
    "store/ring-ref": String(STORE_GFN),
    "console/port": String(domain.consolePort),
    "console/ring-ref": String(CONSOLE_GFN),
    "console/type": "xenconsoled",
    "console/limit": "1048576",
    "control/shutdown": "",
    "control/feature-poweroff": "",
    "control/feature-reboot": "",
    "control/sysrq": "",
    device: "",
    attr: "",
    data: "",
    drivers: "",
    error: "",
    feature: "",
  };
  for (let i = 0; i < options.vcpus; i++) seed[`cpu/${i}/availability`] = "online";
  return seed;
}

/** Attaches all devices to a domain that is built and still paused. */
export function attachPlatform(context: DeviceContext, domain: BuiltDomain, options: PlatformOptions): void {
  const { domid } = domain;
  createXenstore(context, domid, STORE_GFN, domain.storePort, storeSeed(domain, options));
  createPvConsole(context, domid, CONSOLE_GFN, domain.consolePort);
  if (!options.smallDevices) {
    createCoreInput(context.dom0.core, domid);
    return;
  }
  const server = createServer(context, domid, options.vcpus);
  for (const [kind, space, start, size] of SMALL_DEVICES) {
    const device = allocActor(context.dom0.core, kind, domid);
    addRange(context, server, { space, start, end: start + size - 1 }, device);
  }
  enableServer(context, server);
}

/** Takes all devices of a domain away: what dom0 has of it (ports, mappings, the ioreq server), then the slabs. */
export function detachPlatform(context: DeviceContext, domid: DomId): void {
  const { core } = context.dom0;
  for (const actor of actorsOf(core, domid, ACTOR_SHADOW_TABLE)) closeShadowTable(context, slabOf(actor));
  for (const actor of actorsOf(core, domid, ACTOR_IOREQ_SERVER)) closeServer(context, actor);
  for (const actor of actorsOf(core, domid, ACTOR_PV_CONSOLE)) closePvConsole(context, slabOf(actor));
  for (const actor of actorsOf(core, domid, ACTOR_XENSTORE)) closeXenstore(context, slabOf(actor));
  freeActorsOf(core, domid);
}

/** One event for one actor: a dense switch, because this is the hot path of every device. */
export function serveActor(context: DeviceContext, actor: ActorId, data: number): void {
  const slab = slabOf(actor);
  switch (getField(context.dom0.core, slab, ACTOR_KIND)) {
    case ACTOR_IOREQ_SERVER:
      serveEvent(context, actor, data);
      break;
    case ACTOR_PV_CONSOLE:
      servePvConsole(context, slab);
      break;
    case ACTOR_XENSTORE:
      serveXenstore(context, slab);
      break;
    case ACTOR_TOOLSTACK: // VIRQ_DOM_EXC: Machine.run looks which domain it was
      setField(context.dom0.core, slab, TOOLSTACK_DOM_EXC, 1);
      break;
    default: // an actor that is gone
      break;
  }
}

/** Bytes typed on the terminal: to the UART and to the PV console, whichever the guest reads. */
export function typeToGuest(context: DeviceContext, domid: DomId, bytes: Uint8Array): void {
  const { core } = context.dom0;
  for (const byte of bytes) {
    for (const actor of actorsOf(core, domid, ACTOR_UART)) uartReceive(core, slabOf(actor), byte);
    for (const actor of actorsOf(core, domid, ACTOR_CORE_INPUT)) coreInputReceive(core, slabOf(actor), byte);
    for (const actor of actorsOf(core, domid, ACTOR_PV_CONSOLE)) pvConsoleReceive(core, slabOf(actor), byte);
  }
  for (const actor of actorsOf(core, domid, ACTOR_PV_CONSOLE)) servePvConsole(context, slabOf(actor));
}
