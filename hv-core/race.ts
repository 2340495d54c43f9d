/** The WebAssembly ABI of the race build: the ordinary one, and what the explorer needs. */
export * from "./index";
export { dom0LoadPageTable } from "./run/dom0-paging";
export { exploreEnter, exploreLeave, exploreRun, exploreTrace, vcpuWork } from "./run/explore";
