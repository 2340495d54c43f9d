#!/usr/bin/env node
/** The vmexit command; everything is in program.ts. */
import { main } from "./program.ts";

// A reader that went away (vmexit guests | head) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});
process.exitCode = await main(process.argv.slice(2));
