//! What long work looks like: bars on a terminal, and in a pipe a line for each stage that takes its time.

mod notices;

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use crate::install;
use crate::install::Reporter;
use crate::output::{self, Output, bytes, counted, escaped};
use notices::Notices;

/// How a line looks that is only words. What does not fit into the terminal is cut.
const WORDS: &str = "{spinner} {wide_msg}";

/// How a download looks.
const DOWNLOAD: &str = "  {msg:22!} {wide_bar} {decimal_bytes:>10} / {decimal_total_bytes:10}";

/// How one looks in a terminal that has no room for a bar.
const NARROW_DOWNLOAD: &str = "  {wide_msg} {decimal_bytes:>10}";

/// From so many columns on there is room for one.
const WIDE: u16 = 56;

/// How one looks that has come and is unpacked.
const UNPACKING: &str = "  {msg:22!} unpacking";

/// How a build looks, with the last line of what it prints.
const BUILD: &str = "  building {prefix} ({seconds} s) {wide_msg}";

/// How much of a package's name and version is shown of a build, so that it fits.
const LONGEST_LABEL: usize = 34;

/// How much in a narrow terminal.
const SHORT_LABEL: usize = 16;

/// The downloads and builds that are under way, by package.
type Running = Arc<Mutex<HashMap<String, ProgressBar>>>;

/// Where it is shown what builds print.
static SHOWN: Mutex<Option<(ProgressBar, Running)>> = Mutex::new(None);

/// Shows a line that the build of a package prints: beside the build, or in the first line while nothing but its metadata is
/// asked for.
pub fn heard(package: &str, line: &str) {
    let shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let Some((first, running)) = shown.as_ref() else { return };
    let line = escaped(line.trim());
    let running = running.lock().unwrap_or_else(PoisonError::into_inner);
    match running.get(package) {
        Some(bar) => bar.set_message(line.into_owned()),
        None => first.set_message(format!("building {package} {line}")),
    }
}

/// Shows downloads and builds while they run, and nothing of them afterwards.
pub struct Progress {
    output: Output,
    bars: MultiProgress,
    running: Running,
    total: Mutex<Total>,
    spinner: ProgressBar,
    notices: Option<Notices>,
    /// Whether the terminal had room for bars when it was last looked at.
    was_wide: AtomicBool,
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

/// How far what is under way is.
#[derive(Default)]
struct UnderWay {
    /// What came of it, in bytes.
    came: u64,
    /// What will have come of it, as far as that is known.
    announced: u64,
    /// How many of them have come and are unpacked.
    unpacking: usize,
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
            output::draw(Some(bars.clone()));
            spinner.enable_steady_tick(TICK);
        }
        let running = Running::default();
        if output.shows_details() {
            let mut shown = SHOWN.lock().unwrap_or_else(PoisonError::into_inner);
            *shown = Some((spinner.clone(), Arc::clone(&running)));
        }
        let notices = output.gives_notice().then(|| Notices::new(move |line| output.message(line)));
        if let Some(notices) = &notices {
            notices.begin(STAGE, what.to_owned());
        }
        let total = Total { since: Instant::now(), what, expected: 0, done: 0, bytes: 0 };
        Self {
            output,
            bars,
            running,
            total: Mutex::new(total),
            spinner,
            notices,
            was_wide: AtomicBool::new(is_wide(output)),
        }
    }

    fn add(&self, package: &str, bar: ProgressBar) {
        if let Ok(mut running) = self.running.lock() {
            running.insert(package.to_owned(), bar);
        }
    }

    /// Says in the first line how far everything is.
    fn tell_total(&self) {
        let Ok(running) = self.running.lock() else { return };
        let mut under_way = UnderWay::default();
        for (came, announced) in running.values().filter_map(|bar| Some((bar.position(), bar.length()?))) {
            under_way.came += came;
            under_way.announced += announced;
            under_way.unpacking += usize::from(announced > 0 && came >= announced);
        }
        drop(running);
        if let Ok(total) = self.total.lock() {
            self.spinner.set_message(total.told(&under_way));
            if let Some(notices) = self.notices.as_ref().filter(|_| total.is_only_unpacking(&under_way)) {
                notices.begin(STAGE, "unpacking".to_owned());
            }
        }
    }
}

impl Total {
    /// Whether all has come, and some of it is still being unpacked.
    fn is_only_unpacking(&self, under_way: &UnderWay) -> bool {
        under_way.unpacking > 0 && self.done + under_way.unpacking == self.expected
    }

    /// One line.
    fn told(&self, under_way: &UnderWay) -> String {
        let UnderWay { came, announced, .. } = *under_way;
        if self.expected == 0 {
            return self.what.to_owned();
        }
        if self.is_only_unpacking(under_way) {
            return format!("unpacking {}/{}, {}", self.done, self.expected, bytes(self.bytes + came));
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

/// What notices about the present stage are about.
const STAGE: &str = "";

/// Whether the terminal has room for bars, as wide as it is now; nobody asks it where nothing is shown.
fn is_wide(output: Output) -> bool {
    !output.shows_progress()
        || terminal_size::terminal_size_of(std::io::stderr()).is_none_or(|(columns, _)| columns.0 >= WIDE)
}

fn download_style(wide: bool) -> ProgressStyle {
    style(if wide { DOWNLOAD } else { NARROW_DOWNLOAD })
}

/// A text that fits into so many columns, as far as each letter takes one.
fn shortened(text: &str, longest: usize) -> String {
    if text.chars().count() <= longest {
        return text.to_owned();
    }
    text.chars().take(longest - 1).chain(['…']).collect()
}

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
        if self.output.shows_details() {
            *SHOWN.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
        self.spinner.finish_and_clear();
        let _ = self.bars.clear();
        if self.output.shows_progress() {
            output::draw(None);
        }
    }
}

impl install::Progress for Progress {
    fn stage(&self, what: &'static str) {
        if let Ok(mut total) = self.total.lock() {
            *total = Total { since: Instant::now(), what, expected: 0, done: 0, bytes: 0 };
        }
        if let Some(notices) = &self.notices {
            notices.begin(STAGE, what.to_owned());
        }
        self.spinner.set_message(what);
    }
}

impl Reporter for Progress {
    fn expect(&self, count: usize) {
        if let Ok(mut total) = self.total.lock() {
            total.expected = count;
            if let Some(notices) = &self.notices {
                notices.begin(STAGE, format!("{} {}", total.what, counted(count, "package")));
            }
        }
    }

    fn download_started(&self, package: &str, bytes: Option<u64>) {
        let bar = ProgressBar::new(bytes.unwrap_or(0)).with_style(download_style(is_wide(self.output)));
        let bar = self.bars.add(bar.with_message(package.to_owned()));
        self.add(package, bar);
        self.tell_total();
    }

    fn downloaded(&self, package: &str, bytes: u64) {
        if let Ok(running) = self.running.lock()
            && let Some(bar) = running.get(package)
        {
            bar.set_position(bytes);
            let wide = is_wide(self.output);
            if bar.length().is_some_and(|length| length > 0 && bytes >= length) {
                bar.set_style(style(UNPACKING));
            } else if self.was_wide.swap(wide, Ordering::Relaxed) != wide {
                // Builds have no length.
                let incomplete =
                    |bar: &&ProgressBar| bar.length().is_some_and(|length| bar.position() < length);
                running.values().filter(incomplete).for_each(|bar| bar.set_style(download_style(wide)));
            }
        }
        self.tell_total();
    }

    fn build_started(&self, package: &str) {
        self.output.detail(format_args!("building {package}"));
        if let Some(notices) = &self.notices {
            notices.begin(package, format!("building {package}"));
        }
        let seconds = |state: &ProgressState, line: &mut dyn std::fmt::Write| {
            let _ = write!(line, "{}", state.elapsed().as_secs());
        };
        let bar = ProgressBar::new_spinner().with_style(style(BUILD).with_key("seconds", seconds));
        let longest = if is_wide(self.output) { LONGEST_LABEL } else { SHORT_LABEL };
        let bar = self.bars.add(bar.with_prefix(shortened(package, longest)));
        if self.output.shows_progress() {
            bar.enable_steady_tick(TICK);
        }
        self.add(package, bar);
    }

    fn finished(&self, package: &str) {
        if let Some(notices) = &self.notices {
            notices.end(package);
        }
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
        self.output.warning(message);
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
        let under_way = |came, announced| UnderWay { came, announced, unpacking: 0 };
        assert_eq!(of(0, 5).told(&under_way(0, 0)), "fetching");
        assert_eq!(of(9, 0).told(&under_way(2_000_000, 3_000_000)), "fetching 2/9, 8.0 MB");
        assert_eq!(
            of(9, 4).told(&under_way(2_000_000, 12_000_000)),
            "fetching 2/9, 8.0 MB, 5 s left for what is under way"
        );
        let unpacking = UnderWay { came: 2_000_000, announced: 2_000_000, unpacking: 7 };
        assert_eq!(of(9, 4).told(&unpacking), "unpacking 2/9, 8.0 MB");
        assert_eq!(shortened("demo 1.0", 8), "demo 1.0");
        assert_eq!(shortened("demo 1.0.1", 8), "demo 1.…");
    }
}
