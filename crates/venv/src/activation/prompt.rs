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

/// For bash: backslash escapes are read, then, unless `promptvars` is off, what comes of them is expanded like a
/// text between double quotes.
///
/// Any shell that is started from here may inherit the text, and `promptvars` may be set later. So `$` and the
/// backquote are written as octal numbers, which only bash's first reading makes signs of, and never without a
/// backslash before them: what reads the text in another way shows a backslash or a number too much, but finds no
/// command. Where the locale is an older Chinese or Japanese one, a byte above ASCII joins with a backslash behind
/// it; the two bytes between which the line editor takes a text for invisible keep them apart.
pub(super) fn bash(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    let mut is_after_ascii = true;
    for character in text.chars() {
        let written = match character {
            '\\' => r"\\\\",
            '$' => r"\\\044",
            '`' => r"\\\140",
            _ => "",
        };
        if written.is_empty() {
            escaped.push(character);
        } else {
            escaped.push_str(if is_after_ascii { "" } else { "\u{1}\u{2}" });
            escaped.push_str(written);
        }
        is_after_ascii = character.is_ascii();
    }
    escaped
}

/// For zsh: `%` begins a sequence. `None` for a text that an option (`PROMPT_SUBST`, `PROMPT_BANG`) or another
/// shell that inherits the prompt would read otherwise.
pub(super) fn zsh(text: &str) -> Option<String> {
    (!text.contains(['$', '`', '\\', '!'])).then(|| escape(text, &['%'], "%"))
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
