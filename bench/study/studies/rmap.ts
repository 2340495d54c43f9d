/** The reverse map of a shared page: a list, a hash, or Xen's change from one to the other. */
import { SHARING_RMAP_AUTO, SHARING_RMAP_HASH, SHARING_RMAP_LIST } from "../../../hv-core/abi/knobs.ts";
import { sharingBench, UNSHARE_COPIES } from "../../sharing-world.ts";
import type { Study } from "../study.ts";

const form = (label: string, value: number) => ({ label, knobs: { "sharing.rmap": value } });

/** Pages that are written to between two sharings: few, so that the number of sharers stays what the axis says. */
const WRITTEN = 16;

export const rmap: Study = {
  name: "rmap",
  title: "The reverse map of a shared page: list or hash",
  question:
    "Who writes to a shared page gets a copy, and his record must be found in the page's reverse map. A list is searched record by record; a hash has 256 chains and needs 1 KiB for each shared page. Xen keeps a list and makes it a hash at 256 sharers, and a list again at 64. From how many sharers on does the hash pay?",
  workload: `a guest of which a number of pages show one frame writes to up to ${WRITTEN} of them, in an order that looks random; then they are shared again, untimed.`,
  operation: "unshare",
  variants: [
    form("list", SHARING_RMAP_LIST),
    form("hash", SHARING_RMAP_HASH),
    form("list, hash from 256 on", SHARING_RMAP_AUTO),
  ],
  sizes: [3, 5, 9, 17, 33, 65, 129, 257, 513, 1025, 4097],
  sizeLabel: "sharers of the page",
  scale: "log",
  start(wasm, variant, sharers) {
    const clients = sharers - 1;
    const mask = 2 ** Math.floor(Math.log2(clients)) - 1;
    const operations = Math.min(WRITTEN, clients / 2);
    const bench = sharingBench(64, mask, clients, variant.knobs, wasm);
    bench.share(clients, true);
    return {
      machine: bench.machine,
      operations,
      phases: [{ name: "the guest writes", run: () => void bench.run(operations, UNSHARE_COPIES) }],
      reset: () => bench.shareAgain(clients),
    };
  },
};
