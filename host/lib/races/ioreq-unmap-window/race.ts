/** C-1: the guest writes to a page of type ioreq_server while the device model takes the type away (spec 03 section 3.7, A to H). */
import { defineRace } from "../../explore/race.ts";
import { SCENES } from "./scenes.ts";
import { UNMAP_VARIANTS } from "./variants.ts";

/** Values of unmap.reset (recalc, none) with which pages keep the type after the call, on purpose. */
const LEAVES_TYPES = new Set<number | undefined>([1, 3]);
const WHY_IGNORED = "pages keep the type until they are touched: that is what the design means";

export const ioreqUnmapWindow = defineRace({
  name: "ioreq-unmap-window",
  id: "C-1",
  title: "A write is lost while a page type loses its server",
  background:
    "The guest writes to a page of its memory that a device model outside wants to know about: the page has the type ioreq_server, " +
    "the guest may read it but not write it. So the write faults into the hypervisor. The hypervisor looks up who has the type (the " +
    "server), puts a request into a slot that both share (READY), and the device model carries the write out and answers " +
    "(RESP_READY). At any time the device model may give the type up: it is unmapped from the server, and pages of the type become " +
    "ordinary RAM (ram_rw), which the guest writes itself.",
  lesson:
    "The guest's write faults because the page has the type ioreq_server. Between the fault and the moment when the request is sent, " +
    "the device model's domain unmaps the type: now nobody answers for the page. If the hypervisor drops the p2m lock in between, or " +
    "treats 'no server' as 'nobody there', the write vanishes although the guest sees it done. Xen holds the p2m lock until the " +
    "request is sent, and runs the instruction again when the type has no server: by then the page is RAM. The letters are the designs " +
    "that were discussed in 2016 and 2017; each that loses has its own interleaving.",
  variants: UNMAP_VARIANTS,
  setup(module, knobs, variant) {
    const { scene, knobs: design } = UNMAP_VARIANTS[variant]!;
    const setup = SCENES[scene](module, knobs);
    return LEAVES_TYPES.has(design["unmap.reset"]) ? { ...setup, ignored: { "I-7": WHY_IGNORED } } : setup;
  },
});
