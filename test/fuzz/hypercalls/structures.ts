/**
 * Structure definitions of the hypercalls that are thrown at the hypervisor: name, command, fields. A field is kind@offset; its kind
 * says which values are interesting: n number of things, p pointer, g gfn, f flags, v vCPU, d domain id, t port, b byte, w 32 bits, q 64 bits.
 */
import * as hc from "../../../hv-core/abi/hypercalls.ts";

export type Kind = "n" | "p" | "g" | "f" | "v" | "d" | "t" | "b" | "w" | "q";

export interface StructureField {
  readonly kind: Kind;
  readonly offset: number;
}

export interface Structure {
  readonly name: string;
  readonly nr: number;
  readonly command: number;
  /** "domctl": command and domain in the structure; "dm": three arguments and a buffer; "two": command and pointer; "grant": and a count. */
  readonly shape: "domctl" | "sysctl" | "two" | "dm" | "vcpu" | "registers" | "grant";
  readonly size: number;
  readonly fields: readonly StructureField[];
}

function parse(shape: Structure["shape"], nr: number, size: number, lines: string): Structure[] {
  return lines
    .trim()
    .split("\n")
    .map((line) => {
      const [name, command, ...fields] = line.trim().split(/\s+/);
      return {
        name: name!,
        nr,
        command: Number(command),
        shape,
        size,
        fields: fields.map((f) => ({ kind: f[0] as Kind, offset: Number(f.slice(2)) })),
      };
    });
}

/** Offsets in the union. Commands 0, 1 (creation: its domains would have to be found again) and 2 (destruction) are put in by the test. */
const DOMCTLS = parse(
  "domctl",
  hc.HC_DOMCTL,
  144,
  `
  pausedomain 3
  unpausedomain 4
  getdomaininfo 5
  getmemlist 6 n@0 p@8
  getpageframeinfo 7 g@0 w@8
  getpageframeinfo2 8 n@0 p@8
  setvcpuaffinity 9 v@0 f@4 p@8 n@16 p@24 n@32
  shadow_op 10 n@0 f@4 n@8 p@16 n@24
  max_mem 11 q@0
  setvcpucontext 12 v@0 p@8
  getvcpucontext 13 v@0 p@8
  getvcpuinfo 14 v@0
  max_vcpus 15 n@0
  scheduler_op 16 n@0 n@4 w@8
  setdomainhandle 17 q@0 q@8
  setdebugging 18 b@0
  irq_permission 19 n@0 b@4
  iomem_permission 20 g@0 n@8 b@16
  ioport_permission 21 n@0 n@4 b@8
  hypercall_init 22 g@0
  soft_reset_cont 23 w@0
  settimeoffset 24 q@0
  getvcpuaffinity 25 v@0 f@4 p@8 n@16 p@24 n@32
  real_mode_area 26 w@0
  resumedomain 27
  sendtrigger 28 n@0 v@4
  subscribe 29 t@0
  gethvmcontext 33 n@0 p@8
  sethvmcontext 34 n@0 p@8
  set_address_size 35 n@0
  get_address_size 36
  assign_device 37 n@0 f@4 w@8
  bind_pt_irq 38 n@0 n@4 w@8 w@12
  memory_mapping 39 g@0 g@8 n@16 b@24
  ioport_mapping 40 n@0 n@4 n@8 b@12
  set_ext_vcpucontext 42 v@0 n@4
  get_ext_vcpucontext 43 v@0 n@4
  test_assign_device 45 n@0 f@4 w@8
  set_target 46 d@0
  set_cpuid 49 w@0 w@4 w@8 w@12
  get_device_group 50 w@0 n@4 p@8
  debug_op 54 n@0 v@4
  gethvmcontext_partial 55 n@0 n@4 p@8
  vm_event_op 56 n@0 n@4 t@8
  mem_sharing_op 57 n@0 g@8 q@16 d@24
  disable_migrate 58 w@0
  gettscinfo 59 p@0
  settscinfo 60 n@0 w@4 w@8 q@16
  getpageframeinfo3 61 n@0 p@8
  setvcpuextstate 62 v@0 q@8 n@16 p@24
  getvcpuextstate 63 v@0 q@8 n@16 p@24
  set_access_required 64 b@0
  audit_p2m 65
  set_virq_handler 66 n@0
  set_broken_page_p2m 67 g@0
  setnodeaffinity 68 p@0 n@8
  getnodeaffinity 69 p@0 n@8
  set_max_evtchn 70 t@0
  get_vcpu_msrs 72 v@0 n@4 p@8
  set_vcpu_msrs 73 v@0 n@4 p@8
  setvnumainfo 74 n@0 n@4 n@8 p@16 p@24 p@32 p@40
  monitor_op 77 n@0 n@4 w@8
  soft_reset 79
  get_cpu_policy 82 n@0 n@4 p@8 p@16
  set_cpu_policy 83 n@0 n@4 p@8 p@16
  vmtrace_op 84 n@0 v@4
  get_paging_mempool_size 85
  set_paging_mempool_size 86 q@0
  gdbsx_pausevcpu 1001 v@0
  unknown 99 w@0
  `,
);

const MEMORY_OPS = parse(
  "two",
  hc.HC_MEMORY_OP,
  64,
  `
  increase_reservation 0 p@0 n@8 n@16 f@20 d@24
  decrease_reservation 1 p@0 n@8 n@16 f@20 d@24
  maximum_ram_page 2
  current_reservation 3 d@0
  maximum_reservation 4 d@0
  populate_physmap 6 p@0 n@8 n@16 f@20 d@24
  add_to_physmap 7 d@0 n@2 n@4 g@8 g@16
  memory_map 9 n@0 p@8
  machine_memory_map 10 n@0 p@8
  set_memory_map 13 d@0 n@8 p@16
  maximum_gpfn 14 d@0
  remove_from_physmap 15 d@0 g@8
  set_pod_target 16 q@0 q@8 q@16 q@24 d@32
  get_pod_target 17 d@32
  add_to_physmap_batch 23 d@0 n@2 n@4 d@6 p@8 p@16 p@24
  claim_pages 24 p@0 n@8 n@16 f@20 d@24
  get_vnumainfo 26 d@0 n@4 n@8 n@12 p@16 p@24 p@32
  acquire_resource 28 d@0 n@2 n@4 n@8 n@12 q@16 p@24
  unknown 31 w@0
  `,
);

const HVM_OPS = parse(
  "two",
  hc.HC_HVM_OP,
  32,
  `
  set_param 0 d@0 n@4 q@8
  get_param 1 d@0 n@4 q@8
  flush_tlbs 5
  get_time 10
  get_mem_type 15 d@0 n@2 g@8
  set_evtchn_upcall_vector 23 v@0 b@4
  unknown 77 w@0
  `,
);

const EVENT_OPS = parse(
  "two",
  hc.HC_EVENT_CHANNEL_OP,
  32,
  `
  bind_interdomain 0 d@0 t@4
  bind_virq 1 n@0 v@4
  bind_pirq 2 n@0 f@4
  close 3 t@0
  send 4 t@0
  status 5 d@0 t@4
  alloc_unbound 6 d@0 d@2
  bind_ipi 7 v@0
  bind_vcpu 8 t@0 v@4
  unmask 9 t@0
  reset 10 d@0
  init_control 11 g@0 n@8 v@12
  expand_array 12 g@0
  set_priority 13 t@0 n@4
  unknown 14 w@0
  `,
);

/** 64-bit layouts; a copy's names are references or gfns. */
const GRANT_OPS = parse(
  "grant",
  hc.HC_GRANT_TABLE_OP,
  64,
  `
  map_grant_ref 0 q@0 f@8 n@12 d@16
  unmap_grant_ref 1 q@0 q@8 n@16
  setup_table 2 d@0 n@4 p@16
  transfer 4 g@0 d@8
  copy 5 g@0 d@8 n@10 g@16 d@24 n@26 n@32 f@34
  query_size 6 d@0
  set_version 8 f@0
  get_status_frames 9 n@0 d@4 p@8
  get_version 10 d@0
  swap_grant_ref 11 n@0 n@4
  cache_flush 12 q@0
  unknown 4101 w@0
  `,
);

const OTHERS = [
  ...parse("two", hc.HC_XEN_VERSION, 64, "version 0 w@0\nextraversion 1\nfeatures 6 n@0\nguest_handle 8\nunknown 55"),
  ...parse("two", hc.HC_SCHED_OP, 32, "poll 3 p@0 n@8 q@16\nremote_shutdown 4 d@0 n@4\nwatchdog 6 n@0 n@4\nunknown 40"),
  ...parse("two", hc.HC_XSM_OP, 64, "load_policy 0 w@0 w@4 n@8 p@16"),
  ...parse("sysctl", hc.HC_SYSCTL, 136, "getdomaininfolist 6 d@0 n@4 p@8\nphysinfo 3 p@0"),
  ...parse("two", hc.HC_PHYSDEV_OP, 32, "map_pirq 13 d@0 n@4\neoi 12 n@0\nunknown 60"),
  ...parse(
    "vcpu",
    hc.HC_VCPU_OP,
    64,
    "is_up 3\nrunstate 4\nperiodic 6 q@0\nsingleshot 8 q@0 f@8\nvcpu_info 10 g@0 n@8\nunknown 30",
  ),
  ...GRANT_OPS,
  ...parse("registers", hc.HC_MULTICALL, 64, "multicall 0"),
  ...parse("registers", 49, 64, "arch_1 0"),
  ...parse("registers", 60, 64, "nothing 0"),
];

const DM_OPS = parse(
  "dm",
  hc.HC_DM_OP,
  64,
  `
  create_ioreq_server 1 b@0 b@1
  get_ioreq_server_info 2 n@0 f@2
  map_io_range 3 n@0 n@4 g@8 g@16
  unmap_io_range 4 n@0 n@4 g@8 g@16
  set_ioreq_server_state 5 n@0 b@2
  destroy_ioreq_server 6 n@0
  track_dirty_vram 7 n@0 g@8
  set_pci_intx_level 8 n@0 b@2 b@3 b@4
  set_isa_irq_level 9 b@0 b@1
  set_pci_link_route 10 b@0 b@1
  modified_memory 11 n@0
  set_mem_type 12 n@0 n@2 n@4 g@8
  inject_event 13 v@0 b@4 b@5 w@8 w@16
  inject_msi 14 w@0 w@4 q@8
  map_mem_type_to_ioreq_server 15 n@0 n@2 f@4 q@8
  remote_shutdown 16 n@0
  relocate_memory 17 n@0 n@4 g@8 g@16
  pin_memory_cacheattr 18 g@0 g@8 n@16
  nr_vcpus 20
  unknown 33 w@0
  `,
);

export const STRUCTURES: readonly Structure[] = [
  ...DOMCTLS,
  ...MEMORY_OPS,
  ...HVM_OPS,
  ...EVENT_OPS,
  ...DM_OPS,
  ...OTHERS,
];
