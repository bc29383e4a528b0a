//! What ^C and `kill` do while an operation asks, fetches and builds: they end the process, and say what came of it.

use std::sync::Once;

use virtpy_venv::Phase;

use crate::{Host, Level, unfinished};

/// From now on they are answered. What it finds in the making is swept by a collection; what was downloaded and unpacked is kept.
pub(crate) fn watch(host: &Host) {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let caller = host.shared_caller();
        virtpy_resolver::on_interrupt(move || {
            // What is done to a venv is brought to its end by the next command, and then fits to the files as they are.
            if Phase::current() == Phase::Untouched {
                unfinished::put_back_at_the_end();
            }
            caller.tell(Level::Message, &sentence(Phase::current()));
        });
    });
}

fn sentence(phase: Phase) -> &'static str {
    match phase {
        Phase::Untouched => "Interrupted: nothing was changed; what was downloaded is kept for the next try",
        Phase::UnderWay => "Interrupted while a venv was made or changed: the next command puts that right",
        Phase::Changed => "Interrupted after the venv was changed",
    }
}
