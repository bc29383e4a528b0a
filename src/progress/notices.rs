//! Long work where there is no terminal: a line for each stage that takes its time, so that the log of a machine that nobody watches
//! says what it waits for.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// For how long work goes on before a line is worth it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Lines that are said unless what they are about is over before.
pub(super) struct Notices {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<Notice>,
    is_over: bool,
}

struct Notice {
    due: Instant,
    about: String,
    line: String,
}

impl Notices {
    /// Says them by `say`; by nothing at all where there is no thread to be had.
    pub(super) fn new(say: impl Fn(&str) + Send + 'static) -> Self {
        let shared = Arc::<Shared>::default();
        let theirs = Arc::clone(&shared);
        let thread =
            thread::Builder::new().name("notices".to_owned()).spawn(move || theirs.say_when_due(&say));
        Self { shared, thread: thread.ok() }
    }

    /// Something has begun: the line is said if it is not over soon. What was to be said about it before is not said any more.
    pub(super) fn begin(&self, about: &str, line: String) {
        self.begin_with(about, line, PATIENCE);
    }

    fn begin_with(&self, about: &str, line: String, patience: Duration) {
        let mut state = self.shared.lock();
        state.waiting.retain(|notice| notice.about != about);
        state.waiting.push(Notice { due: Instant::now() + patience, about: about.to_owned(), line });
        drop(state);
        self.shared.changed.notify_one();
    }

    /// It is over.
    pub(super) fn end(&self, about: &str) {
        self.shared.lock().waiting.retain(|notice| notice.about != about);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say_when_due(&self, say: &dyn Fn(&str)) {
        let mut state = self.lock();
        while !state.is_over {
            let now = Instant::now();
            if let Some(place) = state.waiting.iter().position(|notice| notice.due <= now) {
                say(&state.waiting.remove(place).line);
                continue;
            }
            let next = state.waiting.iter().map(|notice| notice.due).min();
            let pause = next.map_or(PATIENCE, |due| due - now);
            state = self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn only_what_takes_its_time_is_told_and_once() {
        let (sender, said) = mpsc::channel();
        let notices = Notices::new(move |line| sender.send(line.to_owned()).unwrap());
        let (soon, never) = (Duration::from_millis(20), Duration::from_mins(10));
        notices.begin_with("quick", "quick".to_owned(), never);
        notices.begin_with("stage", "fetching".to_owned(), never);
        notices.begin_with("stage", "fetching 9 packages".to_owned(), soon);
        assert_eq!(said.recv_timeout(Duration::from_mins(1)).unwrap(), "fetching 9 packages");
        notices.end("quick");
        notices.begin_with("build", "building demo 1.0".to_owned(), soon);
        assert_eq!(said.recv_timeout(Duration::from_mins(1)).unwrap(), "building demo 1.0");
        drop(notices);
        assert_eq!(said.iter().count(), 0);
    }
}
