/**
 * Builds the PVH domain in the command module: the hypercalls of host/lib/toolstack/build.ts, in the same order, so that machine
 * frames, ports and traces come out the same. Before: elf.ts. After: back-ends.ts.
 */
import { EINVAL, ENOMEM, ENOSPC, OK } from "../abi/errno";
import {
  HC_MEMORY_OP,
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
  XENMEM_SET_MEMORY_MAP,
} from "../abi/hypercalls";
import { KNOB_P2M_SUPERPAGES } from "../abi/knobs";
import { PAGE_SHIFT } from "../abi/layout";
import { Knobs } from "../base/machine";
import { ACPI_INFO_GPA, ACPI_RSDP_BYTES, ACPI_RSDP_GPA, ACPI_TABLES_BYTES, ACPI_TABLES_GPA, Acpi } from "./acpi";
import { Dom0 } from "./dom0";
import { Image } from "./elf";
import { entryContext, entryContextBytes } from "./entry-context";
import { Guest } from "./guest";
import { GuestMemory } from "./guest-memory";
import { Options } from "./options";
import { SCRATCH } from "./system";
import { Toolstack } from "./toolstack";

const SPECIAL_FIRST_GFN: u64 = 0xfeff8;
export const STORE_GFN: u64 = 0xfeffc;
export const CONSOLE_GFN: u64 = 0xfefff;
const BUFIOREQ_GFN: u64 = 0xfeffb;
const IOREQ_GFN: u64 = 0xfeffd;
const IDENT_PT_GFN: u64 = 0xfeffe;
const SPECIAL_PAGES: u32 = 8;
const MAX_MEM_SLACK_KIB: u64 = 1024;
const MAP_ENTRIES: u32 = 5;
const FOREIGN_MAP_SIZE: u32 = 24;
const START_INFO_MAGIC: u32 = 0x336ec578;
const MODULE_ROOM: u32 = 2 * 32 + 2 * 1024;

export class Build {
  /** Builds the domain, paused; OK or a negative errno (ENOSPC: the image does not fit its memory). */
  static domain(): i32 {
    const options = Options.get();
    const guest = Guest.get();
    const startInfo = (Image.end() + 4095) & ~4095;
    if (startInfo + 8192 + options.cmdlineBytes > options.memoryBytes) return -ENOSPC;
    const domid = Toolstack.createDomain(options.vcpus);
    if (domid < 0) return domid;
    guest.domid = domid;
    let error = Toolstack.maxVcpus(domid, options.vcpus);
    if (error == OK) error = Toolstack.maxMem(domid, (options.memoryBytes >> 10) + MAX_MEM_SLACK_KIB);
    if (error == OK) error = Toolstack.setPagingPool(domid, Build.pagingPoolBytes());
    if (error != OK) return error;
    const storePort = Dom0.allocUnbound(domid);
    const consolePort = Dom0.allocUnbound(domid);
    if (storePort < 0 || consolePort < 0) return -EINVAL;
    guest.storePort = storePort;
    guest.consolePort = consolePort;
    error = Build.ram(domid, <u32>(options.memoryBytes >> PAGE_SHIFT));
    if (error == OK) error = Build.image(domid);
    if (error == OK) error = Build.specialPages(domid);
    if (error == OK) error = Toolstack.setParam(domid, HVM_PARAM_STORE_EVTCHN, storePort);
    if (error == OK) error = Toolstack.setParam(domid, HVM_PARAM_CONSOLE_EVTCHN, consolePort);
    if (error == OK) error = Build.acpi(domid);
    if (error == OK) error = Build.memoryMap(domid);
    if (error == OK) error = Build.startInfo(domid, startInfo);
    if (error == OK) error = Build.context(domid, <u32>startInfo);
    return error;
  }

  /** What libxl reserves for EPT tables: 1 MiB for each vCPU and 4 KiB for each MiB of RAM. */
  private static pagingPoolBytes(): u64 {
    const mebibytes = (Options.get().memoryBytes + 0xf_ffff) >> 20;
    return (((<u64>Options.get().vcpus) << 8) + mebibytes) << PAGE_SHIFT;
  }

  private static all(done: i32, wanted: u32): i32 {
    return done < 0 ? done : <u32>done == wanted ? OK : -ENOMEM;
  }

  /** 2 MiB extents as long as there are any; the rest, and the tail, in single pages. */
  private static ram(domid: u32, pages: u32): i32 {
    let done: u32 = 0;
    if (Knobs.get(KNOB_P2M_SUPERPAGES) == 1) {
      const large = Toolstack.populate(domid, 0, pages >> 9, 9);
      if (large < 0) return large;
      done = (<u32>large) << 9;
    }
    return Build.all(Toolstack.populate(domid, done, pages - done, 0), pages - done);
  }

  private static image(domid: u32): i32 {
    const image = Image.get();
    for (let i: u32 = 0; i < image.segments; i++) {
      const s = Image.segment(i);
      const error = GuestMemory.write(domid, Guest.get().window, s.gpa, s.fileBytes, 0, image.fd, s.fileOffset);
      if (error != OK) return error;
    }
    return OK;
  }

  private static specialPages(domid: u32): i32 {
    const error = Build.all(Toolstack.populate(domid, SPECIAL_FIRST_GFN, SPECIAL_PAGES, 0), SPECIAL_PAGES);
    if (error != OK) return error;
    // Identity page table for guests without paging on processors without unrestricted mode: 1024 entries of 4 MiB.
    for (let i: u32 = 0; i < 1024; i++) store<u32>(SCRATCH + ((<usize>i) << 2), (i << 22) | 0xe7);
    const failed = GuestMemory.write(domid, Guest.get().window, IDENT_PT_GFN << PAGE_SHIFT, 4096, SCRATCH, -1, 0);
    if (failed != OK) return failed;
    Toolstack.setParam(domid, HVM_PARAM_PAGING_RING_PFN, SPECIAL_FIRST_GFN);
    Toolstack.setParam(domid, HVM_PARAM_MONITOR_RING_PFN, SPECIAL_FIRST_GFN + 1);
    Toolstack.setParam(domid, HVM_PARAM_SHARING_RING_PFN, SPECIAL_FIRST_GFN + 2);
    Toolstack.setParam(domid, HVM_PARAM_BUFIOREQ_PFN, BUFIOREQ_GFN);
    Toolstack.setParam(domid, HVM_PARAM_STORE_PFN, STORE_GFN);
    Toolstack.setParam(domid, HVM_PARAM_IOREQ_PFN, IOREQ_GFN);
    Toolstack.setParam(domid, HVM_PARAM_IDENT_PT, IDENT_PT_GFN << PAGE_SHIFT);
    Toolstack.setParam(domid, HVM_PARAM_CONSOLE_PFN, CONSOLE_GFN);
    return Toolstack.setParam(domid, HVM_PARAM_TIMER_MODE, 1);
  }

  private static acpi(domid: u32): i32 {
    const first = ACPI_INFO_GPA >> PAGE_SHIFT;
    const count = <u32>((ACPI_RSDP_GPA >> PAGE_SHIFT) + 1 - first);
    const error = Build.all(Toolstack.populate(domid, first, count, 0), count);
    if (error != OK) return error;
    const rsdp = SCRATCH + ACPI_TABLES_BYTES;
    memory.fill(SCRATCH, 0, ACPI_TABLES_BYTES + ACPI_RSDP_BYTES);
    Acpi.build(SCRATCH, rsdp, Options.get().vcpus);
    const window = Guest.get().window;
    const failed = GuestMemory.write(domid, window, ACPI_TABLES_GPA, ACPI_TABLES_BYTES, SCRATCH, -1, 0);
    if (failed != OK) return failed;
    return GuestMemory.write(domid, window, ACPI_RSDP_GPA, ACPI_RSDP_BYTES, rsdp, -1, 0);
  }

  /** One entry of the map, in the layout of both users: base u64, size u64, type u32. */
  private static mapEntry(at: usize, base: u64, size: u64, type: u32): void {
    store<u64>(at, base);
    store<u64>(at, size, 8);
    store<u32>(at, type, 16);
  }

  /** The five entries libxl 4.17 makes, `stride` bytes apart. */
  private static map(at: usize, stride: usize): void {
    Build.mapEntry(at, 0, Options.get().memoryBytes, 1);
    Build.mapEntry(at + stride, SPECIAL_FIRST_GFN << PAGE_SHIFT, (<u64>SPECIAL_PAGES) << PAGE_SHIFT, 2);
    Build.mapEntry(at + 2 * stride, ACPI_RSDP_GPA, 0x40, 3);
    Build.mapEntry(at + 3 * stride, ACPI_INFO_GPA, 4096, 3);
    Build.mapEntry(at + 4 * stride, ACPI_TABLES_GPA, ACPI_TABLES_BYTES, 3);
  }

  private static memoryMap(domid: u32): i32 {
    const bytes: u32 = MAP_ENTRIES * 20;
    const entries = Dom0.take(bytes);
    Build.map(Dom0.at(entries), 20);
    const gpa = Dom0.take(FOREIGN_MAP_SIZE);
    const at = Dom0.at(gpa);
    store<u16>(at, <u16>domid);
    store<u32>(at, MAP_ENTRIES, 8);
    store<u64>(at, entries, 16);
    const error = Dom0.call(HC_MEMORY_OP, XENMEM_SET_MEMORY_MAP, gpa, 0);
    Dom0.release(gpa, FOREIGN_MAP_SIZE);
    Dom0.release(entries, bytes);
    return error;
  }

  private static startInfo(domid: u32, gpa: u64): i32 {
    const options = Options.get();
    const room: u32 = options.cmdlineBytes == 0 ? 0 : (options.cmdlineBytes + 1 + 7) & ~7;
    const map: u32 = 56 + room + MODULE_ROOM;
    const bytes: u32 = map + MAP_ENTRIES * 24;
    memory.fill(SCRATCH, 0, bytes);
    store<u32>(SCRATCH, START_INFO_MAGIC);
    store<u32>(SCRATCH, 1, 4);
    if (options.cmdlineBytes != 0) store<u64>(SCRATCH, gpa + 56, 24);
    store<u64>(SCRATCH, ACPI_RSDP_GPA, 32);
    store<u64>(SCRATCH, gpa + map, 40);
    store<u32>(SCRATCH, MAP_ENTRIES, 48);
    memory.copy(SCRATCH + 56, options.cmdline, options.cmdlineBytes);
    Build.map(SCRATCH + map, 24);
    return GuestMemory.write(domid, Guest.get().window, gpa, bytes, SCRATCH, -1, 0);
  }

  private static context(domid: u32, startInfo: u32): i32 {
    const vcpus = Options.get().vcpus;
    const bytes = entryContextBytes(vcpus);
    const gpa = Dom0.take(bytes);
    entryContext(Dom0.at(gpa), <u32>Image.get().entry, startInfo, vcpus);
    const error = Toolstack.setHvmContext(domid, gpa, bytes);
    Dom0.release(gpa, bytes);
    return error;
  }
}
