/**
 * The calls behind recorded/dm-op-vectors.tsv, in their order: dom0 asks about H, an HVM domain with 1024 pages, one vCPU and a local
 * APIC. Each call gives a row `area, call, arguments, result, output`. Rows depend on the ones before them.
 */
import { errnoName } from "../../../host/lib/errors.ts";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_GETDOMAININFO,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_RESUMEDOMAIN,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  HC_DM_OP,
  HC_HVM_OP,
  HC_MEMORY_OP,
  HVMOP_GET_MEM_TYPE,
  HVMOP_SET_PARAM,
  SHUTDOWN_CRASH,
  XENMEM_ACQUIRE_RESOURCE,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_POPULATE_PHYSMAP,
} from "../../../hv-core/abi/hypercalls.ts";
import { creation, type Door, type Field, openDoor } from "../../hv/door.ts";

const ABSENT = 0x7000;
const OP = 0x8000;
const BUFS = 0x9000;
const EXTRA = 0xa000;
const DOMCTL_SHADOW_OP = 10;
const FAR = 0xf0300;

export class DmOpCalls {
  readonly rows: string[] = [];
  private readonly door: Door = openDoor(8192);
  private readonly h: number;
  private readonly pv: number;

  constructor() {
    const { door } = this;
    door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({ flags: 0, emulation: 0 }));
    this.pv = door.u16(0x1008);
    door.domctl(DOMCTL_CREATEDOMAIN, 0, creation({}));
    this.h = door.u16(0x1008);
    door.domctl(DOMCTL_MAX_VCPUS, this.h, [[0, 4, 1]]);
    door.domctl(DOMCTL_MAX_MEM, this.h, [[0, 8, 65536]]);
    door.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, this.h, [[0, 8, 4 << 20]]);
    for (let first = 0; first < 0x400; first += 256)
      door.populate(
        this.h,
        Array.from({ length: 256 }, (_, i) => first + i),
      );
    this.age();
  }

  /** What the recorded domain had behind it: a far page that came and went, and a crash. */
  private age(): void {
    const { door } = this;
    door.populate(this.h, [FAR]);
    door.put(EXTRA + 0x100, 8, [[0, 8, FAR]]);
    const at = door.put(EXTRA, 32, [
      [0, 8, EXTRA + 0x100],
      [8, 8, 1],
      [24, 2, this.h],
    ]);
    door.call(HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, at);
    this.op(16, [[0, 4, SHUTDOWN_CRASH]]);
  }

  // --- rows ------------------------------------------------------------------------------------------------------

  private record(area: string, call: string, result: number, args: string, output = "-"): number {
    const shown = result < 0 ? `-${errnoName(-result)}` : String(result);
    this.rows.push([area, call, args, shown, output].join("\t"));
    return result;
  }

  /** A dm_op with raw buffers. */
  private raw(domid: number, nrBufs: number, size0: number, size1 = 0, bufs = BUFS): number {
    this.door.put(BUFS, 32, [
      [0, 8, OP],
      [8, 8, size0],
      [16, 8, EXTRA],
      [24, 8, size1],
    ]);
    return this.door.call(HC_DM_OP, domid, nrBufs, bufs);
  }
  private fill(op: number, fields: readonly Field[] = []): void {
    this.door.put(OP, 64, [[0, 4, op], ...fields.map(([at, bytes, value]): Field => [at + 8, bytes, value])]);
  }
  private op(op: number, fields: readonly Field[] = [], size1 = 0): number {
    this.fill(op, fields);
    return this.raw(this.h, size1 === 0 ? 1 : 2, 32, size1);
  }
  private dm(call: string, op: number, args: string, fields: readonly Field[] = [], size1 = 0): number {
    return this.record("dm_op", call, this.op(op, fields, size1), `H ${args}`.trim());
  }
  private out16 = (at: number) => this.door.u16(OP + 8 + at);
  private out32 = (at: number) => this.door.u32(OP + 8 + at);
  private out64 = (at: number) => this.door.u64(OP + 8 + at);

  // --- calls -----------------------------------------------------------------------------------------------------

  private envelope(): void {
    const { h, pv } = this;
    const row = (rc: number, args: string) => this.record("dm_op", "envelope", rc, args);
    const vcpus = () => this.fill(20);
    this.fill(1);
    row(this.raw(h, 0, 32), "nr_bufs=0");
    row(this.raw(ABSENT, 0, 32), "absent domain nr_bufs=0");
    row(this.raw(h, 3, 32), "nr_bufs=3");
    row(this.raw(h, 9, 32), "nr_bufs=9");
    row(this.raw(h, 1, 32, 0, 0x10_0000), "bufs=0x8");
    row(this.raw(ABSENT, 1, 32, 0, 0x10_0000), "absent, bufs=0x8");
    vcpus();
    row(this.raw(ABSENT, 1, 32), "absent domain op=nr_vcpus");
    row(this.raw(0, 1, 32), "domain 0 (self)");
    row(this.raw(0x7ff0, 1, 32), "DOMID_SELF");
    row(this.raw(pv, 1, 32), "PV domain");
    row(this.raw(0x7ff1, 1, 32), "DOMID_IO");
    row(this.raw(h, 1, 4), "buf0 size=4");
    row(this.raw(h, 1, 8), "buf0 size=8 (header only) op=nr_vcpus");
    row(this.raw(h, 1, 12), "buf0 size=12 op=nr_vcpus");
    vcpus();
    row(this.raw(h, 1, 4096), "buf0 size=4096 op=nr_vcpus");
    vcpus();
    row(this.raw(h, 1, 0), "buf0 size=0");
    this.fill(1);
    row(this.raw(h, 1, 8), "buf0 size=8 op=create");
    const pad: Field = [-4, 4, 1];
    for (const [op, args, fields] of [
      [0, "", []],
      [19, "set_irq_level (Arm only)", []],
      [21, "", []],
      [99, "", []],
      [0xffffffff, "", []],
      [20, "nr_vcpus pad=1", [pad]],
      [99, "unknown op with pad=1", [pad]],
    ] as const)
      this.dm(op === 0xffffffff ? "op0xffffffff" : `op${op}`, op, args, fields);
    const rc = this.op(20);
    this.record("dm_op", "nr_vcpus", rc, "H", `vcpus=${this.out32(0)}`);
  }

  private create(handling: number, args: string): number {
    const rc = this.op(1, [[0, 1, handling]]);
    this.record("dm_op", "create_ioreq_server", rc, `H ${args}`, `id=${rc === 0 ? this.out16(4) : -1}`);
    return rc === 0 ? this.out16(4) : -1;
  }
  private destroy = (id: number): number => this.op(6, [[0, 2, id]]);

  private servers(): void {
    const name = "create_ioreq_server";
    this.dm(name, 1, "pad[1]=1", [[2, 1, 1]]);
    this.dm(name, 1, "handling=3", [[0, 1, 3]]);
    this.dm(name, 1, "handling=255", [[0, 1, 255]]);
    for (let k = 1; k <= 10; k++) {
      const handling = k === 1 ? 2 : k === 2 ? 1 : 0;
      this.create(handling, `#${k} handling=${handling}`);
    }
    this.dm("destroy_ioreq_server", 6, "id=3", [[0, 2, 3]]);
    this.dm("destroy_ioreq_server", 6, "id=3 again", [[0, 2, 3]]);
    this.create(0, "after destroying 3");
    this.dm("destroy_ioreq_server", 6, "id=8", [[0, 2, 8]]);
    this.dm("destroy_ioreq_server", 6, "id=0xffff", [[0, 2, 0xffff]]);
    this.dm("destroy_ioreq_server", 6, "id=7 pad=1", [
      [0, 2, 7],
      [2, 2, 1],
    ]);
    for (let id = 2; id < 8; id++) this.destroy(id);
  }

  private info(id: number, flags: number, text: string): void {
    const rc = this.op(2, [
      [0, 2, id],
      [2, 2, flags],
    ]);
    const hex = (v: bigint) => (v === 0n ? "0" : `0x${v.toString(16)}`);
    const output =
      rc === 0
        ? `bufport=${this.out32(4) ? "nonzero" : "0"} ioreq_gfn=${hex(this.out64(8))} bufioreq_gfn=${hex(this.out64(16))}`
        : "-";
    this.record("dm_op", "get_ioreq_server_info", rc, `H ${text ? `${text} ` : ""}id=${id} flags=${flags}`, output);
  }
  private param(index: number, value: number, args: string): void {
    const at = this.door.put(EXTRA, 16, [
      [0, 2, this.h],
      [4, 4, index],
      [8, 8, value],
    ]);
    this.record("hvm_op", "set_param", this.door.call(HC_HVM_OP, HVMOP_SET_PARAM, at), `H ${args}`);
  }
  private typeOf(gfn: bigint | number): string {
    const at = this.door.put(EXTRA, 16, [
      [0, 2, this.h],
      [8, 8, gfn],
    ]);
    const rc = this.door.call(HC_HVM_OP, HVMOP_GET_MEM_TYPE, at);
    return rc < 0 ? `-${errnoName(-rc)}` : String(this.door.u16(at + 2));
  }
  private types(args: string, output: string): void {
    this.record("hvm_op", "get_mem_type", 0, `H ${args}`, output);
  }

  private gfnMode(): void {
    this.info(0, 1, "no_gfns");
    this.info(0, 2, "flags=2");
    this.info(0, 0xffff, "");
    this.info(5, 0, "absent server");
    this.info(8, 1, "absent server");
    this.info(1, 1, "legacy buf");
    this.param(32, 0x3f0, "index=IOREQ_SERVER_PFN(32) value=0x3f0");
    this.param(5, 0x3d0, "index=IOREQ_PFN(5) value=0x3d0");
    this.param(6, 0x3d1, "index=BUFIOREQ_PFN(6) value=0x3d1");
    this.param(33, 0, "index=NR_IOREQ_SERVER_PAGES(33) value=0");
    this.param(33, 65, "index=33 value=65");
    this.param(33, 8, "index=33 value=8");
    this.param(33, 7, "index=33 value=7 (again)");
    this.param(32, 0x3e0, "index=32 again");
    this.info(0, 1, "no_gfns after params");
    this.info(0, 0, "gfn mode");
    this.info(0, 0, "gfn mode again");
    this.info(1, 0, "second server");
    this.types("ioreq gfn before enable", `type=${this.typeOf(0x3f0)}`);
    const state = (args: string, id: number, enabled: number) =>
      this.dm("set_ioreq_server_state", 5, args, [
        [0, 2, id],
        [2, 1, enabled],
      ]);
    const pages = (when: string) => {
      for (const gfn of [0x3d0, 0x3d1, 0x3f0, 0x3f1, 0x3f2, 0x3f3])
        this.types(`gfn=0x${gfn.toString(16)} ${when}`, `type=${this.typeOf(gfn)}`);
    };
    state("id=0 enabled=1", 0, 1);
    state("id=0 enabled=1 again", 0, 1);
    pages("while enabled");
    state("id=0 enabled=0", 0, 0);
    pages("after disable");
    state("enabled=2", 0, 2);
    state("absent", 5, 1);
    this.dm("set_ioreq_server_state", 5, "pad=1", [[3, 1, 1]]);
    this.destroy(0);
    this.destroy(1);
    pages("after destroy");
  }

  private acquire(domid: number, type: number, id: number, nr: number, frame: bigint, text: string): void {
    const isQuery = text.startsWith("!");
    const list = this.door.put(EXTRA + 0x100, 512, []);
    const at = this.door.put(EXTRA, 40, [
      [0, 2, domid],
      [2, 2, type],
      [4, 4, id],
      [8, 4, nr],
      [12, 4, text.startsWith("+") ? 1 : 0],
      [16, 8, frame],
      [24, 8, isQuery ? 0 : list],
    ]);
    // dom0 is not paravirtualised here: the list says where in its physmap the frames are to go.
    for (let i = 0; i < 33; i++) this.door.view.setBigUint64(this.door.at(list + i * 8), BigInt(0x3000 + i), true);
    const rc = this.door.call(HC_MEMORY_OP, XENMEM_ACQUIRE_RESOURCE, at);
    const shown = frame === 0n ? "0" : `0x${frame.toString(16)}`;
    const args = `${text.replace(/^[!+]/, "")} type=${type} id=${id} nr=${nr} frame=${shown}`;
    this.record("memory", "acquire_resource", rc, args, `nr_frames=${this.door.u32(at + 8)}`);
  }

  private resources(): void {
    const { h, pv } = this;
    const id = this.create(0, "handling=OFF for the acquire cases");
    const rows: readonly (readonly [
      domid: number,
      type: number,
      id: number,
      nr: number,
      frame: bigint,
      text: string,
    ])[] = [
      [h, 0, id, 1, 1n, "H"],
      [h, 0, id, 1, 1n, "H again"],
      [h, 0, id, 1, 0n, "H bufioreq with handling OFF"],
      [h, 0, id, 2, 0n, "H both with handling OFF"],
      [h, 0, id, 1, 2n, "H frame 2"],
      [h, 0, id, 2, 1n, "H nr=2 from 1"],
      [h, 0, id, 0, 0n, "H nr=0"],
      [h, 0, id, 0, 0n, "!H size query (NULL list)"],
      [h, 0, 7, 1, 1n, "H absent server"],
      [h, 0, 9, 1, 1n, "H server id 9"],
      [h, 0, id, 33, 0n, "H nr=33"],
      [h, 0, id, 1, 0xffffffffffffffffn, "H frame=~0"],
      [h, 0, id, 1, 1n << 32n, "H frame=2^32"],
      [h, 0, id, 1, 1n, "+H pad=1"],
      [h, 3, 0, 1, 0n, "H type=3"],
      [h, 2, 0, 1, 0n, "H type=vmtrace"],
      [h, 1, 0, 1, 0n, "H grant shared"],
      [h, 1, 1, 1, 0n, "H grant status"],
      [h, 1, 2, 1, 0n, "H grant id=2"],
      [h, 1, 0, 33, 0n, "H grant nr=33 (limit 32)"],
      [h, 1, 0, 1, 32n, "H grant frame=32"],
      [h, 1, 0, 0, 0n, "!H grant size query"],
      [h, 1, 0, 0, 0n, "H grant nr=0 with list"],
      [ABSENT, 0, 0, 1, 1n, "absent"],
      [0x7ff0, 1, 0, 1, 0n, "SELF"],
      [0, 1, 0, 1, 0n, "dom 0 itself"],
      [pv, 0, 0, 1, 1n, "PV ioreq"],
      [pv, 1, 0, 1, 0n, "PV grant"],
    ];
    for (const row of rows) this.acquire(...row);
    this.info(id, 0, "after acquire_resource");
    this.info(id, 1, "after acquire_resource");
  }

  private range(op: 3 | 4, id: number, type: number, start: bigint, end: bigint): number {
    return this.op(op, [
      [0, 2, id],
      [4, 4, type],
      [8, 8, start],
      [16, 8, end],
    ]);
  }

  private ranges(): number {
    const hex = (v: bigint) => (v === 0n ? "0" : `0x${v.toString(16)}`);
    const M = 0xf0000000n;
    const maps: readonly (readonly [type: number, start: bigint, end: bigint, text: string])[] = [
      [1, M, M + 0xfffn, "memory"],
      [1, M, M + 0xfffn, "same again"],
      [1, M + 0xfffn, M + 0x1fffn, "overlaps by one byte"],
      [1, M + 0x1000n, M + 0x1fffn, "adjacent"],
      [1, M + 0x5000n, M + 0x4fffn, "start>end"],
      [1, M + 0x5000n, M + 0x5000n, "single byte"],
      [1, 0n, 0xffffffffffffffffn, "everything"],
      [0, 0x500n, 0x50fn, "ports"],
      [0, 0x10000n, 0x10001n, "ports beyond 64K"],
      [0, 0x508n, 0x600n, "ports overlap"],
      [2, 0x18n, 0x18n, "pci 00:03.0"],
      [2, 0x18n, 0x18n, "pci again"],
      [3, 1n, 2n, "type=3"],
      [-1, 1n, 2n, "type=~0"],
      [3, 5n, 2n, "type=3 start>end"],
    ];
    for (const [type, start, end, text] of maps)
      this.record(
        "dm_op",
        "map_io_range",
        this.range(3, 0, type >>> 0, start, end),
        `H ${text} type=${type} ${hex(start)}-${hex(end)}`,
      );
    this.dm("map_io_range_to_ioreq_server", 3, "pad=1", [[2, 2, 1]]);
    const row = (call: string, rc: number, args: string, output = "-") =>
      this.record("dm_op", call, rc, `H ${args}`, output);
    row("map_io_range", this.range(3, 6, 1, 0n, 1n), "absent server");
    row("map_io_range", this.range(3, 6, 9, 5n, 1n), "absent server, bad type, start>end");
    this.op(1);
    const second = this.out16(4);
    row("map_io_range", this.range(3, second, 1, M, M + 0xfffn), "other server, same range");
    const unmaps: readonly (readonly [start: bigint, end: bigint, text: string])[] = [
      [M + 0x800n, M + 0x17ffn, "inside the merged range (split)"],
      [M + 0x800n, M + 0x17ffn, "again"],
      [M, M + 0x1fffn, "covers a hole"],
      [M + 0x7ffn, M + 0x800n, "half contained"],
      [M, M + 0x7ffn, "left part"],
      [M + 0x1800n, M + 0x1fffn, "right part"],
      [M + 0x5000n, M + 0x4000n, "start>end"],
      [M + 0x5000n, M + 0x5000n, "single byte"],
    ];
    for (const [start, end, text] of unmaps)
      row("unmap_io_range", this.range(4, 0, 1, start, end), `${text} ${hex(start)}-${hex(end)}`);
    row("unmap_io_range", this.range(4, 0, 3, 1n, 2n), "type=3");
    row("unmap_io_range", this.range(4, 6, 1, 1n, 2n), "absent server");
    const many = (type: number, at: (n: bigint) => readonly [bigint, bigint], args: string) => {
      let n = 0;
      let rc = 0;
      for (; n < 400 && rc === 0; n++) rc = this.range(3, 0, type, ...at(BigInt(n)));
      row("map_io_range", rc, args, `succeeded=${rc === 0 ? n : n - 1}`);
    };
    const B = 0x100000000n;
    many(1, (n) => [B + n * 0x2000n, B + 0xfffn + n * 0x2000n], "memory ranges until failure (none mapped before)");
    many(
      0,
      (n) => [n * 2n, n * 2n],
      "port ranges until failure (1 mapped before at 0x500-0x50f... stops at overlap or limit)",
    );
    row("map_io_range", this.range(3, 0, 1, B + 0x1000n, B + 0x1fffn), "at limit: range that joins two neighbours");
    row("unmap_io_range", this.range(4, 0, 1, B + 0x2800n, B + 0x2801n), "at limit: unmap splitting a range");
    row("unmap_io_range", this.range(4, 0, 1, B + 0x4800n, B + 0x4801n), "at limit: second split");
    return second;
  }

  private setType(first: bigint, nr: number, type: number): number {
    return this.op(12, [
      [0, 4, nr],
      [4, 2, type],
      [8, 8, first],
    ]);
  }

  private memTypes(): void {
    const rows: readonly (readonly [first: bigint, nr: number, type: number, text: string])[] = [
      [0x100n, 1, 0, "ram->ram_rw"],
      [0x100n, 1, 1, "ram->ram_ro"],
      [0x100n, 1, 2, "ram_ro->mmio_dm"],
      [0x100n, 1, 2, "mmio_dm->mmio_dm (hole)"],
      [0x100n, 1, 0, "mmio_dm->ram_rw"],
      [0x102n, 1, 2, "ram_rw->mmio_dm"],
      [0x103n, 1, 1, "ram->ram_ro"],
      [0x103n, 1, 0, "ram_ro->ram_rw"],
      [0x90500n, 1, 2, "hole->mmio_dm"],
      [0x90500n, 1, 0, "hole->ram_rw"],
      [0x90500n, 1, 1, "hole->ram_ro"],
      [0x104n, 1, 3, "type=3 (unused)"],
      [0x104n, 1, 4, "type=ioreq_server without a mapped server"],
      [0x104n, 1, 5, "type=5"],
      [0x104n, 1, 0xffff, "type=0xffff"],
      [0x104n, 0, 0, "nr=0"],
      [0x200n, 0x40, 1, "nr=64 ram->ro"],
      [0x200n, 0x40, 0, "nr=64 ro->rw"],
      [0x3f8n, 0x20, 1, "runs past the last populated gfn"],
      [0xfffffffffffffff0n, 0x20, 1, "wrap"],
      [1n << 40n, 1, 1, "beyond max gfn"],
      [0x100n, 0xffffffff, 1, "nr=2^32-1"],
    ];
    for (const [first, nr, type, text] of rows) {
      const rc = this.setType(first, nr, type);
      const left = `out.nr=${this.out32(0)} out.first=0x${this.out64(8).toString(16)}`;
      const shown = nr === 0 ? "0" : `0x${nr.toString(16)}`;
      this.record(
        "dm_op",
        "set_mem_type",
        rc,
        `H ${text} first=0x${first.toString(16)} nr=${shown} type=${type}`,
        `now=${this.typeOf(first)} ${left}`,
      );
    }
    this.dm("set_mem_type", 12, "pad=1", [
      [0, 4, 1],
      [6, 2, 1],
    ]);
    this.setType(0x3f8n, 8, 0);
  }

  private mapType(id: number, type: number, flags: number): number {
    return this.op(15, [
      [0, 2, id],
      [2, 2, type],
      [4, 4, flags],
    ]);
  }

  private reservation(command: number, gfn: number, call: string, args: string): void {
    this.door.put(EXTRA + 0x100, 8, [[0, 8, gfn]]);
    const at = this.door.put(EXTRA, 32, [
      [0, 8, EXTRA + 0x100],
      [8, 8, 1],
      [24, 2, this.h],
    ]);
    this.record("memory", call, this.door.call(HC_MEMORY_OP, command, at), `H ${args}`);
  }

  private logDirty(op: number): number {
    return this.door.domctl(DOMCTL_SHADOW_OP, this.h, [[0, 4, op]]);
  }

  private mapTypes(second: number): void {
    const map = (id: number, type: number, flags: number, args: string) =>
      this.record("dm_op", "map_mem_type", this.mapType(id, type, flags), `H ${args}`);
    map(0, 0, 2, "type=0 flags=WRITE");
    map(0, 5, 2, "type=5");
    map(0, 4, 1, "type=4 flags=READ");
    map(0, 4, 3, "flags=READ|WRITE");
    map(0, 4, 4, "flags=4");
    map(0, 4, 0, "unmap, never mapped");
    map(6, 4, 2, "absent server");
    map(6, 0, 2, "absent server, bad type");
    map(0, 4, 2, "map");
    map(0, 4, 2, "map again, same server");
    map(second, 4, 2, "map by second server");
    map(second, 4, 0, "unmap by non-owner");
    map(0, 4, 0, "unmap");
    map(0, 4, 0, "unmap again");
    map(second, 4, 2, "map second server after unmap");
    const set = (first: number, nr: number, type: number, args: string) =>
      this.record("dm_op", "set_mem_type", this.setType(BigInt(first), nr, type), `H ${args}`);
    set(0x120, 4, 4, "ram_rw->ioreq_server x4");
    this.types("gfn=0x120", `type=${this.typeOf(0x120)}`);
    set(0x120, 1, 4, "ioreq_server->ioreq_server");
    set(0x121, 1, 1, "ioreq_server->ram_ro");
    set(0x121, 1, 2, "ioreq_server->mmio_dm");
    set(0x121, 1, 0, "ioreq_server->ram_rw");
    this.setType(0x130n, 1, 1);
    set(0x130, 1, 4, "ram_ro->ioreq_server");
    set(0x90500, 1, 4, "hole->ioreq_server");
    set(0x12e, 4, 4, "0x12e..0x131, third is ram_ro");
    const each = (gfns: readonly number[]) => gfns.map((g) => `0x${g.toString(16)}=${this.typeOf(g)}`).join(" ");
    this.types("after the partial failure", each([0x12e, 0x12f, 0x130, 0x131]));
    this.record("domctl", "shadow_op", this.logDirty(2), "H ENABLE_LOGDIRTY with ioreq_server pages");
    this.logDirty(0);
    this.reservation(XENMEM_DECREASE_RESERVATION, 0x122, "decrease", "gfn of type ioreq_server");
    this.types("gfn=0x122 afterwards", `type=${this.typeOf(0x122)}`);
    this.reservation(XENMEM_POPULATE_PHYSMAP, 0x122, "populate", "gfn 0x122 back");
    this.reservation(XENMEM_POPULATE_PHYSMAP, 0x123, "populate", "populate over an ioreq_server gfn");
    this.types("gfn=0x123 afterwards", `type=${this.typeOf(0x123)}`);
    map(second, 4, 0, "unmap with 0x120,0x12e,0x12f still typed");
    this.types("after unmap (swept to ram_rw)", each([0x120, 0x12e]));
    map(0, 4, 2, "map again after unmap");
    map(0, 4, 0, "unmap");
  }

  private interrupts(): void {
    const lines: readonly (readonly [call: string, op: number, args: string, fields: readonly Field[]])[] = [
      ["set_pci_intx_level", 8, "level=2", [[5, 1, 2]]],
      ["set_pci_intx_level", 8, "intx=4", [[4, 1, 4]]],
      ["set_pci_intx_level", 8, "device=32", [[3, 1, 32]]],
      ["set_pci_intx_level", 8, "bus=1", [[2, 1, 1]]],
      ["set_pci_intx_level", 8, "domain=1", [[0, 2, 1]]],
      [
        "set_pci_intx_level",
        8,
        "dev=3 intx=0 level=1 (LAPIC-only domain)",
        [
          [3, 1, 3],
          [5, 1, 1],
        ],
      ],
      ["set_isa_irq_level", 9, "irq=16", [[0, 1, 16]]],
      ["set_isa_irq_level", 9, "level=2", [[1, 1, 2]]],
      ["set_isa_irq_level", 9, "irq=4 level=0", [[0, 1, 4]]],
      ["set_pci_link_route", 10, "link=0 isa=5", [[1, 1, 5]]],
      ["set_pci_link_route", 10, "link=0 isa=0 (none)", []],
      ["set_pci_link_route", 10, "link=4", [[0, 1, 4]]],
      ["set_pci_link_route", 10, "isa=16", [[1, 1, 16]]],
      [
        "inject_event",
        13,
        "vcpu=1",
        [
          [0, 4, 1],
          [4, 1, 0x20],
        ],
      ],
      [
        "inject_event",
        13,
        "vcpu=0 #GP",
        [
          [4, 1, 13],
          [5, 1, 3],
        ],
      ],
      [
        "inject_event",
        13,
        "second (pending)",
        [
          [4, 1, 13],
          [5, 1, 3],
        ],
      ],
      [
        "inject_event",
        13,
        "pad0=1",
        [
          [4, 1, 13],
          [7, 1, 1],
        ],
      ],
      [
        "inject_event",
        13,
        "pad1=1",
        [
          [4, 1, 13],
          [12, 4, 1],
        ],
      ],
      [
        "inject_msi",
        14,
        "addr=fee00000 data=0x30",
        [
          [0, 4, 0x30],
          [8, 8, 0xfee00000],
        ],
      ],
      ["inject_msi", 14, "pad=1", [[4, 4, 1]]],
      [
        "inject_msi",
        14,
        "addr=0x1234",
        [
          [0, 4, 0x30],
          [8, 8, 0x1234],
        ],
      ],
      ["inject_msi", 14, "data=0 (vector 0)", [[8, 8, 0xfee00000]]],
      [
        "inject_msi",
        14,
        "ExtINT",
        [
          [0, 4, 0x730],
          [8, 8, 0xfee00000],
        ],
      ],
    ];
    for (const [call, op, args, fields] of lines) this.dm(call, op, args, fields);
  }

  private dirtyPages(): void {
    const vram = (args: string, nr: number, first: number, size1: number, shows = false, pad = 0) => {
      this.door.put(EXTRA, 64, []);
      const rc = this.op(
        7,
        [
          [0, 4, nr],
          [4, 4, pad],
          [8, 8, first],
        ],
        size1,
      );
      const output = shows ? `bitmap=${this.door.u64(EXTRA).toString(16).padStart(16, "0")}` : "-";
      this.record("dm_op", "track_dirty_vram", rc, `H ${args}`, output);
    };
    vram("nr=8 without buf1", 8, 0x200, 0);
    vram("nr=64 buf1=7 bytes", 64, 0x200, 7);
    vram("nr=64 first=0x200 call 1", 64, 0x200, 8, true);
    vram("nr=64 first=0x200 call 2", 64, 0x200, 8, true);
    vram("nr=1 (S-7)", 1, 0x200, 8);
    vram("nr=262145 small buf", 262145, 0, 64);
    vram("nr=0 (stop)", 0, 0, 8);
    vram("pad=1", 0, 0, 8, false, 1);
    const modified = (args: string, nr: number, opaque: number, size1: number, extent: readonly Field[]) => {
      this.door.put(EXTRA, 64, extent);
      this.dm(
        "modified_memory",
        11,
        args,
        [
          [0, 4, nr],
          [4, 4, opaque],
        ],
        size1,
      );
    };
    const one: readonly Field[] = [
      [0, 4, 4],
      [8, 8, 0x200],
    ];
    modified("1 extent, not log-dirty", 1, 0, 16, one);
    modified("nr_bufs=1", 1, 0, 0, one);
    modified("2 extents, buffer for 1", 2, 0, 16, one);
    modified("opaque=1", 1, 1, 16, one);
    modified("nr_extents=0", 0, 0, 16, one);
    this.logDirty(2);
    modified("1 extent, log-dirty on", 1, 0, 16, one);
    modified("extent.pad=1, log-dirty on", 1, 0, 16, [...one, [4, 4, 1]]);
    modified("extent beyond max, log-dirty on", 1, 0, 16, [
      [0, 4, 4],
      [8, 8, 1n << 40n],
    ]);
    this.logDirty(0);
  }

  private layout(): void {
    const relocate = (args: string, size: number, pad: number, from: number, to: number) =>
      this.dm("relocate_memory", 17, args, [
        [0, 4, size],
        [4, 4, pad],
        [8, 8, from],
        [16, 8, to],
      ]);
    relocate("size=0", 0, 0, 0, 0);
    relocate("size=2 0x300->0x95000", 2, 0, 0x300, 0x95000);
    relocate("source now a hole", 1, 0, 0x300, 0x95000);
    relocate("pad=1", 1, 1, 0, 0);
    const pin = (args: string, start: number, end: number, type: number) =>
      this.dm("pin_memory_cacheattr", 18, args, [
        [0, 8, start],
        [8, 8, end],
        [16, 4, type],
      ]);
    pin("WB 0x100-0x101", 0x100, 0x101, 6);
    pin("WB again", 0x100, 0x101, 6);
    pin("UC overlapping", 0x101, 0x103, 0);
    pin("type=2", 0, 0, 2);
    pin("start>end", 5, 4, 0);
    pin("delete", 0x100, 0x101, 0xffffffff);
    pin("delete again", 0x100, 0x101, 0xffffffff);
  }

  private shutdown(): void {
    const flags = () => {
      this.door.domctl(DOMCTL_GETDOMAININFO, this.h);
      // Whether a vCPU runs or is blocked at this moment is not compared.
      return `flags=${((this.door.result32(4) & ~0x30) >>> 0).toString(16).padStart(8, "0")}`;
    };
    this.record("dm_op", "remote_shutdown", this.op(16, [[0, 4, 99]]), "H2? reason=99 on H");
    this.record("domctl", "getdomaininfo", 0, "H after dm remote_shutdown 99", flags());
    this.record("domctl", "resumedomain", this.door.domctl(DOMCTL_RESUMEDOMAIN, this.h), "H after shutdown");
    this.record("domctl", "getdomaininfo", 0, "H after resume", flags());
  }

  /** All calls. @returns the rows. */
  play(): readonly string[] {
    this.envelope();
    this.servers();
    this.gfnMode();
    this.resources();
    const second = this.ranges();
    this.memTypes();
    this.mapTypes(second);
    this.interrupts();
    this.dirtyPages();
    this.layout();
    this.shutdown();
    this.destroy(0);
    this.destroy(second);
    this.create(0, "after destroying all (lowest free id)");
    return this.rows;
  }
}
