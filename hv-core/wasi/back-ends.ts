/**
 * The other ends of the guest's rings: PV console (output only) and a read-only xenstore, and the rings of the hypervisor's console
 * and of the in-core devices. As host/lib/device/platform.ts, with the small devices inside the core.
 */
import { DEVICE_CONSOLE_DATA, DEVICE_CONSOLE_ENTRIES, DEVICE_CONSOLE_HEAD, DEVICE_CONSOLE_TAIL } from "../abi/devices";
import { EINVAL, OK } from "../abi/errno";
import { DEVICE_CONSOLE_BASE } from "../abi/layout";
import { CONSOLE_GFN, STORE_GFN } from "./build";
import { Dom0 } from "./dom0";
import { Guest } from "./guest";
import { drainHypervisorConsole } from "./hv-console";
import { Output } from "./output";
import { PvRing } from "./pv-ring";
import { serveStore } from "./store";
import { Toolstack } from "./toolstack";

const OUT_DATA: usize = 1024;
const OUT_SIZE: u32 = 2048;
const OUT_CONS: usize = 3080;
const OUT_PROD: usize = 3084;

export class BackEnds {
  /** Maps the rings and binds the ports, store first. */
  static attach(): i32 {
    const g = Guest.get();
    g.storePage = <u32>Toolstack.mapPage(g.domid, STORE_GFN);
    g.storeLocalPort = Dom0.bindInterdomain(g.domid, g.storePort);
    g.consolePage = <u32>Toolstack.mapPage(g.domid, CONSOLE_GFN);
    g.consoleLocalPort = Dom0.bindInterdomain(g.domid, g.consolePort);
    const isComplete = g.storePage != 0 && g.consolePage != 0 && g.storeLocalPort > 0 && g.consoleLocalPort > 0;
    return isComplete ? OK : -EINVAL;
  }

  /** Takes what the guest wrote since the last look, then serves the pending events. True when there was an event. */
  static serve(): bool {
    drainHypervisorConsole();
    BackEnds.drainDevices();
    if (!Dom0.isEventPending()) return false;
    while (Dom0.isEventPending()) {
      Dom0.acknowledge();
      let port = Dom0.takePort();
      while (port >= 0) {
        const g = Guest.get();
        if (port == g.consoleLocalPort) BackEnds.serveConsole();
        else if (port == g.storeLocalPort) serveStore();
        else if (port == g.domExcPort) g.domainStopped = 1;
        port = Dom0.takePort();
      }
    }
    return true;
  }

  private static drainDevices(): void {
    const head = load<u32>(DEVICE_CONSOLE_BASE, DEVICE_CONSOLE_HEAD);
    let tail = load<u32>(DEVICE_CONSOLE_BASE, DEVICE_CONSOLE_TAIL);
    while (tail != head) {
      Output.put(load<u8>(DEVICE_CONSOLE_BASE + DEVICE_CONSOLE_DATA + ((tail % DEVICE_CONSOLE_ENTRIES) << 1)));
      tail++;
    }
    store<u32>(DEVICE_CONSOLE_BASE, tail, DEVICE_CONSOLE_TAIL);
  }

  private static serveConsole(): void {
    const g = Guest.get();
    const page = <usize>g.consolePage;
    const waiting = PvRing.pending(page, OUT_SIZE, OUT_CONS, OUT_PROD);
    if (waiting < 0) PvRing.reset(page, OUT_CONS, OUT_PROD);
    for (let i = 0; i < waiting; i++) Output.put(PvRing.take(page, OUT_DATA, OUT_SIZE, OUT_CONS));
    if (waiting != 0) Dom0.send(g.consoleLocalPort);
  }
}
