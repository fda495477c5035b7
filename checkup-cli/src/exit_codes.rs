//! The exit codes of the command, for programs and scripts that start it.

/// Every check is healthy, or the command succeeded.
pub const HEALTHY: u8 = 0;

/// A check is degraded or down. For `wait`: in the last run before the time was up.
pub const UNHEALTHY: u8 = 1;

/// The arguments or the configuration are invalid. Nothing was checked.
pub const USAGE: u8 = 2;

/// The report might not have been stored (for `every` and `serve`: the last one), or the command itself failed.
/// A panic of the command counts as a failure, and so do checks without a verdict if no other check is degraded or down.
pub const FAILED: u8 = 3;

/// The report (for `every` and `serve`: the last one) is not stored yet. It is in the spool, and will be stored later.
pub const SPOOLED: u8 = 4;

/// A closed terminal (SIGHUP) ended `wait` or `maintain`, or was the second signal to `every` or `serve`.
pub const HANGUP: u8 = 129;

/// SIGINT (Ctrl-C) ended `wait` or `maintain`, or was the second signal to `every` or `serve`.
pub const INTERRUPTED: u8 = 130;

/// SIGTERM ended `wait` or `maintain`, or was the second signal to `every` or `serve`.
pub const TERMINATED: u8 = 143;
