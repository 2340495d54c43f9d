/** V431..V498: frames, ports and interrupt lines that dom0 hands to other domains. */
import { ABSENT, ALL, hex, type Probe, u8, u32, u64, type Value } from "./probe.ts";

const A = 0xfd000;
const B = 0xfe000;

export function permissions(p: Probe): void {
  const { H, H2, PV } = p;
  const rec = (call: string, result: number, text: string): number => p.rec("iocap", call, result, text);
  const iomem = (domid: number, first: Value, nr: Value, allow: number, text: string): void => {
    const result = p.domctl("iomem_permission", domid, [u64(0, first), u64(8, nr), u8(16, allow)]);
    rec("iomem_permission", result, `${text} first=${hex(first)} nr=${hex(nr)} allow=${allow}`);
  };
  const ioport = (first: number, nr: number, allow: number, text: string, domid = H): void => {
    const result = p.domctl("ioport_permission", domid, [u32(0, first), u32(4, nr), u8(8, allow)]);
    rec("ioport_permission", result, `${text} first=${hex(first)} nr=${hex(nr)} allow=${allow}`);
  };
  const irq = (pirq: number, allow: number, text: string, domid = H): void => {
    const result = p.domctl("irq_permission", domid, [u32(0, pirq), u8(4, allow)]);
    rec("irq_permission", result, `${text} pirq=${pirq} allow=${allow}`);
  };
  iomem(H, A, 0x10, 1, "H");
  iomem(H, A, 0x10, 1, "H again");
  iomem(H, A + 0x10, 0x10, 1, "H adjacent");
  iomem(H, A + 8, 1, 0, "H hole");
  iomem(H, A + 8, 1, 0, "H hole again");
  iomem(H, A + 8, 1, 1, "H refill");
  iomem(H, 0, 0, 1, "H nr=0 at 0 (F-7)");
  iomem(H, 0, 0, 0, "H nr=0 at 0 deny (F-7)");
  iomem(H, A, 0, 1, "H nr=0 at A");
  iomem(H, A, 0, 0, "H nr=0 deny at A");
  iomem(H, ALL, 1, 1, "H last frame");
  iomem(H, ALL, 2, 1, "H wrap");
  iomem(H, 1n << 52n, 1, 1, "H beyond physical");
  iomem(H, 1, ALL, 1, "H wrap to 0");
  iomem(H, 0, ALL, 1, "H almost all");
  iomem(H, 0xfee00, 1, 1, "H LAPIC page");
  iomem(H, 0xfec00, 1, 1, "H IO-APIC page");
  iomem(H, 0xfed00, 1, 1, "H HPET page");
  iomem(H, 0, 0x100, 1, "H low 1 MiB");
  iomem(H, 0x1000, 1, 1, "H frame in Xen/dom0 RAM?");
  iomem(0, 0xfee00, 1, 1, "self LAPIC page");
  iomem(0, B, 1, 1, "self already held");
  iomem(0, B, 1, 0, "self deny B");
  iomem(H, B, 1, 1, "H B after self lost it");
  iomem(0, B, 1, 1, "self re-grant B after losing it");
  iomem(ABSENT, A, 1, 1, "absent");
  iomem(PV, A, 1, 1, "PV");
  iomem(H, A, 1, 255, "H allow=255");
  let n = 0;
  let result = 0;
  for (; n < 2000; n++) {
    result = p.domctl("iomem_permission", H2, [u64(0, 0xe0000 + 2 * n), u64(8, 1), u8(16, 1)]);
    if (result !== 0) break;
  }
  p.out(`succeeded=${n}`);
  rec("iomem_permission", result, "H2 alternate frames x2000 (IO-10 fragmentation)");
  iomem(H2, 0xe0000, 4000, 0, "H2 deny all");
  ioport(0x300, 8, 1, "H");
  ioport(0x300, 0, 1, "H nr=0");
  ioport(0x300, 0, 0, "H nr=0 deny");
  ioport(0, 0, 1, "H nr=0 at 0");
  ioport(0xffff, 1, 1, "H last port");
  ioport(0xffff, 2, 1, "H beyond");
  ioport(0x10000, 1, 1, "H 0x10000");
  ioport(0, 0x10000, 1, "H all");
  ioport(0xffffffff, 2, 1, "H 32-bit wrap");
  ioport(0x20, 2, 1, "H PIC");
  ioport(0x40, 4, 1, "H PIT");
  ioport(0x61, 1, 1, "H 0x61");
  ioport(0xcf8, 4, 1, "H cf8");
  ioport(0xcfc, 4, 1, "H cfc");
  ioport(0x3f8, 8, 1, "H Xen's com1");
  ioport(0x70, 2, 1, "H RTC");
  ioport(0x80, 1, 1, "H 0x80");
  ioport(0xcf9, 1, 1, "H 0xcf9");
  ioport(0x92, 1, 1, "H 0x92");
  ioport(0xf0, 1, 1, "H 0xf0");
  ioport(0x3c0, 0x20, 1, "H VGA");
  ioport(0x300, 1, 1, "absent", ABSENT);
  irq(0, 1, "H");
  irq(1, 1, "H");
  irq(5, 1, "H");
  irq(2, 1, "H");
  irq(4, 1, "H (Xen's serial)");
  for (const pirq of [16, 23, 24, 100, 4096, 0xffffffff]) irq(pirq, 1, "H");
  irq(1, 0, "H deny");
  irq(1, 1, "self", 0);
  irq(9, 0, "self deny 9", 0);
  irq(9, 1, "H after self lost it");
  irq(1, 1, "absent", ABSENT);
}
