/** Files of the checkout, found from the sources as well as from dist/. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

function root(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "asconfig.json"))) {
    const above = dirname(folder);
    if (above === folder) throw new Error("bench must run inside a checkout of the project");
    folder = above;
  }
  return folder;
}

export const projectFile = (path: string): string => join(root(), path);
