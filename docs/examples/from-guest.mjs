// A race that starts from an ordinary run: the guest "mmio" after 20 instructions, just before it stores to its device, with the device
// models it always has. The toolstack suspends it meanwhile; each of its accesses must still be made once.
// Run it with: vmexit race ./docs/examples/from-guest.mjs
export default async ({ fromGuest, steps }) => ({
  name: "from-guest",
  title: "A guest is suspended while it works on its device",
  guests: await fromGuest("mmio", { at: 20, until: 0x1000d6 }),
  actors: () => [{ toolstack: "toolstack", does: [steps.shutDown(2, "suspends the guest")] }],
  invariants: ({ world }) => [
    {
      name: "work-is-done",
      text: "the guest stops at an instruction of its own, before or behind the store",
      always: () =>
        world.rip(0) >= 0x1000c0 && world.rip(0) <= 0x1000d6 ? undefined : `rip is 0x${world.rip(0).toString(16)}`,
    },
  ],
  variants: { 4.17: { text: "the hypervisor as it is", expect: "clean" } },
  // A suspended guest does nothing more: that is no deadlock.
  mayWaitForEver: true,
});
