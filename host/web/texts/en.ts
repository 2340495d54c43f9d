/** Every word of the shell, in English. Routes keep theirs beside this file (texts/machine.ts, ...). */
export const texts = {
  brand: "vmexit",
  brandTitle: "vmexit: a hypervisor you can single-step, race and measure",
  skip: "Skip to the content",
  nav: { machine: "Machine", race: "Races", lesson: "Lessons" },
  navLabel: "Parts of the lab",
  theme: { label: "Colours", system: "As the system", light: "Light", dark: "Dark" },
  loading: "Loading",
  noRoute: (name: string) => `This address names a part of the lab that does not exist: "${name}".`,
  noRouteHelp: "It may come from a newer version, or be cut off. What there is:",
  routeFailed: (why: string) => `This part of the lab could not be loaded: ${why}`,
  routeFailedHelp: "Check the connection to the server, then reload the page.",
  reload: "Reload",
} as const;
