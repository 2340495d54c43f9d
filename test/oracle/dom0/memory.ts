/** V1013..V1164: memory_op on the long-lived domains. */
import {
  DOMID_SELF,
  XENMEM_CURRENT_RESERVATION,
  XENMEM_MAXIMUM_GPFN,
  XENMEM_MAXIMUM_RESERVATION,
} from "../../../hv-core/abi/hypercalls.ts";
import { ABSENT, ALL, hex, type Probe, resultName, u16, u32, u64, type Value } from "./probe.ts";

const INCREASE = 0;
const DECREASE = 1;
const POPULATE = 6;
const NAMES = ["increase", "decrease", "", "", "", "", "populate"];

const rec = (p: Probe, call: string, result: number, text: string): number => p.rec("memory", call, result, text);

function one(p: Probe, op: number, domid: number, gfn: Value, order: number, flags: number, text: string): void {
  const list = p.put(p.buf(8), [u64(0, gfn)]);
  const result = p.reserve(op, domid, list, 1, order, flags);
  rec(p, NAMES[op]!, result, `${text} gfn=${hex(gfn)} order=${order} flags=${hex(flags)}`);
}

function types(p: Probe, gfns: readonly number[], text: string): void {
  for (const gfn of gfns) p.out(`${hex(gfn)}=${p.memType(p.H, gfn)}`);
  p.rec("hvm_op", "get_mem_type", 0, text);
}

const flagsOf = (p: Probe): string => ((p.info(p.H).flags & ~0x30) >>> 0).toString(16).padStart(8, "0");

/** A row with H's flags; a crash is undone, as the recorded program did. */
function crashed(p: Probe, text: string): void {
  const flags = flagsOf(p);
  p.out(`flags=${flags}`);
  p.rec("domctl", "getdomaininfo", 0, text);
  if (Number.parseInt(flags, 16) & 4) p.domctl("resumedomain", p.H);
}

export function reservations(p: Probe): void {
  const { H, PV } = p;
  const populate = (gfn: Value, order: number, flags: number, text: string, domid = H): void =>
    one(p, POPULATE, domid, gfn, order, flags, text);
  populate(0x500, 0, 0, "H");
  populate(0x500, 0, 0, "H already populated");
  populate(0x600, 9, 0, "H 2M order");
  populate(0x601, 9, 0, "H 2M order, unaligned gfn");
  populate(0x90600, 1, 0, "H order 1");
  for (const order of [10, 18, 19, 32]) populate(0xa00, order, 0, `H order ${order}`);
  populate(ALL, 0, 0, "H gfn=~0");
  populate(1n << 40n, 0, 0, "H gfn=2^40");
  populate(1n << 36n, 0, 0, "H gfn=2^36");
  populate((1n << 36n) - 1n, 0, 0, "H gfn=2^36-1");
  populate(0xb000, 0, 1 << 16, "H populate on demand");
  p.out(`type=${p.memType(H, 0xb000)}`);
  p.rec("hvm_op", "get_mem_type", 0, "H PoD gfn");
  populate(0xb001, 0, 1 << 18, "H vnode flag");
  populate(0xb002, 0, 40, "H address_bits=40");
  populate(0xb003, 0, 20, "H address_bits=20");
  populate(1, 0, 0, "absent", ABSENT);
  populate(1, 0, 0, "DOMID_IO", 0x7ff1);
  populate(1, 0, 0, "PV (max_mem 0)", PV);
  populate(1, 0, 1 << 16, "SELF with PoD flag", DOMID_SELF);
  p.domctl("max_mem", H, [u64(0, p.info(H).tot * 4n + 4n)]);
  populate(0xb100, 0, 0, "H one page below max_mem");
  populate(0xb101, 0, 0, "H at max_mem");
  populate(0xb102, 1, 0, "H order 1 at max_mem");
  const four = p.put(
    p.buf(32),
    [0, 1, 2, 3].map((k) => u64(k * 8, 0xb110 + k)),
  );
  p.domctl("max_mem", H, [u64(0, p.info(H).tot * 4n + 8n)]);
  rec(p, "populate", p.reserve(POPULATE, H, four, 4, 0, 0), "H 4 extents, room for 2");
  p.domctl("max_mem", H, [u64(0, 65536)]);
  rec(p, "populate", p.reserve(POPULATE, H, p.badPointer, 1, 0, 0), "H extent list=0x8");
  rec(p, "populate", p.reserve(POPULATE, H, 0, 1, 0, 0), "H extent list NULL");
  rec(p, "populate", p.reserve(POPULATE, H, four, 0, 0, 0), "H nr_extents=0");
  rec(p, "populate", p.reserve(POPULATE, H, four, 1n << 62n, 0, 0), "H nr_extents=2^62");
  rec(p, "populate", p.mem(POPULATE, p.badPointer), "struct=0x8");
  rec(p, "populate", p.mem(POPULATE | (1 << 6), p.buf(32)), "start_extent=1 of 0");
  const decrease = (gfn: Value, order: number, text: string, domid = H): void =>
    one(p, DECREASE, domid, gfn, order, 0, text);
  decrease(0x500, 0, "H");
  decrease(0x500, 0, "H again (hole)");
  decrease(0x90000, 0, "H hole");
  decrease(0x600, 9, "H 2M extent");
  decrease(ALL, 0, "H gfn=~0");
  const list = p.put(p.buf(24), [u64(0, 0x210), u64(8, 0x90000), u64(16, 0x211)]);
  rec(p, "decrease", p.reserve(DECREASE, H, list, 3, 0, 0), "H list {0x210, hole, 0x211}");
  types(p, [0x210, 0x211], "H after that");
  decrease(1, 0, "absent", ABSENT);
  decrease(0xb000, 0, "H PoD gfn");
  p.domctl(20, H, [u64(0, 0xfd000), u64(8, 1), u8one(16)]);
  p.domctl("memory_mapping", H, [u64(0, 0x92000), u64(8, 0xfd000), u64(16, 1), u32(24, 1)]);
  decrease(0x92000, 0, "H mmio_direct");
  populate(0x92000, 0, 0, "H populate over mmio_direct");
  crashed(p, "H after populating over mmio_direct (crashed?)");
  one(p, INCREASE, H, 0, 0, 0, "H increase_reservation");
  const gfn = p.map(H, 0x212);
  decrease(0x212, 0, "H page mapped by dom0");
  p.out(`tot=${p.info(H).tot}`);
  p.rec("domctl", "getdomaininfo", 0, "H with that page still mapped");
  p.unmap(gfn);
}

const u8one = (offset: number) => [offset, 1, 1] as const;

export function physmap(p: Probe): void {
  const { H, H2, PV } = p;
  const add = (domid: number, space: number, idx: Value, gpfn: Value, size: number, text: string): void => {
    const arg = p.put(p.buf(24), [u16(0, domid), u16(2, size), u32(4, space), u64(8, idx), u64(16, gpfn)]);
    const result = p.mem(7, arg);
    if (space === 3) p.out(`size=${p.r16(arg + 2)} idx=${hex(p.r64(arg + 8))} gpfn=${hex(p.r64(arg + 16))}`);
    rec(p, "add_to_physmap", result, `${text} space=${space} idx=${hex(idx)} gpfn=${hex(gpfn)} size=${size}`);
  };
  add(H, 0, 0, 0x3e0, 0, "H shared_info");
  add(H, 0, 0, 0x3e1, 0, "H shared_info moved");
  types(p, [0x3e0, 0x3e1], "H after moving shared_info");
  add(H, 0, 1, 0x3e0, 0, "H idx=1");
  add(H, 1, 0, 0x3e2, 0, "H grant frame 0");
  add(H, 1, 31, 0x3e3, 0, "H grant frame 31 (limit 32)");
  add(H, 1, 32, 0x3e4, 0, "H grant frame 32");
  add(H, 1, 0x80000000, 0x3e5, 0, "H grant status 0");
  add(H, 1, 0x80000000, 0x3e5, 0, "H grant status 0 again");
  add(H, 1, 0x80001000, 0x3e5, 0, "H grant status 0x1000");
  add(H, 1, 0, 0x3e6, 0, "H grant frame 0 moved");
  types(p, [0x3e2, 0x3e6], "H after moving grant frame");
  add(H, 2, 0x305, 0x96000, 0, "H gmfn move");
  add(H, 2, 0x305, 0x96001, 0, "H gmfn, source now hole");
  add(H, 2, 0x306, 0x306, 0, "H gmfn onto itself");
  add(H, 2, 0x306, 0x307, 0, "H gmfn over RAM");
  add(H, 2, ALL, 0x307, 0, "H gmfn idx=~0");
  add(H, 2, 0x308, ALL, 0, "H gpfn=~0");
  add(H, 0, 0, ALL, 0, "H shared_info gpfn=~0");
  types(p, [0x308], "H gfn=0x308 before the next row");
  add(H, 2, 0x308, 1n << 40n, 0, "H gpfn=2^40");
  types(p, [0x308], "H gfn=0x308 after the failed move (source lost?)");
  add(H, 3, 0x308, 0x97000, 4, "H range of 4");
  add(H, 3, 0x308, 0x97010, 4, "H range, sources now holes");
  add(H, 3, 0x310, 0x97020, 0, "H range size=0");
  add(H, 4, 0x310, 0x97030, 0, "H foreign (not batch)");
  add(H, 5, 0x310, 0x97030, 0, "H dev_mmio");
  add(H, 6, 0, 0x97030, 0, "H space=6");
  add(H, 99, 0, 0x97030, 0, "H space=99");
  add(ABSENT, 0, 0, 1, 0, "absent");
  add(PV, 0, 0, 1, 0, "PV");
  add(DOMID_SELF, 0, 0, 1, 0, "SELF (PV dom0)");
  setReadOnly(p, 0x311);
  add(H, 2, 0x311, 0x97040, 0, "H gmfn, source ram_ro");
  add(H, 2, 0x312, 0x92000, 0, "H gmfn, destination mmio_direct");
  crashed(p, "H after that");
  rec(p, "add_to_physmap", p.mem(7, p.badPointer), "struct=0x8");
  p.out(`0x3e1=${p.memType(H, 0x3e1)}`);
  one(p, DECREASE, H, 0x3e1, 0, 0, "H decrease at shared_info gfn");
  batches(p);
  const remove = (domid: number, gfn: Value, text: string): void => {
    const arg = p.put(p.buf(16), [u16(0, domid), u64(8, gfn)]);
    rec(p, "remove_from_physmap", p.mem(15, arg), `${text} gpfn=${hex(gfn)}`);
  };
  remove(H, 0x315, "H RAM");
  remove(H, 0x315, "H again");
  remove(H, 0x92000, "H mmio_direct");
  remove(H, ALL, "H ~0");
  remove(ABSENT, 1, "absent");
  remove(DOMID_SELF, 1, "SELF (PV)");
  p.out(`tot=${p.info(H).tot}`);
  p.rec("domctl", "getdomaininfo", 0, "H after remove (page still owned)");
  void H2;
}

/** DMOP_set_mem_type: one page becomes ram_ro. */
function setReadOnly(p: Probe, gfn: number): void {
  const op = p.put(p.buf(64), [u32(0, 12), u16(8, 1), u32(12, 1), u64(16, gfn)]);
  p.call(41, p.H, 1, p.put(p.buf(16), [u64(0, op), u64(8, 64)]));
}

function batches(p: Probe): void {
  const { H, H2 } = p;
  const [arg, idxs, gfns, errs] = [p.buf(64), p.buf(64), p.buf(64), p.buf(64)] as const;
  let list: Value = idxs;
  const batch = (domid: number, space: number, size: number, foreign: number, text: string): void => {
    p.put(arg, [
      u16(0, domid),
      u16(2, space),
      u16(4, size),
      u16(6, foreign),
      u64(8, list),
      u64(16, gfns),
      u64(24, errs),
    ]);
    p.put(errs, [u32(0, 77), u32(4, 77), u32(8, 77)]);
    const result = p.mem(23, arg);
    p.out(`errs=${[0, 4, 8].map((o) => resultName(p.r32(errs + o) | 0)).join(",")}`);
    rec(p, "add_to_physmap_batch", result, text);
  };
  p.put(idxs, [u64(0, 0x313), u64(8, 0x90000), u64(16, 0x314)]);
  p.put(gfns, [u64(0, 0x98000), u64(8, 0x98001), u64(16, 0x98002)]);
  batch(H, 2, 3, 0, "H gmfn x3, second source a hole");
  batch(H, 2, 0, 0, "H size=0");
  batch(H, 2, 1, 5, "H gmfn res0=5");
  batch(H, 3, 1, 0, "H gmfn_range");
  p.put(idxs, [u64(0, 0x10)]);
  p.put(gfns, [u64(0, 0x98010)]);
  batch(H, 4, 1, H2, "H foreign from H2 (neither is caller)");
  batch(H, 4, 1, ABSENT, "H foreign from absent");
  batch(H, 4, 1, H, "H foreign from itself");
  batch(DOMID_SELF, 4, 1, H2, "SELF(PV) foreign from H2");
  list = p.badPointer;
  batch(ABSENT, 2, 1, 0, "absent");
}

export function questions(p: Probe): void {
  const { H, H2, PV } = p;
  const ask = (op: number, name: string, domid: number, text: string): void => {
    rec(p, `XENMEM_${name}`, p.mem(op, p.put(p.buf(64), [u16(0, domid)])), text);
  };
  ask(XENMEM_MAXIMUM_GPFN, "maximum_gpfn", H, "H after populating gfn 2^36-1 (truncated to 32 bits?)");
  ask(XENMEM_MAXIMUM_GPFN, "maximum_gpfn", H2, "H2 (1024 pages from 0)");
  ask(XENMEM_MAXIMUM_GPFN, "maximum_gpfn", ABSENT, "absent");
  ask(XENMEM_MAXIMUM_GPFN, "maximum_gpfn", PV, "PV");
  ask(XENMEM_CURRENT_RESERVATION, "current_reservation", H2, "H2");
  ask(XENMEM_CURRENT_RESERVATION, "current_reservation", ABSENT, "absent");
  ask(XENMEM_MAXIMUM_RESERVATION, "maximum_reservation", H2, "H2");
  ask(18, "get_sharing_freed_pages", 0, "-");
  ask(19, "get_sharing_shared_pages", 0, "-");
  rec(p, "maximum_ram_page", p.mem(2, 0) > 0 ? 1 : 0, "1 = positive");
  const e820 = p.put(p.buf(20 * 200), [u64(0, 0), u64(8, 0x400000), u32(16, 1)]);
  const setMap = (domid: number, count: number, buffer: number, text: string): void => {
    const arg = p.put(p.buf(24), [u16(0, domid), u32(8, count), u64(16, buffer)]);
    rec(p, "set_memory_map", p.mem(13, arg), text);
  };
  setMap(H, 1, e820, "H 1 entry");
  setMap(H, 128, e820, "H 128 entries");
  setMap(H, 129, e820, "H 129 entries");
  setMap(H, 1 << 20, e820, "H 2^20 entries");
  setMap(H, 0, e820, "H 0 entries");
  setMap(H, 1, p.badPointer, "H buffer=0x8");
  setMap(ABSENT, 1, e820, "absent");
  setMap(PV, 1, e820, "PV 1 entry");
  const map = p.put(p.buf(16), [u32(0, 100), u64(8, e820)]);
  rec(p, "memory_map", p.mem(9, map), "PV dom0 itself (no map set)");
  p.put(map, [u32(0, 1)]);
  const few = p.mem(10, map);
  p.out(`nr=${p.r32(map)}`);
  rec(p, "machine_memory_map", few, "nr=1");
  p.put(map, [u32(0, 100)]);
  rec(p, "machine_memory_map", p.mem(10, map), "nr=100");
  podAndClaims(p);
}

function podAndClaims(p: Probe): void {
  const { H, H2, PV } = p;
  const pod = p.put(p.buf(40), [u16(32, H2)]);
  const target = (op: number, call: string, domid: number, text: string, shows = false): void => {
    p.put(pod, [u16(32, domid)]);
    const result = p.mem(op, pod);
    if (shows) p.out(`tot=${p.r64(pod + 8)} cache=${p.r64(pod + 16)} entries=${p.r64(pod + 24)}`);
    rec(p, call, result, text);
  };
  target(17, "get_pod_target", H2, "H2", true);
  p.put(pod, [u64(0, 10)]);
  target(16, "set_pod_target", H2, "H2 target=10 without PoD entries", true);
  target(17, "get_pod_target", DOMID_SELF, "SELF");
  target(16, "set_pod_target", ABSENT, "absent");
  target(16, "set_pod_target", 0, "dom 0");
  target(16, "set_pod_target", PV, "PV");
  const claim = (domid: number, pages: number, order: number, list: number, text: string): void => {
    rec(p, "claim_pages", p.reserve(24, domid, list, pages, order, 0), text);
  };
  claim(H2, 1030, 0, 0, "H2 1030 pages (owns 1024)");
  claim(H2, 1030, 1, 0, "H2 order=1");
  claim(H2, 1040, 0, 0, "H2 1040 (already claimed)");
  p.out(`outst=${p.info(H2).outstanding}`);
  p.rec("domctl", "getdomaininfo", 0, "H2 after claim");
  claim(H2, 0, 0, 0, "H2 0 (cancel)");
  claim(H2, 10, 0, 0, "H2 10 (below owned)");
  claim(H2, 1 << 30, 0, 0, "H2 2^30");
  claim(ABSENT, 1, 0, 0, "absent");
  claim(H2, 1, 0, p.buf(8), "H2 non-NULL list");
  const list = p.put(p.buf(16), [u64(0, 0x320), u64(8, 0x320)]);
  const exchange = p.put(p.buf(72), [u64(0, list), u64(8, 1), u16(24, H), u64(32, list + 8), u64(40, 1), u16(56, H)]);
  rec(p, "exchange", p.mem(11, exchange), "H");
  p.put(exchange, [u16(24, DOMID_SELF), u16(56, DOMID_SELF), u32(48, 40)]);
  rec(p, "exchange", p.mem(11, exchange), "SELF order 40");
  p.put(exchange, [u32(48, 1)]);
  rec(p, "exchange", p.mem(11, exchange), "SELF size mismatch");
  for (const op of [8, 20, 21, 22, 25, 26, 27, 29, 30, 31, 40, 63])
    rec(p, "op", p.mem(op, p.buf(256)), `op=${op} zero argument`);
  rec(p, "op", p.mem(9999, p.buf(64)), "op=9999 (op bits 15, start 156)");
}
