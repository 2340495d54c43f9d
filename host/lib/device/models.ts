/** The table of device models: which one serves an actor kind. */
import {
  ACTOR_COUNTER,
  ACTOR_DEBUG_PORT,
  ACTOR_POST,
  ACTOR_SHADOW_TABLE,
  ACTOR_TEST_EXIT,
  ACTOR_UART,
} from "../actors.ts";
import { counter } from "./counter.ts";
import { debugPort } from "./debug-port.ts";
import type { DeviceModel } from "./model.ts";
import { post } from "./post.ts";
import { shadowTable } from "./shadow-table.ts";
import { testExit } from "./test-exit.ts";
import { uart } from "./uart.ts";

/** The model for an actor kind. A dense switch: no table of closures. */
export function modelOf(kind: number): DeviceModel | undefined {
  switch (kind) {
    case ACTOR_UART:
      return uart;
    case ACTOR_DEBUG_PORT:
      return debugPort;
    case ACTOR_POST:
      return post;
    case ACTOR_TEST_EXIT:
      return testExit;
    case ACTOR_COUNTER:
      return counter;
    case ACTOR_SHADOW_TABLE:
      return shadowTable;
    default:
      return undefined;
  }
}
