// A race of your own: two device models share one flag page, and the guest's write to one of them may meet a page type change.
// Run it with: vmexit race ./docs/examples/my-race.mjs
const MMIO = 0x100000;
const PAGE = 0x2000;

export default ({ code, steps, mapMemType, setMemType, everyWriteOnce }) => ({
  name: "my-race",
  title: "A write meets the end of a page type",
  background:
    "A guest stores to a page that a device model watches, and to the device model's own memory, while the type is taken away.",
  lesson: "Without a second look at the type the first store is lost.",

  machine: { pages: 4, servers: [{ mmio: [MMIO, MMIO + 0xfff] }] },
  guests: [{ at: 0x1000, code: [code.store32(PAGE, 1), code.store32(MMIO, 2)] }],

  // Called once for each run of the set-up: prepare the machine with hypercalls, then say who takes part beside the vCPUs.
  actors({ world, servers: [server] }) {
    mapMemType(world.dom0, world.domid, server.server, 2);
    setMemType(world.dom0, world.domid, PAGE / 4096, 1, 4);
    return [
      { toolstack: "toolstack", does: [steps.unmapType(server)] },
      { device: "emulator", server },
    ];
  },

  invariants: ({ world, programs, device }) => [
    everyWriteOnce(world, programs, [device("emulator")], [{ vcpu: 0, index: 0, address: PAGE, value: 1 }]),
    {
      name: "device-hears",
      text: "the store to the device's own memory reaches the device, once",
      atEnd: () => {
        const times = device("emulator")
          .log()
          .filter((w) => w.address === MMIO).length;
        return times === 1 ? undefined : `it has heard of the store ${times} times`;
      },
    },
  ],

  state: ({ pageType }) => `page ${pageType(PAGE)}`,

  variants: {
    buggy: {
      text: "the p2m lock is dropped after the lookup, and no server means: drop the write",
      knobs: { "unmap.p2mLock": 1, "unmap.onNoServer": 1 },
      expect: "every-write-once",
    },
    fixed: { text: "the hypervisor as it is", expect: "clean" },
  },
});
