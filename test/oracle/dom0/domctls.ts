/** V124..V208, V250..V299, V358..V430: the life of a bare domain, resources, log-dirty, settings, pages, absent features, death. */
import { ABSENT, ALL, type Field, hex, type Probe, u32, u64 } from "./probe.ts";

const hexFlags = (flags: number): string => ((flags & ~0x30) >>> 0).toString(16).padStart(8, "0");

/** V124..V178. @returns the domain N. */
export function lifeAndResources(p: Probe): number {
  const N = p.create(0, 3, 1, 2).id;
  const note = (text: string): number => p.rec("domctl", "getdomaininfo", 0, text);
  p.info(N);
  p.out(p.infoText());
  note("fresh domain, vcpus=2, before max_vcpus (domain id shown relative: N)");
  p.dc("max_vcpus", N, "N max=1 (created with 2)", [u32(0, 1)]);
  p.dc("max_vcpus", N, "N max=3 (created with 2)", [u32(0, 3)]);
  p.dc("max_vcpus", N, "N max=0");
  p.dc("getvcpuinfo", N, "N vcpu=0 before allocation");
  p.dc("getvcpuinfo", N, "N vcpu=2 beyond max", [u32(0, 2)]);
  p.dc("gethvmcontext", N, "N NULL buffer before vcpus");
  p.dc("max_vcpus", N, "N max=2", [u32(0, 2)]);
  p.dc("max_vcpus", N, "N max=2 again", [u32(0, 2)]);
  p.dc("max_vcpus", 0, "self max=2", [u32(0, 2)]);
  p.dc("max_vcpus", 0, "self max=1", [u32(0, 1)]);
  p.info(N);
  p.out(p.infoText());
  note("N after max_vcpus");
  const handle = (): void => {
    let text = "";
    for (let i = 0; i < 16; i++) text += (p.r16(p.union + 76 + i) & 255).toString(16).padStart(2, "0");
    p.out(`handle=${text}`);
  };
  p.dc("getdomaininfo", N, "N handle as created", [], handle);
  p.dc("setdomainhandle", N, "N", [u64(0, 0x5a5a5a5a5a5a5a5an), u64(8, 0x5a5a5a5a5a5a5a5an)]);
  p.dc("getdomaininfo", N, "N handle after setdomainhandle", [], handle);
  p.dc("setdomainhandle", ABSENT, "absent");
  p.dc("setdomainhandle", 0, "self zero handle");
  p.dc("getdomaininfo", N + 1000, "id above all domains");
  const high = p.create(N + 500, 3, 1, 1).id;
  p.dc("getdomaininfo", N + 400, "absent id with a higher domain present (search for id >= requested)", [], () => {
    const answered = p.r16(p.union - 8);
    p.out(`returned=${answered === high ? "next-higher-domain" : answered === N + 400 ? "unchanged" : "other"}`);
  });
  p.destroy(high);
  p.dc("getdomaininfo", 0x7ff0, "dom=DOMID_SELF");
  p.dc("getdomaininfo", 0x7fef, "dom=0x7fef");
  p.dc("getdomaininfo", 0xffff, "dom=0xffff");
  p.dc("pausedomain", 0, "self");
  p.dc("unpausedomain", 0, "self");
  p.dc("pausedomain", ABSENT, "absent");
  p.dc("unpausedomain", N, "N first unpause (1->0)");
  p.dc("unpausedomain", N, "N second unpause (underflow)");
  p.out(`flags=${hexFlags(p.info(N).flags)}`);
  note("N after unpause (no vcpu initialised)");
  for (const [call, limit] of [
    ["pausedomain", 300],
    ["unpausedomain", 400],
  ] as const) {
    let n = 0;
    let result = p.domctl(call, N);
    for (; result === 0 && n < limit; n++) result = p.domctl(call, N);
    p.out(`succeeded=${n}`);
    p.rec("domctl", call, result, "N repeated until failure");
  }
  p.dc("pausedomain", N, "N pause again");
  maxMem(p, N);
  pool(p, N);
  return N;
}

function maxMem(p: Probe, N: number): void {
  const decimal = (v: bigint): string => String(v);
  for (const [kib, text, after, show] of [
    [4096n, "4096 kB", "4096", decimal],
    [4099n, "4099 kB", "4099", decimal],
    [ALL, "2^64-1 kB", "2^64-1", hex],
    [1n << 40n, "2^40 kB", "2^40", hex],
  ] as const) {
    p.dc("max_mem", N, `N ${text}`, [u64(0, kib)]);
    p.out(`max_pages=${show(p.info(N).max)}`);
    p.rec("domctl", "getdomaininfo", 0, `N after max_mem ${after}`);
  }
  p.dc("max_mem", N, "N 0 kB");
  let i = p.info(N);
  p.out(`max_pages=${i.max} tot=${i.tot}`);
  p.rec("domctl", "getdomaininfo", 0, "N after max_mem 0");
  p.dc("max_mem", p.H, "H below current usage", [u64(0, 4)]);
  i = p.info(p.H);
  p.out(`max_pages=${i.max} tot=${i.tot}`);
  p.rec("domctl", "getdomaininfo", 0, "H after max_mem 4");
  p.domctl("max_mem", p.H, [u64(0, 65536)]);
}

function pool(p: Probe, N: number): void {
  const get = (domid: number, text: string): number =>
    p.dc("get_paging_mempool_size", domid, text, [], () => p.out(`size=${hex(p.r64(p.union))}`));
  const set = (text: string, size: bigint): number =>
    p.dc("set_paging_mempool_size", N, `N size=${text}`, [u64(0, size)]);
  get(N, "N default");
  set("0x100001 (unaligned)", 0x100001n);
  set("1 MiB", 1n << 20n);
  get(N, "N");
  set("0x101000", 0x101000n);
  get(N, "N");
  set("2^44", 1n << 44n);
  set("2^40", 1n << 40n);
  set("0", 0n);
  get(N, "N");
  p.domctl("set_paging_mempool_size", N, [u64(0, 1 << 20)]);
  p.dc("get_paging_mempool_size", p.PV, "PV domain");
  p.dc("set_paging_mempool_size", p.PV, "PV domain", [u64(0, 4096)]);
}

/** V179..V208. */
export function shadow(p: Probe, N: number): void {
  const { H } = p;
  const op = (domid: number, number: number, text: string, fields: readonly Field[] = []): void => {
    const result = p.domctl("shadow_op", domid, [u32(0, number), ...fields]);
    const at = p.union;
    if (result === 0) p.out(`mb=${p.r32(at + 8)} pages=${p.r64(at + 24)} stats=${p.r32(at + 32)}/${p.r32(at + 36)}`);
    p.rec("domctl", "shadow_op", result, text);
  };
  const mode = (value: number): Field => u32(4, value);
  const pages = (count: number): Field => u64(24, count);
  op(H, 0, "H op=OFF not enabled");
  op(H, 30, "H op=GET_ALLOCATION");
  op(N, 31, "N op=SET_ALLOCATION mb=2", [u32(8, 2)]);
  op(N, 30, "N op=GET_ALLOCATION");
  op(H, 1, "H op=ENABLE_TEST");
  op(H, 3, "H op=ENABLE_TRANSLATE");
  op(H, 32, "H op=ENABLE mode=0");
  op(H, 32, "H op=ENABLE mode=LOG_DIRTY(4)", [mode(4)]);
  op(H, 32, "H op=ENABLE mode=4 again", [mode(4)]);
  op(H, 0, "H op=OFF");
  op(H, 2, "H op=ENABLE_LOGDIRTY");
  op(H, 2, "H op=ENABLE_LOGDIRTY again");
  const dirty = u64(16, p.pages(1));
  op(H, 12, "H op=PEEK pages=1024", [dirty, pages(1024)]);
  op(H, 11, "H op=CLEAN pages=1024", [dirty, pages(1024)]);
  op(H, 11, "H op=CLEAN NULL bitmap pages=1024", [pages(1024)]);
  op(H, 11, "H op=CLEAN NULL bitmap pages=0");
  op(H, 12, "H op=PEEK pages=2^20 with 1-page buffer", [u64(16, p.lastPage), pages(1 << 20)]);
  op(H, 12, "H op=PEEK bitmap=0x8", [u64(16, p.badPointer), pages(1024)]);
  op(H, 12, "H op=PEEK mode=1 (FINAL)", [dirty, pages(1024), mode(1)]);
  op(H, 12, "H op=PEEK mode=2", [dirty, pages(1024), mode(2)]);
  op(H, 0, "H op=OFF");
  op(H, 11, "H op=CLEAN while off", [dirty, pages(1024)]);
  p.out(`type=${p.memType(H, 0x3f0)}`);
  p.rec("hvm_op", "get_mem_type", 0, "H untouched RAM gfn after CLEAN while off");
  op(H, 2, "H op=ENABLE_LOGDIRTY");
  op(H, 0, "H op=OFF");
  p.out(`type=${p.memType(H, 0x3f0)}`);
  p.rec("hvm_op", "get_mem_type", 0, "H same gfn after enable+off");
  op(H, 99, "H op=99");
  op(0, 30, "self op=GET_ALLOCATION");
  op(0, 2, "self op=ENABLE_LOGDIRTY");
  op(ABSENT, 30, "absent");
}

/** V250..V290. */
export function settings(p: Probe): void {
  const { H, PV } = p;
  const u = p.union;
  p.dc("setdebugging", H, "H enable=1", [u32(0, 1)]);
  p.out(`debugged=${(p.info(H).flags >> 6) & 1}`);
  p.rec("domctl", "getdomaininfo", 0, "H after setdebugging 1");
  p.dc("setdebugging", H, "H enable=0");
  p.dc("setdebugging", 0, "self", [u32(0, 1)]);
  p.dc("settimeoffset", H, "H 5", [u64(0, 5)]);
  p.dc("settimeoffset", H, "H 2^62", [u64(0, 1n << 62n)]);
  p.dc("settimeoffset", H, "H -1", [u64(0, ALL)]);
  p.dc("settimeoffset", H, "H 0");
  p.dc("subscribe", H, "H port=2^32-1", [u32(0, -1)]);
  p.dc("subscribe", H, "H port=0");
  const size = (): void => p.out(`size=${p.r32(u)}`);
  p.dc("get_address_size", H, "H", [], size);
  p.dc("get_address_size", PV, "PV", [], size);
  p.dc("get_address_size", 0, "self", [], size);
  p.dc("set_address_size", H, "H 32", [u32(0, 32)]);
  p.dc("set_address_size", PV, "PV 16", [u32(0, 16)]);
  p.dc("set_address_size", PV, "PV 32 (no vcpus yet)", [u32(0, 32)]);
  p.dc("get_address_size", PV, "PV after 32", [], size);
  p.dc("set_address_size", PV, "PV 64", [u32(0, 64)]);
  p.dc("sendtrigger", H, "H NMI vcpu=0");
  for (let k = 1; k < 7; k++) p.dc("sendtrigger", H, `H trigger=${k} vcpu=0`, [u32(0, k)]);
  p.dc("sendtrigger", H, "H NMI vcpu=1 (max 1)", [u32(4, 1)]);
  p.dc("sendtrigger", H, "H NMI vcpu=8192", [u32(4, 8192)]);
  p.dc("sendtrigger", PV, "PV POWER", [u32(0, 3)]);
  p.dc("sendtrigger", H, "H POWER vcpu=9", [u32(0, 3), u32(4, 9)]);
  p.dc("hypercall_init", H, "H gmfn=5 (RAM)", [u64(0, 5)]);
  p.dc("hypercall_init", H, "H gmfn=0x90000 (hole)", [u64(0, 0x90000)]);
  p.dc("hypercall_init", H, "H gmfn=~0", [u64(0, ALL)]);
  p.dc("hypercall_init", PV, "PV gmfn=5 (machine frame not owned)", [u64(0, 5)]);
  const mode = (): string => `mode=${p.r32(u)}`;
  p.dc("gettscinfo", H, "H", [], () =>
    p.out(`${mode()} khz=${p.r32(u + 4) ? "nonzero" : "0"} inc=${p.r32(u + 8)} pad=${p.r32(u + 12)}`),
  );
  p.dc("gettscinfo", 0, "self");
  p.dc("settscinfo", 0, "self");
  p.dc("settscinfo", H, "H mode=1 khz=1e6", [u32(0, 1), u32(4, 1000000)]);
  p.dc("gettscinfo", H, "H after mode=1", [], () => p.out(`${mode()} khz=${p.r32(u + 4)} inc=${p.r32(u + 8)}`));
  p.dc("settscinfo", H, "H mode=9", [u32(0, 9)]);
  p.dc("gettscinfo", H, "H after mode=9", [], () => p.out(mode()));
  p.dc("settscinfo", H, "H mode=0");
}

/** V291..V299. */
export function pageInfo(p: Probe): void {
  const array = p.pages(3);
  p.put(
    array,
    Array.from({ length: 1025 }, (_, k) => u64(k * 8, k)),
  );
  const ask = (text: string, fields: readonly Field[] = [], domid = p.H): void => {
    const result = p.domctl("getpageframeinfo3", domid, [u64(0, 4), u64(8, array), ...fields]);
    const words = [0, 8, 16, 24].map((o) => p.r64(array + o).toString(16));
    p.out(`arr=${words.join(",")} num=${p.r64(p.union)}`);
    p.rec("domctl", "getpageframeinfo3", result, text);
  };
  ask("H num=4 gfns 0..3");
  p.put(array, [u64(0, 1), u64(8, 0x90000), u64(16, ALL), u64(24, 0x3ff)]);
  ask("H gfns 1,0x90000(hole),~0,0x3ff");
  ask("H num=0", [u64(0, 0)]);
  ask("H num=1024", [u64(0, 1024)]);
  ask("H num=1025", [u64(0, 1025)]);
  ask("H num=2^32", [u64(0, 1n << 32n)]);
  ask("H num=2^63", [u64(0, 1n << 63n)]);
  ask("H array=0x8", [u64(8, p.badPointer)]);
  ask("absent", [], ABSENT);
}

/** V358..V430: targets, VIRQs, features that are absent, destruction. */
export function restAndDestroy(p: Probe, N: number): void {
  const { H, H2, PV } = p;
  p.dc("set_target", 0, "self target=self");
  p.dc("set_target", H, "H target=H", [u32(0, H)]);
  p.dc("set_target", H, "H target=absent", [u32(0, ABSENT)]);
  p.dc("set_target", H, "H target=H2", [u32(0, H2)]);
  p.dc("set_target", H, "H target=H2 again", [u32(0, H2)]);
  p.dc("set_target", H2, "H2 target=PV", [u32(0, PV)]);
  p.dc("set_target", ABSENT, "absent", [u32(0, H)]);
  p.dc("resumedomain", 0, "self");
  p.dc("resumedomain", H, "H not shut down");
  p.dc("set_virq_handler", H, "H virq=24", [u32(0, 24)]);
  p.dc("set_virq_handler", H, "H virq=TIMER");
  p.dc("set_virq_handler", H, "H virq=ENOMEM(12)", [u32(0, 12)]);
  p.dc("set_virq_handler", H2, "H2 virq=12 (displaces)", [u32(0, 12)]);
  p.dc("set_virq_handler", 0, "self virq=12", [u32(0, 12)]);
  p.dc("set_virq_handler", 0, "self virq=12 again", [u32(0, 12)]);
  p.dc("set_virq_handler", ABSENT, "absent", [u32(0, 12)]);
  p.dc("set_virq_handler", H, "H virq=16 (arch)", [u32(0, 16)]);
  p.dc("set_access_required", H, "H 1", [u32(0, 1)]);
  p.dc("set_access_required", H, "H 0");
  p.dc("set_access_required", 0, "self");
  p.dc("set_access_required", PV, "PV 1", [u32(0, 1)]);
  p.dc("audit_p2m", H, "H");
  p.dc("audit_p2m", 0, "self");
  p.dc("set_broken_page_p2m", H, "H hole", [u64(0, 0x90000)]);
  for (const call of ["cacheflush", "vuart_op", "psr_cmt_op", "psr_alloc"]) p.dc(call, H, "H");
  p.dc("vmtrace_op", H, "H enable", [u32(0, 1)]);
  p.dc("debug_op", H, "H vcpu=0 op=0");
  p.dc("debug_op", H, "H op=99", [u32(0, 99)]);
  p.dc("debug_op", H, "H vcpu=9", [u32(4, 9)]);
  p.dc("debug_op", 0, "self");
  p.dc("setvnumainfo", H, "H nr_vnodes=0");
  p.dc("gdbsx_domstatus", H, "H");
  p.dc("gdbsx_pausevcpu", H, "H vcpu=9", [u32(0, 9)]);
  p.dc("gdbsx_pausevcpu", H, "H vcpu=0 (debugger not attached)");
  p.dc("gdbsx_unpausevcpu", H, "H vcpu=0");
  p.dc("gdbsx_unpausevcpu", H, "H vcpu=0 again");
  p.dc("soft_reset", 0, "self");
  p.dc("soft_reset", N, "N not shut down");
  p.dc("monitor_op", H, "H get_capabilities", [u32(0, 2)]);
  p.dc("monitor_op", H, "H enable event 0");
  p.dc("monitor_op", H, "H op 99", [u32(0, 99)]);
  p.dc("monitor_op", 0, "self");
  p.dc("assign_device", H, "H 00:1f.0 (no IOMMU)", [u32(8, 0xf8)]);
  p.dc("assign_device", H, "H dev=DT", [u32(0, 1)]);
  p.dc("assign_device", H, "H flags=2", [u32(4, 2)]);
  p.dc("assign_device", 0, "self");
  p.dc("assign_device", 0x7ff1, "DOMID_IO");
  p.dc("assign_device", 0x7ff4, "DOMID_INVALID");
  p.dc("test_assign_device", 0x7ff4, "INVALID", [u32(8, 0xf8)]);
  p.dc("test_assign_device", H, "H", [u32(8, 0xf8)]);
  p.dc("deassign_device", H, "H", [u32(8, 0xf8)]);
  p.dc("get_device_group", H, "H");
  p.dc("bind_pt_irq", H, "H irq=5 type=0", [u32(0, 5)]);
  p.dc("unbind_pt_irq", H, "H irq=5 type=0", [u32(0, 5)]);
  p.dc("destroydomain", 0, "self");
  p.dc("destroydomain", ABSENT, "absent");
  p.dc("destroydomain", N, "N");
  p.dc("destroydomain", N, "N again");
  p.dc("getdomaininfo", N, "N after destroy");
  zombie(p);
}

function zombie(p: Probe): void {
  const Z = p.makeDomain(16);
  const gfn = p.map(Z, 3);
  p.rec("domctl", "destroydomain", p.destroy(Z), "Z while dom0 maps a page");
  if (p.info(Z).domid === Z) p.out(p.infoText());
  p.rec("domctl", "getdomaininfo", p.info(Z).domid === Z ? 0 : -3, "Z zombie");
  p.dc("pausedomain", Z, "Z dying");
  p.dc("unpausedomain", Z, "Z dying");
  p.dc("max_vcpus", Z, "Z dying", [u32(0, 1)]);
  p.dc("max_mem", Z, "Z dying", [u64(0, 1)]);
  const list = p.put(p.buf(8), [u64(0, 9)]);
  p.rec("memory", "populate", p.reserve(6, Z, list, 1, 0, 0), "Z dying");
  const dm = p.put(p.buf(64), [u32(0, 1)]);
  const buffers = p.put(p.buf(16), [u64(0, dm), u64(8, 64)]);
  p.rec("dm_op", "create_ioreq_server", p.call(41, Z, 1, buffers), "Z dying");
  p.rec("hvm_op", "set_param", p.param(true, Z, 1, 1).result, "Z dying index=1");
  p.dc("destroydomain", Z, "Z second destroy while zombie");
  p.unmap(gfn);
  const after = p.info(Z);
  p.rec("domctl", "getdomaininfo", after.result === 0 && after.domid === Z ? 0 : -3, "Z after unmap");
}
