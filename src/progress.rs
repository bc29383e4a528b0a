//! What long work looks like: bars on a terminal, silence in a pipe.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::install;
use crate::install::Reporter;
use crate::output::{Output, bytes};

/// How a line looks that is only words. What does not fit into the terminal is cut.
const WORDS: &str = "{spinner} {wide_msg}";

/// How a download looks, in a terminal of any width from 60 columns on.
const DOWNLOAD: &str = "  {msg:22!} {wide_bar} {decimal_bytes:>10} / {decimal_total_bytes:10}";

/// How a build looks.
const BUILD: &str = "  {wide_msg} {elapsed:>6}";

/// Shows downloads and builds while they run, and nothing of them afterwards.
pub struct Progress {
    output: Output,
    bars: MultiProgress,
    running: Mutex<HashMap<String, ProgressBar>>,
    total: Mutex<Total>,
    spinner: ProgressBar,
}

/// How far everything is.
struct Total {
    since: Instant,
    what: &'static str,
    /// How many things there are, once that is known.
    expected: usize,
    done: usize,
    /// What is complete, in bytes.
    bytes: u64,
}

impl Progress {
    /// Begins with a line that says what is being done.
    pub fn new(output: Output, what: &'static str) -> Self {
        let target =
            if output.shows_progress() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bars = MultiProgress::with_draw_target(target);
        let spinner = bars.add(ProgressBar::new_spinner().with_style(style(WORDS)));
        spinner.set_message(what);
        if output.shows_progress() {
            spinner.enable_steady_tick(TICK);
        }
        let total = Total { since: Instant::now(), what, expected: 0, done: 0, bytes: 0 };
        Self { output, bars, running: Mutex::new(HashMap::new()), total: Mutex::new(total), spinner }
    }

    fn add(&self, package: &str, bar: ProgressBar) {
        if let Ok(mut running) = self.running.lock() {
            running.insert(package.to_owned(), bar);
        }
    }

    /// Says in the first line how far everything is.
    fn tell_total(&self) {
        let Ok(running) = self.running.lock() else { return };
        let under_way = running.values().filter_map(|bar| Some((bar.position(), bar.length()?)));
        let (came, announced) = under_way.fold((0, 0), |sum, bar| (sum.0 + bar.0, sum.1 + bar.1));
        drop(running);
        if let Ok(total) = self.total.lock() {
            self.spinner.set_message(total.told(came, announced));
        }
    }
}

impl Total {
    /// One line; given is what came of the downloads under way, and what will.
    fn told(&self, came: u64, announced: u64) -> String {
        if self.expected == 0 {
            return self.what.to_owned();
        }
        let mut text = format!("{} {}/{}, {}", self.what, self.done, self.expected, bytes(self.bytes + came));
        let (elapsed, left) = (self.since.elapsed(), announced.saturating_sub(came));
        let have = u128::from(self.bytes + came);
        // Of what has not begun nobody knows the size.
        if left > 0 && have > 0 && elapsed > Duration::from_secs(1) {
            let seconds = (u128::from(left) * elapsed.as_millis()).div_ceil(have * 1000);
            let _ = write!(text, ", {seconds} s left for what is under way");
        }
        text
    }
}

/// How often what turns is drawn.
const TICK: Duration = Duration::from_millis(120);

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
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
        if let Ok(mut total) = self.total.lock() {
            *total = Total { since: Instant::now(), what, expected: 0, done: 0, bytes: 0 };
        }
        self.spinner.set_message(what);
    }
}

impl Reporter for Progress {
    fn expect(&self, count: usize) {
        if let Ok(mut total) = self.total.lock() {
            total.expected = count;
        }
    }

    fn download_started(&self, package: &str, bytes: Option<u64>) {
        let bar = ProgressBar::new(bytes.unwrap_or(0)).with_style(style(DOWNLOAD));
        let bar = self.bars.add(bar.with_message(package.to_owned()));
        self.add(package, bar);
        self.tell_total();
    }

    fn downloaded(&self, package: &str, bytes: u64) {
        if let Ok(running) = self.running.lock()
            && let Some(bar) = running.get(package)
        {
            bar.set_position(bytes);
        }
        self.tell_total();
    }

    fn build_started(&self, package: &str) {
        self.output.detail(format_args!("building {package}"));
        let bar = ProgressBar::new_spinner().with_style(style(BUILD));
        let bar = self.bars.add(bar.with_message(format!("building {package}")));
        if self.output.shows_progress() {
            bar.enable_steady_tick(TICK);
        }
        self.add(package, bar);
    }

    fn finished(&self, package: &str) {
        let bar = self.running.lock().ok().and_then(|mut running| running.remove(package));
        if let Some(bar) = bar {
            if let Ok(mut total) = self.total.lock() {
                total.done += 1;
                total.bytes += bar.length().unwrap_or(0);
            }
            bar.finish_and_clear();
        }
        self.tell_total();
    }

    fn warning(&self, message: &str) {
        self.bars.suspend(|| self.output.warning(message));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_says_how_far_everything_is() {
        let of = |expected, seconds| Total {
            since: Instant::now().checked_sub(Duration::from_secs(seconds)).unwrap(),
            what: "fetching",
            expected,
            done: 2,
            bytes: 6_000_000,
        };
        assert_eq!(of(0, 5).told(0, 0), "fetching");
        assert_eq!(of(9, 0).told(2_000_000, 3_000_000), "fetching 2/9, 8.0 MB");
        assert_eq!(
            of(9, 4).told(2_000_000, 12_000_000),
            "fetching 2/9, 8.0 MB, 5 s left for what is under way"
        );
    }
}
