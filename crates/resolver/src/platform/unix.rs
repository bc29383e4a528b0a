//! Unix: signals.

use std::pin::pin;

use futures::future::{Either, select};
use tokio::signal::unix::{SignalKind, signal};

/// What shells say of a process that a signal ended, before the signal's number is added.
const SIGNALLED: i32 = 128;

/// Waits for ^C or SIGTERM, and returns with what the process then ends: 130 or 143. `None` where nobody can wait for that.
pub(crate) async fn asked_to_end() -> Option<i32> {
    let mut interrupt = signal(SignalKind::interrupt()).ok()?;
    let mut terminate = signal(SignalKind::terminate()).ok()?;
    let kind = match select(pin!(interrupt.recv()), pin!(terminate.recv())).await {
        Either::Left((came, _)) => came.map(|()| SignalKind::interrupt()),
        Either::Right((came, _)) => came.map(|()| SignalKind::terminate()),
    };
    kind.map(|kind| SIGNALLED + kind.as_raw_value())
}
