/**
 * Turns build/race.raw.wasm into build/race.wasm: Binaryen's asyncify pass makes `env.suspend` a real suspension point
 * (docs/architecture.md section 5). Fails when nothing was instrumented: a wrong import name would go unnoticed otherwise.
 */
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

const input = readFileSync("build/race.raw.wasm");
const module = binaryen.readBinary(input);
const f = binaryen.Features;
module.setFeatures(f.BulkMemory | f.BulkMemoryOpt | f.SignExt | f.NontrappingFPToInt | f.MutableGlobals | f.SIMD128);
binaryen.setPassArgument("asyncify-imports", "env.suspend");
binaryen.setPassArgument("asyncify-ignore-indirect", "1");
binaryen.setOptimizeLevel(2);
binaryen.setDebugInfo(true);
module.runPasses(["asyncify"]);
module.optimize();
const text = module.emitText();
const output = module.emitBinary();
const readsState = text.split("global.get $__asyncify_state").length - 1;
if (
  !WebAssembly.Module.exports(new WebAssembly.Module(output)).some((e) => e.name === "asyncify_start_unwind") ||
  readsState < 4
) {
  console.error("asyncify: no function was instrumented; is env.suspend still imported?");
  process.exit(1);
}
writeFileSync("build/race.wasm", output);
writeFileSync("build/race.wat", text);
