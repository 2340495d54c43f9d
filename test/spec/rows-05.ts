/** Spec 05, domctls and XSM: its rows and branches, and where each is tested. `dom0` rows were recorded on a real Xen 4.17. */
import { belongsTo, missing, row, type SpecRow } from "./rows.ts";

const DOMCTL = "hv/domctl.test.ts";
const EFFECTS = "hv/domctl-effects.test.ts";
const ERA = "hv/domctl-0a.test.ts";
const XSM = "hv/xsm.test.ts";
const POLICY = "hv/cpu-policy.test.ts";
const AUDIT = "host/audit.test.ts";
const FUZZ = "fuzz/hypercalls.test.ts";
const CHECK = `${AUDIT}: %s is found in 2014, and only there`;
const FIXED = `${AUDIT}: %s is found in both eras, and fixed in the fixed one`;
const SELF = (id: string, call: string): string => `dom0: ${id} ${call} self`;

export const ROWS_05: readonly SpecRow[] = [
  // 5.1
  row("5.1 step 1, copy in: EFAULT", "dom0: V011 domctl pointer=0x10", "dom0: V012 domctl pointer=NULL"),
  row(
    "5.1 step 2, version: EACCES before anything else",
    "dom0: V009 pausedomain dom=0x7000(absent) version=1",
    "dom0: V010 cmd999 dom=0 version=1",
  ),
  row(
    "5.1 step 2 in 2014: version 0x0a",
    `${ERA}: takes its own interface version only, before it looks at anything else`,
  ),
  row("5.1 step 3, no domain: ESRCH", "dom0: V044 unpausedomain dom=0x7000", "dom0: V048 unpausedomain dom=0x7ff2"),
  row(
    "5.1 step 3 today: EPERM to who is no control domain",
    `${XSM}: PRIV: a domain that is no control domain may do nothing, and does not learn who exists`,
  ),
  row("5.1 step 3 in 2014: ESRCH to everybody", `${ERA}: tells everybody which domains exist`),
  row("5.1 step 3: test_assign needs no domain", "dom0: V409 test_assign_device INVALID"),
  row(
    "5.1 step 4, XSM: EPERM",
    `${XSM}: PRIV: a domain that is no control domain may do nothing, and does not learn who exists`,
  ),
  row("5.1 step 5, the lock is held: made again", "race: domctl-starvation"),
  row("5.1 step 5 today: operations without the lock (XSA-492)", "race: domctl-starvation"),
  row("5.1 step 8, copy back: EFAULT overrides success", "dom0: V066 getdomaininfo dom=H struct truncated by end"),
  row(
    "5.1 unknown and stale commands: ENOSYS",
    "dom0: V014 cmd cmd=0 dom=H",
    "dom0: V043 cmd cmd=0xffffffff dom=H",
    `${ERA}: stale or not there yet: %i is ENOSYS`,
  ),
  row("5.1 number 23 is internal", "dom0: V018 cmd cmd=23 dom=H", "dom0: V039 cmd cmd=23 dom=self(0)"),
  row(
    "5.1 continuation: progress in the caller's structure",
    `${EFFECTS}: getpageframeinfo3 is preempted by an event and goes on by itself`,
  ),
  row("5.1 ERESTART never reaches a guest", `${FUZZ}: a stranger`, `${FUZZ}: a device model's domain`),
  row("5.1 no pause of oneself", "race: self-pause", CHECK),
  row(
    "5.1 the pause counts: 255, EOVERFLOW, EINVAL, born with 1",
    "dom0: V149 unpausedomain N first unpause (1->0)",
    "dom0: V152 pausedomain N repeated until failure",
    "dom0: V153 unpausedomain N repeated until failure",
  ),
  row(
    "5.1 the pause in 2014: a flag",
    `${ERA}: the pause is a flag: the second is no pause, one unpause ends both`,
    "race: pause-count",
  ),

  // 5.2
  row("pausedomain: self EINVAL", SELF("V146", "pausedomain")),
  row("unpausedomain: EINVAL on underflow", "dom0: V150 unpausedomain N second unpause (underflow)"),
  missing("unpausedomain: EBUSY while pages wait to be scrubbed", "pages are cleared when they are given out"),
  row(
    "getdomaininfo: layout of today, exact or next id",
    "dom0: V124 getdomaininfo fresh domain",
    "dom0: V141 getdomaininfo id above all domains",
    "dom0: V142 getdomaininfo absent id with a higher",
  ),
  row("getdomaininfo of 2014: 96 bytes", `${ERA}: has 96 bytes: what the caller has behind them stays`),
  row(
    "getdomaininfo: flags",
    "dom0: V251 getdomaininfo H after setdebugging 1",
    "dom0: V421 getdomaininfo Z zombie",
    "dom0: V1290 getdomaininfo X after crash",
  ),
  row("getpageframeinfo: EINVAL, type unchanged", `${ERA}: one page: EINVAL when it is none, and the type stays`),
  row("getpageframeinfo2: E2BIG, the number is cut to an int, EFAULT", `${ERA}: many pages, types of 32 bits`),
  row(
    "getpageframeinfo3: E2BIG, EFAULT, XTAB",
    "dom0: V295 getpageframeinfo3 H num=1025",
    "dom0: V298 getpageframeinfo3 H array=0x8",
    "dom0: V292 getpageframeinfo3 H gfns 1,0x90000(hole)",
  ),
  row(
    "getpageframeinfo3 of 2014: the number must fit",
    `${ERA}: many pages, as wide as a frame number: the number is not cut`,
  ),
  row(
    "getvcpuinfo: EINVAL, ESRCH",
    "dom0: V128 getvcpuinfo N vcpu=0 before allocation",
    "dom0: V129 getvcpuinfo N vcpu=2 beyond max",
  ),
  row(
    "setdomainhandle",
    "dom0: V138 getdomaininfo N handle after setdomainhandle",
    "dom0: V139 setdomainhandle absent",
  ),
  row(
    "setdebugging: self EINVAL; the flag",
    SELF("V253", "setdebugging"),
    "dom0: V251 getdomaininfo H after setdebugging 1",
  ),
  row(
    "hypercall_init today: EINVAL; fills the page",
    "dom0: V280 hypercall_init H gmfn=0x90000 (hole)",
    `${DOMCTL}: V279..V281 hypercall_init fills a page with stubs`,
  ),
  row("hypercall_init of 2014: EACCES", `${ERA}: hypercall_init: EACCES for a page that is none`),
  row(
    "arch_setup, real_mode_area, set_opt_feature: ENOSYS",
    "dom0: V019 cmd cmd=26 dom=H",
    "dom0: V024 cmd cmd=44 dom=H",
    `${ERA}: stale or not there yet: %i is ENOSYS`,
  ),
  row(
    "settimeoffset: 0, and the guest sees it",
    "dom0: V255 settimeoffset H 2^62",
    `${EFFECTS}: settimeoffset moves the wall clock in shared_info`,
    `${ERA}: settimeoffset is 32 bits, with its sign`,
  ),
  row(
    "getvcpuaffinity: EINVAL, ESRCH, no flags EINVAL, EFAULT",
    "dom0: V223 getvcpuaffinity H flags=0",
    "dom0: V226 getvcpuaffinity H vcpu=5",
    "dom0: V232 getvcpuaffinity H nr_bits=2^28",
  ),
  row(
    "getvcpuaffinity of 2014: one bitmap",
    `${ERA}: getvcpuaffinity and setvcpuaffinity: one bitmap, right after the vCPU`,
  ),
  row(
    "setvcpuaffinity: no processor left EINVAL",
    "dom0: V234 setvcpuaffinity H hard={} (empty)",
    "dom0: V239 setvcpuaffinity H vcpu=7",
  ),
  row(
    "resumedomain: self EINVAL since XSA-127; undoes a shutdown",
    SELF("V365", "resumedomain"),
    "dom0: V1294 getdomaininfo X after resume",
    CHECK,
  ),
  row(
    "sendtrigger: bad vCPU ESRCH, RESET and INIT ENOSYS",
    "dom0: V275 sendtrigger H NMI vcpu=1",
    "dom0: V269 sendtrigger H trigger=1 vcpu=0",
  ),
  row(
    "sendtrigger of 2014: EINVAL for a vCPU nobody can have",
    `${ERA}: sendtrigger: a number no domain can have is EINVAL, one that is not there ESRCH`,
  ),
  row("sendtrigger NMI is delivered", `${EFFECTS}: sendtrigger: an NMI ends a guest that has no handler for it`),
  row(
    "sendtrigger POWER and SLEEP: the buttons",
    "dom0: V271 sendtrigger H trigger=3 vcpu=0",
    `${EFFECTS}: sendtrigger: the buttons set their bits in the power-management registers, which the guest clears`,
    "hv/ioapic.test.ts: is an SCI that the guest's handler takes, reads and clears",
    "hv/ioapic.test.ts: without its enable bit is only a status bit; enabling it later asserts the line",
  ),
  row(
    "subscribe: any port; the last one hears the suspend",
    "dom0: V258 subscribe H port=2^32-1",
    `${EFFECTS}: subscribe: a suspend goes to the port, anything else to VIRQ_DOM_EXC`,
  ),
  row(
    "get_address_size: HVM EOPNOTSUPP today, 64 in 2014",
    "dom0: V260 get_address_size H",
    `${ERA}: get_address_size: 64 for a HVM domain as well`,
  ),
  row("set_address_size: EINVAL, EOPNOTSUPP", "dom0: V264 set_address_size PV 16", "dom0: V263 set_address_size H 32"),
  row(
    "set_cpuid: 40 entries, ENOENT; gone today",
    `${POLICY}: has room for forty entries; one that is there can still be changed`,
    `${POLICY}: changes the next CPUID of a domain that runs`,
    "dom0: V025 cmd cmd=49 dom=H",
  ),
  row(
    "get_ and set_machine_address_size; gone today",
    `${ERA}: set and get_machine_address_size: kept; the machine's when nobody said any; EBUSY for one that has run`,
    "dom0: V027 cmd cmd=52 dom=H",
  ),
  row(
    "suppress_spurious_page_faults, disable_migrate; gone today",
    `${ERA}: suppress_spurious_page_faults and disable_migrate: taken`,
    "dom0: V028 cmd cmd=53 dom=H",
  ),
  row(
    "gettscinfo and settscinfo: self EINVAL since XSA-127",
    SELF("V284", "gettscinfo"),
    SELF("V285", "settscinfo"),
    CHECK,
  ),
  row(
    "gettscinfo of 2014: through a handle, EFAULT",
    `${ERA}: gettscinfo answers through a handle, settscinfo has the information behind one`,
  ),
  row(
    "settscinfo: EINVAL; the guest sees it",
    "dom0: V288 settscinfo H mode=9",
    `${EFFECTS}: settscinfo: the emulated TSC goes on from where it is told`,
  ),
  row(
    "audit_p2m: debug build only, EPERM for oneself in 2014",
    "dom0: V379 audit_p2m H",
    `${EFFECTS}: audit_p2m finds a healthy domain healthy (debug build)`,
    `${ERA}: audit_p2m of oneself: EPERM`,
  ),
  row(
    "getnodeaffinity, setnodeaffinity: EFAULT, EINVAL",
    "dom0: V245 getnodeaffinity H bitmap=0x8",
    "dom0: V243 setnodeaffinity H {}",
  ),
  row(
    "set_max_evtchn; ENOSYS today",
    `${ERA}: set_max_evtchn: no port above it, and no more than there are`,
    "dom0: V030 cmd cmd=70 dom=H",
  ),
  row(
    "max_mem: pages, saturated; below what is used",
    "dom0: V160 getdomaininfo N after max_mem 2^64-1",
    "dom0: V165 max_mem H below current usage",
  ),
  row(
    "max_mem: XSM does not see the value (F-6)",
    `${XSM}: does not see the value of max_mem, as Xen's hook does not: a limit is refused, and any value passes`,
    FIXED,
  ),
  row(
    "set_virq_handler: EINVAL; the last one wins",
    "dom0: V367 set_virq_handler H virq=24",
    "dom0: V368 set_virq_handler H virq=TIMER",
    "dom0: V370 set_virq_handler H2 virq=12 (displaces)",
  ),
  row(
    "set_virq_handler today: EBUSY, dying EINVAL",
    `${EFFECTS}: set_virq_handler as it is today: busy while the handler has it bound, and no dying domain`,
    "race: zombie-handler",
  ),
  row(
    "irq_permission, ioport_permission, iomem_permission",
    "dom0: V456 iomem_permission absent",
    "dom0: V433 iomem_permission H adjacent",
  ),

  // findings
  row("F-1 XSA-127", CHECK, "race: self-pause"),
  row(
    "F-2 XSA-132: four bytes of the stack",
    `${AUDIT}: the leak of gettscinfo is four bytes of padding, seen by the taint and by the twins`,
    `${FUZZ}: a byte that does is seen: the padding of gettscinfo in 2014`,
  ),
  row(
    "F-3 bitmap zero fill",
    FIXED,
    "dom0: V229 getvcpuaffinity H nr_bits=2^32-1 (F-3 wrap)",
    "dom0: V231 getvcpuaffinity H nr_bits=32000",
  ),
  row(
    "F-2 sysctl getdomaininfolist: every byte of it is written",
    "hv/sysctl.test.ts: V1333 as many as there is room for, in order, each as getdomaininfo says it",
    `${FUZZ}: no byte of the hypervisor goes out`,
  ),
  row(
    "F-4 the leak family: no byte goes out that nobody wrote",
    `${FUZZ}: no byte of the hypervisor goes out`,
    `${FUZZ}: nor to a domain without privilege: %s`,
    `${FUZZ}: nor anything that was computed from a third domain's state: %s`,
  ),
  row("F-5 two controllers", CHECK, "race: pause-count"),
  row(
    "F-7 iomem_permission of everything",
    `${ERA}: iomem_permission of no frames from frame 0 on is everything (F-7)`,
    "dom0: V437 iomem_permission H nr=0 at 0 (F-7)",
  ),

  // 5.3
  row(
    "createdomain: EEXIST today, EINVAL in 2014",
    `${DOMCTL}: V100..V105 ids: in use, free, reserved, rover`,
    `${ERA}: has three fields; an id in use is EINVAL, unknown flags too`,
  ),
  row(
    "createdomain: unknown flags, HAP without HVM, max_vcpus: EINVAL; ENOMEM",
    `${DOMCTL}: refuses a domain when no frames are left and gives everything back`,
  ),
  row(
    "max_vcpus: self EINVAL; must equal the creation's",
    "dom0: V125 max_vcpus N max=1 (created with 2)",
    "dom0: V132 max_vcpus N max=2 again",
    SELF("V133", "max_vcpus"),
  ),
  row(
    "max_vcpus of 2014: EINVAL, EBUSY, ENOMEM",
    `${ERA}: the vCPUs come with max_vcpus, once`,
    `${ERA}: more vCPUs than there is room for: none`,
  ),
  row(
    "setvcpucontext: self EINVAL, bad vCPU EINVAL, NULL resets, EFAULT",
    SELF("V212", "setvcpucontext"),
    "dom0: V213 setvcpucontext N vcpu=9",
    "dom0: V214 setvcpucontext N vcpu=0 ctxt=NULL (reset)",
    "dom0: V215 setvcpucontext N vcpu=0 ctxt=0x8",
  ),
  row(
    "getvcpucontext: self EINVAL, ENODATA; size 5168",
    SELF("V218", "getvcpucontext"),
    "dom0: V216 getvcpucontext N vcpu=0 not initialised",
    `${EFFECTS}: get and setvcpucontext: registers come back as they were`,
  ),
  row(
    "destroydomain: self EINVAL; phases; everything comes back",
    SELF("V415", "destroydomain"),
    `${DOMCTL}: V415..V419 gives every frame back`,
    `${DOMCTL}: V420..V430 a zombie lives while dom0 maps one of its pages`,
    "hv/lives.long.test.ts: gives everything back",
  ),
  row(
    "set_target: self EINVAL, PV EOPNOTSUPP, twice EINVAL, ESRCH",
    SELF("V358", "set_target"),
    "dom0: V360 set_target H target=absent",
    "dom0: V362 set_target H target=H2 again",
    "dom0: V363 set_target H2 target=PV",
  ),
  row(
    "assign_device, test_assign_device, deassign_device: EOPNOTSUPP without an IOMMU (recorded); EINVAL, EBUSY, ENODEV, EXDEV with one",
    "dom0: V403 assign_device H 00:1f.0",
    "iocap/domctl.test.ts: reaches the memory of the domain it is assigned to, until it is taken away",
    "host/toolstack-calls.test.ts: a device can be asked for; lines by GSI only in the interface of today",
  ),
  row(
    "shadow_op",
    "dom0: V190 shadow_op H op=ENABLE_LOGDIRTY again",
    "dom0: V205 shadow_op H op=99",
    "hv/log-dirty.test.ts: V191..V199: reading the bitmap",
  ),
  row("scheduler_op: EINVAL", "dom0: V247 scheduler_op H credit getinfo", "dom0: V248 scheduler_op H credit2 cmd=9"),
  row(
    "gethvmcontext, sethvmcontext: EINVAL, ENOSPC, EFAULT, NULL asks the size",
    SELF("V305", "gethvmcontext"),
    "dom0: V301 gethvmcontext H size one short",
    "dom0: V300 gethvmcontext H NULL buffer",
    "dom0: V310 sethvmcontext N buffer=0x8",
  ),
  belongsTo("memory events", "vm_event_op, set_access_required"),
  belongsTo("page sharing", "mem_sharing_op"),
  row("set_broken_page_p2m: EINVAL", "dom0: V381 set_broken_page_p2m H hole"),
  row(
    "CPU policies: E2BIG, EFAULT, ERANGE, EINVAL, EOVERFLOW, EEXIST, ENOBUFS; where it is wrong",
    `${POLICY}: %s, and says where`,
    `${POLICY}: lists that are too long, or cannot be read`,
    `${POLICY}: the caller itself, a domain that has run, and strangers`,
    "dom0: V353 get_cpu_policy H nr_leaves=1",
  ),
  row(
    "CPU policies: the guest's CPUID",
    `${POLICY}: a feature that was taken away`,
    `${POLICY}: vendor and brand string`,
  ),

  // 5.4
  row(
    "5.4 HOOK",
    "hv/evtchn.test.ts: V1241..V1256 status and bind_interdomain",
    "hv/evtchn.test.ts: V1257..V1270 send, bind_vcpu, unmask, close",
  ),
  row("5.4 TARGET", `${XSM}: TARGET: a stub domain sets parameters of its target, and of no other`),
  row("5.4 XS_PRIV", `${XSM}: XS_PRIV: the xenstore domain may ask about every domain, and that is all`),
  row("5.4 DM_PRIV", `${XSM}: DM_PRIV: a device model's domain acts on its target only`),
  row("5.4 PRIV", `${XSM}: PRIV: a domain that is no control domain may do nothing, and does not learn who exists`),
  belongsTo("I/O capabilities", "5.4 the caller must hold the I/O capability that it hands out"),

  // 5.5
  row(
    "5.5 single domctls to single domains",
    `${XSM}: hands one domctl to one domain over one other`,
    `${XSM}: any target is every domain but the control domain; an own target follows set_target`,
  ),
  row(
    "5.5 a policy file with errors by line",
    "host/policy.test.ts: gives one rule for each domctl",
    "host/toolstack.test.ts: a policy file becomes rules of the security module",
  ),
  row("5.5 (a), (b), (c), (g) bounded steps, preemption, memory, lock", `${AUDIT}: nothing else is refuted`),
  row("5.5 (d) no leak", `${FUZZ}: no byte of the hypervisor goes out`),
  row("5.5 (f) nobody else is affected", FIXED),
];
