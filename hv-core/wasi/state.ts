/**
 * Where the command module keeps what belongs to nobody in the core: the actor slabs, which the host uses in the other builds.
 * Nothing here is a module variable, as everywhere in the core.
 */
import { ACTOR_SIZE, ACTORS_BASE } from "../abi/layout";

/** dom0's bookkeeping (wasi/dom0.ts). */
export const WASI_STATE_BASE: usize = ACTORS_BASE;
/** The options (wasi/options.ts). */
export const OPTIONS_BASE: usize = ACTORS_BASE + ACTOR_SIZE;
/** The image found in the file (wasi/elf.ts). */
export const IMAGE_BASE: usize = ACTORS_BASE + 2 * ACTOR_SIZE;
/** The domain that was built (wasi/build.ts) and its back ends' state. */
export const GUEST_BASE: usize = ACTORS_BASE + 3 * ACTOR_SIZE;
/** Characters waiting to be written to standard output. */
export const OUTPUT_BASE: usize = ACTORS_BASE + 4 * ACTOR_SIZE;
export const OUTPUT_SIZE: u32 = 4 * ACTOR_SIZE - 16;
