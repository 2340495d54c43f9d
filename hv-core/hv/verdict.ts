/** What an exit handler decides; run/vcpu.ts acts on it. */
export enum Verdict {
  /** Handled: enter the guest again, at the next instruction if the handler advanced rip. */
  Done = 0,
  /** Run the same instruction again, nothing was committed. */
  Retry = 1,
  /** The vCPU waits: its pauseFlags say for what. */
  Block = 2,
  /** An exception was queued in cpu.entryEvent. */
  Inject = 3,
  /** The domain has been crashed. */
  Crash = 4,
}
