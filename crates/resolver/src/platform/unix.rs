//! Unix: signals.

use std::pin::pin;

use futures::future::{Either, select};
use rustix::process::{Pid, Signal, kill_process};
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

/// Asks the programs that this process has started to end as well: a build goes on for hours otherwise, for nobody. Only Linux tells
/// which they are.
#[expect(clippy::disallowed_methods, reason = "what is read is the kernel's word about this process")]
pub(crate) fn end_children() {
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let lists = threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("children")).ok());
    for list in lists {
        let children = list.split_whitespace().filter_map(|number| Pid::from_raw(number.parse().ok()?));
        for child in children {
            // One that has ended meanwhile is a zombie until this process ends, so it is nobody else's number.
            let _ = kill_process(child, Signal::TERM);
        }
    }
}
