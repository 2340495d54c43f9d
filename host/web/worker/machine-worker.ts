/** The worker of one machine. Two machines side by side are two workers. */
import { expose } from "comlink";
import { MachineService } from "./machine-service.ts";

expose(new MachineService());
