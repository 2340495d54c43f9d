/**
 * The hypercall page: 128 stubs of 32 bytes, `mov eax, n; vmmcall; ret`, filled up with INT3. Number 23 (iret) is UD2.
 * The flavour is AMD's (0F 01 D9), as the recorded Xen runs on SVM; VMCALL works as well.
 */
import { EAGAIN, EINVAL, EPERM, OK } from "../../abi/errno";
import { P2M_ALLOC, P2M_UNSHARE } from "../../abi/p2m-types";
import { frameWritten } from "../../mem/frame-access";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { logDirtyMark } from "../logdirty/bitmap";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";

const STUBS: u32 = 128;
const STUB_SIZE: usize = 32;
const HYPERVISOR_IRET: u32 = 23;
const INT3: u8 = 0xcc;

function fill(page: usize): void {
  memory.fill(page, INT3, 4096);
  for (let n: u32 = 0; n < STUBS; n++) {
    const at = page + <usize>n * STUB_SIZE;
    if (n == HYPERVISOR_IRET) {
      store<u16>(at, 0x0b0f); // ud2
      continue;
    }
    store<u8>(at, 0xb8); // mov eax, n
    store<u32>(at, n, 1);
    store<u8>(at, 0x0f, 5); // vmmcall
    store<u8>(at, 0x01, 6);
    store<u8>(at, 0xd9, 7);
    store<u8>(at, 0xc3, 8); // ret
  }
}

/** Fills guest frame `gfn`: OK, -EINVAL (no RAM), -EPERM (not writable) or -EAGAIN (paged: it has been asked for). */
export function hypercallPageFill(d: Domain, gfn: u64): i32 {
  const type = P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE);
  if (P2mType.isPaging(type)) {
    pagingPopulate(d, gfn);
    return -EAGAIN;
  }
  if (!P2mType.isRam(type) || !Frame.isValid(d.lookupMfn)) return -EINVAL;
  if (!P2mType.isWritable(type)) return -EPERM;
  fill(Frame.host(d.lookupMfn));
  frameWritten(d.lookupMfn);
  logDirtyMark(d, gfn);
  return OK;
}
