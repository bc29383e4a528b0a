//! How far this process is with changing venvs, for whoever interrupts it.

use std::sync::atomic::{AtomicU8, Ordering};

/// How far this process is with changing venvs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    /// Nothing was changed yet.
    Untouched,
    /// A venv is being made or changed. Who is stopped now leaves what the next command puts right.
    UnderWay,
    /// A venv was changed.
    Changed,
}

static PHASE: AtomicU8 = AtomicU8::new(Phase::Untouched as u8);

impl Phase {
    /// How far this process is.
    pub fn current() -> Self {
        match PHASE.load(Ordering::Relaxed) {
            0 => Self::Untouched,
            1 => Self::UnderWay,
            _ => Self::Changed,
        }
    }

    /// Says how far it is from now on.
    pub fn enter(self) {
        PHASE.store(self as u8, Ordering::Relaxed);
    }
}
