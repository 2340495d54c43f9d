/** IO-1 .. IO-12 of spec 06 section 6.4. Each says what happens without and with the accountant, and is played on a real machine. */
import { BUS_INDEX } from "../../../hv-core/abi/bus.ts";
import { EVTCHNOP_BIND_PIRQ, HC_EVENT_CHANNEL_OP } from "../../../hv-core/abi/hypercalls.ts";
import { BIND_PIRQ_WILL_SHARE, IRQ_ALLOW_SHARED } from "../../../hv-core/abi/physdev.ts";
import { errnoName, UsageError } from "../errors.ts";
import { DOM0 } from "../ids.ts";
import { readP2m } from "../p2m-map.ts";
import {
  evtchnBindPirq,
  iomemPermission,
  ioportPermission,
  irqPermission,
  memoryMapping,
  physdevMapPirq,
} from "../toolstack/io-rights.ts";
import type { Driver } from "./driver.ts";
import { bothDrive, frameState, GFN, type IoWorld, M, P, type Scenario } from "./scenario.ts";

const GPA = GFN * 4096;
const M_GPA = M * 4096;
const always = (): boolean => true;

/** dom0 touches the device: its page is mapped at the first touch. */
const dom0Drives = (w: IoWorld): string => w.access(w.dom0, "write", M_GPA + BUS_INDEX, 0, "maps M by its first write");

const grant = (w: IoWorld, to: Driver, mfn = M): string =>
  w.call("tool", `grants M to ${to.name}`, () => iomemPermission(w.machine.dom0, to.domid, mfn, 1, true));

const revoke = (w: IoWorld, from: Driver): string =>
  w.call("tool", `takes M away from ${from.name}`, () => iomemPermission(w.machine.dom0, from.domid, M, 1, false));

const map = (w: IoWorld, into: Driver, mfn = M, gfn = GFN): string =>
  w.call("tool", `maps M into ${into.name}`, () => memoryMapping(w.machine.dom0, into.domid, gfn, mfn, 1, true));

const unmap = (w: IoWorld, from: Driver, gfn = GFN, mfn = M): string =>
  w.call("tool", `unmaps M from ${from.name}`, () => memoryMapping(w.machine.dom0, from.domid, gfn, mfn, 1, false));

/** dom0's kernel takes its own mapping away. */
const unmapDom0 = (w: IoWorld): string =>
  w.call("dom0", "unloads its driver: unmaps M", () => memoryMapping(w.machine.dom0, DOM0, M, M, 1, false));

function isMapped(w: IoWorld, by: Driver, mfn: number): boolean {
  const ranges = readP2m(w.machine.core, by.domid)?.ranges ?? [];
  return ranges.some((r) => r.type === "mmio_direct" && mfn >= r.mfn && mfn < r.mfn + r.pages);
}

export const SCENARIOS: readonly Scenario[] = [
  {
    id: "IO-1",
    title: "Two drivers: dom0 maps M, then M is granted to U",
    without: "both succeed: two drivers of one device",
    with: "the grant is -EBUSY until dom0 has unmapped",
    remedies: ["none", "not-loaded", "unloaded", "revoked"],
    isBroken: (remedy) => remedy === "none" || remedy === "revoked",
    play(w, remedy) {
      if (remedy !== "not-loaded") dom0Drives(w);
      if (remedy === "unloaded") unmapDom0(w);
      grant(w, w.u);
      w.note("tool", "asks for the state of M", frameState(w));
      map(w, w.u);
      if (remedy === "revoked") revoke(w, w.dom0);
      if (remedy === "not-loaded" || remedy === "unloaded") {
        w.access(w.u, "write", GPA + BUS_INDEX, 2, "writes INDEX = 2");
        return null; // dom0 keeps away by agreement
      }
      return bothDrive(w, w.dom0, M_GPA, w.u, GPA);
    },
  },
  {
    id: "IO-2",
    title: "The right to M is taken from dom0, its mapping stays",
    without: "the old mapping works: the right was only a right to map",
    with: "-EBUSY (refuse), REVOKING is visible (lazy), or the mapping is gone (forced)",
    isBroken: always,
    play(w) {
      dom0Drives(w);
      const result = revoke(w, w.dom0);
      const state = frameState(w);
      w.note("tool", "asks for the state of M", state);
      const reached = w.access(w.dom0, "write", M_GPA + BUS_INDEX, 3, "writes through its old mapping");
      if (result !== "ok" || reached !== "device") return null;
      return state.startsWith("revoking")
        ? null
        : "dom0 has lost the right to M and still writes to the device, and nobody can tell";
    },
  },
  {
    id: "IO-3",
    title: "The right to port P is taken from dom0",
    without: "effective at once: each use is checked",
    with: "the same",
    remedies: ["none", "revoked"],
    isBroken: () => false,
    play(w) {
      w.access(w.dom0, "out", P + BUS_INDEX, 1, "OUT to P");
      w.call("tool", "takes P away from dom0", () => ioportPermission(w.machine.dom0, DOM0, P, 8, false));
      const reached = w.access(w.dom0, "out", P + BUS_INDEX, 2, "OUT to P");
      return reached === "device" ? "dom0 has lost P and still reaches the device" : null;
    },
  },
  {
    id: "IO-4",
    title: "dom0 gives itself the local APIC's page and maps it",
    knobs: { "iocap.era": 1 },
    without: "allowed (rules of 2014)",
    with: "-EPERM: reserved",
    isBroken: always,
    play(w) {
      const lapic = 0xf_ee00;
      w.call("dom0", "gives itself the LAPIC's frame", () => iomemPermission(w.machine.dom0, DOM0, lapic, 1, true));
      w.call("dom0", "maps it", () => memoryMapping(w.machine.dom0, DOM0, 0x9_0000, lapic, 1, true));
      w.access(w.dom0, "write", 0x9000_00b0, 0, "writes EOI");
      return isMapped(w, w.dom0, lapic) ? "dom0 has the hypervisor's LAPIC in its map" : null;
    },
  },
  {
    id: "IO-5",
    title: "The hypervisor's serial port and the IO-APIC are given to U",
    knobs: { "iocap.era": 1 },
    without: "allowed (rules of 2014)",
    with: "-EPERM: reserved",
    isBroken: always,
    play(w) {
      const serial = w.call("tool", "gives ports 3f8-3ff to U", () =>
        ioportPermission(w.machine.dom0, w.u.domid, 0x3f8, 8, true),
      );
      const ioapic = w.call("tool", "gives the IO-APIC's frame to U", () =>
        iomemPermission(w.machine.dom0, w.u.domid, 0xf_ec00, 1, true),
      );
      return serial === "ok" || ioapic === "ok" ? "U may use what the hypervisor believes is its own" : null;
    },
  },
  {
    id: "IO-6",
    title: "M is granted to U, dom0 maps it afterwards",
    without: "allowed",
    with: "not mapped: dom0 may use only what nobody holds",
    isBroken: always,
    play(w) {
      grant(w, w.u);
      map(w, w.u);
      const reached = dom0Drives(w);
      return reached === "device" ? bothDrive(w, w.dom0, M_GPA, w.u, GPA) : null;
    },
  },
  {
    id: "IO-7",
    title: "U loses M while it has it mapped, V is granted M",
    accountantKnobs: { "iomem.revoke": 1 },
    without: "U and V share the device",
    with: "the grant to V is -EBUSY until U's last unmap",
    isBroken: always,
    play(w) {
      grant(w, w.u);
      map(w, w.u);
      revoke(w, w.u);
      w.note("tool", "asks for the state of M", frameState(w));
      const granted = grant(w, w.v);
      if (granted === "ok") {
        map(w, w.v);
        return bothDrive(w, w.u, GPA, w.v, GPA);
      }
      unmap(w, w.u);
      w.note("tool", "asks for the state of M", frameState(w));
      if (grant(w, w.v) !== "ok" || map(w, w.v) !== "ok") return "V never gets M";
      return w.access(w.v, "write", GPA + BUS_INDEX, 4, "writes INDEX = 4") === "device"
        ? null
        : "V's mapping does not work";
    },
  },
  {
    id: "IO-8",
    title: "A line that dom0's device and U's device have in common",
    without: "shared in silence, because the first binder said so",
    with: "-EBUSY, unless the line was granted to be shared",
    isBroken: always,
    play(w) {
      const { dom0 } = w.machine;
      w.call("dom0", "maps line 16", () => physdevMapPirq(dom0, 16));
      w.call("dom0", "binds line 16 and would share it", () => void evtchnBindPirq(dom0, 16, true));
      const granted = w.call("tool", "grants line 16 to U", () => irqPermission(dom0, w.u.domid, 16, 1));
      const bound = granted === "ok" && bindLine(w, w.u, 16) === "ok";
      if (bound) return "dom0 and U share line 16, and nobody has said so";
      w.call("tool", "grants line 16 to U, to be shared", () =>
        irqPermission(dom0, w.u.domid, 16, 1 | IRQ_ALLOW_SHARED),
      );
      return bindLine(w, w.u, 16) === "ok" ? null : "the line cannot be shared at all";
    },
  },
  {
    id: "IO-9",
    title: "Port P is in dom0's I/O bitmap, and taken away later",
    knobs: { "ioport.check": 1 },
    without: "native access goes on: the bitmap was made once",
    with: "the bit is set and every processor of dom0 has seen it",
    isBroken: always,
    play(w) {
      w.access(w.dom0, "out", P + BUS_INDEX, 1, "OUT to P, without an exit");
      w.call("tool", "takes P away from dom0", () => ioportPermission(w.machine.dom0, DOM0, P, 8, false));
      const reached = w.access(w.dom0, "out", P + BUS_INDEX, 2, "OUT to P");
      return reached === "device" ? "dom0 has lost P and still reaches the device" : null;
    },
  },
  {
    id: "IO-10",
    title: "Every second frame is granted: each costs a range",
    accountantKnobs: { "iocap.quota": 256 },
    without: "2000 ranges, and no end to it",
    with: "-ENOMEM at the quota of 256",
    isBroken: always,
    play(w) {
      const { dom0 } = w.machine;
      let ranges = 0;
      const result = w.call("tool", "grants U every second frame from e0000 on", () => {
        for (; ranges < 2000; ranges++) iomemPermission(dom0, w.u.domid, 0xe_0000 + 2 * ranges, 1, true);
      });
      w.note("tool", "counts the ranges", `${ranges}`);
      return result === "ok" ? "one caller makes the hypervisor keep as many ranges as it likes" : null;
    },
  },
  {
    id: "IO-11",
    title: "M is mapped at two places of U, and one of them is unmapped",
    without: "nothing counts: M can be taken away and given to V while U still has it",
    with: "the count is 1, not 0: -EBUSY",
    isBroken: always,
    play(w) {
      grant(w, w.u);
      map(w, w.u);
      map(w, w.u, M, GFN + 1);
      w.note("tool", "asks for the state of M", frameState(w));
      unmap(w, w.u);
      w.note("tool", "asks for the state of M", frameState(w));
      if (revoke(w, w.u) !== "ok" || grant(w, w.v) !== "ok") return null;
      map(w, w.v);
      return bothDrive(w, w.u, GPA + 4096, w.v, GPA);
    },
  },
  {
    id: "IO-12",
    title: "A frame is taken from the middle of U's range, and there is no room for two ranges",
    knobs: { "iocap.quota": 1 },
    without: "-ENOMEM, the right stays; a tool that goes on all the same makes two drivers",
    with: "the failure changes nothing: M is U's, and a grant to V is -EBUSY",
    isBroken: always,
    play(w) {
      const { dom0 } = w.machine;
      w.call("tool", "grants M - 1 to M + 1 to U", () => iomemPermission(dom0, w.u.domid, M - 1, 3, true));
      const result = revoke(w, w.u);
      if (result !== "-ENOMEM") return `the revocation answers ${result}`;
      const granted = grant(w, w.v);
      w.note("tool", "asks for the state of M", frameState(w));
      map(w, w.u);
      if (granted !== "ok")
        return w.access(w.u, "write", GPA + BUS_INDEX, 1, "uses what is still its own") === "device"
          ? null
          : "U has lost half of its right";
      map(w, w.v);
      return bothDrive(w, w.u, GPA, w.v, GPA);
    },
  },
];

/** U's kernel binds a line with its own hypercall. */
function bindLine(w: IoWorld, who: Driver, line: number): string {
  const argument = who.put([line, BIND_PIRQ_WILL_SHARE, 0]);
  const answer = (who.run("hypercall", HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_PIRQ, argument) ?? -1) | 0;
  const result = answer === 0 ? "ok" : `-${errnoName(-answer) ?? answer}`;
  w.note(who.name, `binds line ${line} and would share it`, result);
  return result;
}

/** @throws UsageError with the nearest names. */
export function scenarioByName(name: string): Scenario {
  const found = SCENARIOS.find((s) => s.id.toLowerCase() === name.toLowerCase() || s.id.slice(3) === name);
  if (!found)
    throw new UsageError(`no scenario is called "${name}": there are ${SCENARIOS.map((s) => s.id).join(", ")}`);
  return found;
}
