/** One line for everything that can be wrong before the guest runs: what it is and what to do. */
import {
  IMAGE_ENTRY_OUTSIDE,
  IMAGE_NO_NOTE,
  IMAGE_NOT_ELF,
  IMAGE_OVERLAP,
  IMAGE_TRUNCATED,
  IMAGE_UNREADABLE,
  IMAGE_WRONG_MACHINE,
} from "./elf";
import { USAGE_BAD_NUMBER, USAGE_NO_GUEST } from "./options";

export function usageProblem(problem: u32): string {
  if (problem == USAGE_NO_GUEST) return "no guest: give an ELF file with a PVH note";
  if (problem == USAGE_BAD_NUMBER)
    return "an option has a value that cannot be used: --memory 1M..3G, --vcpus 1..8, --cmdline up to 1023 characters";
  return "unknown option: --memory, --vcpus, --cmdline, --max-instructions, --knob N=V, --summary";
}

export function imageProblem(problem: u32): string {
  if (problem == IMAGE_UNREADABLE) return "the guest's file cannot be read: is its folder given to the module?";
  if (problem == IMAGE_NOT_ELF) return "not an ELF file: this module boots ELF files with a PVH note";
  if (problem == IMAGE_TRUNCATED) return "the ELF file is truncated: copy or build it again";
  if (problem == IMAGE_WRONG_MACHINE) return "the ELF file is neither i386 nor x86-64: build the guest for x86";
  if (problem == IMAGE_NO_NOTE) return "ELF file without a PVH note (owner Xen, type 18): link one in";
  if (problem == IMAGE_OVERLAP) return "two segments overlap in guest memory: give them different p_paddr";
  if (problem == IMAGE_ENTRY_OUTSIDE) return "the entry lies in no segment: it has to be a physical address inside one";
  return "the ELF file is damaged: build it again";
}
