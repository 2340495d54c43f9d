/** What `--summary` prints on standard error: one line of JSON. Exits and counters go by number (abi/exits.ts, abi/counters.ts). */
import { CTR_INSTRUCTIONS, NR_COUNTERS } from "../abi/counters";
import { CRASH_DEAD_HALT } from "../abi/crash";
import { SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT } from "../abi/hypercalls";
import { COUNTERS_BASE, MAILBOX_BASE, TRACE_BASE } from "../abi/layout";
import { TRACE_HASH } from "../abi/trace-events";
import { Domain } from "../hv/domain";
import { stateHash } from "../run/state-hash";
import { Guest } from "./guest";
import { Output } from "./output";

/** Counters of exits come first; the others start at CTR_INSTRUCTIONS. */
function counter(index: i32): u64 {
  return load<u64>(COUNTERS_BASE + (index << 3));
}

function counters(first: i32, end: i32): void {
  let isFirst = true;
  for (let i = first; i < end; i++) {
    if (counter(i) == 0) continue;
    Output.text(isFirst ? '"' : ',"');
    Output.decimal(i);
    Output.text('":');
    Output.decimal(counter(i));
    isFirst = false;
  }
}

/** The outcome as vmexit run names it. */
function outcome(isBudgetSpent: bool): string {
  if (isBudgetSpent) return "budget";
  const found = Domain.find(Guest.get().domid);
  if (found == 0) return "halted";
  const d = changetype<Domain>(found);
  if (d.isShutDown == 0 || d.crashReason == <u32>CRASH_DEAD_HALT) return "halted";
  if (d.shutdownCode == <u32>SHUTDOWN_POWEROFF) return "poweroff";
  return d.shutdownCode == <u32>SHUTDOWN_REBOOT ? "reboot" : "crash";
}

/** Shutdown code and crash reason of a domain that has shut down. */
function end(): void {
  const found = Domain.find(Guest.get().domid);
  if (found == 0 || changetype<Domain>(found).isShutDown == 0) return;
  Output.text(',"shutdownCode":');
  Output.decimal(changetype<Domain>(found).shutdownCode);
  Output.text(',"crashReason":');
  Output.decimal(changetype<Domain>(found).crashReason);
}

export function printSummary(isBudgetSpent: bool): void {
  Output.text('{"outcome":"');
  Output.text(outcome(isBudgetSpent));
  Output.text('"');
  end();
  Output.text(',"instructions":');
  Output.decimal(counter(CTR_INSTRUCTIONS));
  Output.text(',"exits":{');
  counters(0, CTR_INSTRUCTIONS);
  Output.text('},"counters":{');
  counters(CTR_INSTRUCTIONS, NR_COUNTERS);
  Output.text('},"traceHash":"');
  Output.hex(load<u64>(TRACE_BASE, TRACE_HASH));
  Output.text('","stateHash":"');
  stateHash();
  Output.hex(load<u64>(MAILBOX_BASE));
  Output.text('"}\n');
}
