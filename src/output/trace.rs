//! What the libraries underneath note while they work: all of it for whoever wants to know more than `-v` says (the variable
//! `VIRTPY_LOG` has the levels, such as `debug` or `uv_client=trace`), and what builds print for those who said `-v`.

use std::io;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _};
use virtpy_resolver::build_output;

use super::shown;

/// The variable that asks for it.
const VARIABLE: &str = "VIRTPY_LOG";

/// Begins to write these notes to standard error, if somebody wants them, and to tell `hear` what builds print, if there is one: each
/// line after the package. Returns what is wrong with the levels.
pub fn begin(hear: Option<fn(&str, &str)>) -> Option<String> {
    let levels = std::env::var(VARIABLE).ok().filter(|levels| !levels.is_empty());
    let (filter, problem) = match levels.as_deref().map(EnvFilter::try_new) {
        None => (None, None),
        Some(Ok(filter)) => (Some(filter), None),
        Some(Err(error)) => (None, Some(format!("the variable `{VARIABLE}` makes no sense: {error}"))),
    };
    if filter.is_none() && hear.is_none() {
        return problem;
    }
    let notes = filter.map(|filter| {
        tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Masked).with_filter(filter)
    });
    tracing_subscriber::registry().with(notes).with(hear.map(build_output)).init();
    problem
}

/// Standard error, without what nobody else may know and what commands the terminal.
struct Masked;

impl io::Write for Masked {
    fn write(&mut self, note: &[u8]) -> io::Result<usize> {
        io::stderr().write_all(shown(&String::from_utf8_lossy(note)).as_bytes())?;
        Ok(note.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
