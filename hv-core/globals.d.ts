/** Build flags given with `--use` (see asconfig.json); `isDefined(X)` folds away when one is absent. */
declare const RACE: i32;
declare const DEBUG: i32;
declare const VARIANTS: i32;
declare const WASI: i32;
/** Defined in the target "planted" only. */
declare const PLANTED: i32;
