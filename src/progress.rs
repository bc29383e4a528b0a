//! What long work looks like: bars on a terminal, silence in a pipe.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::install;
use crate::install::Reporter;
use crate::output::Output;

/// Shows downloads and builds while they run, and nothing of them afterwards.
pub struct Progress {
    output: Output,
    bars: MultiProgress,
    running: Mutex<HashMap<String, ProgressBar>>,
    spinner: ProgressBar,
}

impl Progress {
    /// Begins with a line that says what is being done.
    pub fn new(output: Output, what: &'static str) -> Self {
        let target =
            if output.shows_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        let spinner = bars.add(ProgressBar::new_spinner());
        spinner.set_message(what);
        if output.shows_progress() {
            spinner.enable_steady_tick(Duration::from_millis(120));
        }
        Self { output, bars, running: Mutex::new(HashMap::new()), spinner }
    }

    fn add(&self, package: &str, bar: ProgressBar) {
        if let Ok(mut running) = self.running.lock() {
            running.insert(package.to_owned(), bar);
        }
    }
}

/// A bar for work of which the amount is known.
pub struct Counter(ProgressBar);

impl Counter {
    /// Begins with a word for what is being done, to so many things.
    pub fn new(output: Output, what: &'static str, count: usize) -> Self {
        let target =
            if output.shows_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(count as u64), target);
        let style = ProgressStyle::with_template("{msg} {bar:30} {pos}/{len}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        Self(bar)
    }

    /// One more is done.
    pub fn tick(&self) {
        self.0.inc(1);
    }

    /// Lets something be printed while the bar is away.
    pub fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        self.0.suspend(print)
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.spinner.finish_and_clear();
        let _ = self.bars.clear();
    }
}

impl install::Progress for Progress {
    fn stage(&self, what: &'static str) {
        self.spinner.set_message(what);
    }
}

impl Reporter for Progress {
    fn download_started(&self, package: &str, bytes: Option<u64>) {
        let style =
            ProgressStyle::with_template("{msg:30!} {bar:24} {bytes:>10}/{total_bytes:10} {bytes_per_sec}");
        let bar = self.bars.add(ProgressBar::new(bytes.unwrap_or(0)));
        if let Ok(style) = style {
            bar.set_style(style);
        }
        bar.set_message(package.to_owned());
        self.add(package, bar);
    }

    fn downloaded(&self, package: &str, bytes: u64) {
        if let Ok(running) = self.running.lock()
            && let Some(bar) = running.get(package)
        {
            bar.set_position(bytes);
        }
    }

    fn build_started(&self, package: &str) {
        self.output.detail(format_args!("building {package}"));
        let bar = self.bars.add(ProgressBar::new_spinner());
        bar.set_message(format!("building {package}"));
        self.add(package, bar);
    }

    fn finished(&self, package: &str) {
        if let Ok(mut running) = self.running.lock()
            && let Some(bar) = running.remove(package)
        {
            bar.finish_and_clear();
        }
    }

    fn warning(&self, message: &str) {
        self.bars.suspend(|| self.output.warning(message));
    }
}
