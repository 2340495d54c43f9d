/** V001..V123: the domains, the envelope of domctl, createdomain. */
import { HC_DOMCTL } from "../../../hv-core/abi/hypercalls.ts";
import { ABSENT, creation, type Field, type Probe, u16, u32 } from "./probe.ts";

export function domains(p: Probe): void {
  p.info(p.H);
  p.out(p.infoText());
  p.rec("domctl", "getdomaininfo", 0, "H: HVM+HAP, emu=LAPIC, 1 vcpu, 1024 pages, max_mem 64 MiB, pool 4 MiB");
  p.out(`H=${p.H} H2=${p.H2} PV=${p.PV}`);
  p.rec("setup", "domains", 0, "H and H2 HVM+HAP LAPIC-only; PV created without vcpus; absent=0x7000");
}

const hexOf = (n: number): string => (n === 0 ? "0" : `0x${n.toString(16)}`);

export function envelope(p: Probe): void {
  const env = (call: string, result: number, text: string): number => p.rec("domctl-env", call, result, text);
  const at = p.union - 16;
  const versioned = (cmd: number, domid: number, version: number): number => {
    p.fill(at, 144, 0);
    return p.call(HC_DOMCTL, p.put(at, [u32(0, cmd), u32(4, version), u16(8, domid)]));
  };
  for (const version of [0, 0xa, 0x14, 0x16, 0x18, 0xffffffff])
    env("getdomaininfo", versioned(5, 0, version), `dom=0 version=${hexOf(version)}`);
  env("pausedomain", versioned(3, ABSENT, 1), "dom=0x7000(absent) version=1");
  env("cmd999", versioned(999, 0, 1), "dom=0 version=1");
  env("domctl", p.call(HC_DOMCTL, 0x10), "pointer=0x10");
  env("domctl", p.call(HC_DOMCTL, 0), "pointer=NULL");
  env("domctl", p.call(HC_DOMCTL, 0xfffff000), "pointer=xen-reserved");
  const stale = [
    0, 6, 7, 8, 23, 26, 30, 31, 32, 41, 44, 49, 51, 52, 53, 58, 70, 76, 80, 87, 88, 90, 999, 1004, 0x7fffffff,
  ];
  for (const cmd of stale) env("cmd", p.domctl(cmd, p.H), `cmd=${cmd} dom=H`);
  env("cmd", p.domctl(23, 0), "cmd=23 dom=self(0)");
  env("cmd", p.domctl(999, ABSENT), "cmd=999 dom=absent");
  env("cmd", p.domctl(23, ABSENT), "cmd=23 dom=absent");
  env("cmd", p.domctl(58, ABSENT), "cmd=58 dom=absent");
  env("cmd", p.domctl(0xffffffff, p.H), "cmd=0xffffffff dom=H");
  const ids = [ABSENT, 0x7fef, 0x7ff0, 0x7ff1, 0x7ff2, 0x7ff3, 0x7ff4, 0x7ff5, 0x7fff, 0xffff];
  for (const id of ids) env("unpausedomain", p.domctl("unpausedomain", id), `dom=${hexOf(id)}`);
  for (const id of ids) env("max_vcpus", p.domctl("max_vcpus", id), `dom=${hexOf(id)} max=0`);
  const padded = p.domctl("getdomaininfo", p.H, [u16(-6, 0x1234)]);
  p.out(`pad0=${hexOf(p.r16(at + 10))} domain=${p.r16(at + 8) === p.H ? "H" : "?"}`);
  env("getdomaininfo", padded, "dom=H pad[0]=0x1234 (pad echoed?)");
  // dom0 has no page tables here, so no page that it may read and the hypervisor may not write.
  env("getdomaininfo", p.domctl("getdomaininfo", p.H), "dom=H struct in read-only page");
  const across = p.pages(2) + 4096 - 100;
  p.put(across, [u32(0, 5), u32(4, 0x15), u16(8, p.H)]);
  env("getdomaininfo", p.call(HC_DOMCTL, across), "dom=H struct truncated by end of mapping");
}

const KINDS: readonly (readonly [text: string, flags: number, emulation: number, vcpus: number])[] = [
  ["hvm|hap emu=LAPIC vcpus=1", 3, 1, 1],
  ["hvm|hap emu=0", 3, 0, 1],
  ["hvm|hap emu=0x13f", 3, 0x13f, 1],
  ["hvm|hap emu=0x37f", 3, 0x37f, 1],
  ["hvm|hap emu=ALL(0x7ff)", 3, 0x7ff, 1],
  ["hvm|hap emu=0x3ff (all but VPCI)", 3, 0x3ff, 1],
  ["hvm|hap emu=0x1ff (all but VPCI, PIRQ)", 3, 0x1ff, 1],
  ["hvm|hap emu=0x800", 3, 0x800, 1],
  ["hvm|hap emu=LAPIC|IOAPIC", 3, 0x11, 1],
  ["hvm|hap emu=HPET only", 3, 2, 1],
  ["hvm only (no hap)", 1, 1, 1],
  ["hap without hvm", 2, 0, 1],
  ["pv", 0, 0, 1],
  ["pv emu=LAPIC", 0, 1, 1],
  ["pv emu=PIT", 0, 0x100, 1],
  ["hvm|hap|s3_integrity", 7, 1, 1],
  ["hvm|hap|oos_off", 11, 1, 1],
  ["hvm|oos_off", 9, 1, 1],
  ["pv|oos_off", 8, 0, 1],
  ["hvm|hap|xs", 0x13, 1, 1],
  ["hvm|hap|iommu", 0x23, 1, 1],
  ["hvm|hap|nested", 0x43, 1, 1],
  ["hvm|hap|vpmu", 0x83, 1, 1],
  ["pv|nested", 0x40, 0, 1],
  ["hvm|hap|bit8", 0x103, 1, 1],
  ["hvm|hap|bit31", 0x80000003, 1, 1],
  ["hvm|hap vcpus=0", 3, 1, 0],
  ["hvm|hap vcpus=128", 3, 1, 128],
  ["hvm|hap vcpus=129", 3, 1, 129],
  ["hvm|hap vcpus=-1", 3, 1, 0xffffffff],
  ["pv vcpus=129", 0, 0, 129],
  ["pv vcpus=8192", 0, 0, 8192],
  ["pv vcpus=8193", 0, 0, 8193],
];

const OPTIONS: readonly (readonly [text: string, field: Field])[] = [
  ["grant_opts=0", u32(44, 0)],
  ["grant_opts=1", u32(44, 1)],
  ["grant_opts=3", u32(44, 3)],
  ["grant_opts=0x12", u32(44, 0x12)],
  ["max_grant_frames=-1", u32(36, -1)],
  ["max_grant_frames=0", u32(36, 0)],
  ["max_grant_frames=100000", u32(36, 100000)],
  ["max_maptrack_frames=-1", u32(40, -1)],
  ["max_maptrack_frames=1e8", u32(40, 100000000)],
  ["max_evtchn_port=0", u32(32, 0)],
  ["max_evtchn_port=0xffffffff", u32(32, -1)],
  ["misc_flags=1 (msr relaxed)", u32(60, 1)],
  ["misc_flags=2", u32(60, 2)],
  ["iommu_opts=1 without iommu flag", u32(24, 1)],
  ["iommu_opts=2", u32(24, 2)],
  ["cpupool_id=7", u32(52, 7)],
  ["vmtrace_size=4096", u32(48, 4096)],
  ["ssidref=99", u32(0, 99)],
];

export function createdomain(p: Probe): void {
  const rec = (result: number, text: string): number => p.rec("createdomain", "createdomain", result, text);
  for (const [text, flags, emulation, vcpus] of KINDS) {
    const { result, id } = p.create(0, flags, emulation, vcpus);
    if (result === 0) p.out("id-allocated");
    rec(result, text);
    if (result === 0) p.destroy(id);
  }
  const wanted: readonly (readonly [text: string, id: number])[] = [
    ["domid=H (in use)", p.H],
    ["domid=500 (free)", 500],
    ["domid=0x7fef", 0x7fef],
    ["domid=0x7ff0", 0x7ff0],
    ["domid=0xffff", 0xffff],
  ];
  for (const [text, want] of wanted) {
    const { result, id } = p.create(want, 3, 1, 1);
    if (result === 0) p.out(`id${id === want ? "=" : "!="}as-asked`);
    rec(result, text);
    if (result === 0) p.destroy(id);
  }
  const a = p.create(0, 3, 1, 1).id;
  p.destroy(a);
  const b = p.create(0, 3, 1, 1).id;
  p.out(`first=+0 second=+${b - a}`);
  rec(0, "allocation after destroy (rover?)");
  p.destroy(b);
  for (const [text, field] of OPTIONS) {
    const result = p.domctl("createdomain", 0, [...creation(3, 1, 1).slice(16), field]);
    const id = p.r16(p.union - 8);
    rec(result, text);
    if (result === 0) p.destroy(id);
  }
}
