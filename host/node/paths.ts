/** Where the checkout is, from the sources and from dist/ alike: the folder that holds package.json and hv-core. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "asconfig.json"))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("vmexit: its own folder (with asconfig.json) was not found");
    folder = parent;
  }
  return folder;
}

export const ROOT = findRoot();
