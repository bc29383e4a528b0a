//! The umask of the process. One that lets everybody write (`umask 000`, as some containers have it) would let everybody put
//! code into the store and into venvs.

use std::sync::OnceLock;

use rustix::fs::Mode;
use rustix::process::umask;

/// What the umask was when the process began.
static INHERITED: OnceLock<Mode> = OnceLock::new();

/// Makes sure that others than the user and a group of his cannot write what this process makes. A umask that lets them would
/// hardly spare the group on purpose, so neither can the group then.
pub fn narrow_umask() {
    let safe = Mode::WGRP | Mode::WOTH;
    // It is read by setting it.
    let inherited = umask(safe);
    let _ = INHERITED.set(inherited);
    umask(if inherited.contains(Mode::WOTH) { inherited } else { inherited | safe });
}

/// Puts back what the process began with, for a program that takes its place.
pub fn restore_umask() {
    if let Some(inherited) = INHERITED.get() {
        umask(*inherited);
    }
}
