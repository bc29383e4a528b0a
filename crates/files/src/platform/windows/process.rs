//! As whom this process works. Windows knows users by what only calls without a safe form tell.

use super::facts::UNKNOWN_USER;

/// A user to whom nothing belongs, as far as is known: whatever asks whether a file is its own hears that it is not.
pub(crate) fn effective_user() -> u32 {
    UNKNOWN_USER - 1
}

/// Whether there is a process of this number: of none is that known.
pub(crate) fn is_running(_number: &str) -> bool {
    false
}

/// There is no umask: who may write what this process makes, the folder says in which that is made.
pub fn narrow_umask() {}

/// There is no umask.
pub fn restore_umask() {}

/// There is no limit of a file's size.
pub fn survive_size_limit() {}
