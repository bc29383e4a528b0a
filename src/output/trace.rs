//! What the libraries underneath note while they work, for whoever wants to know more than `-v` says: the variable `VIRTPY_LOG`
//! has the levels, such as `debug` or `uv_client=trace`.

use std::io;

use tracing_subscriber::EnvFilter;

use super::shown;

/// The variable that asks for it.
const VARIABLE: &str = "VIRTPY_LOG";

/// Begins to write these notes to standard error, if somebody wants them. Returns what is wrong with the levels.
pub fn begin() -> Option<String> {
    let levels = std::env::var(VARIABLE).ok().filter(|levels| !levels.is_empty())?;
    match EnvFilter::try_new(&levels) {
        Ok(filter) => {
            tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Masked).init();
            None
        }
        Err(error) => Some(format!("the variable `{VARIABLE}` makes no sense: {error}")),
    }
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
