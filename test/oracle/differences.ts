/**
 * Rows of the probe guests that differ between the recorded Xen and vmexit, each with its reason.
 *
 * The recorded Xen ran on an emulated processor (QEMU's TCG), which does not behave as real processors do in every corner; there
 * vmexit follows the manual. Whatever differs and is not in this list is a bug.
 */
export interface Difference {
  readonly guest: string;
  /** The row on Xen. */
  readonly xen: string | RegExp;
  /** The row on vmexit. */
  readonly vmexit: string | RegExp;
  readonly reason: string;
  /** The row is not printed on every boot of Xen (a clock's word that may be zero). */
  readonly isOptional?: boolean;
}

/** As `xen`: Xen has no such row. As `vmexit`, the text of a row that vmexit does not print. */
export const NO_ROW = "(no such row)";

const faults32 = (xen: string, vmexit: string, reason: string): Difference => ({
  guest: "probe-faults32",
  xen,
  vmexit,
  reason,
});
const faults64 = (xen: string, vmexit: string, reason: string): Difference => ({
  guest: "probe-faults64",
  xen,
  vmexit,
  reason,
});

const TCG_LOCK = "QEMU executes LOCK MOV; the manual says #UD for LOCK on an instruction that cannot have it";
const TCG_RESERVED =
  "QEMU reports a reserved bit without P; the manual sets P with RSVD, since every level was present";
const TCG_LONG_IDT =
  "QEMU counts 16 bytes a gate in the error code of long mode; the manual says vector * 8 + 2 in both modes";
const TCG_EXT = "QEMU leaves EXT clear when a gate fails while an exception is delivered; the manual sets it";
const TCG_STACK = "QEMU raises #GP for a non-canonical address through RSP or RBP; the manual says #SS";
const TCG_CANONICAL_JUMP = "QEMU loads RIP and faults there; the manual has the branch itself fault";

export const DIFFERENCES: readonly Difference[] = [
  faults32("lock mov = none", "lock mov = vector 06 error 00000000 ip +00000000", TCG_LOCK),
  faults32(
    "c6 /1 = none",
    "c6 /1 = vector 06 error 00000000 ip +00000000",
    "QEMU ignores the register field of C6; the manual defines only /0",
  ),
  faults32(
    "read through null es = none",
    "read through null es = vector 0D error 00000000 ip +00000004",
    "QEMU does not check segments on access; the manual says #GP(0) for a null selector",
  ),
  faults32(
    "read-modify-write absent page = vector 0E error 00000000 cr2 10000000 ip +00000000",
    "read-modify-write absent page = vector 0E error 00000002 cr2 10000000 ip +00000000",
    "QEMU does the read of a read-modify-write as a read; processors ask for write access at once",
  ),
  faults32(
    "ud2 through a gate that is not present = vector 0B error 00000032 ip +00000000",
    "ud2 through a gate that is not present = vector 0B error 00000033 ip +00000000",
    TCG_EXT,
  ),
  faults32(
    "read under a reserved bit = vector 0E error 00000008 cr2 10400000 ip +00000000",
    "read under a reserved bit = vector 0E error 00000009 cr2 10400000 ip +00000000",
    TCG_RESERVED,
  ),
  faults32(
    "write under a reserved bit = vector 0E error 0000000A cr2 10400000 ip +00000000",
    "write under a reserved bit = vector 0E error 0000000B cr2 10400000 ip +00000000",
    TCG_RESERVED,
  ),
  faults32(
    "user write under a reserved bit = vector 0E error 0000000E cr2 10400000 ip +00000000",
    "user write under a reserved bit = vector 0E error 0000000F cr2 10400000 ip +00000000",
    TCG_RESERVED,
  ),
  faults64(
    "int 0x80 beyond the table = vector 0D error 00000802 ip +00000000",
    "int 0x80 beyond the table = vector 0D error 00000402 ip +00000000",
    TCG_LONG_IDT,
  ),
  faults64("lock mov = none", "lock mov = vector 06 error 00000000 ip +00000000", TCG_LOCK),
  faults64(
    "read non-canonical by rbp = vector 0D error 00000000 ip +0000000A",
    "read non-canonical by rbp = vector 0C error 00000000 ip +0000000A",
    TCG_STACK,
  ),
  faults64(
    "read non-canonical by rbp with ds = vector 0D error 00000000 ip +0000000A",
    "read non-canonical by rbp with ds = vector 0C error 00000000 ip +0000000A",
    "64-bit mode ignores the DS override, so this is a stack access too (spec 10 section 10.3)",
  ),
  faults64(
    "push to non-canonical = vector 0D error 00000000 ip +0000000A",
    "push to non-canonical = vector 0C error 00000000 ip +0000000A",
    TCG_STACK,
  ),
  faults64(
    "pop from non-canonical = vector 0D error 00000000 ip +0000000A",
    "pop from non-canonical = vector 0C error 00000000 ip +0000000A",
    TCG_STACK,
  ),
  ...["jump to", "call to", "return to", "iretq to"].map((what) => ({
    guest: "probe-faults64",
    xen: `${what} non-canonical = vector 0D error 00000000 ip 00000000`,
    vmexit: new RegExp(`^${what} non-canonical = vector 0D error 00000000 ip \\+000000[0-9A-F]{2}$`),
    reason: TCG_CANONICAL_JUMP,
  })),
  faults64(
    "fs base non-canonical = none",
    "fs base non-canonical = vector 0D error 00000000 ip +0000000C",
    "QEMU takes a non-canonical base when the MSR is not intercepted; the manual says #GP(0)",
  ),
  faults64(
    "lstar non-canonical = none",
    "lstar non-canonical = vector 0D error 00000000 ip +0000000C",
    "QEMU takes a non-canonical target when the MSR is not intercepted; the manual says #GP(0)",
  ),
  faults64(
    "cr8 = 16 = none",
    "cr8 = 16 = vector 0D error 00000000 ip +00000005",
    "QEMU drops the upper bits of CR8; the manual says #GP(0)",
  ),
  faults64(
    "read under a reserved bit of a large page = vector 0E error 00000008 cr2 00400000 ip +0000000A",
    "read under a reserved bit of a large page = vector 0E error 00000009 cr2 00400000 ip +0000000A",
    TCG_RESERVED,
  ),
  faults64(
    "write under a reserved bit = vector 0E error 0000000A cr2 00006000 ip +0000000A",
    "write under a reserved bit = vector 0E error 0000000B cr2 00006000 ip +0000000A",
    TCG_RESERVED,
  ),
  faults64(
    "read under a reserved bit = vector 0E error 00000008 cr2 00006000 ip +0000000A",
    "read under a reserved bit = vector 0E error 00000009 cr2 00006000 ip +0000000A",
    TCG_RESERVED,
  ),
  faults64(
    "jump under a reserved bit = vector 0E error 00000018 cr2 00006000 ip 00006000",
    "jump under a reserved bit = vector 0E error 00000019 cr2 00006000 ip 00006000",
    TCG_RESERVED,
  ),
  faults64(
    "ud2 through a gate that is not present = vector 0B error 00000062 ip +00000000",
    "ud2 through a gate that is not present = vector 0B error 00000033 ip +00000000",
    `${TCG_LONG_IDT}; ${TCG_EXT}`,
  ),
  faults64(
    "syscall: rcx, r11, flags in the handler, cs and ss = 00000000 00000447 00000002 00000018 00000020",
    "syscall: rcx, r11, flags in the handler, cs and ss = 00000000 00000447 00000046 00000018 00000020",
    "QEMU loses the arithmetic flags at SYSCALL; the manual clears only the bits of FMASK",
  ),
  faults64(
    "user int 0x31 = vector 0D error 00000312 ip +00000000",
    "user int 0x31 = vector 0D error 0000018A ip +00000000",
    TCG_LONG_IDT,
  ),
];
