export { createChangeQueue, type ChangeQueue } from "./change_queue.js";
export { mergeChanges, type Merged } from "./merge.js";
