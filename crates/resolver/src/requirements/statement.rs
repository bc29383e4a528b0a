//! What one logical line of a requirements file says: a requirement with its own options, or options for everything.
//!
//! As with pip, what stands before the first word with a hyphen is the requirement, and the rest is taken apart as a shell
//! would do it. Beyond pip, several options in a line all count, and what would have no effect is an error or a warning.

use crate::package_choices::{ChoiceKind, PackageChoice};

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    /// A requirement.
    Requirement(Wanted),
    /// A folder that is to be used in place.
    Editable(Wanted),
    /// Options for everything.
    Options(Vec<FileOption>),
}

/// A requirement and what is said of it alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) text: String,
    pub(super) hashes: Vec<String>,
    pub(super) build_settings: Vec<String>,
    /// Options that mean nothing beside a requirement.
    pub(super) idle: Vec<&'static str>,
}

/// An option for everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum FileOption {
    Requirements(String),
    Constraints(String),
    IndexUrl(String),
    ExtraIndexUrl(String),
    FindLinks(String),
    NoIndex,
    Choice(PackageChoice),
    RequireHashes(bool),
    TrustedHost(String),
    /// One that changes nothing here, and whether that should be said.
    Idle(&'static str, bool),
}

/// An option of requirements files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Known {
    name: &'static str,
    letter: Option<char>,
    takes_value: bool,
}

const fn switch(name: &'static str) -> Known {
    Known { name, letter: None, takes_value: false }
}

const fn valued(name: &'static str, letter: Option<char>) -> Known {
    Known { name, letter, takes_value: true }
}

/// Those that pip has.
const OPTIONS: [Known; 20] = [
    valued("--requirement", Some('r')),
    valued("--constraint", Some('c')),
    valued("--editable", Some('e')),
    valued("--index-url", Some('i')),
    valued("--pypi-url", None),
    valued("--extra-index-url", None),
    valued("--find-links", Some('f')),
    switch("--no-index"),
    valued("--no-binary", None),
    valued("--only-binary", None),
    switch("--prefer-binary"),
    switch("--require-hashes"),
    switch("--no-require-hashes"),
    switch("--pre"),
    valued("--all-releases", None),
    valued("--only-final", None),
    valued("--trusted-host", None),
    valued("--use-feature", None),
    valued("--hash", None),
    valued("--config-settings", Some('C')),
];

/// One option of a line with what it is given.
struct Given {
    name: &'static str,
    value: String,
}

/// Reads a logical line that says something.
///
/// # Errors
///
/// Why it cannot be understood.
pub(super) fn parse(line: &str) -> Result<Statement, String> {
    let (requirement, options) = split(line);
    let (options, marker) =
        if requirement.is_empty() { without_marker(options) } else { (options.to_owned(), "") };
    let words =
        shlex::split(&options).ok_or_else(|| "a quotation mark or a backslash has no partner".to_owned())?;
    let given = options_of(words)?;
    if !requirement.is_empty() {
        return Ok(Statement::Requirement(wanted(requirement.to_owned(), given)?));
    }
    let mut editables: Vec<Given> = Vec::new();
    let mut others = Vec::new();
    for option in given {
        if option.name == "--editable" { editables.push(option) } else { others.push(option) }
    }
    match editables.len() {
        0 if !marker.is_empty() => Err(format!("`; {marker}` belongs to no requirement")),
        0 => others.into_iter().map(for_everything).collect::<Result<_, _>>().map(Statement::Options),
        1 => {
            let folder = editables.remove(0).value;
            let text = if marker.is_empty() { folder } else { format!("{folder} ; {marker}") };
            Ok(Statement::Editable(wanted(text, others)?))
        }
        _ => Err("it has `--editable` more than once; give each a line".to_owned()),
    }
}

/// A line's requirement, and its options from the first word with a hyphen on.
fn split(line: &str) -> (&str, &str) {
    let mut at = 0;
    for word in line.split(char::is_whitespace) {
        if word.starts_with('-') {
            return (line[..at].trim(), &line[at..]);
        }
        let space = line[at + word.len()..].chars().next().map_or(0, char::len_utf8);
        at += word.len() + space;
    }
    (line.trim(), "")
}

/// The options of a line without the marker that one of them may have behind a semicolon, which a shell's rules would take
/// the quotation marks from; and that marker.
fn without_marker(options: &str) -> (String, &str) {
    let mut quote = None;
    let mut before = ' ';
    for (at, one) in options.char_indices() {
        match quote {
            Some(open) if one == open => quote = None,
            None if one == '"' || one == '\'' => quote = Some(one),
            None if one == ';' && before.is_whitespace() => {
                let (marker, rest) = split(&options[at + 1..]);
                return (format!("{}{rest}", &options[..at]), marker);
            }
            _ => {}
        }
        before = one;
    }
    (options.to_owned(), "")
}

/// Takes words apart into options and their values.
fn options_of(words: Vec<String>) -> Result<Vec<Given>, String> {
    let mut given = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        let (option, attached) = option_of(&word)?;
        let value = match (option.takes_value, attached) {
            (true, Some(value)) => value.to_owned(),
            (true, None) => words.next().ok_or_else(|| format!("`{word}` is given no value"))?,
            (false, None) => String::new(),
            (false, Some(_)) => return Err(format!("`{}` takes no value", option.name)),
        };
        given.push(Given { name: option.name, value });
    }
    Ok(given)
}

/// The option that a word names, and the value that is attached to it.
fn option_of(word: &str) -> Result<(Known, Option<&str>), String> {
    let unknown = || format!("`{word}` is not an option of requirements files");
    if word.starts_with("--") {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if let Some(exact) = OPTIONS.iter().find(|option| option.name == name) {
            return Ok((*exact, value));
        }
        // As pip has it, the beginning of a name is enough where it is that of one only.
        let mut begun = OPTIONS.iter().filter(|option| name.len() > 2 && option.name.starts_with(name));
        return match (begun.next(), begun.next()) {
            (Some(one), None) => Ok((*one, value)),
            _ => Err(unknown()),
        };
    }
    let mut characters =
        word.strip_prefix('-').ok_or_else(|| format!("`{word}` belongs to nothing before it"))?.chars();
    let letter = characters.next();
    let option =
        OPTIONS.iter().find(|option| letter.is_some() && option.letter == letter).ok_or_else(unknown)?;
    let attached = characters.as_str();
    let attached = attached.strip_prefix('=').unwrap_or(attached);
    Ok((*option, (!attached.is_empty()).then_some(attached)))
}

/// A requirement with what is said of it.
fn wanted(text: String, given: Vec<Given>) -> Result<Wanted, String> {
    let mut wanted = Wanted { text, ..Wanted::default() };
    for Given { name, value } in given {
        match name {
            "--hash" => wanted.hashes.push(hash(&value)?),
            "--config-settings" => wanted.build_settings.push(value),
            "--editable" => {
                return Err(format!(
                    "`--editable {value}` stands behind a requirement; give it a line of its own"
                ));
            }
            _ => wanted.idle.push(name),
        }
    }
    Ok(wanted)
}

fn hash(value: &str) -> Result<String, String> {
    let wrong = |reason: &str| Err(format!("`--hash={value}` is not a hash: {reason}"));
    let Some((algorithm, digest)) = value.split_once(':') else {
        return wrong("it is written `sha256:` and the digest");
    };
    let length = match algorithm {
        "md5" => 32,
        "sha256" => 64,
        "sha384" => 96,
        "sha512" | "blake2b" => 128,
        _ => return wrong("the algorithms are `sha256`, `sha384`, `sha512`, `blake2b` and `md5`"),
    };
    if digest.len() != length || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return wrong(&format!("a digest of `{algorithm}` has {length} hexadecimal digits"));
    }
    // Digests are compared as texts.
    Ok(value.to_ascii_lowercase())
}

fn choice(kind: ChoiceKind, names: String) -> FileOption {
    FileOption::Choice(PackageChoice { kind, names })
}

fn for_everything(Given { name, value }: Given) -> Result<FileOption, String> {
    Ok(match name {
        "--requirement" => FileOption::Requirements(value),
        "--constraint" => FileOption::Constraints(value),
        "--index-url" | "--pypi-url" => FileOption::IndexUrl(value),
        "--extra-index-url" => FileOption::ExtraIndexUrl(value),
        "--find-links" => FileOption::FindLinks(value),
        "--no-index" => FileOption::NoIndex,
        "--no-binary" => choice(ChoiceKind::NoBinary, value),
        "--only-binary" => choice(ChoiceKind::OnlyBinary, value),
        "--require-hashes" => FileOption::RequireHashes(true),
        "--no-require-hashes" => FileOption::RequireHashes(false),
        "--pre" => choice(ChoiceKind::AllReleases, ":all:".to_owned()),
        "--all-releases" => choice(ChoiceKind::AllReleases, value),
        "--only-final" => choice(ChoiceKind::OnlyFinal, value),
        "--trusted-host" => FileOption::TrustedHost(value),
        // How pip does it is nobody's business here.
        "--use-feature" => FileOption::Idle("--use-feature", false),
        "--hash" => return Err("`--hash` stands without a requirement".to_owned()),
        "--config-settings" => return Err("`--config-settings` stands without a requirement".to_owned()),
        other => FileOption::Idle(other, true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn requirement(text: &str) -> Statement {
        Statement::Requirement(Wanted { text: text.to_owned(), ..Wanted::default() })
    }

    fn editable(text: &str) -> Statement {
        Statement::Editable(Wanted { text: text.to_owned(), ..Wanted::default() })
    }

    #[test]
    fn requirements_and_editables() {
        for (line, expected) in [
            ("aa==1.0", requirement("aa==1.0")),
            ("aa ; python_version > \"3\"", requirement("aa ; python_version > \"3\"")),
            ("aa-bb @ https://h.example/a-b.whl", requirement("aa-bb @ https://h.example/a-b.whl")),
            ("-e.[x]", editable(".[x]")),
            ("-e ./proj[x]", editable("./proj[x]")),
            ("-e=./proj", editable("./proj")),
            ("-e \"dir with blank/proj\"", editable("dir with blank/proj")),
            ("-e 'it''s'", editable("its")),
            (r"-e dir\ with\ blank/proj", editable("dir with blank/proj")),
            ("--editable=./proj", editable("./proj")),
            ("--edit ./proj", editable("./proj")),
            ("-e ./proj ; python_version > '3'", editable("./proj ; python_version > '3'")),
            ("-e './a ; b'", editable("./a ; b")),
        ] {
            assert_eq!(parse(line).as_ref(), Ok(&expected), "{line}");
        }
        let wanted = |line: &str| match parse(line) {
            Ok(Statement::Requirement(wanted) | Statement::Editable(wanted)) => wanted,
            other => panic!("{line}: {other:?}"),
        };
        let hashes = format!("--hash=sha256:{} --hash sha512:{}", "0a".repeat(32), "0b".repeat(64));
        let one = wanted(&format!("aa==1.0  {hashes} -C k=v --config-settings=\"a=b c\" --pre"));
        assert_eq!((one.text.as_str(), one.hashes.len()), ("aa==1.0", 2));
        assert_eq!(
            (one.build_settings, one.idle),
            (vec!["k=v".to_owned(), "a=b c".to_owned()], vec!["--pre"])
        );
        let one = wanted("-e ./proj ; sys_platform == 'linux' --config-settings k=v");
        assert_eq!(one.text, "./proj ; sys_platform == 'linux'");
        assert_eq!(one.build_settings, ["k=v"]);
    }

    #[test]
    fn options_for_everything() {
        let text = str::to_owned;
        for (line, expected) in [
            ("-rinner.txt", vec![FileOption::Requirements(text("inner.txt"))]),
            ("-r \"in ner.txt\"", vec![FileOption::Requirements(text("in ner.txt"))]),
            ("--requirement=inner.txt", vec![FileOption::Requirements(text("inner.txt"))]),
            (
                "-r inner.txt -c con.txt",
                vec![FileOption::Requirements(text("inner.txt")), FileOption::Constraints(text("con.txt"))],
            ),
            ("-ccon.txt", vec![FileOption::Constraints(text("con.txt"))]),
            ("-i https://h.example/simple", vec![FileOption::IndexUrl(text("https://h.example/simple"))]),
            ("--pypi-url=x", vec![FileOption::IndexUrl(text("x"))]),
            ("--extra-index-url x", vec![FileOption::ExtraIndexUrl(text("x"))]),
            ("-f wh", vec![FileOption::FindLinks(text("wh"))]),
            ("--no-index --pre", vec![FileOption::NoIndex, choice(ChoiceKind::AllReleases, text(":all:"))]),
            ("--no-binary :none:", vec![choice(ChoiceKind::NoBinary, text(":none:"))]),
            ("--only-binary=:all:", vec![choice(ChoiceKind::OnlyBinary, text(":all:"))]),
            ("--require-hashes", vec![FileOption::RequireHashes(true)]),
            ("--trusted-host example.org", vec![FileOption::TrustedHost(text("example.org"))]),
            ("--use-feature=fast-deps", vec![FileOption::Idle("--use-feature", false)]),
            ("--prefer-binary", vec![FileOption::Idle("--prefer-binary", true)]),
        ] {
            assert_eq!(parse(line), Ok(Statement::Options(expected)), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, reason) in [
            ("--frobnicate x", "`--frobnicate` is not an option"),
            ("-x", "`-x` is not an option"),
            ("-", "`-` is not an option"),
            ("--", "`--` is not an option"),
            ("--no", "`--no` is not an option"),
            ("aa --global-option=x", "`--global-option=x` is not an option"),
            ("--pre=yes", "`--pre` takes no value"),
            ("-r", "`-r` is given no value"),
            ("--index-url", "`--index-url` is given no value"),
            ("--pre aa", "`aa` belongs to nothing"),
            ("-r a.txt b.txt", "`b.txt` belongs to nothing"),
            ("-e 'x", "quotation mark"),
            ("-e a -e b", "more than once"),
            ("aa -e b", "line of its own"),
            ("aa --hash=x", "`sha256:` and the digest"),
            ("aa --hash=sha256:00", "64 hexadecimal digits"),
            ("aa --hash=md5:zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz", "32 hexadecimal digits"),
            ("aa --hash=md4:00", "the algorithms are"),
            ("--hash=sha256:00", "without a requirement"),
            ("--pre ; python_version > '3'", "belongs to no requirement"),
        ] {
            let told = parse(line).unwrap_err();
            assert!(told.contains(reason), "{line}: {told}");
        }
    }

    #[test]
    fn no_line_is_too_odd() {
        let pieces =
            ["-", "--", "r", "e", " ", "=", "\"", "'", "\\", ";", "--hash", "aa", "\u{e9}", "\t", "--pre"];
        let mut state: u32 = 7;
        for _ in 0..20_000 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let mut seed = state >> 8;
            let mut line = String::new();
            for _ in 0..seed % 10 {
                seed = seed.wrapping_mul(1_103_515_245).wrapping_add(12_345) >> 1;
                line.push_str(pieces[(seed >> 3) as usize % pieces.len()]);
            }
            let (requirement, options) = split(line.trim());
            assert!(line.contains(requirement) && line.contains(options), "{line:?}");
            let _ = parse(line.trim());
        }
    }
}
