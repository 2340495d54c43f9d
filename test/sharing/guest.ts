/** A guest of a few instructions that writes and reads chosen pages, for tests of copy on write. */

import { frameAddress } from "../../host/lib/core.ts";
import { type Instruction, program } from "../../host/lib/explore/code.ts";
import { entryContext } from "../../host/lib/toolstack/hvm-context.ts";
import { DOM_CRASH_REASON, DOM_DOMID, DOM_STATE } from "../../hv-core/abi/domain.ts";
import { DOMCTL_PAUSEDOMAIN, DOMCTL_SETHVMCONTEXT, DOMCTL_UNPAUSEDOMAIN } from "../../hv-core/abi/hypercalls.ts";
import { DOMAIN_SIZE, DOMAINS_BASE } from "../../hv-core/abi/layout.ts";
import type { Sharing } from "./support.ts";

const CODE_GFN = 0;
const CONTEXT = 0x6000;

/** Where the record of a domain is. */
export function domainAt(s: Sharing, domid: number): number {
  const { view } = s.door;
  for (let at = DOMAINS_BASE; at < DOMAINS_BASE + 256 * DOMAIN_SIZE; at += DOMAIN_SIZE)
    if (view.getUint32(at + DOM_STATE, true) !== 0 && view.getUint32(at + DOM_DOMID, true) === domid) return at;
  throw new Error(`no domain ${domid}`);
}

export const crashOf = (s: Sharing, domid: number): number =>
  s.door.view.getUint32(domainAt(s, domid) + DOM_CRASH_REASON, true);

/** Runs the instructions on the domain's first vCPU, from the start of its page 0, and pauses it again. */
export function runIn(s: Sharing, domid: number, body: readonly Instruction[]): void {
  const { door } = s;
  const { code } = program(CODE_GFN << 12, body);
  new Uint8Array(door.view.buffer).set(code, frameAddress(s.entry(domid, CODE_GFN).mfn));
  door.core.codeCacheReset();
  const context = entryContext({ eip: CODE_GFN << 12, ebx: 0 }, 1);
  new Uint8Array(door.view.buffer).set(context, door.at(CONTEXT));
  const loaded = door.domctl(DOMCTL_SETHVMCONTEXT, domid, [
    [0, 4, context.length],
    [8, 8, CONTEXT],
  ]);
  if (loaded !== 0) throw new Error(`sethvmcontext: ${loaded}`);
  door.domctl(DOMCTL_UNPAUSEDOMAIN, domid);
  for (let i = 0; i < 20; i++) door.core.run(100);
  door.domctl(DOMCTL_PAUSEDOMAIN, domid);
}
