//! Numbers and times as people read them.

use std::time::Duration;

/// A duration as people read it: `7 ms`, `1.24 s`.
pub fn seconds(duration: Duration) -> String {
    let milliseconds = duration.as_millis();
    if milliseconds < 1000 {
        format!("{milliseconds} ms")
    } else {
        format!("{:.2} s", duration.as_secs_f64())
    }
}

/// A number with its noun: `1 package`, `2 packages`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
