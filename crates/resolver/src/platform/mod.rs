//! What systems do differently: how they tell a process that it is to end.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{asked_to_end, end_children};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{asked_to_end, end_children};
