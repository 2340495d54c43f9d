/**
 * Turns build/debug.wasm into build/taint.wasm: every load and store of linear memory calls the functions of hv-core/taint/shadow.ts,
 * which is build/shadow.wasm. flatten comes first: then a store is announced when its value is known, directly before it.
 */
import { readFileSync, writeFileSync } from "node:fs";
import binaryen from "binaryen";

const module = binaryen.readBinary(readFileSync("build/debug.wasm"));
const f = binaryen.Features;
module.setFeatures(f.BulkMemory | f.BulkMemoryOpt | f.SignExt | f.NontrappingFPToInt | f.MutableGlobals | f.SIMD128);
module.runPasses(["llvm-memory-copy-fill-lowering", "flatten", "instrument-memory"]);
binaryen.setOptimizeLevel(1);
binaryen.setDebugInfo(true);
module.optimize();
const output = module.emitBinary();
const imported = WebAssembly.Module.imports(new WebAssembly.Module(output)).map((i) => i.name);
if (!imported.includes("load_ptr") || !imported.includes("store_ptr")) {
  console.error("taint: no access was instrumented");
  process.exit(1);
}
writeFileSync("build/taint.wasm", output);
