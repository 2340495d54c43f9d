/** HYPERVISOR_physdev_op (public physdev.h): the operations that this machine knows. */
export const PHYSDEVOP_IRQ_STATUS_QUERY = 5;
export const PHYSDEVOP_EOI = 12;
export const PHYSDEVOP_MAP_PIRQ = 13;
export const PHYSDEVOP_UNMAP_PIRQ = 14;
export const PHYSDEVOP_SETUP_GSI = 21;

export const MAP_PIRQ_TYPE_GSI = 1;
/** Answer of irq_status_query: the guest owes an acknowledgement; the line is shared. */
export const XENIRQSTAT_NEEDS_EOI = 1;
export const XENIRQSTAT_SHARED = 2;

/** Lines of the IO-APIC; the first 16 are mapped when dom0 begins. */
export const NR_GSIS = 24;
/** DOMCTL_gsi_permission (today). */
export const DOMCTL_GSI_PERMISSION = 88;
export const GSI_PERMISSION_GRANT = 1;
/** With the accountant, in the flag of irq_permission: the line is granted to be shared. */
export const IRQ_ALLOW_SHARED = 2;
/** Bind flag of EVTCHNOP_bind_pirq. */
export const BIND_PIRQ_WILL_SHARE = 1;
