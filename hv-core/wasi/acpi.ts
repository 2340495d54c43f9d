/**
 * The few ACPI tables a PVH guest may look for, byte for byte those of host/lib/toolstack/acpi.ts: DSDT, FADT, MADT, XSDT from
 * FC001000 on, RSDP at FC008000. `base` is where the seven pages of tables are put together.
 */
export const ACPI_INFO_GPA: u64 = 0xfc00_0000;
export const ACPI_TABLES_GPA: u64 = 0xfc00_1000;
export const ACPI_TABLES_BYTES: u32 = 0x7000;
export const ACPI_RSDP_GPA: u64 = 0xfc00_8000;
export const ACPI_RSDP_BYTES: u32 = 36;

const HEADER: u32 = 36;
const FADT_BYTES: u32 = 268;
const LAPIC_ADDRESS: u32 = 0xfee0_0000;
const FADT_HW_REDUCED: u32 = 1 << 20;
const SIG_DSDT: u32 = 0x54445344;
const SIG_FACP: u32 = 0x50434146;
const SIG_APIC: u32 = 0x43495041;
const SIG_XSDT: u32 = 0x54445358;

export class Acpi {
  private static header(at: usize, signature: u32, revision: u32, bytes: u32): void {
    store<u32>(at, signature);
    store<u32>(at, bytes, 4);
    store<u8>(at, <u8>revision, 8);
    store<u32>(at, 0x006e6558, 10); // "Xen"
    store<u32>(at, 0x004d5648, 16); // "HVM"
    store<u32>(at, 0x4c4d5648, 28); // "HVML"
  }

  /** Makes the bytes sum to 0. */
  private static seal(at: usize, bytes: u32, checksum: u32): void {
    let sum: u32 = 0;
    for (let i: u32 = 0; i < bytes; i++) sum += load<u8>(at + i);
    store<u8>(at + checksum, <u8>(256 - (sum & 255)));
  }

  @inline private static next(used: u32, bytes: u32): u32 {
    return (used + bytes + 15) & ~15;
  }

  /** Builds the tables at `base` (zeroed) and the RSDP at `rsdp` (zeroed). */
  static build(base: usize, rsdp: usize, vcpus: u32): void {
    const dsdt: u32 = 0;
    Acpi.header(base, SIG_DSDT, 2, HEADER);
    Acpi.seal(base, HEADER, 9);

    const fadt = Acpi.next(dsdt, HEADER);
    Acpi.header(base + fadt, SIG_FACP, 5, FADT_BYTES);
    store<u32>(base + fadt, <u32>ACPI_TABLES_GPA + dsdt, 40);
    store<u32>(base + fadt, FADT_HW_REDUCED, 112);
    store<u32>(base + fadt, <u32>ACPI_TABLES_GPA + dsdt, 140);
    Acpi.seal(base + fadt, FADT_BYTES, 9);

    const madt = Acpi.next(fadt, FADT_BYTES);
    const madtBytes = HEADER + 8 + vcpus * 8;
    Acpi.header(base + madt, SIG_APIC, 2, madtBytes);
    store<u32>(base + madt, LAPIC_ADDRESS, 36);
    for (let i: u32 = 0; i < vcpus; i++) {
      const at = base + madt + HEADER + 8 + (i << 3);
      store<u8>(at, 8, 1);
      store<u8>(at, <u8>i, 2);
      store<u8>(at, <u8>(i * 2), 3);
      store<u32>(at, 1, 4);
    }
    Acpi.seal(base + madt, madtBytes, 9);

    const xsdt = Acpi.next(madt, madtBytes);
    Acpi.header(base + xsdt, SIG_XSDT, 1, HEADER + 16);
    store<u32>(base + xsdt, <u32>ACPI_TABLES_GPA + fadt, 36);
    store<u32>(base + xsdt, <u32>ACPI_TABLES_GPA + madt, 44);
    Acpi.seal(base + xsdt, HEADER + 16, 9);

    store<u64>(rsdp, 0x2052545020445352); // "RSD PTR "
    store<u32>(rsdp, 0x006e6558, 9);
    store<u8>(rsdp, 2, 15);
    store<u32>(rsdp, 36, 20);
    store<u32>(rsdp, <u32>ACPI_TABLES_GPA + xsdt, 24);
    Acpi.seal(rsdp, 20, 8);
    Acpi.seal(rsdp, 36, 32);
  }
}
