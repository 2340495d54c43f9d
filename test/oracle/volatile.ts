/** Rows whose value is different on every boot of Xen: clocks, the number of the domain, addresses in its ACPI tables. */
const VOLATILE: readonly RegExp[] = [
  /^cpuid\|40000003:/, // TSC frequency, offset and multiplier of the host
  /^cpuid\|40000004:/, // domain id
  /^msr\|00000010\|/, // TSC
  /^shared_info32\|\+000000(20|28|2C|30|34|38|3C)\|/, // pvclock of vCPU 0
  /^shared_info32\|\+0000090[048]\|/, // wall clock
  /^shared_info32\|\+00000C0[048]\|/, // wall clock in the 64-bit layout, on some boots
  /^shared_info32\|\+00000924\|/, // wall clock, high half
];

export const isVolatile = (line: string): boolean => VOLATILE.some((v) => v.test(line));
