/** What the pager's answer to a request does to the page (spec 04 section 4.4, resume). The vCPU is vm-event/response.ts's business. */
import { MEM_PAGING_DROP_PAGE } from "../../abi/vm-event";
import { Domain } from "../domain";
import { pagingBack } from "./pages";

export function pagingResume(d: Domain, gfn: u64, flags: u32): void {
  if ((flags & MEM_PAGING_DROP_PAGE) == 0) pagingBack(d, gfn);
}
