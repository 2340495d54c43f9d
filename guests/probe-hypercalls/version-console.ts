/** Checks of xen_version and console_io. */
import * as hc from "../../hv-core/abi/hypercalls.ts";
import { asm } from "../asm/assembler.ts";
import { newline, say } from "../lib/print.ts";
import { check, setArg } from "../lib/probe.ts";

/** An address with no memory behind it (the guest has 64 MiB). */
const NOWHERE = 0xf0000000;

const version = (name: string, command: number, arg: number | string, show: string[] = []) =>
  check(`xen_version ${name}`, hc.HC_XEN_VERSION, [command, arg], show);

const text = (name: string, from: string): string => asm`
${say(`${name} = `)}
        mov esi, ${from}
        call puts
${newline()}`;

const consoleIo = (name: string, command: number, count: number, buffer: number | string) =>
  check(`console_io ${name}`, hc.HC_CONSOLE_IO, [command, count, buffer]);

export const versionAndConsoleChecks = (): string => asm`
${version("version", 0, 0)}
${version("extraversion nowhere", 1, NOWHERE)}
${version("capabilities", 3, "buffer")}
${text("xen_version capabilities text", "buffer")}
${version("capabilities nowhere", 3, NOWHERE)}
${version("changeset", 4, "buffer")}
${setArg({ "0:dd": 0x11111111, "4:dd": 0x22222222 })}
${version("platform parameters", 5, "arg", ["[arg]", "[arg+4]"])}
${setArg({ "0:dd": 0, "4:dd": 0x22222222 })}
${version("features 0", 6, "arg", ["[arg]", "[arg+4]", "[arg+8]"])}
${setArg({ "0:dd": 1, "4:dd": 0x22222222 })}
${version("features 1", 6, "arg", ["[arg]", "[arg+4]"])}
${setArg({ "0:dd": 2, "4:dd": 0x22222222 })}
${version("features 2", 6, "arg", ["[arg+4]"])}
${version("features nowhere", 6, NOWHERE)}
${version("page size", 7, 0)}
${version("page size with pointer", 7, "arg")}
${version("guest handle", 8, "buffer")}
${version("guest handle nowhere", 8, NOWHERE)}
${version("command line", 9, "buffer")}
${version("command 11", 11, "buffer")}
${version("command -1", -1, "buffer")}
${consoleIo("write 0", 0, 0, "buffer")}
${consoleIo("write nowhere", 0, 4, NOWHERE)}
${consoleIo("write 2^31", 0, 0x80000000, "buffer")}
${consoleIo("write -1", 0, -1, "buffer")}
${consoleIo("read 0", 1, 0, "buffer")}
${consoleIo("read 4", 1, 4, "buffer")}
${consoleIo("command 2", 2, 0, "buffer")}
${consoleIo("command 99", 99, 0, "buffer")}
`;
