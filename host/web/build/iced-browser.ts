/**
 * iced-x86 is CommonJS for Node: it reads its .wasm with `fs` when it is loaded. For the page its last lines are replaced, so that it
 * fetches the file, and its names become exports. The result is loaded on first use only, in the worker (worker/disassembler.ts).
 */
import type { Plugin } from "vite";

const FILE = /[\\/]iced-x86[\\/]iced_x86\.js$/;
const LOADER = "const path = require('path')";
const TEXT_CODERS = "const { TextDecoder, TextEncoder } = require(`util`);";
/** What host/lib/debug/disassemble.ts uses. */
const NAMES = ["Decoder", "DecoderOptions", "Formatter", "FormatterSyntax"];

export function icedForBrowsers(): Plugin {
  return {
    name: "vmexit:iced-for-browsers",
    enforce: "pre",
    transform(code, id) {
      const file = id.split("?")[0]!;
      if (!FILE.test(file)) return undefined;
      const loader = code.indexOf(LOADER);
      if (loader < 0 || !code.includes(TEXT_CODERS))
        throw new Error(`${file} does not look as expected: another version of iced-x86? See ${import.meta.url}`);
      const body = code.slice(0, loader).replace(TEXT_CODERS, "");
      return {
        code: [
          'import wasmUrl from "./iced_x86_bg.wasm?url";',
          "const module = { exports: {} };",
          body,
          "const compiled = await WebAssembly.compile(await (await fetch(wasmUrl)).arrayBuffer());",
          "wasm = (await WebAssembly.instantiate(compiled, imports)).exports;",
          ...NAMES.map((name) => `const exported${name} = module.exports.${name};`),
          `export { ${NAMES.map((name) => `exported${name} as ${name}`).join(", ")} };`,
        ].join("\n"),
        map: null,
      };
    },
  };
}
