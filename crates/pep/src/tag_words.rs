//! The compatibility tags of wheels (PEP 425, 600, 656) in the words of people.

use crate::tag_facts::{TagFacts, TagSystem};

/// More alternatives than this help nobody.
const MAX_ALTERNATIVES: usize = 4;

/// What a wheel's file name says about whom it is for: `CPython 3.12 on Windows x86_64`.
pub(crate) fn wheel(file_name: &str) -> String {
    let stem = file_name.strip_suffix(".whl").unwrap_or(file_name);
    let mut parts = stem.rsplit('-');
    let (platforms, abis, pythons) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let python = alternatives(pythons.split('.').map(|tag| python(tag, abis)));
    let platform = alternatives(platforms.split('.').filter(|tag| *tag != "any").map(platform));
    let own_abi = abis.split('.').filter(|abi| !is_in_words(abi)).collect::<Vec<_>>().join(".");
    let abi = if own_abi.is_empty() { String::new() } else { format!(" ({own_abi})") };
    if platform.is_empty() { format!("{python}{abi}") } else { format!("{python}{abi} on {platform}") }
}

/// An interpreter: `CPython 3.11 on Linux x86_64 (glibc 2.36)`.
pub(crate) fn interpreter(facts: &TagFacts) -> String {
    let TagFacts { implementation_label, version: (major, minor), machine, .. } = facts;
    let threading = if facts.free_threaded { "free-threaded " } else { "" };
    let debug = if facts.debug { " (debug)" } else { "" };
    let bits = if facts.pointer_width == 32 { ", 32 bits" } else { "" };
    let place = match facts.system {
        Some(TagSystem::Glibc(major, minor)) => format!(" on Linux {machine}{bits} (glibc {major}.{minor})"),
        Some(TagSystem::Musl(major, minor)) => format!(" on Linux {machine}{bits} (musl {major}.{minor})"),
        Some(TagSystem::Macos(major, minor)) => format!(" on macOS {major}.{minor} {machine}"),
        None => String::new(),
    };
    format!("{threading}{implementation_label} {major}.{minor}{debug}{place}")
}

/// Different words, joined by "or".
fn alternatives(words: impl Iterator<Item = String>) -> String {
    let mut known: Vec<String> = Vec::new();
    for word in words {
        if !known.contains(&word) {
            known.push(word);
        }
    }
    if known.len() > MAX_ALTERNATIVES {
        known.truncate(MAX_ALTERNATIVES);
        known.push("others".to_owned());
    }
    known.join(" or ")
}

fn python(tag: &str, abis: &str) -> String {
    let implementations = [("cp", "CPython"), ("pp", "PyPy"), ("py", "Python"), ("graalpy", "GraalPy")];
    let named =
        implementations.into_iter().find_map(|(short, name)| Some((name, digits(tag.strip_prefix(short)?)?)));
    let Some((name, version)) = named else { return tag.to_owned() };
    let mut all = abis.split('.');
    if all.clone().any(|abi| abi == "abi3" || abi == "abi3t") {
        return format!("{name} {version} or newer");
    }
    let has = |flag: char| move |abi: &str| abi.starts_with("cp") && abi.ends_with(flag);
    let threading = if all.clone().all(has('t')) { "free-threaded " } else { "" };
    let debug = if all.all(has('d')) { " (debug)" } else { "" };
    format!("{threading}{name} {version}{debug}")
}

/// `312` is 3.12, `3` is 3.
fn digits(text: &str) -> Option<String> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (major, minor) = is_number.then(|| text.split_at(1))?;
    Some(if minor.is_empty() { major.to_owned() } else { format!("{major}.{minor}") })
}

/// Whether [`python`] says all there is to say about an ABI.
fn is_in_words(abi: &str) -> bool {
    abi == "none"
        || abi.starts_with("abi3")
        || abi
            .strip_prefix("cp")
            .is_some_and(|rest| digits(rest.trim_end_matches(['t', 'd', 'm', 'u'])).is_some())
}

fn platform(tag: &str) -> String {
    match tag {
        "win32" => return "Windows x86".to_owned(),
        "win_amd64" => return "Windows x86_64".to_owned(),
        "win_arm64" => return "Windows arm64".to_owned(),
        _ => {}
    }
    let old = [("manylinux1_", "2.5"), ("manylinux2010_", "2.12"), ("manylinux2014_", "2.17")];
    for (start, glibc) in old {
        if let Some(machine) = tag.strip_prefix(start) {
            return format!("Linux {machine} (glibc {glibc} or newer)");
        }
    }
    let numbered = |start: &str| {
        let mut parts = tag.strip_prefix(start)?.splitn(3, '_');
        let (major, minor) = (parts.next()?, parts.next()?);
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        (is_number(major) && is_number(minor)).then_some((format!("{major}.{minor}"), parts.next()?))
    };
    if let Some((version, machine)) = numbered("manylinux_") {
        return format!("Linux {machine} (glibc {version} or newer)");
    }
    if let Some((version, machine)) = numbered("musllinux_") {
        return format!("Linux {machine} (musl {version} or newer)");
    }
    if let Some((version, machine)) = numbered("macosx_") {
        return format!("macOS {machine} ({version} or newer)");
    }
    tag.strip_prefix("linux_").map_or_else(|| tag.to_owned(), |machine| format!("Linux {machine}"))
}
