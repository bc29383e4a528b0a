//! Puts the texts of the libraries underneath into virtpy's own words.
//!
//! Their messages and hints name commands, flags and environment variables of another program. Every text
//! from below that a user may read passes through [`reword`] (messages) or [`reword_hint`] (hints), so
//! that the table of replacements stands in one place.

use virtpy_pep::plain_text;

/// Phrases that name the other program, and what virtpy says instead. In this order.
const PHRASES: &[(&str, &str)] = &[
    (
        "By default, uv will only consider versions that are published on the first index that contains a \
         given package, to avoid dependency confusion attacks. If all indexes are equally trusted, use \
         `--index-strategy unsafe-best-match` to consider all versions from all indexes, regardless of the \
         order in which they were defined.",
        "Only the first index that has a package is asked for its versions, so that nobody can slip in a \
         newer one elsewhere. Put that index first with `--index-url`, or pin the version it has.",
    ),
    (
        "but uv received a successful response from another request to the index. If the failing package \
         is not present on this index, consider adding `ignore-error-codes = [403]` to the index's \
         `[[tool.uv.index]]` entry to continue searching across indexes.",
        "but answered another request. The package may not be there, or may need other credentials.",
    ),
    (", `[tool.uv.extra-build-dependencies]`, or supply it via `uv build --build-constraint`", ""),
    (
        "Otherwise, either add it to your `pyproject.toml` under:\n\n[tool.uv.extra-build-dependencies]\n",
        "Otherwise, tell its authors about:\n",
    ),
    (
        "Consider passing a `--python-version` value to raise the minimum supported version.",
        "Make the environment with another Python (`virtpy new --python`).",
    ),
    ("Consider using a higher `--python-version` value.", "Use a newer Python (`virtpy new --python`)."),
    (
        "Consider enabling use of system TLS certificates with the `--system-certs` command-line flag",
        "Name the certificates to trust with the environment variable SSL_CERT_FILE",
    ),
    (" Consider using `exclude-newer-package` to override the cutoff for this package.", ""),
    (", or using `exclude-newer-package` to override the cutoff for this package", ""),
    ("Try increasing UV_HTTP_TIMEOUT (current value: ", "Try a greater PIP_TIMEOUT (it is "),
    ("Run `uv cache clean` to clear the cache.", "Remove the folder `cache` in virtpy's home and try again."),
    (" If this is intentional, set `UV_SKIP_WHEEL_FILENAME_CHECK=1`.", ""),
    (" You can set `UV_LOCK_TIMEOUT` to increase the timeout.", ""),
    ("is another uv process running?", "is another virtpy at work?"),
    ("but uv is set to offline mode", "but the network is not to be used"),
    ("uv will not clear", "virtpy will not clear"),
    ("environment is managed by uv", "environment is managed"),
    ("Use the `--clear` flag or set `UV_VENV_CLEAR=1` to replace", "Use the `--clear` flag to replace"),
    ("Failed to parse `UV_HTTP_RETRIES`", "Failed to parse the number of retries"),
    ("uv pip install", "virtpy add"),
    ("uv venv", "virtpy new"),
    ("--prerelease=allow", "--pre"),
    ("with `--no-build-package ", "with `--only-binary "),
    ("with `--no-build`", "with `--only-binary :all:`"),
    ("with `--no-binary-package ", "with `--no-binary "),
    ("with `--no-binary`", "with `--no-binary :all:`"),
    ("Consider using `--no-build` to disable", "Consider `--only-binary :all:` to disable"),
    ("re-run with `--no-build-isolation`", "build it there yourself"),
    ("--find-links <uri>", "--find-links FOLDER-OR-URL"),
    ("[tool.uv.extra-build-dependencies]", "[build-system]"),
    ("`tool.uv.environments`", "markers"),
    ("making network requests to registries was banned", "asking the indexes is forbidden (`--no-index`)"),
    ("in the package registry", "on the index"),
    ("in the registry", "on the index"),
];

/// The flag with a package's name behind it that stands for `--pre`.
const PRERELEASE_OF_PACKAGE: &str = "--prerelease-package ";

/// How many lines of a build's standard output and standard error a message keeps (the last ones).
const OUTPUT_LINES: usize = 30;

/// A message from below in virtpy's words: without colours, without another program's names, and with only
/// the last lines of a build's output.
pub(crate) fn reword(text: &str) -> String {
    let mut text = shorten_output(&plain_text(text));
    for (theirs, ours) in PHRASES {
        if text.contains(theirs) {
            text = text.replace(theirs, ours);
        }
    }
    while let Some(start) = text.find(PRERELEASE_OF_PACKAGE) {
        let end = text[start + PRERELEASE_OF_PACKAGE.len()..]
            .find(|character: char| character == '`' || character.is_whitespace())
            .map_or(text.len(), |length| start + PRERELEASE_OF_PACKAGE.len() + length);
        text.replace_range(start..end, "--pre");
    }
    text.trim_end().to_owned()
}

/// A hint from below in virtpy's words, or nothing if it speaks of what virtpy does not have.
pub(crate) fn reword_hint(text: &str) -> Option<String> {
    let text = reword(text);
    let foreign = text.contains("tool.uv") || text.contains("UV_") || text.contains("workspace");
    (!foreign && !text.is_empty()).then_some(text)
}

/// A proof with the extras and groups that requirements are of in words: `tomli{'old' in extras}<2` is `tomli<2 (extra old)`. Nothing if
/// it speaks of none.
pub(crate) fn with_choices_named(text: &str) -> Option<String> {
    const KINDS: [(&str, &str); 2] = [("' in extras}", "extra"), ("' in dependency_groups}", "group")];
    let mut named = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{'") {
        let end = KINDS.iter().filter_map(|(end, kind)| Some((behind.split_once(end)?, kind)));
        let Some(((name, behind), kind)) = end.min_by_key(|((name, _), _)| name.len()) else { break };
        let versions = behind.find([' ', ',', '.']).map_or(behind.len(), |mut end| {
            // A dot within a version is none at the end of a sentence.
            while behind[end..].starts_with('.')
                && behind[end + 1..].starts_with(|next: char| next.is_ascii_alphanumeric())
            {
                end = behind[end + 1..].find([' ', ',', '.']).map_or(behind.len(), |next| end + 1 + next);
            }
            end
        });
        named.extend([before, &behind[..versions], &format!(" ({kind} `{name}`)")]);
        rest = &behind[versions..];
    }
    (!named.is_empty()).then(|| named + rest)
}

/// Keeps the last lines of each of the two streams that a build's message quotes in full.
fn shorten_output(text: &str) -> String {
    if !text.contains("[stdout]") && !text.contains("[stderr]") {
        return text.to_owned();
    }
    let mut kept: Vec<String> = Vec::new();
    let mut block: Vec<&str> = Vec::new();
    let mut inside = false;
    for line in text.lines().chain(std::iter::once("[end]")) {
        if matches!(line.trim(), "[stdout]" | "[stderr]" | "[end]") {
            append_tail(&mut kept, &block, inside);
            block.clear();
            inside = true;
            if line != "[end]" {
                kept.push(line.trim().to_owned());
            }
        } else {
            block.push(line);
        }
    }
    kept.join("\n")
}

fn append_tail(kept: &mut Vec<String>, block: &[&str], shorten: bool) {
    let end = block.iter().rposition(|line| !line.trim().is_empty()).map_or(0, |last| last + 1);
    let block = &block[..end];
    let skipped = if shorten { block.len().saturating_sub(OUTPUT_LINES) } else { 0 };
    if skipped > 0 {
        kept.push(format!("... ({skipped} earlier lines)"));
    }
    kept.extend(block[skipped..].iter().map(|line| (*line).to_owned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_ours() {
        assert_eq!(reword("(try: `--prerelease-package foo=allow`)"), "(try: `--pre`)");
        assert_eq!(reword("try `\u{1b}[32m--prerelease=allow\u{1b}[39m`"), "try `--pre`");
        assert_eq!(reword("(i.e., with `--no-build-package foo`)"), "(i.e., with `--only-binary foo`)");
    }

    #[test]
    fn a_package_of_that_name_keeps_it() {
        assert_eq!(reword("Because uv==0.1 depends on foo"), "Because uv==0.1 depends on foo");
    }

    #[test]
    fn extras_and_groups_are_named_in_words() {
        let text = "you require tomli{'old' in extras}<2.1 and tomli{'new' in dependency_groups}>=2, so x.";
        let told = "you require tomli<2.1 (extra `old`) and tomli>=2 (group `new`), so x.";
        assert_eq!(with_choices_named(text).as_deref(), Some(told));
        assert_eq!(with_choices_named("you require tomli<2"), None);
        assert_eq!(with_choices_named("a{'b"), None);
    }

    #[test]
    fn foreign_hints_are_dropped() {
        assert_eq!(reword_hint("add it to `tool.uv.sources`"), None);
        assert_eq!(reword_hint("use `--pre`").as_deref(), Some("use `--pre`"));
    }

    #[test]
    fn long_output_keeps_its_end() {
        let lines: Vec<String> = (0..100).map(|number| format!("line {number}")).collect();
        let text = format!("it failed (exit status: 1)\n\n[stdout]\n{}\n\n[stderr]\nbad\n", lines.join("\n"));
        let short = reword(&text);
        assert!(short.starts_with("it failed (exit status: 1)"), "{short}");
        assert!(short.contains("... (70 earlier lines)") && short.contains("line 99"), "{short}");
        assert!(!short.contains("line 69\n"), "{short}");
        assert!(short.ends_with("[stderr]\nbad"), "{short}");
    }
}
