//! What the system's numbers of errors say that the standard library has no kind for.

const INVALID_FUNCTION: i32 = 1;
const TOO_MANY_OPEN_FILES: i32 = 4;
const CRC: i32 = 23;
const SECTOR_NOT_FOUND: i32 = 27;
const WRITE_FAULT: i32 = 29;
const READ_FAULT: i32 = 30;
const SHARING_VIOLATION: i32 = 32;
const LOCK_VIOLATION: i32 = 33;
const NOT_SUPPORTED: i32 = 50;
const IO_DEVICE: i32 = 1117;

/// What is answered to who may not make symbolic links.
pub(super) const PRIVILEGE_NOT_HELD: i32 = 1314;

/// Whether a file system says that it has no locks.
pub(crate) fn has_no_locks(number: i32) -> bool {
    matches!(number, INVALID_FUNCTION | NOT_SUPPORTED)
}

/// Whether the disk could not be read or written.
pub(crate) fn is_failing_disk(number: i32) -> bool {
    matches!(number, CRC | SECTOR_NOT_FOUND | WRITE_FAULT | READ_FAULT | IO_DEVICE)
}

/// What a user can do about it.
pub(crate) fn hint_by_number(number: i32) -> Option<&'static str> {
    match number {
        TOO_MANY_OPEN_FILES => Some("close other programs, then run the command again"),
        SHARING_VIOLATION | LOCK_VIOLATION => {
            Some("another program has it open: close that, then run the command again")
        }
        PRIVILEGE_NOT_HELD => Some(
            "Windows lets only administrators make symbolic links, and everybody where the developer mode is switched on: \
             switch it on, or make the venv with `--link-mode copy`",
        ),
        number if is_failing_disk(number) => {
            Some("the disk or its connection is failing: see the system's log, and save what is on it")
        }
        _ => None,
    }
}
