//! The library's messages speak of another program's flags; here they learn virtpy's.

/// What is said for what, in order.
const WORDS: &[(&str, &str)] = &[
    ("`--prerelease=allow`", "`--pre`"),
    ("(try: `--pre`)", "(try `--pre`)"),
    ("`--index-strategy unsafe-best-match`", "another order of indexes"),
    ("--find-links <uri>", "--find-links"),
    ("UV_HTTP_TIMEOUT", "PIP_TIMEOUT"),
    ("`uv cache clean`", "a fresh cache"),
    ("uv cache clean", "a fresh cache"),
    ("`uv pip install", "`virtpy add"),
    ("uv pip install", "virtpy add"),
    ("`uv venv`", "`virtpy new`"),
    ("uv venv", "virtpy new"),
    ("another uv process", "another process"),
    ("UV_SKIP_WHEEL_FILENAME_CHECK", "a repaired file name"),
    ("UV_LOCK_TIMEOUT", "the patience"),
    ("tool.uv.", "tool."),
    ("[[tool.uv.index]]", "an index"),
    ("but uv received", "but virtpy received"),
];

/// A message in virtpy's words.
pub(crate) fn reword(message: &str) -> String {
    let mut text = WORDS.iter().fold(message.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours));
    // What is left is the bare name, as a word of its own.
    for (before, after) in
        [(" uv ", " virtpy "), (" uv's ", " virtpy's "), ("`uv`", "`virtpy`"), (" uv.", " virtpy.")]
    {
        text = text.replace(before, after);
    }
    if let Some(rest) = text.strip_prefix("uv ") {
        text = format!("virtpy {rest}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_of_virtpy() {
        assert_eq!(reword("try `--prerelease=allow`"), "try `--pre`");
        assert_eq!(reword("is another uv process running?"), "is another process running?");
        assert_eq!(reword("uv will not clear the uvicorn"), "virtpy will not clear the uvicorn");
    }
}
