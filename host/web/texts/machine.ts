/** Every word of the machine page, in English. */
export const texts = {
  title: "Machine",
  guest: "Guest",
  run: "Run",
  pause: "Pause",
  step: "Step",
  console: "Console",
  registers: "Registers",
  position: (at: number) => `instruction ${at.toLocaleString("en")}`,
  ended: (outcome: string, reason: string) => `${outcome}: ${reason}`,
  idle: "Every vCPU waits for an event",
  ready: "Stopped",
  running: "Running",
} as const;
