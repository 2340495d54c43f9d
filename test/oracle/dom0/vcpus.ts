/** V209..V249, V300..V357: vCPUs and their affinity, HVM contexts, extended state and CPU policy. */
import { VCPU_CONTEXT_SIZE } from "../../../hv-core/abi/domctl.ts";
import { ALL, type Field, type Probe, u32, u64 } from "./probe.ts";

/** V209..V249. */
export function vcpus(p: Probe, N: number): void {
  const { H } = p;
  const u = p.union;
  p.dc("getvcpuinfo", H, "H vcpu=0 (down)", [], () => {
    const flags = p.r32(u + 4);
    p.out(
      `online=${flags & 255} blocked=${(flags >> 8) & 255} running=${(flags >> 16) & 255} cpu_time=${p.r64(u + 8)}`,
    );
  });
  p.dc("getvcpuinfo", H, "H vcpu=1 (max 1)", [u32(0, 1)]);
  p.dc("getvcpuinfo", H, "H vcpu=2^32-1", [u32(0, -1)]);
  const ctx = u64(8, p.pages(2));
  const at = Number(ctx[2]);
  p.dc("setvcpucontext", 0, "self vcpu=0", [ctx]);
  p.dc("setvcpucontext", N, "N vcpu=9", [u32(0, 9), ctx]);
  p.dc("setvcpucontext", N, "N vcpu=0 ctxt=NULL (reset)");
  p.dc("setvcpucontext", N, "N vcpu=0 ctxt=0x8", [u64(8, p.badPointer)]);
  p.dc("getvcpucontext", N, "N vcpu=0 not initialised", [ctx]);
  p.dc("getvcpucontext", N, "N vcpu=9", [u32(0, 9), ctx]);
  p.dc("getvcpucontext", 0, "self vcpu=0", [ctx]);
  p.dc("setvcpucontext", N, "N vcpu=0 zero ctxt (flags=0)", [ctx]);
  p.dc("getvcpucontext", N, "N vcpu=0 after setvcpucontext", [ctx], () => {
    const word = (offset: number): string => p.r64(at + offset).toString(16);
    p.out(`flags=${word(512)} cr0=${word(4984)} cr3=${word(5008)} cr4=${word(5016)}`);
  });
  p.out(`sizeof=${VCPU_CONTEXT_SIZE}`);
  p.rec("domctl", "getvcpucontext", 0, "sizeof vcpu_guest_context");
  affinity(p);
  p.dc("scheduler_op", H, "H credit2 getinfo", [u32(0, 6), u32(4, 1)], () => p.out(`weight=${p.r16(u + 8)}`));
  p.dc("scheduler_op", H, "H credit getinfo (credit2 active)", [u32(0, 5), u32(4, 1)]);
  p.dc("scheduler_op", H, "H credit2 cmd=9", [u32(0, 6), u32(4, 9)]);
  p.dc("scheduler_op", H, "H credit2 getvcpuinfo", [u32(0, 6), u32(4, 2)]);
}

function affinity(p: Probe): void {
  const { H } = p;
  // As in the recorded process: the page that is overrun lies just below the one that holds the maps.
  const map = p.lastPage;
  const below = map - 4096;
  const words = (offset: number): string => p.r64(map + offset).toString(16);
  const op = (call: string, text: string, fields: readonly Field[], tail = false): void => {
    const base = [u64(8, map), u32(16, 64), u64(24, map + 64), u32(32, 64)];
    const before = tail ? `tail=${words(8)},${words(24)}` : "";
    const result = p.domctl(call, H, [...base, ...fields]);
    if (before) p.out(before);
    if (result === 0) p.out(`hard=${words(0)} soft=${words(64)}`);
    p.rec("domctl", call, result, text);
  };
  const get = (text: string, fields: readonly Field[], tail = false): void => op("getvcpuaffinity", text, fields, tail);
  const set = (text: string, fields: readonly Field[]): void => op("setvcpuaffinity", text, fields);
  const flags = (value: number): Field => u32(4, value);
  const bits = (value: number): Field => u32(16, value);
  const ones = (): number => p.put(map, [u64(0, ALL)]);
  get("H vcpu=0 flags=3 bits=64", [flags(3)]);
  get("H flags=0", [flags(0)]);
  get("H flags=4", [flags(4)]);
  get("H flags=8", [flags(8)]);
  get("H vcpu=5", [flags(1), u32(0, 5)]);
  ones();
  get("H nr_bits=1, buffer preset ones", [flags(1), bits(1)]);
  ones();
  get("H nr_bits=0, buffer preset ones", [flags(1), bits(0)]);
  get("H nr_bits=2^32-1 (F-3 wrap)", [flags(1), bits(0xffffffff)]);
  p.fill(map, 4096, 0xff);
  get("H nr_bits=256", [flags(1), bits(256)], true);
  p.fill(below, 4096, 0xff);
  let result = p.domctl("getvcpuaffinity", H, [flags(1), u64(8, below), bits(32000)]);
  let zero = 0;
  for (let k = 0; k < 500; k++) zero += p.r64(below + k * 8) === 0n ? 1 : 0;
  p.out(`zero-words-after=${zero} of 500`);
  p.rec("domctl", "getvcpuaffinity", result, "H nr_bits=32000 preset ones (F-3: zero fill by caller's size)");
  result = p.domctl("getvcpuaffinity", H, [flags(1), u64(8, below), bits(0x10000000)]);
  p.rec("domctl", "getvcpuaffinity", result, "H nr_bits=2^28, 1-page buffer");
  const hard = (value: bigint): number => p.put(map, [u64(0, value)]);
  hard(1n);
  set("H vcpu=0 hard={0}", [flags(1)]);
  hard(0n);
  set("H hard={} (empty)", [flags(1)]);
  hard(1n << 40n);
  set("H hard={40} (no such cpu)", [flags(1)]);
  hard(3n);
  set("H hard={0,1}", [flags(1)]);
  p.put(map, [u64(64, 1n << 40n)]);
  set("H soft={40}", [flags(2)]);
  set("H flags=0", [flags(0)]);
  set("H vcpu=7", [flags(1), u32(0, 7)]);
  hard(3n);
  set("H flags=FORCE|HARD", [flags(5)]);
  const node = (text: string, value: bigint): number => {
    p.put(map, [u64(0, value)]);
    return p.dc("setnodeaffinity", H, text, [u64(0, map), u32(8, 64)]);
  };
  p.put(map, [u64(0, 0)]);
  p.dc("getnodeaffinity", H, "H bits=64", [u64(0, map), u32(8, 64)], () => p.out(`nodes=${words(0)}`));
  node("H {0}", 1n);
  node("H {}", 0n);
  node("H {50}", 1n << 50n);
  p.dc("getnodeaffinity", H, "H bitmap=0x8", [u64(0, p.badPointer), u32(8, 64)]);
}

/** V300..V340. */
export function hvmContext(p: Probe, N: number): void {
  const { H, PV } = p;
  const u = p.union;
  const at = p.pages(16);
  const buffer = u64(8, at);
  const size = (value: number): Field => u32(0, value);
  const shown = (): void => p.out(`size=${p.r32(u)}`);
  p.dc("gethvmcontext", H, "H NULL buffer", [], shown);
  const most = p.r32(u);
  p.dc("gethvmcontext", H, "H size one short", [size(most - 1), buffer]);
  p.dc("gethvmcontext", H, "H", [size(16 * 4096), buffer], shown);
  const used = p.r32(u);
  for (let o = 0; o < used; ) {
    const [type, length] = [p.r16(at + o), p.r32(at + o + 4)];
    p.out(`${type}:${p.r16(at + o + 2)}:${length}`);
    o += 8 + length;
    if (type === 0) break;
  }
  p.rec("hvmctx", "records", 0, "H type:instance:length in order");
  p.out(`magic=${p.r32(at + 8).toString(16)} version=${p.r32(at + 12)}`);
  p.rec("hvmctx", "header", 0, "H");
  p.dc("gethvmcontext", 0, "self");
  p.dc("gethvmcontext", PV, "PV");
  p.dc("sethvmcontext", 0, "self", [buffer]);
  p.dc("sethvmcontext", PV, "PV", [size(used), buffer]);
  p.dc("sethvmcontext", N, "N size=8 (descriptor only)", [size(8), buffer]);
  p.dc("sethvmcontext", N, "N buffer=0x8", [size(used), u64(8, p.badPointer)]);
  const magic = p.r32(at + 8);
  p.put(at, [u32(8, magic ^ 1)]);
  p.dc("sethvmcontext", N, "N bad magic", [size(used), buffer]);
  p.put(at, [u32(8, magic)]);
  p.dc("sethvmcontext", N, "N whole blob of H", [size(used), buffer]);
  p.dc("sethvmcontext", N, "N size=0", [buffer]);
  p.fill(at, 64, 0x55);
  p.dc("sethvmcontext", N, "N garbage", [size(64), buffer]);
  const partial = (text: string, fields: readonly Field[], shows = true): number =>
    p.dc("gethvmcontext_partial", H, text, fields, () => shows && p.out(`bufsz=${p.r64(u + 8)}`));
  const room = (bytes: number): readonly Field[] => [u64(8, bytes), u64(16, at)];
  for (let type = 0; type < 22; type++) partial(`H type=${type}`, [u32(0, type), ...room(4096)]);
  partial("H type=2 instance=5", [u32(0, 2), u32(4, 5), ...room(4096)], false);
  partial("H type=2 bufsz=10", [u32(0, 2), ...room(10)], false);
  partial("H type=2 NULL buffer", [u32(0, 2)]);
  partial("H type=200", [u32(0, 200), ...room(4096)], false);
}

/** V341..V357: extended state, MSRs, CPU policy. */
export function extended(p: Probe): void {
  const { H } = p;
  const u = p.union;
  p.dc("get_ext_vcpucontext", H, "H vcpu=0");
  p.dc("set_ext_vcpucontext", 0, "self");
  p.dc("get_ext_vcpucontext", 0, "self");
  p.dc("get_ext_vcpucontext", H, "H vcpu=9", [u32(0, 9)]);
  p.dc("getvcpuextstate", H, "H vcpu=0 NULL buffer", [], () =>
    p.out(`mask=${p.r64(u + 8).toString(16)} size=${p.r64(u + 16)}`),
  );
  p.dc("getvcpuextstate", H, "H vcpu=9", [u32(0, 9)]);
  p.dc("getvcpuextstate", 0, "self");
  p.dc("setvcpuextstate", H, "H size=0");
  p.dc("get_vcpu_msrs", H, "H");
  p.dc("set_vcpu_msrs", H, "H count=0");
  p.dc("get_vcpu_msrs", 0, "self");
  p.dc("get_cpu_policy", H, "H NULL handles", [], () => p.out(`nr_leaves=${p.r32(u)} nr_msrs=${p.r32(u + 4)}`));
  const leaf = p.pages(1);
  p.dc("get_cpu_policy", H, "H nr_leaves=1", [u32(0, 1), u64(8, leaf)]);
  p.dc("set_cpu_policy", H, "H empty policy");
  const refused = (): void =>
    p.out(
      `err_leaf=${p.r32(u + 24).toString(16)} err_subleaf=${p.r32(u + 28).toString(16)} err_msr=${p.r32(u + 32).toString(16)}`,
    );
  p.put(leaf, [u32(0, 7), u32(4, 0xfff)]);
  p.dc("set_cpu_policy", H, "H leaf 7 subleaf 0xfff", [u32(0, 1), u64(8, leaf)], refused);
  p.fill(leaf, 64, 0);
  p.put(leaf, [u32(0, 0), u32(4, -1), u32(8, 0xff)]);
  p.dc("set_cpu_policy", H, "H leaf 0 max=0xff vendor zero", [u32(0, 1), u64(8, leaf)], refused);
  p.dc("set_cpu_policy", 0, "self empty policy");
}
