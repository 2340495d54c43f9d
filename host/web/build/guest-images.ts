/**
 * The module "virtual:guests": the guests of this checkout as ELF files and listings, assembled while the page is built (by the built
 * host in dist/), because the assembler needs all of iced-x86 and the page should not.
 */
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plugin } from "vite";
import type { Guest } from "../../../guests/guest.ts";

const NAME = "virtual:guests";
const RESOLVED = `\0${NAME}`;
const root = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Assembles one guest into `out`. Probes print what they see for a comparison with a real Xen: nothing to look at here. */
async function build(name: string, source: string, out: string): Promise<Guest | undefined> {
  const { default: guest } = (await import(pathToFileURL(`${source}/${name}/guest.js`).href)) as { default: Guest };
  if (guest.isProbe) return undefined;
  writeFileSync(`${out}/${name}.elf`, guest.build());
  writeFileSync(`${out}/${name}.lst`, guest.listing());
  return guest;
}

export function guestImages(): Plugin {
  return {
    name: "vmexit:guest-images",
    resolveId: (id) => (id === NAME ? RESOLVED : undefined),
    async load(id) {
      if (id !== RESOLVED) return undefined;
      const source = root("../../../dist/guests");
      const out = root("../../../build/guests");
      mkdirSync(out, { recursive: true });
      const folders = readdirSync(source, { withFileTypes: true }).filter((e) => e.isDirectory());
      const names = folders.map((e) => e.name).filter((name) => !["asm", "lib"].includes(name));
      const guests = (await Promise.all(names.sort().map((name) => build(name, source, out)))).filter(
        (g) => g !== undefined,
      );
      const imports = guests.flatMap(({ name }, i) =>
        ["elf", "lst"].map((kind) => `import ${kind}${i} from ${JSON.stringify(`${out}/${name}.${kind}?url`)};`),
      );
      const list = guests.map(({ name, title, run = {} }, i) => {
        return `{ ...${JSON.stringify({ name, title, run })}, image: elf${i}, listing: lst${i} }`;
      });
      return `${imports.join("\n")}\nexport default [\n${list.join(",\n")}\n];`;
    },
  };
}
