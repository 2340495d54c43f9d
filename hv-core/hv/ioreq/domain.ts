/** What a domain's creation and destruction mean for its ioreq servers and in-core devices. Called by: hv/domain. */
import { MAX_NR_IOREQ_SERVERS } from "../../abi/ioreq";
import { devicesReset } from "../../dev/state";
import { Domain, NO_SERVER } from "../domain";
import { rtcInit } from "../time/rtc";
import { ioreqServersDestroyAll } from "./life-cycle";

export function ioreqDomainInit(d: Domain): void {
  for (let id: u32 = 0; id < <u32>MAX_NR_IOREQ_SERVERS; id++) d.setIoreqServer(id, NO_SERVER);
  d.ioreqEnabled = 0;
  d.ioreqGfnUsed = 0;
  d.ioreqLegacyMask = 0;
  d.pciCf8 = 0;
  devicesReset(d.slot);
  rtcInit(d);
}

/** The domain dies: its servers go before its frames do. */
export function ioreqDomainDestroy(d: Domain): void {
  ioreqServersDestroyAll(d);
}
