/** Imported from the host under "env"; only the race build keeps it (asyncify makes it a real suspension point). */
export declare function suspend(window: i32, addr: u32, kind: u32): void;
