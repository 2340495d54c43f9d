/**
 * Knobs: how a design alternative is written down (docs/architecture.md section 6). Each has a name, values with a meaning,
 * a default, and possibly another value in some era. Indices in the machine header: abi/knobs.ts.
 */
import {
  ACCOUNT_HEADERS,
  ACCOUNT_NONE,
  ACCOUNT_RADIX,
  ACCOUNT_RANGES,
  ACCOUNT_SLAB,
  AS_FIXED,
  AS_XEN,
  BUFFERED_WRITES,
  DEVICE_AT_CORE,
  DEVICE_AT_HOST,
  DOMCTL_ERA_0A,
  DOMCTL_ERA_4_17,
  ERA_4_17,
  ERA_2012,
  ERA_2014,
  ERA_2016,
  ERA_TODAY,
  IO_ERA_4_17,
  IO_ERA_2014,
  IO_ERA_TODAY,
  IOREQ_LOCK_PLAIN,
  KNOB_CONSOLE_VERBOSE,
  KNOB_DESTROY_PENDING,
  KNOB_DESTROY_TYPE,
  KNOB_DEVICE_AT,
  KNOB_DOM0_VCPUS,
  KNOB_DOMCTL_BITMAP,
  KNOB_DOMCTL_DEFECTS,
  KNOB_DOMCTL_ERA,
  KNOB_DOMCTL_LOCK,
  KNOB_EARLY_UNLOCK,
  KNOB_EMULATE_CACHE,
  KNOB_EMULATE_INS,
  KNOB_EMULATE_REP,
  KNOB_EMULATE_REP_TYPED,
  KNOB_EPT_NX_SUPERPAGES,
  KNOB_ERA,
  KNOB_EVENT_DISABLE,
  KNOB_EVENT_SLOTS,
  KNOB_EVENT_UNSENT,
  KNOB_GRANT_TYPE,
  KNOB_IO_ACCOUNT,
  KNOB_IO_DEVICES,
  KNOB_IO_DOM0_CAPS,
  KNOB_IO_DOM0_PORTS,
  KNOB_IO_ERA,
  KNOB_IO_IOMMU,
  KNOB_IO_OWN,
  KNOB_IO_PORT_CHECK,
  KNOB_IO_QUOTA,
  KNOB_IO_REVOKE,
  KNOB_IOREQ_BUFFERED,
  KNOB_IOREQ_LOCK,
  KNOB_MAP_LEFT,
  KNOB_MEM_ACCESS,
  KNOB_MEM_PAGING,
  KNOB_NO_SERVER,
  KNOB_P2M_SUPERPAGES,
  KNOB_PADDR_BITS,
  KNOB_PAGING_FOREIGN,
  KNOB_PML,
  KNOB_RMW_READ,
  KNOB_SCHED_QUANTUM,
  KNOB_SEED,
  KNOB_SEND_DEFERRAL,
  KNOB_SEND_PENDING,
  KNOB_SET_TYPE_CHECK,
  KNOB_SHARING_ADD_COUNT,
  KNOB_SHARING_AUDIT,
  KNOB_SHARING_BUILD,
  KNOB_SHARING_DEFECTS,
  KNOB_SHARING_ERA,
  KNOB_SHARING_FORK_ORDER,
  KNOB_SHARING_RMAP,
  KNOB_SHARING_THIRD,
  KNOB_TLB_ENTRIES,
  KNOB_TRACE_MASK,
  KNOB_TSC_KHZ,
  KNOB_TYPE_FETCH,
  KNOB_TYPE_READ,
  KNOB_TYPE_SERVERS,
  KNOB_UNMAP_LOG_DIRTY,
  KNOB_UNMAP_PAUSE,
  KNOB_UNMAP_RESET,
  KNOB_VIRQ_HANDLER,
  KNOB_XSM,
  KNOB_XSM_MAX_MEM,
  MEM_ACCESS_SVM,
  NO_SERVER_COPY,
  NO_SERVER_NULL,
  NO_SERVER_RETRY,
  PORT_CHECK_BITMAP,
  PORT_CHECK_TRAP,
  RESET_DIRECT,
  RESET_NONE,
  RESET_RECALC,
  RESET_SWEEP,
  REVOKE_FORCED,
  REVOKE_LAZY,
  REVOKE_REFUSE,
  SET_TYPE_CHECK_PAGE,
  SHARING_AMD,
  SHARING_ERA_4_17,
  SHARING_ERA_2012,
  SHARING_INTEL,
  SHARING_OFF,
  SHARING_RMAP_AUTO,
  SHARING_RMAP_HASH,
  SHARING_RMAP_LIST,
  UNSENT_CRASH,
  UNSENT_GO_ON,
  XSM_DUMMY,
  XSM_POLICY,
} from "../../hv-core/abi/knobs.ts";
import { UsageError } from "./errors.ts";
import { nearest } from "./nearest.ts";

export type EraName = "2012" | "2014" | "2016-v6" | "4.17" | "today";

export const ERAS: Readonly<Record<EraName, number>> = {
  "2012": ERA_2012,
  "2014": ERA_2014,
  "2016-v6": ERA_2016,
  "4.17": ERA_4_17,
  today: ERA_TODAY,
};
export const DEFAULT_ERA: EraName = "4.17";

export interface Knob {
  readonly name: string;
  readonly index: number;
  /** Closed list of named values; absent = a number. */
  readonly values?: Readonly<Record<string, number>>;
  readonly min?: number;
  readonly max?: number;
  readonly powerOfTwo?: boolean;
  readonly default: number;
  /** Where an era differs from the default. */
  readonly eras?: Partial<Record<EraName, number>>;
  readonly text: string;
}

/** A knob between what Xen 4.17 does and what a processor, or a correct hypervisor, would. */
const asXen = (name: string, index: number, text: string): Knob => ({
  name,
  index,
  values: { xen: AS_XEN, fixed: AS_FIXED },
  default: AS_XEN,
  text,
});

export const KNOBS: readonly Knob[] = [
  {
    name: "tlb.entries",
    index: KNOB_TLB_ENTRIES,
    min: 16,
    max: 1024,
    powerOfTwo: true,
    default: 1024,
    text: "entries of each vCPU's TLB",
  },
  {
    name: "device.at",
    index: KNOB_DEVICE_AT,
    values: { host: DEVICE_AT_HOST, core: DEVICE_AT_CORE },
    default: DEVICE_AT_HOST,
    text: "small devices as ioreq servers in the host, or as handlers inside the core",
  },
  {
    name: "console.verbose",
    index: KNOB_CONSOLE_VERBOSE,
    values: { off: 0, on: 1 },
    default: 0,
    text: "guests may write to the hypervisor's console, as in a debug build of Xen",
  },
  {
    name: "ept.pml",
    index: KNOB_PML,
    values: { off: 0, on: 1 },
    default: 0,
    text: "log-dirty mode by page-modification logging, as on Intel processors since Broadwell: first writes are logged instead of faulting",
  },
  {
    name: "p2m.superpages",
    index: KNOB_P2M_SUPERPAGES,
    values: { off: 0, on: 1 },
    default: 1,
    text: "map guest RAM with 2M and 1G leaves where aligned",
  },
  {
    name: "p2m.nxSuperpages",
    index: KNOB_EPT_NX_SUPERPAGES,
    values: { off: 0, on: 1 },
    default: 0,
    text: "superpages are not executable, a fetch splits them (Xen's ept=no-exec-sp)",
  },
  {
    name: "sched.quantum",
    index: KNOB_SCHED_QUANTUM,
    min: 1,
    max: 100_000_000,
    default: 10_000,
    text: "instructions a vCPU may run before the next one has its turn",
  },
  {
    name: "tsc.khz",
    index: KNOB_TSC_KHZ,
    min: 1000,
    max: 2_000_000_000,
    default: 1_000_000,
    text: "frequency of the virtual TSC; one instruction is one tick",
  },
  {
    name: "trace.mask",
    index: KNOB_TRACE_MASK,
    min: 0,
    max: 0x7fff_ffff,
    default: 0x17e,
    text: "classes of trace events recorded (bit n = class n; 0 = off)",
  },
  {
    name: "paddr.bits",
    index: KNOB_PADDR_BITS,
    min: 36,
    max: 48,
    default: 40,
    text: "physical address width shown to guests",
  },
  {
    name: "xsm",
    index: KNOB_XSM,
    values: { dummy: XSM_DUMMY, policy: XSM_POLICY },
    default: XSM_DUMMY,
    text: "security module: Xen's dummy, or the dummy and the rules of a policy file",
  },
  {
    name: "domctl.defects",
    index: KNOB_DOMCTL_DEFECTS,
    min: 0,
    max: 31,
    default: 0,
    text: "defects put back, debug build only: of 2014 1 self pause, 2 stack padding, 4 pause as a flag, 8 unchecked I/O grants; 16 vNUMA tables read after they went (XSA-502)",
  },
  {
    name: "domctl.era",
    index: KNOB_DOMCTL_ERA,
    values: { "4.17": DOMCTL_ERA_4_17, "0x0a": DOMCTL_ERA_0A },
    default: DOMCTL_ERA_4_17,
    text: "interface of domctls: of 4.17, or version 0x0a of May 2014, the one that was audited",
  },
  asXen(
    "domctl.bitmap",
    KNOB_DOMCTL_BITMAP,
    "a caller's bitmap beyond the machine's width: cleared byte by byte (F-3), or left alone",
  ),
  asXen(
    "domctl.virqHandler",
    KNOB_VIRQ_HANDLER,
    "the handler of a global VIRQ: the last one wins, or busy while the one before has it bound",
  ),
  {
    name: "domctl.lock",
    index: KNOB_DOMCTL_LOCK,
    values: { all: 0, xsa492: 1 },
    default: 0,
    text: "the domctl lock: around every operation, or not around those of a device model's domain",
  },
  {
    name: "xsm.maxMem",
    index: KNOB_XSM_MAX_MEM,
    values: { unseen: 0, seen: 1 },
    default: 0,
    text: "what a policy sees of max_mem: caller and domain, as in Xen, or its value, too",
  },
  asXen(
    "emulate.rep",
    KNOB_EMULATE_REP,
    "repeated string instructions: one request with a count, or every element for itself",
  ),
  asXen(
    "emulate.repTyped",
    KNOB_EMULATE_REP_TYPED,
    "a repeated instruction may use a watched page as its buffer (N-4)",
  ),
  asXen(
    "emulate.cache",
    KNOB_EMULATE_CACHE,
    "device accesses remembered while an instruction waits: three (N-2), or all",
  ),
  asXen("emulate.ins", KNOB_EMULATE_INS, "INS into device memory crashes the domain (N-3), or works"),
  asXen("type.fetch", KNOB_TYPE_FETCH, "pages of type ioreq_server cannot be executed (N-1), or can"),
  asXen("destroy.pending", KNOB_DESTROY_PENDING, "a vCPU whose server goes waits for good (N-5), or reads all ones"),
  asXen("destroy.type", KNOB_DESTROY_TYPE, "pages of a destroyed server keep the type (S-1), or become RAM"),
  {
    name: "setType.check",
    index: KNOB_SET_TYPE_CHECK,
    values: { xen: AS_XEN, fixed: AS_FIXED, page: SET_TYPE_CHECK_PAGE },
    default: AS_XEN,
    text: "set_mem_type looks for the server once (S-3); for each page, and the unmap counts under the p2m lock; or only for each page",
  },
  asXen(
    "send.pending",
    KNOB_SEND_PENDING,
    "a request is marked pending after the device model was told (S-5), or before",
  ),
  asXen("send.deferral", KNOB_SEND_DEFERRAL, "a request that cannot be sent still puts a shutdown off (S-6), or not"),
  asXen("unmap.logDirty", KNOB_UNMAP_LOG_DIRTY, "unmapping the type ends the tracking of log-dirty mode (S-2), or not"),
  {
    name: "unmap.pause",
    index: KNOB_UNMAP_PAUSE,
    values: { off: 0, on: 1 },
    default: 0,
    eras: { "2016-v6": 1 },
    text: "map and unmap the type with the domain paused",
  },
  {
    name: "unmap.reset",
    index: KNOB_UNMAP_RESET,
    values: { sweep: RESET_SWEEP, recalc: RESET_RECALC, direct: RESET_DIRECT, none: RESET_NONE },
    default: RESET_SWEEP,
    eras: { "2016-v6": RESET_RECALC },
    text: "what becomes of the pages of the type when it is unmapped",
  },
  {
    name: "unmap.holdP2mLock",
    index: KNOB_EARLY_UNLOCK,
    values: { on: 0, off: 1 },
    default: 0,
    text: "the p2m lock is held from the lookup of the type until the request is sent",
  },
  {
    name: "unmap.onNoServer",
    index: KNOB_NO_SERVER,
    values: { retry: NO_SERVER_RETRY, null: NO_SERVER_NULL, copy: NO_SERVER_COPY },
    default: NO_SERVER_RETRY,
    eras: { "2016-v6": NO_SERVER_NULL },
    text: "an access to a page of the type without a server: again, by nobody, or on RAM",
  },
  {
    name: "rmw.readFromRam",
    index: KNOB_RMW_READ,
    values: { on: 0, off: 1 },
    default: 0,
    text: "the read half of a read-modify-write on a page of the type comes from RAM",
  },
  {
    name: "ioreq.buffered",
    index: KNOB_IOREQ_BUFFERED,
    values: { xen: 0, writes: BUFFERED_WRITES },
    default: 0,
    text: "requests that nobody waits for: those that Xen buffers, or every write below 1 MiB that its server's ring has room for",
  },
  {
    name: "ioreq.lock",
    index: KNOB_IOREQ_LOCK,
    values: { recursive: 0, plain: IOREQ_LOCK_PLAIN },
    default: 0,
    text: "the lock of a domain's ioreq servers",
  },
  {
    name: "type.read",
    index: KNOB_TYPE_READ,
    values: { off: 0, on: 1 },
    default: 0,
    text: "a server may ask for the reads of pages of the type, too",
  },
  {
    name: "type.servers",
    index: KNOB_TYPE_SERVERS,
    values: { one: 0, several: 1 },
    default: 0,
    text: "several servers may have the type, each for its memory ranges",
  },
  {
    name: "map.left",
    index: KNOB_MAP_LEFT,
    values: { busy: 0, allow: 1 },
    default: 0,
    eras: { "2016-v6": 1 },
    text: "mapping the type while pages of it are left",
  },
  {
    name: "sharing.era",
    index: KNOB_SHARING_ERA,
    values: { "4.17": SHARING_ERA_4_17, "2012": SHARING_ERA_2012 },
    default: SHARING_ERA_4_17,
    eras: { "2012": SHARING_ERA_2012 },
    text: "numbers and answers of memory sharing's calls: today's, or those of the interface of 2012",
  },
  {
    name: "sharing.build",
    index: KNOB_SHARING_BUILD,
    values: { intel: SHARING_INTEL, amd: SHARING_AMD, off: SHARING_OFF },
    default: SHARING_INTEL,
    text: "memory sharing on Intel's EPT, on AMD's NPT (an experiment in 2012, refused today), or not compiled in",
  },
  {
    name: "sharing.rmap",
    index: KNOB_SHARING_RMAP,
    values: { auto: SHARING_RMAP_AUTO, list: SHARING_RMAP_LIST, hash: SHARING_RMAP_HASH },
    default: SHARING_RMAP_AUTO,
    text: "the reverse map of a shared page: a list that becomes a hash at 256 entries, or always one of them",
  },
  asXen(
    "grant.type",
    KNOB_GRANT_TYPE,
    "a writable map of another domain's grant takes no type reference, so that nominate_gref may share a page that its grantees write to, or it takes one",
  ),
  asXen("sharing.addCount", KNOB_SHARING_ADD_COUNT, "a failed add_to_physmap counts a page as saved (S-8), or not"),
  asXen("sharing.audit", KNOB_SHARING_AUDIT, "the audit leaves pages locked that it finds broken (S-9), or not"),
  asXen(
    "sharing.forkOrder",
    KNOB_SHARING_FORK_ORDER,
    "two p2m locks are taken by the ids of their domains, which a fork's fault does not (race fork-against-share), or a fork's comes first",
  ),
  {
    ...asXen(
      "sharing.thirdDomain",
      KNOB_SHARING_THIRD,
      "sharing pages of a third domain stops the hypervisor (S-10), or takes its lock in order",
    ),
    default: AS_FIXED,
  },
  {
    name: "sharing.defects",
    index: KNOB_SHARING_DEFECTS,
    min: 0,
    max: 127,
    default: 0,
    text: "defects of sharing's history put back, debug build only (C-50 1, C-51 2, C-52 4, C-53 8, C-54 16, C-56 64)",
  },
  {
    name: "mem.paging",
    index: KNOB_MEM_PAGING,
    values: { off: 0, on: 1 },
    default: 0,
    eras: { "2012": 1, "2014": 1 },
    text: "the hypervisor can page guest memory (the recorded 4.17 is built without)",
  },
  {
    name: "mem.access",
    index: KNOB_MEM_ACCESS,
    values: { vmx: 0, svm: MEM_ACCESS_SVM },
    default: 0,
    text: "page accesses can be set, or are refused as on AMD",
  },
  asXen(
    "paging.foreign",
    KNOB_PAGING_FOREIGN,
    "the answer to a paging request by another domain's vCPU is ignored (S-11), or ends the request",
  ),
  asXen(
    "vmEvent.disable",
    KNOB_EVENT_DISABLE,
    "a ring can be disabled while somebody holds a slot of it (C-66), or is busy then",
  ),
  {
    name: "vmEvent.unsent",
    index: KNOB_EVENT_UNSENT,
    values: { crash: UNSENT_CRASH, "go-on": UNSENT_GO_ON },
    default: UNSENT_CRASH,
    text: "a page access was violated and its listener went before it was told (V-5): the domain crashes, or goes on without a listener",
  },
  {
    name: "vmEvent.slots",
    index: KNOB_EVENT_SLOTS,
    min: 1,
    max: 8,
    default: 8,
    text: "slots of a vm_event ring that are used: fewer show what happens when it is full",
  },
  {
    name: "iomem.account",
    index: KNOB_IO_ACCOUNT,
    values: {
      none: ACCOUNT_NONE,
      headers: ACCOUNT_HEADERS,
      slab: ACCOUNT_SLAB,
      radix: ACCOUNT_RADIX,
      ranges: ACCOUNT_RANGES,
    },
    default: ACCOUNT_NONE,
    text: "the I/O Resource Accountant, and how it keeps its counts of mapped frames",
  },
  {
    name: "iomem.revoke",
    index: KNOB_IO_REVOKE,
    values: { refuse: REVOKE_REFUSE, lazy: REVOKE_LAZY, forced: REVOKE_FORCED },
    default: REVOKE_REFUSE,
    text: "the accountant withdraws a right to frames that are mapped: not at all, when they are free, or with the mappings",
  },
  {
    name: "iomem.own",
    index: KNOB_IO_OWN,
    values: { reserve: 0, count: 1 },
    default: 0,
    text: "the hypervisor's own I/O frames are reserved for the accountant, or counted as well",
  },
  {
    name: "iocap.era",
    index: KNOB_IO_ERA,
    values: { "4.17": IO_ERA_4_17, "2014": IO_ERA_2014, today: IO_ERA_TODAY },
    default: IO_ERA_4_17,
    text: "rules of the permission and mapping domctls: who may hand out what, and what a mapping grants",
  },
  {
    name: "iocap.quota",
    index: KNOB_IO_QUOTA,
    min: 0,
    max: 0x7fff_ffff,
    default: 0,
    text: "most ranges in each set of a domain's I/O rights, 0 = unlimited",
  },
  {
    name: "iocap.dom0",
    index: KNOB_IO_DOM0_CAPS,
    values: { all: 0, listed: 1 },
    default: 0,
    text: "dom0 begins with every I/O right, or with what a list names",
  },
  {
    name: "ioport.check",
    index: KNOB_IO_PORT_CHECK,
    values: { trap: PORT_CHECK_TRAP, bitmap: PORT_CHECK_BITMAP },
    default: PORT_CHECK_TRAP,
    text: "dom0's own ports: every access is checked, or the I/O bitmap lets through what it held at its start",
  },
  {
    name: "ioport.dom0Disable",
    index: KNOB_IO_DOM0_PORTS,
    min: 0,
    max: 0x7fff_ffff,
    default: 0,
    text: "ports that dom0 does not get at start: first port + number * 65536",
  },
  {
    name: "io.iommu",
    index: KNOB_IO_IOMMU,
    values: { off: 0, on: 1 },
    default: 0,
    text: "an IOMMU: devices of the bus can be assigned, and translate with the domain's tables",
  },
  { name: "io.devices", index: KNOB_IO_DEVICES, min: 0, max: 4, default: 0, text: "devices on the machine's own bus" },
  {
    name: "dom0.vcpus",
    index: KNOB_DOM0_VCPUS,
    min: 0,
    max: 3,
    default: 0,
    text: "vCPUs that dom0 runs itself, beside the one that the host plays",
  },
  { name: "seed", index: KNOB_SEED, min: 0, max: 0x7fff_ffff, default: 1, text: "seed of everything random" },
];

export type KnobValues = Readonly<Record<string, number>>;

function isEra(name: string): name is EraName {
  return Object.hasOwn(ERAS, name);
}

/** Eras whose behaviour is built. The others have a name and a place in the tables, and refuse until theirs is. */
export const BUILT_ERAS: readonly EraName[] = ["4.17"];

/** @throws UsageError for a name that is no era, or one whose behaviour is not built. */
export function parseEra(name: string): EraName {
  if (isEra(name)) {
    if (BUILT_ERAS.includes(name)) return name;
    throw new UsageError(`era ${name} is not built yet: use --era ${BUILT_ERAS.join(" or ")} (docs/eras.md)`);
  }
  throw new UsageError(`unknown era "${name}": use one of ${Object.keys(ERAS).join(", ")}`);
}

/** All knobs of an era. */
export function eraKnobs(era: EraName): Record<string, number> {
  const all: Record<string, number> = {};
  for (const knob of KNOBS) all[knob.name] = knob.eras?.[era] ?? knob.default;
  return all;
}

function unknownKnob(name: string): UsageError {
  const near = nearest(
    name,
    KNOBS.map((k) => k.name),
  );
  return new UsageError(`unknown knob "${name}": ${near ? `did you mean "${near}"? ` : ""}vmexit knobs lists them`);
}

/** Checks one number against a knob's range. @throws UsageError */
export function checkKnob(name: string, value: number): Knob {
  const knob = KNOBS.find((k) => k.name === name);
  if (!knob) throw unknownKnob(name);
  if (knob.values) {
    if (!Object.values(knob.values).includes(value))
      throw new UsageError(`knob ${name}: ${value} is not one of ${Object.keys(knob.values).join(", ")}`);
    return knob;
  }
  const min = knob.min ?? 0;
  const max = knob.max ?? 0x7fff_ffff;
  const isPower = value > 0 && (value & (value - 1)) === 0;
  if (!Number.isInteger(value) || value < min || value > max || (knob.powerOfTwo && !isPower))
    throw new UsageError(
      `knob ${name}: ${value} is not ${knob.powerOfTwo ? "a power of two" : "a whole number"} from ${min} to ${max}`,
    );
  return knob;
}

/** "tlb.entries=64" -> ["tlb.entries", 64]. @throws UsageError with what is wrong and what to do. */
export function parseKnob(text: string): [name: string, value: number] {
  const at = text.indexOf("=");
  if (at <= 0) throw new UsageError(`knob "${text}": write name=value, for instance tlb.entries=64`);
  const name = text.slice(0, at);
  const word = text.slice(at + 1);
  const knob = KNOBS.find((k) => k.name === name);
  if (!knob) throw unknownKnob(name);
  if (knob.values) {
    const value = Object.hasOwn(knob.values, word) ? knob.values[word] : undefined;
    if (value === undefined)
      throw new UsageError(`knob ${name}: "${word}" is not one of ${Object.keys(knob.values).join(", ")}`);
    return [name, value];
  }
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(word))
    throw new UsageError(
      `knob ${name}: "${word}" is not a number: choose ${knob.min ?? 0} to ${knob.max ?? 0x7fff_ffff}`,
    );
  const value = Number(word);
  checkKnob(name, value);
  return [name, value];
}

/** A knob's value as the user would write it. */
export function formatKnob(knob: Knob, value: number): string {
  if (!knob.values) return String(value);
  return Object.entries(knob.values).find(([, v]) => v === value)?.[0] ?? String(value);
}

/** [index, value] of every knob for the core, era first. */
export function knobSettings(era: EraName, values: KnobValues): [index: number, value: number][] {
  const settings: [number, number][] = [[KNOB_ERA, ERAS[era]]];
  for (const name of Object.keys(values)) checkKnob(name, values[name]!);
  const all = { ...eraKnobs(era), ...values };
  for (const knob of KNOBS) settings.push([knob.index, all[knob.name]!]);
  return settings;
}
