/** V499..V552: device memory and ports mapped into other domains. H is crashed by the third call, and stays shut down until it is resumed. */
import { ABSENT, ALL, hex, type Probe, u8, u32, u64, type Value } from "./probe.ts";

const A = 0xfd000;
const B = 0xfe000;

export function mappings(p: Probe): void {
  const { H, PV } = p;
  const rec = (call: string, result: number, text: string): number => p.rec("iocap", call, result, text);
  const map = (gfn: Value, mfn: Value, nr: Value, add: number, text: string, domid = H): void => {
    const result = p.domctl("memory_mapping", domid, [u64(0, gfn), u64(8, mfn), u64(16, nr), u32(24, add)]);
    rec("memory_mapping", result, `${text} gfn=${hex(gfn)} mfn=${hex(mfn)} nr=${hex(nr)} add=${add}`);
  };
  const iomem = (first: Value, nr: Value, allow: number, text: string): void => {
    const result = p.domctl("iomem_permission", H, [u64(0, first), u64(8, nr), u8(16, allow)]);
    rec("iomem_permission", result, `${text} first=${hex(first)} nr=${hex(nr)} allow=${allow}`);
  };
  const type = (gfn: number, text: string): void => {
    p.out(`type=${p.memType(H, gfn)}`);
    p.rec("hvm_op", "get_mem_type", 0, text);
  };
  const ports = (gport: number, mport: number, nr: number, add: number, text: string, domid = H): void => {
    const result = p.domctl("ioport_mapping", domid, [u32(0, gport), u32(4, mport), u32(8, nr), u32(12, add)]);
    rec("ioport_mapping", result, `${text} gport=${hex(gport)} mport=${hex(mport)} nr=${hex(nr)} add=${add}`);
  };
  map(0x90000, A, 1, 1, "H granted");
  map(0x90000, A, 1, 1, "H same again");
  map(0x90000, A + 1, 1, 1, "H same gfn other mfn");
  map(0x90010, B, 1, 1, "H caller lacks B");
  iomem(A + 0x100, 1, 0, "H deny");
  map(0x90020, A + 0x100, 1, 1, "H target lacks");
  map(0x90020, A + 0x100, 1, 0, "H remove, target lacks, never mapped");
  type(0x90000, "H gfn=0x90000 (mmio_direct)");
  map(0x90000, A, 0, 1, "H nr=0");
  map(0, 0, 0, 1, "H all zero");
  map(ALL, A, 1, 1, "H gfn=~0");
  map(ALL, A, 2, 1, "H gfn wrap");
  map(0x90000, ALL, 2, 1, "H mfn wrap");
  map(1n << 52n, A, 1, 1, "H gfn beyond paddr");
  map(1n << 36n, A, 1, 1, "H gfn 2^36 (paddr 48)");
  map(0x90000, 1n << 40n, 1, 1, "H mfn beyond maxphys");
  map(5, A + 2, 1, 1, "H over populated RAM gfn 5");
  type(5, "H gfn=5 afterwards");
  map(5, A + 2, 1, 0, "H remove gfn 5");
  type(5, "H gfn=5 after removal");
  iomem(A, 0x20, 0, "H revoke while mapped");
  map(0x90000, A, 1, 0, "H remove after revoke");
  map(0x90000, A, 1, 0, "H remove again");
  iomem(A, 0x100, 1, "H grant 256");
  map(0x91000, A, 0x100, 1, "H 256 frames");
  map(0x91000, A + 1, 0x10, 0, "H remove with wrong mfn");
  map(0x91000, A, 0x100, 0, "H remove 256");
  map(0x100, A, 1, 1, "PV target granted", PV);
  map(0x100, A + 0x50, 1, 1, "PV target not granted", PV);
  map(0x100, A + 0x50, 1, 1, "self (PV)", 0);
  map(1, A, 1, 1, "absent", ABSENT);
  map(0x90000, A, 1, 2, "H add=2");
  ports(0x1000, 0x300, 8, 1, "H");
  ports(0x1000, 0x300, 8, 1, "H same again");
  ports(0x2000, 0x300, 8, 1, "H same mport other gport");
  ports(0x3000, 0x304, 2, 1, "H overlapping mport");
  ports(0x3000, 0x308, 1, 1, "H adjacent mport");
  const allowed = p.domctl("ioport_permission", H, [u32(0, 0x308), u32(4, 8), u8(8, 1)]);
  rec("ioport_permission", allowed, "H first=0x308 nr=0x8 allow=1");
  ports(0x3000, 0x308, 1, 1, "H adjacent mport, granted");
  ports(0x3000, 0x309, 1, 1, "H one apart");
  ports(0x3000, 0x30a, 1, 0, "H remove not mapped");
  ports(0x2000, 0x300, 4, 0, "H remove part");
  ports(0x2000, 0x300, 8, 0, "H remove");
  ports(0x2000, 0x300, 8, 0, "H remove again");
  ports(0x9999, 0x309, 1, 0, "H remove other gport");
  ports(0x1000, 0x300, 0, 1, "H nr=0");
  ports(0xffff, 0x300, 2, 1, "H gport beyond");
  ports(0x1000, 0xffff, 2, 1, "H mport beyond");
  ports(0xffffffff, 0x300, 2, 1, "H gport wrap");
  ports(0x1000, 0x400, 1, 1, "H target lacks");
  ports(0x1000, 0x3f8, 1, 1, "H caller lacks (com1)");
  ports(0x1000, 0x300, 1, 1, "PV", PV);
  ports(0x1000, 0x300, 1, 1, "absent", ABSENT);
  ports(0, 0, 0x10001, 1, "H nr=0x10001");
}
