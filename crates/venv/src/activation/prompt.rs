//! How a text is written in a prompt so that the shell shows it as it is. Shells expand their prompts each
//! time they show them; this is apart from quoting, which is about how the script that sets the prompt is
//! read.

/// Puts `before` in front of each of the given characters.
fn escape(text: &str, characters: &[char], before: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if characters.contains(&character) {
            escaped.push_str(before);
        }
        escaped.push(character);
    }
    escaped
}

/// For dash and other POSIX shells, which expand a prompt like a text between double quotes.
pub(super) fn posix(text: &str) -> String {
    escape(text, &['\\', '$', '`'], "\\")
}

/// For bash with `promptvars` off: only backslash escapes are read.
pub(super) fn bash(text: &str) -> String {
    escape(text, &['\\'], "\\")
}

/// For bash with `promptvars` on, as it is unless changed: backslash escapes are read, then what comes of
/// them is expanded like a text between double quotes.
pub(super) fn bash_expanded(text: &str) -> String {
    bash(&posix(text))
}

/// For zsh: `%` begins a sequence.
pub(super) fn zsh(text: &str) -> String {
    escape(text, &['%'], "%")
}

/// For zsh with `PROMPT_SUBST`, as many themes set it: the prompt is expanded like a text between double
/// quotes before its `%` sequences are read.
pub(super) fn zsh_expanded(text: &str) -> String {
    posix(&zsh(text))
}

/// For csh: `!` is the number of the history's next line, `\!` is itself, and any other backslash is literal.
pub(super) fn csh(text: &str) -> String {
    escape(text, &['!'], "\\")
}

/// For tcsh: `%` begins a sequence, `\` and `^` begin the name of a control character, and `!` is as in csh.
pub(super) fn tcsh(text: &str) -> String {
    escape(&escape(text, &['\\', '^', '!'], "\\"), &['%'], "%")
}

/// For cmd.exe: `$` begins a code.
pub(super) fn batch(text: &str) -> String {
    escape(text, &['$'], "$")
}
