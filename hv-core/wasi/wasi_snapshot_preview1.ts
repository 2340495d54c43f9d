/** The system calls the command module imports; the file's name is the import module (WASI preview 1). Results are errno, 0 = success. */
export declare function args_sizes_get(count: usize, bytes: usize): i32;
export declare function args_get(argv: usize, buffer: usize): i32;
export declare function fd_write(fd: i32, iovs: usize, count: usize, written: usize): i32;
export declare function fd_read(fd: i32, iovs: usize, count: usize, read: usize): i32;
export declare function fd_pread(fd: i32, iovs: usize, count: usize, offset: u64, read: usize): i32;
export declare function fd_close(fd: i32): i32;
export declare function path_open(
  dir: i32,
  dirFlags: i32,
  path: usize,
  pathBytes: usize,
  openFlags: i32,
  rights: u64,
  rightsInheriting: u64,
  fdFlags: i32,
  opened: usize,
): i32;
export declare function proc_exit(code: i32): void;
