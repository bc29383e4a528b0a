//! The limit of a file's size (`ulimit -f`). The system ends a process that goes over it, in the middle of whatever it does,
//! unless that takes the signal.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use rustix::process::{Resource, getrlimit};

/// Lets a write that goes over the limit fail as others do, so that what was begun is undone. Programs that take this one's
/// place are ended as ever.
pub fn survive_size_limit() {
    if getrlimit(Resource::Fsize).current.is_some() {
        // That it can't be taken is no reason not to try.
        let _ = signal_hook::flag::register(signal_hook::consts::SIGXFSZ, Arc::new(AtomicBool::new(false)));
    }
}
