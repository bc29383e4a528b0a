//! What the system's numbers of errors say that the standard library has no kind for.

use rustix::io::Errno;

/// Whether an error number of flock(2) says that there are no locks, as some network file systems do.
pub(crate) fn has_no_locks(number: i32) -> bool {
    matches!(Errno::from_raw_os_error(number), Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS)
}

/// Whether the disk could not be read or written.
pub(crate) fn is_failing_disk(number: i32) -> bool {
    Errno::from_raw_os_error(number) == Errno::IO
}

/// What a user can do about it.
pub(crate) fn hint_by_number(number: i32) -> Option<&'static str> {
    match Errno::from_raw_os_error(number) {
        Errno::MFILE | Errno::NFILE => {
            Some("raise the limit of open files (`ulimit -n`), then run the command again")
        }
        Errno::FBIG => Some("raise the limit of a file's size (`ulimit -f`), then run the command again"),
        Errno::IO => {
            Some("the disk or its connection is failing: see the system's log, and save what is on it")
        }
        _ => None,
    }
}
