/** Names of answers, for the messages of the fuzzer. */
import { errnoName } from "../../../host/lib/errors.ts";

export const errnoNames = (result: number): string =>
  result < 0 ? (errnoName(-result) ?? String(result)) : String(result);
