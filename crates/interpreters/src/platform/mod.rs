//! What systems do differently: how a started program is ended with all that it has started, and what they say of themselves.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::{end_with_children, kernel, lead_group};

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::{end_with_children, kernel, lead_group};
