//! What commands said, one after the other, in a form that is the same on every machine: to be compared with a snapshot.

use std::fmt::Write as _;

use super::{Index, Output, TestContext};

/// The commands that were run, with all that they printed.
pub(crate) struct Transcript<'a> {
    context: &'a TestContext,
    text: String,
}

impl<'a> Transcript<'a> {
    /// An empty one.
    pub(crate) fn of(context: &'a TestContext) -> Self {
        Self { context, text: String::new() }
    }

    /// One that goes on where another ended, after the context has changed.
    pub(crate) fn continued(context: &'a TestContext, text: String) -> Self {
        Self { context, text }
    }

    /// What was noted so far.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Runs the program under test with some words, and notes what it said and how it ended.
    pub(crate) fn run(&mut self, command_line: &str) -> &mut Self {
        let output = self.context.virtpy(command_line.split_whitespace());
        self.note(&format!("virtpy {command_line}"), &output)
    }

    /// Notes a command that was run, and how it ended.
    pub(crate) fn note(&mut self, command_line: &str, output: &Output) -> &mut Self {
        assert!(!output.raw_stderr.contains("panicked at"), "the program panicked\n{}", output.dump());
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let _ = writeln!(self.text, "$ {command_line}");
        self.text.push_str(&output.stdout());
        if !output.raw_stderr.is_empty() {
            let _ = writeln!(self.text, "[on stderr]\n{}", output.stderr().trim_end());
        }
        match output.code {
            Some(0) => {}
            code => {
                let _ = writeln!(self.text, "[exit code {}]", code.unwrap_or(-1));
            }
        }
        self
    }

    /// Compares everything with the snapshot of this name, in `tests/cli/snapshots`. What differs between machines and runs
    /// is replaced: times, sizes, digests, ports, the interpreter's version.
    #[track_caller]
    pub(crate) fn compare(&self, name: &str) {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("../cli/snapshots");
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        for (pattern, replacement) in self.filters() {
            settings.add_filter(&pattern, replacement);
        }
        settings.bind(|| insta::assert_snapshot!(name, self.text));
    }

    /// Patterns of what differs, in the order in which they are replaced.
    fn filters(&self) -> Vec<(String, &'static str)> {
        let python = self.context.interpreter();
        let exact = |text: &str| text.replace('.', r"\.");
        let (full, short) = (exact(&python.full_version), exact(&python.short()));
        let interpreter = exact(&python.path.to_string_lossy());
        let of_python = [
            (interpreter, "[INTERPRETER]"),
            // Which others a machine has.
            (r"(?m)^  \S+ at /.*\n".to_owned(), ""),
            (r"(?m)^\S+ +system .*\n".to_owned(), ""),
            (r"(?m)^(\S+) +virtpy +".to_owned(), "$1 virtpy "),
            (format!("python{short}"), "python[X.Y]"),
            (format!(r"\b{full}\b"), "[PYTHON]"),
            (format!(r"\b{short}\b"), "[X.Y]"),
            (format!("cp{}{}", python.version.0, python.version.1), "cp[XY]"),
            ("the nearest are [^;]*;".to_owned(), "the nearest are [VERSIONS];"),
            (r"\b[a-z0-9_]+-(unknown-linux-\w+|apple-darwin)".to_owned(), "[TARGET]"),
            (r"\b(many|musl)?(linux|macosx)_[a-z0-9_]+".to_owned(), "[PLATFORM]"),
        ];
        let of_the_run = [
            (r"127\.0\.0\.1:\d{4,5}", "[INDEX]"),
            (r"\b[0-9]+(\.[0-9]+)? (ms|s)\b", "[TIME]"),
            (r#""seconds": [0-9.e-]+"#, r#""seconds": [TIME]"#),
            (r"\b[0-9]+(\.[0-9]+)? (bytes|B|kB|MB|GB)\b", "[SIZE]"),
            // What is said on a machine that has much else to do.
            (r"(?m)^(resolving|unpacking|fetching( [0-9]+ packages?)?)\n", ""),
            // What files take differs between disks.
            (r#"("[a-z_]*bytes[a-z_]*"): [1-9][0-9]*"#, "$1: [SIZE]"),
            // A column of paths is as wide as the longest.
            (r"(?m)^(-+ -+) -+$", "$1 [LINE]"),
            (r"\b[0-9a-f]{64}\b", "[SHA256]"),
            (r"\b[0-9a-f]{16}\b", "[ID]"),
            ("![A-Za-z0-9]{6}/", "![RANDOM]/"),
            ("/[A-Za-z0-9_-]{16}/src/", "/[RANDOM]/src/"),
            // Another program's words.
            (r"`\S*/git ", "`git "),
            (r"(?s)--- stderr\n.*?\nhint", "[what git said]\nhint"),
        ];
        of_python.into_iter().chain(of_the_run.map(|(pattern, text)| (pattern.to_owned(), text))).collect()
    }
}

/// A context whose programs use the index without being told.
pub(crate) fn context_with(index: &Index) -> TestContext {
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context
}
