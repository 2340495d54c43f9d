/** Spec 06, I/O capabilities and the accountant: its rows, transitions, scenarios, interleavings and invariants, and where each is tested. */
import type { SpecRow } from "./rows.ts";

const row = (text: string, ...tests: string[]): SpecRow => ({ row: text, tests });
const missing = (text: string, reason: string): SpecRow => ({ row: text, tests: [], missing: reason });

const PERM = "oracle/dom0/permissions.ts";
const MAP = "oracle/dom0/mappings.ts";
const DOMCTL = "iocap/domctl.test.ts";
const TRACKER = "iocap/tracker.test.ts";
const PLAY = "iocap/scenarios.test.ts";
const RANDOM = "iocap/random.test.ts";
const SCENARIO = "breaks a rule without the accountant as the specification says, and none with it";
const NO_PV = "there are no paravirtualised domains";

export const ROWS_06: readonly SpecRow[] = [
  row(
    "6.1 rangesets: add merges, remove splits, -ENOMEM at the limit",
    `${DOMCTL}: bounds the ranges of a set: -ENOMEM, and what is there stays`,
  ),
  row("20 iomem_permission: wrap and nr=0: EINVAL", `${PERM}: H wrap`, `${PERM}: H nr=0 at A`),
  row("20 (0, 0) passes the wrap test and means everything (F-7)", `${PERM}: H nr=0 at 0 (F-7)`),
  row("20 the caller must hold the range: EPERM", `${PERM}: H B after self lost it`),
  row("20 in 2014 it need not", `${DOMCTL}: asks no caller for its own right, and a mapping grants what it maps`),
  row(
    "20 the set becomes non-empty or empty: memory types",
    `${DOMCTL}: make all of its memory be looked at again: its memory types count now, or no longer (R-9)`,
  ),
  row("21 ioport_permission: ranges EINVAL, caller EPERM", `${PERM}: H 32-bit wrap`, `${PERM}: H PIC`),
  row(
    "19 irq_permission: EINVAL, unmapped EPERM, caller EPERM",
    `${PERM}: H after self lost it`,
    `${DOMCTL}: are mapped by dom0's kernel, bound by its flag, and full at seven guests`,
  ),
  row("88 gsi_permission: flags EINVAL, no such line EACCES", `${DOMCTL}: has gsi_permission`),
  row("39 memory_mapping: wraps, width: EINVAL", `${MAP}: H mfn wrap`, `${MAP}: H mfn beyond maxphys`),
  row("39 PV target: nothing is done, 0", `${MAP}: PV target not granted`),
  row("39 caller lacks the range: EPERM; target lacks it: EPERM", `${MAP}: H caller lacks B`, `${MAP}: H target lacks`),
  row("39 64 pieces in a call, then how far it came", `${MAP}: H 256 frames`),
  row(
    "39 over RAM: the page is lost; over another mmio_direct: crash",
    `${MAP}: H over populated RAM gfn 5`,
    `${MAP}: H same gfn other mfn`,
  ),
  row("39 removal needs the target's right (recorded against the specification)", `${MAP}: H remove after revoke`),
  row("39 2014: add grants, failure is rolled back", `${DOMCTL}: takes the right back when the mapping fails`),
  row(
    "40 ioport_mapping: PV EOPNOTSUPP, ranges EINVAL, caller EPERM",
    `${MAP}: H gport wrap`,
    `${MAP}: H caller lacks (com1)`,
  ),
  row(
    "40 4.17: no check of the target, of overlaps, of what is removed",
    `${MAP}: H target lacks`,
    `${MAP}: H overlapping mport`,
    `${MAP}: H remove not mapped`,
  ),
  row(
    "40 today: EPERM, EBUSY also for neighbours, ENOENT",
    `${DOMCTL}: maps ports only for who holds them, and knows overlaps and strangers`,
  ),
  row(
    "37, 45, 47 assignment, with an IOMMU",
    `${DOMCTL}: reaches the memory of the domain it is assigned to, until it is taken away`,
  ),
  missing("38, 48 bind_pt_irq", "there is no interrupt remapping; it answers as Xen does without"),
  row(
    "physdev map_pirq, eoi, status",
    `${DOMCTL}: are mapped by dom0's kernel, bound by its flag, and full at seven guests`,
    `${DOMCTL}: tell every guest of theirs, and wait for all acknowledgements`,
  ),
  row("dom0 construction: what is denied", `${PERM}: H LAPIC page`, `${PERM}: H PIT`, `${PERM}: H Xen's com1`),
  row(
    "read-only MMIO ranges",
    "hv/p2m-memory-type.test.ts: is uncached whatever the guest's PAT says, and not writable",
  ),
  missing("PV: L1 entries are checked when they are made", NO_PV),
  row("HVM: accesses run natively after the mapping", `${PLAY}: IO-2: refuse, lazy and forced revocation`),
  row("ports: trapped and checked, or the I/O bitmap", `${PLAY}: ${SCENARIO}`, "race: stale-port-bitmap"),
  row(
    "ports of a guest: the list decides",
    `${PLAY}: are the machine's where a device model has mapped them, and float elsewhere`,
  ),
  row(
    "lines: capability, EBUSY, first binder's flag",
    `${DOMCTL}: are mapped by dom0's kernel, bound by its flag, and full at seven guests`,
  ),
  row(
    "PVH dom0: identity map at the first touch",
    `${DOMCTL}: is mapped at its first touch, if it holds the frame and nothing is there`,
  ),
  row("6.2 manual fixes", `${PLAY}: %s: broken = %s without the accountant`),
  row("6.3 transition 1: reserve", `${TRACKER}: reserves only at boot, and nothing that is in use`),
  row(
    "6.3 transition 2: grant",
    `${TRACKER}: lets the default domain use what nobody holds, and only that`,
    `${TRACKER}: never gives away what the hypervisor has reserved`,
  ),
  row(
    "6.3 transition 3: map",
    `${TRACKER}: lets nobody map what was not granted, nor a range of which a part is another's`,
  ),
  row("6.3 transition 4: unmap", `${TRACKER}: goes from free to granted to in use and back`),
  row("6.3 transition 5: revoke, refuse", `${TRACKER}: refuses to revoke what is mapped`),
  row(
    "6.3 transition 5: revoke, lazy",
    `${TRACKER}: revokes lazily: the unit is nobody's until the last mapping is gone`,
  ),
  row(
    "6.3 transition 5: revoke, forced",
    `${PLAY}: IO-7: with refuse the revocation itself fails, with forced V has the device at once`,
  ),
  row("6.3 transition 6: default access", `${TRACKER}: lets the default domain use what nobody holds, and only that`),
  row(
    "6.3 transition 7: lines are shared when all say so",
    `${TRACKER}: shares an interrupt line only when everybody says so`,
  ),
  row(
    "6.3 transition 8: domain death",
    `${TRACKER}: forgets what a dead domain held, but not what is still mapped`,
    `${PLAY}: gives back what it held and mapped`,
  ),
  row(
    "6.3 ranges: all or nothing",
    `${TRACKER}: maps all of a large range or nothing when memory runs out`,
    `${DOMCTL}: maps a framebuffer wholly or not at all when tables run out half way`,
  ),
  row("6.3 counts at their limit", `${TRACKER}: stops at the limit of a count, with nothing half done`),
  row(
    "6.3 Xen's own: reserved, not counted (or counted, as a knob)",
    `${DOMCTL}: are reserved, or counted as well (iomem.own)`,
  ),
  row(
    "6.3 ports that dom0 does not get at start",
    `${DOMCTL}: are neither its own nor its to give (ioport.dom0Disable)`,
  ),
  row(
    "6.3 default deny: an initial domain with what a file lists",
    `${PLAY}: has that, and can give away nothing else`,
  ),
  row("6.3 nobody else is changed", "iocap/same-trace.test.ts: a driver domain that is set up properly, counts in %s"),
  ...Array.from({ length: 12 }, (_, i) => row(`6.4 IO-${i + 1}`, `${PLAY}: ${SCENARIO}`)),
  row("6.5 R-1 check, then map", "race: check-then-map"),
  row("6.5 R-2 double grant", "race: double-grant"),
  row("6.5 R-3 resurrection of a count", "race: resurrected-count"),
  row("6.5 R-4 forced revocation against a cached translation", "race: count-before-flush"),
  row(
    "6.5 R-5 rangeset_swap of the hardware domain: refused, there is no late one",
    `${DOMCTL}: does not exist: dom0 is it from boot on, whatever a new domain asks for, and no call moves its rights`,
  ),
  row("6.5 R-6 port list against a walk", "race: port-list"),
  row("6.5 R-7 release of a line", "race: line-release"),
  row("6.5 R-8 destroy against a map by the stub domain", "race: destroy-while-mapping"),
  row("C-93 two mappings with different memory types (XSA-154)", "race: mixed-memory-types"),
  row(
    "6.5 R-9 memory types between a permission and the next mapping",
    `${DOMCTL}: make all of its memory be looked at again: its memory types count now, or no longer (R-9)`,
  ),
  row("6.6 O-1, O-5", `${RANDOM}: the check sees a frame that two domains map, and counts that are wrong`),
  row("6.6 O-2, O-3, O-4, O-6, O-8", `${RANDOM}: 2,500 of 10,000 random calls keep O-1..O-8, counts in %s`),
  row("6.6 O-7", "race: revoke-while-mapped"),
];
