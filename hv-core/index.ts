/** The whole WebAssembly ABI of the core: one export per line, no logic. */
import "./base/abort";


