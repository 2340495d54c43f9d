/** Every word of the embedded machine, in English. */
export const texts = {
  where: (guest: string, at: number, phase: string) => `${guest}, instruction ${at.toLocaleString("en")}: ${phase}`,
  open: "Open in the lab",
  panel: "A machine of vmexit",
  waiting: "The machine starts when it is seen.",
} as const;
