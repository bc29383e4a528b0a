//! Which names a member may have.

/// The longest name, in bytes: macOS allows no longer paths, and the destination's has to fit before it too.
pub(super) const MAX_LENGTH: usize = 1000;

/// Why a member's name is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameProblem {
    /// The name has no bytes.
    #[error("is empty")]
    Empty,
    /// The name is not UTF-8.
    #[error("is not valid UTF-8")]
    Encoding,
    /// The name starts at a root: `/`, and on Windows `C:`.
    #[error("is absolute")]
    Absolute,
    /// A part is `..`.
    #[error("leaves the folder")]
    Parent,
    /// A part is empty or `.`.
    #[error("has an empty part")]
    EmptyPart,
    /// Windows would take a backslash for a separator.
    #[error("contains a backslash")]
    Backslash,
    /// NUL, a line break, an escape.
    #[error("contains a control character")]
    Control,
    /// A part has more than the 255 bytes that file systems allow, or all have more than 1,000.
    #[error("is too long")]
    Long,
}

/// Checks a member's name as it stands in the archive, a folder's with its last `/`, and returns it without that.
///
/// # Errors
/// When the name could be understood as something other than a file below the destination.
pub fn check(raw: &[u8]) -> Result<&str, NameProblem> {
    let name = std::str::from_utf8(raw).map_err(|_| NameProblem::Encoding)?;
    if name.is_empty() {
        return Err(NameProblem::Empty);
    }
    if name.contains('\\') {
        return Err(NameProblem::Backslash);
    }
    if name.chars().any(char::is_control) {
        return Err(NameProblem::Control);
    }
    if name.starts_with('/') {
        return Err(NameProblem::Absolute);
    }
    let name = name.strip_suffix('/').unwrap_or(name);
    if name.len() > MAX_LENGTH {
        return Err(NameProblem::Long);
    }
    for part in name.split('/') {
        match part {
            ".." => return Err(NameProblem::Parent),
            "" | "." => return Err(NameProblem::EmptyPart),
            // There a path starts again at a drive, wherever it stands; elsewhere a colon is a letter like others.
            _ if cfg!(windows) && is_drive(part) => return Err(NameProblem::Absolute),
            _ if part.len() > 255 => return Err(NameProblem::Long),
            _ => {}
        }
    }
    Ok(name)
}

/// Whether a part starts with a Windows drive, `C:`.
fn is_drive(part: &str) -> bool {
    matches!(part.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic())
}

/// The folders above a name, the nearest first.
pub(super) fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(name.rsplit_once('/').map(|(folder, _)| folder), |folder| {
        folder.rsplit_once('/').map(|(above, _)| above)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_relative_names_only() {
        for name in
            ["a", "a/b.py", "a/", "päckage/ü", "a b/c", "..a", "a..b/c...", "ab:c", "-x", "a/.hidden", "c:x"]
        {
            assert_eq!(check(name.as_bytes()), Ok(name.trim_end_matches('/')), "{name}");
        }
        let long = "x".repeat(256);
        let cases: [(&[u8], NameProblem); 16] = [
            (b"", NameProblem::Empty),
            (b"/", NameProblem::Absolute),
            (b"/etc/passwd", NameProblem::Absolute),
            (b"//server/share", NameProblem::Absolute),
            (b"..", NameProblem::Parent),
            (b"../x", NameProblem::Parent),
            (b"a/../../x", NameProblem::Parent),
            (b"a/..", NameProblem::Parent),
            (b"a//b", NameProblem::EmptyPart),
            (b"a//", NameProblem::EmptyPart),
            (b"./a", NameProblem::EmptyPart),
            (b"a/./b", NameProblem::EmptyPart),
            (b"a\\b", NameProblem::Backslash),
            (b"a\0b", NameProblem::Control),
            (b"a\x1b[31m", NameProblem::Control),
            (b"a\xff", NameProblem::Encoding),
        ];
        for (name, problem) in cases {
            assert_eq!(check(name), Err(problem), "{}", String::from_utf8_lossy(name));
        }
        assert_eq!(check(long.as_bytes()), Err(NameProblem::Long));
        assert!(check("x/".repeat(500).as_bytes()).is_ok());
        assert_eq!(check("x/".repeat(501).as_bytes()), Err(NameProblem::Long));
    }

    #[test]
    fn parents_are_listed_upwards() {
        assert_eq!(parents("a/b/c").collect::<Vec<_>>(), ["a/b", "a"]);
        assert_eq!(parents("a").count(), 0);
    }
}
