/** The WebAssembly ABI of the race build: the ordinary one, and what the explorer needs. */
export * from "./index";
export { exploreEnter, exploreLeave, exploreRun, exploreTrace, vcpuWork } from "./run/explore";
