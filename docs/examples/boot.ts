/** For the examples of docs/api.md: a guest that comes with vmexit, before its first instruction. */
import { loadImage } from "../../host/lib/loader/detect.ts";
import { createMachine, type MachineOptions } from "../../host/lib/machine.ts";
import { loadGuest } from "../../host/node/guests.ts";
import { compileBuild } from "../../host/node/wasm.ts";

export async function boot(name: string, options: Partial<MachineOptions> = {}) {
  const guest = await loadGuest(name);
  const image = loadImage(guest.build());
  if (!image.ok) throw new Error(image.problem);
  const memoryBytes = (guest.run?.memoryMiB ?? 64) * 2 ** 20;
  const vcpus = guest.run?.vcpus ?? 1;
  const machine = createMachine(compileBuild("release"), { memoryBytes, vcpus, ...options });
  const spec = { image: image.value, memoryBytes, vcpus, cmdline: guest.run?.cmdline ?? "", modules: [] };
  return { machine, ...machine.createGuest(spec) };
}
