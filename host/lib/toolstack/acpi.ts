/**
 * The few ACPI tables a PVH guest may look for, at the addresses libxl uses: RSDP at FC008000, tables from FC001000 on.
 * RSDP -> XSDT -> FADT (hardware-reduced, with an empty DSDT) and MADT (one local APIC for each vCPU). ACPI 2.0 layouts.
 */

export const ACPI_INFO_GPA = 0xfc00_0000;
export const ACPI_TABLES_GPA = 0xfc00_1000;
export const ACPI_TABLES_BYTES = 0x7000;
export const ACPI_RSDP_GPA = 0xfc00_8000;
export const ACPI_RSDP_BYTES = 0x40;

const HEADER_BYTES = 36;
const FADT_BYTES = 244;
const LAPIC_ADDRESS = 0xfee0_0000;
const FADT_HW_REDUCED = 1 << 20;

function putText(bytes: Uint8Array, at: number, text: string): void {
  for (let i = 0; i < text.length; i++) bytes[at + i] = text.charCodeAt(i);
}

/** Makes the bytes sum to 0 modulo 256. */
function seal(bytes: Uint8Array, at: number): void {
  let sum = 0;
  for (const byte of bytes) sum += byte;
  bytes[at] = (256 - (sum % 256)) % 256;
}

function table(
  signature: string,
  revision: number,
  bytes: number,
  fill: (view: DataView, out: Uint8Array) => void,
): Uint8Array {
  const out = new Uint8Array(bytes);
  const view = new DataView(out.buffer);
  putText(out, 0, signature);
  view.setUint32(4, bytes, true);
  out[8] = revision;
  putText(out, 10, "Xen");
  putText(out, 16, "HVM");
  putText(out, 28, "HVML");
  fill(view, out);
  seal(out, 9);
  return out;
}

export interface AcpiTables {
  readonly rsdp: Uint8Array;
  /** To be put at ACPI_TABLES_GPA. */
  readonly tables: Uint8Array;
}

export function acpiTables(vcpus: number): AcpiTables {
  const out = new Uint8Array(ACPI_TABLES_BYTES);
  let used = 0;
  const place = (bytes: Uint8Array): number => {
    const at = used;
    out.set(bytes, at);
    used = Math.ceil((at + bytes.length) / 16) * 16;
    return ACPI_TABLES_GPA + at;
  };
  const dsdt = place(table("DSDT", 2, HEADER_BYTES, () => {}));
  const fadt = place(
    table("FACP", 5, FADT_BYTES + 24, (view) => {
      view.setUint32(40, dsdt, true);
      view.setUint32(112, FADT_HW_REDUCED, true);
      view.setUint32(140, dsdt, true);
    }),
  );
  const madt = place(
    table("APIC", 2, HEADER_BYTES + 8 + vcpus * 8, (view, bytes) => {
      view.setUint32(36, LAPIC_ADDRESS, true);
      for (let i = 0; i < vcpus; i++) {
        const at = HEADER_BYTES + 8 + i * 8;
        bytes[at + 1] = 8;
        bytes[at + 2] = i;
        bytes[at + 3] = i * 2; // initial APIC id = 2 x vcpu index
        view.setUint32(at + 4, 1, true);
      }
    }),
  );
  const xsdt = place(
    table("XSDT", 1, HEADER_BYTES + 16, (view) => {
      view.setUint32(36, fadt, true);
      view.setUint32(44, madt, true);
    }),
  );
  return { rsdp: rsdp(xsdt), tables: out };
}

function rsdp(xsdt: number): Uint8Array {
  const out = new Uint8Array(36);
  const view = new DataView(out.buffer);
  putText(out, 0, "RSD PTR ");
  putText(out, 9, "Xen");
  out[15] = 2;
  view.setUint32(20, 36, true);
  view.setUint32(24, xsdt, true);
  seal(out.subarray(0, 20), 8);
  seal(out, 32);
  return out;
}
