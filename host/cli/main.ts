#!/usr/bin/env node
/** The vmexit command; everything is in program.ts. */
import { main } from "./program.ts";

process.exitCode = await main(process.argv.slice(2));
