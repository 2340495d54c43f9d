/**
 * The I/O bitmap of dom0 (knob ioport.check=bitmap): made once, when dom0 is, with a clear bit for each port that it may use; those accesses do
 * not exit any more. A right that is withdrawn later does not set the bit again: the port is to dom0 what a mapped page is (IO-9, C-92).
 * The accountant sets it, and every processor of dom0 loads its VMCS again.
 */
import { CTR_SHOOTDOWNS_ACKED, CTR_SHOOTDOWNS_SENT } from "../../abi/counters";
import { ENOMEM, OK } from "../../abi/errno";
import { KNOB_IO_PORT_CHECK, PORT_CHECK_BITMAP } from "../../abi/knobs";
import { PAGE_SIZE } from "../../abi/layout";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { allocExtent } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame, OWNER_XEN } from "../../mem/frame-table";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { Rangeset } from "./rangeset";

const PORTS: u32 = 0x1_0000;
/** PCI configuration address: stays trapped, because the hypervisor follows it. */
const PCI_ADDRESS_FIRST: u32 = 0xcf8;
const PCI_ADDRESS_LAST: u32 = 0xcfb;
const BITMAP_ORDER: u32 = 1;

function setBit(bitmap: u32, port: u32): void {
  const at = Frame.host(bitmap) + (port >> 3);
  store<u8>(at, load<u8>(at) | <u8>((<u32>1) << (port & 7)));
}

/** The bits of ports first..last that may go without an exit become clear. */
function letThrough(bitmap: u32, first: u32, last: u32): void {
  for (let port = first; port <= last; port++) {
    if (port >= PCI_ADDRESS_FIRST && port <= PCI_ADDRESS_LAST) continue;
    const at = Frame.host(bitmap) + (port >> 3);
    store<u8>(at, load<u8>(at) & ~(<u8>((<u32>1) << (port & 7))));
  }
}

/** The boot loader's list has given dom0 these ports after the bitmap was made: dom0 does not run yet, so no processor has seen it. */
export function portsLetThrough(d: Domain, first: u32, last: u32): void {
  const bitmap = d.vcpuCount == 0 ? 0 : Vcpu.at(d.firstVcpu).cpu.ioBitmap;
  if (bitmap != 0) letThrough(bitmap, first, last);
}

/** When dom0 is made. @returns OK or -ENOMEM. */
export function portBitmapCreate(d: Domain): i32 {
  if (Knobs.get(KNOB_IO_PORT_CHECK) != <u32>PORT_CHECK_BITMAP) return OK;
  const bitmap = allocExtent(OWNER_XEN, FRAME_XEN_HEAP, BITMAP_ORDER);
  if (bitmap == 0) return -ENOMEM;
  memory.fill(Frame.host(bitmap), 0xff, PAGE_SIZE << BITMAP_ORDER);
  for (let port: u32 = 0; port < PORTS; port++) {
    if (Rangeset.contains(d.ioportCaps, port, port)) letThrough(bitmap, port, port);
  }
  for (let id: u32 = 0; id < d.vcpuCount; id++) Vcpu.at(d.firstVcpu + id).cpu.ioBitmap = bitmap;
  return OK;
}

/** dom0's accesses to these ports exit from now on. */
export function portsRetrap(start: u64, end: u64): void {
  const d = Domain.at(0);
  const bitmap = d.vcpuCount == 0 ? 0 : Vcpu.at(d.firstVcpu).cpu.ioBitmap;
  if (bitmap == 0) return;
  for (let port = start; port <= end; port++) setBit(bitmap, <u32>port);
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    if (Vcpu.at(d.firstVcpu + id).initialised == 0) continue;
    Count.one(CTR_SHOOTDOWNS_SENT);
    Count.one(CTR_SHOOTDOWNS_ACKED);
  }
}
