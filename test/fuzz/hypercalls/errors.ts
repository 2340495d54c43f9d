/** Names of answers, for the messages of the fuzzer. */
import { errnoName } from "../../../host/lib/errors.ts";

export { EACCES, ENOSYS, EOPNOTSUPP, EPERM, ESRCH } from "../../../hv-core/abi/errno.ts";
export const errnoNames = (result: number): string =>
  result < 0 ? (errnoName(-result) ?? String(result)) : String(result);
