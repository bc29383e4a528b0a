//! What systems do differently: what there is beside files and folders.

#[cfg(unix)]
mod unix;
#[cfg(unix)]
pub(crate) use unix::special_kind;

#[cfg(windows)]
mod windows;
#[cfg(windows)]
pub(crate) use windows::special_kind;
