//! How long and how deeply nested a text may be before a parser sees it. The parsers of requirements and markers go down
//! the stack for every bracket, and a stack that overflows ends the process without a word, now and whenever the text is read again.

/// How deep the brackets of one requirement may go. The deepest of the popular packages have four.
const DEEPEST: usize = 100;

/// How many bytes one requirement may have.
const LONGEST: usize = 64 << 10;

/// How deep the brackets of a whole file may go, counted through its strings, and so with some of its prose.
const DEEPEST_IN_FILE: usize = 1000;

/// The stack of the threads on which the libraries read texts that nobody could look at before. It is reserved, not used.
pub const STACK: usize = 64 << 20;

/// Checks one requirement or marker.
///
/// # Errors
///
/// The reason, if it is longer or deeper than any that is meant.
pub fn check_requirement(text: &str) -> Result<(), String> {
    if text.len() > LONGEST {
        return Err(format!("it has {} bytes, and the limit is {LONGEST}", text.len()));
    }
    check(text, DEEPEST)
}

/// Checks the text of a file that has requirements or markers in it.
///
/// # Errors
///
/// The reason, if its brackets go deeper than any that is meant.
pub fn check_file(text: &str) -> Result<(), String> {
    check(text, DEEPEST_IN_FILE)
}

fn check(text: &str, deepest: usize) -> Result<(), String> {
    let mut depth = 0_usize;
    for byte in text.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > deepest {
            return Err(format!("its parentheses are nested too deep, by more than {deepest} levels"));
        }
    }
    Ok(())
}

/// A text for a message: its beginning, if it is a long one.
pub fn beginning(text: &str) -> String {
    const SHOWN: usize = 200;
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(depth: usize) -> String {
        format!("x; {}os_name == 'x'{}", "(".repeat(depth), ")".repeat(depth))
    }

    #[test]
    fn depth_and_length_have_a_limit() {
        assert_eq!(check_requirement(&nested(100)), Ok(()));
        assert!(check_requirement(&nested(101)).unwrap_err().contains("100 levels"));
        assert!(check_requirement(&"x".repeat(LONGEST + 1)).unwrap_err().contains("65537 bytes"));
        // One after the other is not deep.
        assert_eq!(check_requirement(&"(x) ".repeat(1000)), Ok(()));
        assert_eq!(check_file(&")".repeat(5000)), Ok(()));
        assert!(check_file(&nested(1001)).is_err());
    }

    #[test]
    fn messages_show_the_beginning() {
        assert_eq!(beginning("short"), "short");
        assert_eq!(beginning(&"ü".repeat(300)).chars().count(), 201);
    }
}
