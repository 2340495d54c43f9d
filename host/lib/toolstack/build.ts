/**
 * Builds a PVH domain the way libxl 4.17 does, out of hypercalls: create, vCPUs, memory limit, RAM, special pages and their
 * parameters, event channels, image, modules, ACPI tables, start info, CPU state. The domain is left paused, without devices.
 *
 * Before: loader/detect.ts (the image). After: device/platform.ts (consoles, store, small devices), then domainUnpause.
 */
import {
  HVM_PARAM_BUFIOREQ_PFN,
  HVM_PARAM_CONSOLE_EVTCHN,
  HVM_PARAM_CONSOLE_PFN,
  HVM_PARAM_IDENT_PT,
  HVM_PARAM_IOREQ_PFN,
  HVM_PARAM_MONITOR_RING_PFN,
  HVM_PARAM_PAGING_RING_PFN,
  HVM_PARAM_SHARING_RING_PFN,
  HVM_PARAM_STORE_EVTCHN,
  HVM_PARAM_STORE_PFN,
  HVM_PARAM_TIMER_MODE,
} from "../../../hv-core/abi/hypercalls.ts";
import type { Dom0 } from "../dom0.ts";
import { HvError, UsageError } from "../errors.ts";
import { DOM0, type DomId, type Port } from "../ids.ts";
import { type GuestImage, hex } from "../loader/image.ts";
import { MULTIBOOT_BOOTLOADER_MAGIC } from "../loader/multiboot1.ts";
import {
  ACPI_INFO_GPA,
  ACPI_RSDP_BYTES,
  ACPI_RSDP_GPA,
  ACPI_TABLES_BYTES,
  ACPI_TABLES_GPA,
  acpiTables,
} from "./acpi.ts";
import { domainCreate, domainMaxMem, domainMaxVcpus, domainSetHvmContext, domainSetPagingPool } from "./domctl.ts";
import { evtchnAllocUnbound } from "./evtchn.ts";
import { type ForeignWindow, writeGuest } from "./foreign.ts";
import { hvmSetParam } from "./hvm.ts";
import { entryContext } from "./hvm-context.ts";
import { type MemoryMapEntry, populateAll, populatePhysmap, setMemoryMap } from "./memory.ts";
import { multibootInfoBlock } from "./multiboot-info.ts";
import { MAX_MODULES, type ModulePlace, startInfoBlock } from "./start-info.ts";

/** Special pages below 0xFF000000, as libxl places them. */
export const SPECIAL_FIRST_GFN = 0xfeff8;
export const STORE_GFN = 0xfeffc;
export const CONSOLE_GFN = 0xfefff;
const SPECIAL_PAGES = 8;
const BUFIOREQ_GFN = 0xfeffb;
const IOREQ_GFN = 0xfeffd;
const IDENT_PT_GFN = 0xfeffe;
/** RAM ends below libxl's MMIO hole. */
const MMIO_HOLE = 0xf000_0000;
/** Slack of libxl above the RAM, in KiB: 256 pages of 4 KiB (facts of a real domain: 16384 -> 16640 pages). */
const MAX_MEM_SLACK_KIB = 1024;

export interface DomainSpec {
  readonly image: GuestImage;
  /** A multiple of 4 KiB. */
  readonly memoryBytes: number;
  readonly vcpus: number;
  readonly cmdline: string;
  readonly modules: readonly Uint8Array[];
}

export interface BuiltDomain {
  readonly domid: DomId;
  readonly storePort: Port;
  readonly consolePort: Port;
  /** Guest-physical address of the start-info (or multiboot) block. */
  readonly startInfo: number;
}

/** What libxl reserves for EPT tables: 1 MiB for each vCPU and 4 KiB for each MiB of RAM. */
function pagingPoolBytes(memoryBytes: number, vcpus: number): number {
  return (256 * vcpus + Math.ceil(memoryBytes / 2 ** 20)) * 4096;
}

/** Frames a domain needs besides its RAM: paging pool, special and ACPI pages, shared info, event channels. */
export function overheadFrames(memoryBytes: number, vcpus: number): number {
  return 192 + vcpus * 4 + pagingPoolBytes(memoryBytes, vcpus) / 4096;
}

interface Layout {
  readonly modules: readonly ModulePlace[];
  readonly startInfo: number;
}

const pageUp = (n: number): number => Math.ceil(n / 4096) * 4096;

/** Where modules and start info go: page by page after the image, in libxl's order. @throws UsageError when they do not fit. */
function layOut(spec: DomainSpec): Layout {
  const imageEnd = Math.max(...spec.image.segments.map((s) => s.gpa + s.memBytes));
  const modules: ModulePlace[] = [];
  let at = pageUp(imageEnd);
  for (const data of spec.modules) {
    modules.push({ gpa: at, bytes: data.length });
    at = pageUp(at + data.length);
  }
  const startInfoRoom = pageUp(8192 + spec.cmdline.length);
  if (at + startInfoRoom > spec.memoryBytes) {
    if (at + startInfoRoom > MMIO_HOLE)
      throw new UsageError(
        `the guest ends at ${hex(at)}, and RAM can end at ${hex(MMIO_HOLE)}: link it lower or give it smaller modules`,
      );
    const mib = Math.ceil((at + startInfoRoom) / 2 ** 20);
    throw new UsageError(
      `the guest ends at ${hex(at)} and has ${spec.memoryBytes / 2 ** 20} MiB of memory: give it at least --memory ${mib}M`,
    );
  }
  return { modules, startInfo: at };
}

function checkSpec(spec: DomainSpec): void {
  if (spec.memoryBytes < 2 ** 20 || spec.memoryBytes > MMIO_HOLE)
    throw new UsageError(`memory of ${spec.memoryBytes / 2 ** 20} MiB: choose 1M to ${MMIO_HOLE / 2 ** 20}M`);
  if (!Number.isInteger(spec.vcpus) || spec.vcpus < 1 || spec.vcpus > 128)
    throw new UsageError(`${spec.vcpus} vCPUs: choose 1 to 128`);
  if (spec.modules.length > MAX_MODULES)
    throw new UsageError(`${spec.modules.length} modules: a guest can be given at most ${MAX_MODULES}`);
  if (spec.cmdline.length > 1023)
    throw new UsageError(`the command line has ${spec.cmdline.length} characters: at most 1023 fit`);
}

/** RAM in extents of 2 MiB as long as there are any; the rest, and the tail, in single pages. */
function populateRam(dom0: Dom0, domid: DomId, pages: number, superpages: boolean): void {
  let done = 0;
  if (superpages) {
    const large = Array.from({ length: Math.floor(pages / 512) }, (_, i) => i * 512);
    done = populatePhysmap(dom0, domid, large, 9) * 512;
  }
  const rest = Array.from({ length: pages - done }, (_, i) => done + i);
  populateAll(dom0, domid, rest, "guest RAM");
}

function setSpecialPages(dom0: Dom0, window: ForeignWindow, domid: DomId): void {
  const gfns = Array.from({ length: SPECIAL_PAGES }, (_, i) => SPECIAL_FIRST_GFN + i);
  populateAll(dom0, domid, gfns, "special pages");
  // Identity page table for guests without paging on processors without unrestricted mode: 1024 entries of 4 MiB.
  const identity = new Uint32Array(1024).map((_, i) => ((i << 22) | 0xe7) >>> 0);
  writeGuest(dom0, window, domid, IDENT_PT_GFN * 4096, new Uint8Array(identity.buffer));
  hvmSetParam(dom0, domid, HVM_PARAM_PAGING_RING_PFN, SPECIAL_FIRST_GFN);
  hvmSetParam(dom0, domid, HVM_PARAM_MONITOR_RING_PFN, SPECIAL_FIRST_GFN + 1);
  hvmSetParam(dom0, domid, HVM_PARAM_SHARING_RING_PFN, SPECIAL_FIRST_GFN + 2);
  hvmSetParam(dom0, domid, HVM_PARAM_BUFIOREQ_PFN, BUFIOREQ_GFN);
  hvmSetParam(dom0, domid, HVM_PARAM_STORE_PFN, STORE_GFN);
  hvmSetParam(dom0, domid, HVM_PARAM_IOREQ_PFN, IOREQ_GFN);
  hvmSetParam(dom0, domid, HVM_PARAM_IDENT_PT, IDENT_PT_GFN * 4096);
  hvmSetParam(dom0, domid, HVM_PARAM_CONSOLE_PFN, CONSOLE_GFN);
  hvmSetParam(dom0, domid, HVM_PARAM_TIMER_MODE, 1);
}

/** The five entries a real libxl 4.17 makes, in its order. */
function memoryMap(memoryBytes: number): MemoryMapEntry[] {
  return [
    { base: 0, size: memoryBytes, type: 1 },
    { base: SPECIAL_FIRST_GFN * 4096, size: SPECIAL_PAGES * 4096, type: 2 },
    { base: ACPI_RSDP_GPA, size: ACPI_RSDP_BYTES, type: 3 },
    { base: ACPI_INFO_GPA, size: 4096, type: 3 },
    { base: ACPI_TABLES_GPA, size: ACPI_TABLES_BYTES, type: 3 },
  ];
}

function writeAcpi(dom0: Dom0, window: ForeignWindow, domid: DomId, vcpus: number): void {
  const { rsdp, tables } = acpiTables(vcpus);
  const first = ACPI_INFO_GPA / 4096;
  const count = ACPI_RSDP_GPA / 4096 + 1 - first;
  populateAll(
    dom0,
    domid,
    Array.from({ length: count }, (_, i) => first + i),
    "ACPI tables",
  );
  writeGuest(dom0, window, domid, ACPI_TABLES_GPA, tables);
  writeGuest(dom0, window, domid, ACPI_RSDP_GPA, rsdp);
}

/**
 * Builds the domain, paused.
 * @throws UsageError when the guest does not fit or the machine has too little memory; HvError for anything else that fails.
 */
export function buildDomain(dom0: Dom0, window: ForeignWindow, spec: DomainSpec, superpages: boolean): BuiltDomain {
  checkSpec(spec);
  const layout = layOut(spec);
  const outside = spec.image.segments.find((s) => s.gpa + s.memBytes > spec.memoryBytes);
  if (outside)
    throw new UsageError(`segment at ${hex(outside.gpa)} ends beyond the guest's memory: give it more with --memory`);

  const domid = domainCreate(dom0, spec.vcpus);
  domainMaxVcpus(dom0, domid, spec.vcpus);
  domainMaxMem(dom0, domid, spec.memoryBytes / 1024 + MAX_MEM_SLACK_KIB);
  domainSetPagingPool(dom0, domid, pagingPoolBytes(spec.memoryBytes, spec.vcpus));
  const storePort = evtchnAllocUnbound(dom0, domid, DOM0);
  const consolePort = evtchnAllocUnbound(dom0, domid, DOM0);
  try {
    populateRam(dom0, domid, spec.memoryBytes / 4096, superpages);
  } catch (error) {
    if (error instanceof HvError && error.code === "ENOMEM")
      throw new UsageError(`the machine has too few frames for a guest of ${spec.memoryBytes / 2 ** 20} MiB`, {
        cause: error,
      });
    throw error;
  }
  for (const s of spec.image.segments) writeGuest(dom0, window, domid, s.gpa, s.data);
  for (const [i, m] of layout.modules.entries()) writeGuest(dom0, window, domid, m.gpa, spec.modules[i]!);
  setSpecialPages(dom0, window, domid);
  hvmSetParam(dom0, domid, HVM_PARAM_STORE_EVTCHN, storePort);
  hvmSetParam(dom0, domid, HVM_PARAM_CONSOLE_EVTCHN, consolePort);
  writeAcpi(dom0, window, domid, spec.vcpus);

  const map = memoryMap(spec.memoryBytes);
  setMemoryMap(dom0, domid, map);
  const isMultiboot = spec.image.format === "multiboot";
  const block = isMultiboot
    ? multibootInfoBlock(layout.startInfo, {
        cmdline: spec.cmdline,
        modules: layout.modules,
        map,
        memoryBytes: spec.memoryBytes,
      })
    : startInfoBlock(layout.startInfo, { cmdline: spec.cmdline, modules: layout.modules, map, rsdp: ACPI_RSDP_GPA });
  writeGuest(dom0, window, domid, layout.startInfo, block);
  const eax = isMultiboot ? MULTIBOOT_BOOTLOADER_MAGIC : 0;
  domainSetHvmContext(dom0, domid, entryContext({ eip: spec.image.entry, eax, ebx: layout.startInfo }, spec.vcpus));
  return { domid, storePort, consolePort, startInfo: layout.startInfo };
}
