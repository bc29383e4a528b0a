//! What a command printed and how it ended, with the checks that most tests make of it.

use std::fmt::Write as _;

/// A finished command.
#[derive(Debug)]
pub(crate) struct Output {
    /// The command line, for the messages of failed checks.
    pub(crate) command: String,
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// Standard output as it was.
    pub(crate) raw_stdout: String,
    /// Standard error as it was.
    pub(crate) raw_stderr: String,
    /// Paths that the normal form of the output replaces, with their placeholders.
    pub(crate) filters: Vec<(String, &'static str)>,
}

impl Output {
    /// Everything about the command, for a failed check.
    pub(crate) fn dump(&self) -> String {
        format!(
            "$ {}\nexit code: {:?}\n--- stdout\n{}\n--- stderr\n{}\n",
            self.command, self.code, self.raw_stdout, self.raw_stderr
        )
    }

    /// Panics unless the command ended with 0.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert_eq!(self.code, Some(0), "should have succeeded\n{}", self.dump());
        self
    }

    /// Panics unless the command ended with `code`, and if it panicked itself.
    #[track_caller]
    pub(crate) fn failure(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "should have failed with {code}\n{}", self.dump());
        assert!(!self.raw_stderr.contains("panicked at"), "the program panicked\n{}", self.dump());
        self
    }

    /// Panics unless the command failed with 1 and told so in one error: nothing on standard output, one `error:`
    /// line first (warnings and progress aside), then causes and hints only, and no word of the libraries below.
    #[track_caller]
    pub(crate) fn one_error(self) -> Self {
        let output = self.failure(1);
        assert!(output.raw_stdout.is_empty(), "a failed command prints no data\n{}", output.dump());
        let errors = output.raw_stderr.lines().filter(|line| line.starts_with("error: ")).count();
        assert_eq!(errors, 1, "there should be one error\n{}", output.dump());
        let words = |line: &str| line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == "uv");
        assert!(!output.raw_stderr.lines().any(words), "the message names a library\n{}", output.dump());
        assert!(!output.raw_stderr.contains("UV_"), "the message names a library\n{}", output.dump());
        output
    }

    /// Panics unless standard error contains `text`.
    #[track_caller]
    pub(crate) fn stderr_has(self, text: &str) -> Self {
        assert!(self.stderr().contains(text), "stderr should contain {text:?}\n{}", self.dump());
        self
    }

    /// Panics if standard error contains `text`.
    #[track_caller]
    pub(crate) fn stderr_lacks(self, text: &str) -> Self {
        assert!(!self.stderr().contains(text), "stderr should not contain {text:?}\n{}", self.dump());
        self
    }

    /// Panics unless standard output contains `text`.
    #[track_caller]
    pub(crate) fn stdout_has(self, text: &str) -> Self {
        assert!(self.stdout().contains(text), "stdout should contain {text:?}\n{}", self.dump());
        self
    }

    /// Panics unless standard output, in its normal form, is `text`.
    #[track_caller]
    pub(crate) fn stdout_is(self, text: &str) -> Self {
        assert_eq!(self.stdout(), text, "unexpected stdout\n{}", self.dump());
        self
    }

    /// Standard output with paths and times replaced by placeholders.
    pub(crate) fn stdout(&self) -> String {
        self.normal(&self.raw_stdout)
    }

    /// Standard error with paths and times replaced by placeholders.
    pub(crate) fn stderr(&self) -> String {
        self.normal(&self.raw_stderr)
    }

    /// Standard output's lines.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.raw_stdout.lines().collect()
    }

    /// Standard output read as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        match serde_json::from_str(&self.raw_stdout) {
            Ok(value) => value,
            Err(error) => panic!("stdout is no JSON: {error}\n{}", self.dump()),
        }
    }

    fn normal(&self, text: &str) -> String {
        let mut normal = text.to_owned();
        for (from, to) in &self.filters {
            normal = normal.replace(from, to);
        }
        replace_times(&normal)
    }
}

/// Replaces durations such as `12 ms` and `1.25 s` by `[TIME]`.
fn replace_times(text: &str) -> String {
    let mut normal = String::new();
    for (at, line) in text.split('\n').enumerate() {
        if at > 0 {
            normal.push('\n');
        }
        let words: Vec<&str> = line.split(' ').collect();
        let mut skip = false;
        for (position, word) in words.iter().enumerate() {
            if skip {
                skip = false;
                continue;
            }
            let separator = if position > 0 { " " } else { "" };
            let unit = words.get(position + 1).map(|next| next.trim_end_matches([',', ')', '.', ':']));
            let is_number = word.parse::<f64>().is_ok();
            if is_number && matches!(unit, Some("ms" | "s" | "µs")) {
                let after = words[position + 1].trim_start_matches(['m', 's', 'µ']);
                let _ = write!(normal, "{separator}[TIME]{after}");
                skip = true;
            } else {
                let _ = write!(normal, "{separator}{word}");
            }
        }
    }
    normal
}
