//! What systems do differently: how a process is started that nobody waits for, and what gives its content only once.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{is_stream, start_apart, step_back};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{is_stream, start_apart, step_back};
