//! Answering ^C, and a polite `kill`.

use std::thread;

use crate::platform::{asked_to_end, end_children};

/// From now on ^C and SIGTERM call this, and then end the process with 130 and 143, as they do without it, and the programs that it
/// has started. Where that cannot be set up, they end the process as they do
/// without it. Programs that take this process's place are not concerned.
pub fn on_interrupt(act: impl FnOnce() + Send + 'static) {
    let watch = move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
        if let Some(code) = runtime.block_on(asked_to_end()) {
            act();
            end_children();
            #[expect(clippy::exit, reason = "nobody else can end what other threads are at")]
            std::process::exit(code);
        }
    };
    // Without a thread nothing is set up.
    let _ = thread::Builder::new().name("interrupt".to_owned()).spawn(watch);
}
