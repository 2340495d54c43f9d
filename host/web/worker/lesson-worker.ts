/** The worker of the page of lessons. */
import { expose } from "comlink";
import { LessonService } from "./lesson-service.ts";

expose(new LessonService());
