/** What the exported run() answers. */
/** The budget of instructions is used up. */
export const RUN_BUDGET = 0;
/** dom0 has a pending event: its device models and toolstack have work. */
export const RUN_ATTENTION = 1;
/** No vCPU can run and no timer is armed: only the outside can wake anybody. */
export const RUN_IDLE = 2;
/** A breakpoint or watch was hit (abi/watch.ts). */
export const RUN_BREAK = 3;
