//! Texts that name the folder that an interpreter was built for.

/// Folders of the system: an interpreter that was built for one of them may name neighbours there that are not its own.
const SHARED: [&str; 4] = ["/", "/usr", "/usr/local", "/opt"];

/// From one folder to another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relocation<'a> {
    /// The prefix that the interpreter was built for, such as `/install`.
    pub(super) from: &'a str,
    /// Where it will stand.
    pub(super) to: &'a str,
}

impl Relocation<'_> {
    /// Whether the old prefix belongs to the interpreter alone, so that what begins with it can be moved.
    pub(super) fn is_sound(&self) -> bool {
        self.from.starts_with('/') && !self.from.ends_with('/') && !SHARED.contains(&self.from)
    }

    /// Replaces the old prefix wherever a path begins with it: as a word, after `=`, after `-I` or `-L`. In a text of
    /// several words, the new one is written so that a shell takes it for one.
    pub(super) fn apply(&self, text: &str) -> String {
        let escaped: String =
            self.to.chars().flat_map(|letter| escape(letter).into_iter().flatten()).collect();
        let is_path = text.starts_with(self.from) && !text.contains(char::is_whitespace);
        let replacement = if is_path { self.to } else { &escaped };
        let mut result = String::with_capacity(text.len());
        let mut done = 0;
        for (at, _) in text.match_indices(self.from) {
            let end = at + self.from.len();
            if begins_a_path(&text[..at]) && !text[end..].starts_with(is_in_name) {
                result.push_str(&text[done..at]);
                result.push_str(replacement);
                done = end;
            }
        }
        result.push_str(&text[done..]);
        result
    }
}

/// What a shell needs to read the letter as itself.
fn escape(letter: char) -> [Option<char>; 2] {
    let plain = letter.is_alphanumeric() || "/._-+:@%,~".contains(letter);
    [(!plain).then_some('\\'), Some(letter)]
}

/// Whether a path may begin after this text.
fn begins_a_path(before: &str) -> bool {
    let flags = ["-I", "-L", "-R", "-B", "-F"];
    match before.chars().next_back() {
        None => true,
        Some(last) => flags.iter().any(|flag| before.ends_with(flag)) || !(is_in_name(last) || last == '/'),
    }
}

fn is_in_name(letter: char) -> bool {
    letter.is_alphanumeric() || "._-+".contains(letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_moved_and_other_words_stay() {
        let moved = Relocation { from: "/install", to: "/home/me/3.12.1" };
        for (text, expected) in [
            ("/install", "/home/me/3.12.1"),
            ("/install/lib", "/home/me/3.12.1/lib"),
            ("-L/install/lib -I/install/include", "-L/home/me/3.12.1/lib -I/home/me/3.12.1/include"),
            ("--prefix=/install  x", "--prefix=/home/me/3.12.1  x"),
            ("-Wl,-rpath,/install/lib", "-Wl,-rpath,/home/me/3.12.1/lib"),
            ("/installer /x/install /install-sh /install.d", "/installer /x/install /install-sh /install.d"),
            ("/usr/bin/install -c", "/usr/bin/install -c"),
            ("./install", "./install"),
            ("", ""),
        ] {
            assert_eq!(moved.apply(text), expected);
        }
    }

    #[test]
    fn a_folder_with_blanks_stays_one_word() {
        let moved = Relocation { from: "/install", to: "/my home/it's" };
        assert_eq!(moved.apply("/install/lib"), "/my home/it's/lib");
        assert_eq!(moved.apply("cc -L/install/lib"), "cc -L/my\\ home/it\\'s/lib");
    }

    #[test]
    fn the_systems_folders_are_not_moved() {
        let sound = |from| Relocation { from, to: "/x" }.is_sound();
        assert!(sound("/install") && sound("/opt/python"));
        assert!(!sound("/usr") && !sound("/") && !sound("") && !sound("install") && !sound("/opt/"));
    }
}
