/** HYPERVISOR_sysctl: {cmd u32, interface_version u32, union of 128 bytes}. */
export const SYSCTL_INTERFACE_VERSION_4_17 = 0x15;
export const SYSCTL_SIZE = 136;
export const SYSCTL_UNION = 8;
export const SYSCTL_GETDOMAININFOLIST = 6;
