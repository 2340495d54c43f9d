/** The worker of the page of races. */
import { expose } from "comlink";
import { RaceService } from "./race-service.ts";

expose(new RaceService());
