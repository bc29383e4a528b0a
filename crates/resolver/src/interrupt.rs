//! Answering ^C.

use std::thread;

use tokio::signal::unix::{SignalKind, signal};

/// What shells say of a process that ^C ended.
const INTERRUPTED: i32 = 130;

/// From now on ^C calls this, and then ends the process with 130. Where that cannot be set up, ^C ends the process as it does
/// without it. Programs that take this process's place are not concerned.
pub fn on_interrupt(act: impl FnOnce() + Send + 'static) {
    let watch = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        let came = runtime.block_on(async { signal(SignalKind::interrupt()).ok()?.recv().await });
        if came.is_some() {
            act();
            #[expect(clippy::exit, reason = "nobody else can end what other threads are at")]
            std::process::exit(INTERRUPTED);
        }
    };
    // Without a thread nothing is set up.
    let _ = thread::Builder::new().name("interrupt".to_owned()).spawn(watch);
}
