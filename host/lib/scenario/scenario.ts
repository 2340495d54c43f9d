/** The machine that a scenario file describes, and the commands of `vmexit dom` on it: list, info, pause, unpause, destroy, run. */

import { DOMCTL_UNION } from "../../../hv-core/abi/domctl.ts";
import {
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GETDOMAININFO,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_UNPAUSEDOMAIN,
  DOMID_FIRST_RESERVED,
} from "../../../hv-core/abi/hypercalls.ts";
import { XSM_POLICY } from "../../../hv-core/abi/knobs.ts";
import { MAX_VCPUS } from "../../../hv-core/abi/layout.ts";
import { HvError, UsageError } from "../errors.ts";
import { DOM0, DomId } from "../ids.ts";
import type { GuestImage } from "../loader/image.ts";
import { createMachine, type Machine, type RunEnd } from "../machine.ts";
import { suggest } from "../suggest.ts";
import {
  type DomainInfo,
  domainGetInfo,
  domainList,
  domainPause,
  domainUnpause,
  readDomainInfo,
} from "../toolstack/domctl.ts";
import { domainSetTarget } from "../toolstack/settings.ts";
import { xsmLoadPolicy } from "../toolstack/xsm.ts";
import { createIssuer, issueDomctl } from "./issuer.ts";
import type { Scenario, ScenarioDomain } from "./scenario-file.ts";

/** A guest as it was opened for one domain of the scenario. */
export interface OpenGuest {
  readonly image: GuestImage;
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly cmdline: string;
}

export interface ScenarioMachine extends Disposable {
  readonly machine: Machine;
  readonly scenario: Scenario;
  /** Ids of the domains by name, in the order of the file. */
  readonly domids: ReadonlyMap<string, DomId>;
}

export interface NamedInfo extends DomainInfo {
  readonly name: string;
}

const ISSUER_BYTES = 4 * 4096;

function memoryOf(scenario: Scenario, guests: ReadonlyMap<string, OpenGuest>): { memoryBytes: number; vcpus: number } {
  let memoryBytes = 0;
  let vcpus = 0;
  for (const { name } of scenario.domains) {
    memoryBytes += guests.get(name)?.memoryBytes ?? ISSUER_BYTES;
    vcpus += guests.get(name)?.vcpus ?? 1;
  }
  return { memoryBytes, vcpus };
}

/** vCPUs beside dom0's. */
const MOST_VCPUS = MAX_VCPUS - 1;

function emptyMachine(wasm: WebAssembly.Module, scenario: Scenario, guests: ReadonlyMap<string, OpenGuest>): Machine {
  const size = memoryOf(scenario, guests);
  if (size.vcpus > MOST_VCPUS)
    throw new UsageError(`${scenario.file}: the domains have ${size.vcpus} vCPUs in all: at most ${MOST_VCPUS} fit`);
  try {
    return createMachine(wasm, {
      ...size,
      ...(scenario.era ? { era: scenario.era } : {}),
      knobs: { ...scenario.knobs, ...(scenario.hasPolicy ? { xsm: XSM_POLICY } : {}) },
    });
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(`${scenario.file}: ${error.message}`, { cause: error });
  }
}

const scenarioMachine = (
  machine: Machine,
  scenario: Scenario,
  domids: ReadonlyMap<string, DomId>,
): ScenarioMachine => ({ machine, scenario, domids, [Symbol.dispose]: () => machine[Symbol.dispose]() });

function buildDomain(
  machine: Machine,
  domain: ScenarioDomain,
  guest: OpenGuest | undefined,
  earlier: ReadonlyMap<string, DomId>,
): DomId {
  const domid = guest ? machine.createGuest({ ...guest, modules: [] }).domid : createIssuer(machine);
  if (domain.isPaused) domainPause(machine.dom0, domid);
  if (domain.target !== undefined) domainSetTarget(machine.dom0, domid, earlier.get(domain.target)!);
  return domid;
}

/** Builds all domains in the order of the file. @throws UsageError "file:line: what is wrong", HvError */
export function buildScenario(
  wasm: WebAssembly.Module,
  scenario: Scenario,
  guests: ReadonlyMap<string, OpenGuest>,
): ScenarioMachine {
  const machine = emptyMachine(wasm, scenario, guests);
  const domids = new Map<string, DomId>();
  for (const domain of scenario.domains) {
    try {
      domids.set(domain.name, buildDomain(machine, domain, guests.get(domain.name), domids));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(`${scenario.file}:${domain.line}: domain "${domain.name}": ${error.message}`, {
        cause: error,
      });
    }
  }
  if (scenario.hasPolicy) xsmLoadPolicy(machine.dom0, scenario.rules(domids));
  return scenarioMachine(machine, scenario, domids);
}

/** The same machine, to be put to a state that was saved: no domain is built. */
export function emptyScenario(
  wasm: WebAssembly.Module,
  scenario: Scenario,
  guests: ReadonlyMap<string, OpenGuest>,
  domids: ReadonlyMap<string, DomId>,
): ScenarioMachine {
  return scenarioMachine(emptyMachine(wasm, scenario, guests), scenario, domids);
}

/** @throws UsageError with the name that may have been meant. */
export function domidOf(s: ScenarioMachine, name: string): DomId {
  if (name === "dom0") return DOM0;
  const domid = s.domids.get(name);
  if (domid === undefined)
    throw new UsageError(`${s.scenario.file} has no domain "${name}": ${suggest(name, ["dom0", ...s.domids.keys()])}`);
  return domid;
}

/** The domain that issues a command: undefined = dom0. @throws UsageError when it is one that a guest runs in. */
function issuerOf(s: ScenarioMachine, as: string): DomId | undefined {
  const domid = domidOf(s, as);
  if (domid === DOM0) return undefined;
  if (s.scenario.domains.find((d) => d.name === as)?.kind !== "toolstack")
    throw new UsageError(`domain "${as}" runs a guest: only dom0 and domains of kind "toolstack" issue commands`);
  return domid;
}

const nameOf = (s: ScenarioMachine, domid: DomId): string =>
  domid === DOM0 ? "dom0" : ([...s.domids].find(([, id]) => id === domid)?.[0] ?? `domain ${domid}`);

function infoFrom(s: ScenarioMachine, issuer: DomId | undefined, domid: DomId): DomainInfo {
  if (issuer === undefined) return domainGetInfo(s.machine.dom0, domid);
  const view = issueDomctl(s.machine, issuer, "DOMCTL_getdomaininfo", DOMCTL_GETDOMAININFO, domid, {});
  return readDomainInfo(view, DOMCTL_UNION);
}

/** All domains that `as` may ask about; those that it may not are left out. */
export function listDomains(s: ScenarioMachine, as: string): NamedInfo[] {
  const issuer = issuerOf(s, as);
  const named = (info: DomainInfo): NamedInfo => ({ name: nameOf(s, info.domid), ...info });
  if (issuer === undefined) return domainList(s.machine.dom0).map(named);
  const found: NamedInfo[] = [];
  for (const domid of [DOM0, ...s.domids.values()]) {
    try {
      const info = infoFrom(s, issuer, domid);
      if (info.domid === domid) found.push(named(info));
    } catch (error) {
      if (!(error instanceof HvError && (error.code === "EPERM" || error.code === "ESRCH"))) throw error;
    }
  }
  return found;
}

/** @throws HvError ESRCH when the domain is gone: getdomaininfo itself would answer for the next one. */
export function domainInfo(s: ScenarioMachine, as: string, name: string): NamedInfo {
  const domid = domidOf(s, name);
  const info = infoFrom(s, issuerOf(s, as), domid);
  if (info.domid !== domid) throw new HvError("ESRCH", "DOMCTL_getdomaininfo", { arguments: { domid } });
  return { name, ...info };
}

const NUMBERS = {
  pause: [DOMCTL_PAUSEDOMAIN, "DOMCTL_pausedomain"],
  unpause: [DOMCTL_UNPAUSEDOMAIN, "DOMCTL_unpausedomain"],
  destroy: [DOMCTL_DESTROYDOMAIN, "DOMCTL_destroydomain"],
} as const;

export type Operation = keyof typeof NUMBERS;

/** What dom0 does with each: the toolstack's calls, with the devices that serve a guest. */
function byDom0(machine: Machine, operation: Operation, domid: DomId): void {
  if (operation === "pause") domainPause(machine.dom0, domid);
  else if (operation === "unpause") domainUnpause(machine.dom0, domid);
  else machine.destroyGuest(domid);
}

/** @throws HvError: EPERM when the security module says no, ESRCH when there is no such domain any more */
export function operate(s: ScenarioMachine, as: string, operation: Operation, name: string): void {
  const domid = domidOf(s, name);
  const issuer = issuerOf(s, as);
  if (issuer === undefined) {
    byDom0(s.machine, operation, domid);
    return;
  }
  const [cmd, call] = NUMBERS[operation];
  issueDomctl(s.machine, issuer, call, cmd, domid, {});
  if (operation === "destroy") dropBackEnds(s.machine, domid);
}

/** Another domain destroyed it: dom0's device models let go of what is left. */
function dropBackEnds(machine: Machine, domid: DomId): void {
  try {
    machine.destroyGuest(domid);
  } catch (error) {
    if (!(error instanceof HvError && error.code === "ESRCH")) throw error;
  }
}

export function runScenario(s: ScenarioMachine, maxInstructions: number): RunEnd {
  return s.machine.run({ maxInstructions });
}

/** Of a domain id that was saved. @throws RangeError */
export function savedDomid(value: number): DomId {
  if (!Number.isInteger(value) || value < 1 || value >= DOMID_FIRST_RESERVED)
    throw new RangeError(`${value} is no domain id`);
  return DomId(value);
}
