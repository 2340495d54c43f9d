/** What became of one I/O access (Xen's X86EMUL_*). */
/** Done; a read's data is in Vcpu.ioData. */
export const IO_OKAY: u32 = 0;
/** Not done yet: the vCPU waits for a device model, or the instruction must be run again. */
export const IO_RETRY: u32 = 1;
/** Cannot be done. */
export const IO_UNHANDLEABLE: u32 = 2;
