/**
 * Rows of probe-facts that differ between the recorded Xen and vmexit in era 4.17, each with its reason.
 *
 * docs/facts-differences.md shows this list (facts-page.ts). Whatever differs and is not here is a bug.
 */
import { type Difference, NO_ROW } from "./differences.ts";

const fact = (xen: string | RegExp, vmexit: string | RegExp, reason: string): Difference => ({
  guest: "probe-facts",
  xen,
  vmexit,
  reason,
});

const row = (item: string, key: string): RegExp => new RegExp(`^${item}\\|${key.replace("+", "\\+")}\\|`);

const FEATURES = "features that this processor does not execute are hidden";
const XSAVE = "XSAVE is hidden, so the leaf is empty";
const CLOCK = "virtual time: counted instructions at 1 GHz, and a fixed date";
const ACPI =
  "own ACPI tables: the same place, but other contents and no RSDT; where tables lie inside the region is not part of the ABI";

/** A value that is another one at each boot of Xen, and may be zero and so without a row: vmexit's only has to have the form. */
const clock = (item: string, key: string, form = "[0-9A-F ]+"): Difference => ({
  ...fact(
    row(item, key),
    new RegExp(`^(${row(item, key).source.slice(1)}${form}|${NO_ROW.replace(/[()]/g, "\\$&")})$`),
    CLOCK,
  ),
  isOptional: true,
});

export const FACT_DIFFERENCES: readonly Difference[] = [
  ...["+00000008", "+00000010", "+00000018", "+00000020"].map((key) => fact(row("rsdp", key), row("rsdp", key), ACPI)),
  fact(
    "cpuid|00000001:00000000|00800F12 00040800 F6F83203 178BFBFD",
    "cpuid|00000001:00000000|00800F12 00040800 80802000 1009FBFC",
    `${FEATURES}: FPU, PSE36, MMX, FXSR, SSE to SSE4, PCLMUL, FMA, x2APIC, MOVBE, AES, XSAVE, AVX, F16C, RDRAND`,
  ),
  fact(
    "cpuid|00000007:00000000|00000000 00880129 00000000 00000000",
    "cpuid|00000007:00000000|00000000 00000000 00000000 00000000",
    `${FEATURES}: FSGSBASE, BMI, AVX2, ERMS, ADX, CLFLUSHOPT`,
  ),
  ...["00000000", "00000001", "00000002"].map((subleaf) =>
    fact(row("cpuid", `0000000D:${subleaf}`), `cpuid|0000000D:${subleaf}|00000000 00000000 00000000 00000000`, XSAVE),
  ),
  clock("cpuid", "40000003:00000000", "00000005 00000000 [0-9A-F]{8} 00000001"),
  clock("cpuid", "40000003:00000001"),
  clock("cpuid", "40000003:00000002", "[0-9A-F]{8} 00000000 00000000 00000000"),
  fact(
    row("cpuid", "40000004:00000000"),
    /^cpuid\|40000004:00000000\|0000005C 00000000 0000000[0-9A-F] 00000000$/,
    "the number of the domain depends on how many there were before",
  ),
  fact(
    "cpuid|80000001:00000000|00800F12 00000000 00000071 2DD3FBFD",
    "cpuid|80000001:00000000|00800F12 00000000 00000001 2011FBFC",
    `${FEATURES}: FPU, PSE36, MMX, MMXEXT, FXSR, 1 GiB pages, RDTSCP, LOCK MOV CR0, ABM, SSE4A`,
  ),
  fact(
    "cpuid|80000008:00000000|00003028 02100000 00002003 00000000",
    "cpuid|80000008:00000000|00003028 00000000 00002003 00000000",
    "no speculation-control features to show",
  ),
  clock("msr", "00000010", "[0-9A-F]{16}"),
  fact(
    "msr|00000277|0000050100070406",
    "msr|00000277|0007040600070406",
    "the recorded value is Xen's own PAT: QEMU ignores the guest's; the guest's is the reset value (spec 10 section 4)",
  ),
  ...["+00000020", "+00000028", "+0000002C", "+00000030", "+00000034", "+00000038", "+0000003C"].map((key) =>
    clock("shared_info32", key, "[0-9A-F]{8}"),
  ),
  ...["+00000900", "+00000904", "+00000908"].map((key) => clock("shared_info32", key, "[0-9A-F]{8}")),
  // Left over on some boots: Xen wrote the clock in the 64-bit layout before the guest's word size was known.
  ...["+00000C00", "+00000C04", "+00000C08"].map((key) => clock("shared_info32", key, "[0-9A-F]{8}")),
];
