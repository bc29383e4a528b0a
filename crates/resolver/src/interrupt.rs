//! Answering ^C, and a polite `kill`.

use std::pin::pin;
use std::thread;

use futures::future::{Either, select};
use tokio::signal::unix::{SignalKind, signal};

/// What shells say of a process that a signal ended, before the signal's number is added.
const SIGNALLED: i32 = 128;

/// From now on ^C and SIGTERM call this, and then end the process with 130 and 143, as they do without it. Where that cannot be set up, they end the process as they do
/// without it. Programs that take this process's place are not concerned.
pub fn on_interrupt(act: impl FnOnce() + Send + 'static) {
    let watch = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        let came = runtime.block_on(async {
            let mut interrupt = signal(SignalKind::interrupt()).ok()?;
            let mut terminate = signal(SignalKind::terminate()).ok()?;
            match select(pin!(interrupt.recv()), pin!(terminate.recv())).await {
                Either::Left((came, _)) => came.map(|()| SignalKind::interrupt()),
                Either::Right((came, _)) => came.map(|()| SignalKind::terminate()),
            }
        });
        if let Some(kind) = came {
            act();
            #[expect(clippy::exit, reason = "nobody else can end what other threads are at")]
            std::process::exit(SIGNALLED + kind.as_raw_value());
        }
    };
    // Without a thread nothing is set up.
    let _ = thread::Builder::new().name("interrupt".to_owned()).spawn(watch);
}
