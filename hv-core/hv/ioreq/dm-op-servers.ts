/** dm_ops 1 to 6: the ioreq servers themselves. `args` is the union of struct dm_op; offsets as in spec 03 section 3.2. */
import { EINVAL, OK } from "../../abi/errno";
import { DMOP_INFO_NO_GFNS } from "../../abi/hypercalls";
import { BUFIOREQ_ATOMIC, BUFIOREQ_OFF } from "../../abi/ioreq";
import { Domain } from "../domain";
import { ioreqServerCreate, ioreqServerDestroy, ioreqServerSetState } from "./life-cycle";
import { IoreqLock } from "./lock";
import { ioreqPagesMapGfns } from "./pages";
import { ioreqRangeMap, ioreqRangeUnmap } from "./ranges";
import { IoreqServer, ioreqServerOf } from "./server";

/** {handle_bufioreq u8 @0, pad[3] @1, id u16 OUT @4} */
export function dmCreate(d: Domain, caller: u32, args: usize): i32 {
  const word = load<u32>(args);
  const handling = word & 255;
  if (word >> 8 != 0 || handling > <u32>BUFIOREQ_ATOMIC) return -EINVAL;
  const id = ioreqServerCreate(d, caller, handling);
  if (id < 0) return id;
  store<u16>(args, <u16>id, 4);
  return OK;
}

/** {id u16 @0, flags u16 @2, bufioreq_port u32 OUT @4, ioreq_gfn u64 OUT @8, bufioreq_gfn u64 OUT @16} */
export function dmInfo(d: Domain, caller: u32, args: usize): i32 {
  const flags = <u32>load<u16>(args, 2);
  if ((flags & ~(<u32>DMOP_INFO_NO_GFNS)) != 0) return -EINVAL;
  IoreqLock.acquire(d);
  const found = ioreqServerOf(d, load<u16>(args), caller);
  const rc = found < 0 ? found : info(IoreqServer.at(found), flags == 0, args);
  IoreqLock.release(d);
  return rc;
}

function info(s: IoreqServer, wantsGfns: bool, args: usize): i32 {
  const isBuffered = s.bufHandling != <u32>BUFIOREQ_OFF;
  if (wantsGfns) {
    const rc = ioreqPagesMapGfns(s);
    if (rc != OK) return rc;
    store<u64>(args, s.syncGfn, 8);
    if (isBuffered) store<u64>(args, s.bufGfn, 16);
  }
  if (isBuffered) store<u32>(args, s.bufPort, 4);
  return OK;
}

/** {id u16 @0, pad u16 @2, type u32 @4, start u64 @8, end u64 @16 inclusive} */
export function dmMapRange(d: Domain, caller: u32, args: usize): i32 {
  if (load<u16>(args, 2) != 0) return -EINVAL;
  return ioreqRangeMap(d, load<u16>(args), caller, load<u32>(args, 4), load<u64>(args, 8), load<u64>(args, 16));
}

export function dmUnmapRange(d: Domain, caller: u32, args: usize): i32 {
  if (load<u16>(args, 2) != 0) return -EINVAL;
  return ioreqRangeUnmap(d, load<u16>(args), caller, load<u32>(args, 4), load<u64>(args, 8), load<u64>(args, 16));
}

/** {id u16 @0, enabled u8 @2, pad u8 @3} */
export function dmSetState(d: Domain, caller: u32, args: usize): i32 {
  if (load<u8>(args, 3) != 0) return -EINVAL;
  return ioreqServerSetState(d, load<u16>(args), caller, load<u8>(args, 2) != 0);
}

/** {id u16 @0, pad u16 @2} */
export function dmDestroy(d: Domain, caller: u32, args: usize): i32 {
  if (load<u16>(args, 2) != 0) return -EINVAL;
  return ioreqServerDestroy(d, load<u16>(args), caller);
}
