//! Where requirements files are, what they are by their names, and their bytes.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use uv_redacted::DisplaySafeUrl;

use crate::git_settings::input_was_consumed;
use crate::portable::normalized_path;
use crate::url::local_path;

/// How large a file may be: the longest lock files with all their hashes have some MiB.
pub(super) const LARGEST_FILE: u64 = 16 << 20;

/// Why a file that is not there cannot be read.
pub(super) const ABSENT: &str = "there is no such file";

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Location {
    StandardInput,
    Path(PathBuf),
    Url(DisplaySafeUrl),
}

/// The form of a file, told by its name.
pub(super) enum Form {
    Lines,
    Project,
    Lock,
}

impl Location {
    /// The place of a file that is named on the command line, where `folder` is the present one, or in the file at `base`.
    ///
    /// # Errors
    ///
    /// Why there can be no such file.
    pub(super) fn of(name: &Path, base: Option<&Self>, folder: &Path) -> Result<Self, String> {
        let text = name.to_str().unwrap_or_default();
        if base.is_none() && text == "-" {
            return Ok(Self::StandardInput);
        }
        let beside = match base {
            // What comes from a pipe has no place of its own.
            Some(Self::Path(file)) if !is_stream_name(file) => file.parent().unwrap_or(Path::new("/")),
            _ => folder,
        };
        let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
        if scheme.is_some_and(|scheme| matches!(scheme.as_str(), "http" | "https" | "file")) {
            let url = url_of(text, beside)?;
            if url.scheme() != "file" {
                return Ok(Self::Url(url));
            }
            return local_path(&url)
                .map(Self::Path)
                .ok_or_else(|| "it is the URL of no file of this machine".to_owned());
        }
        match base {
            Some(Self::Url(base)) => base.join(text).map(Self::Url).map_err(|error| error.to_string()),
            _ => Ok(Self::Path(normalized_path(&beside.join(name)))),
        }
    }
}

/// The file that a `file:` URL is that of.
pub(super) fn file_of(url: &str, folder: &Path) -> Option<PathBuf> {
    local_path(&url_of(url, folder).ok()?)
}

/// The URL that a text is; what is behind a mere `file:` may start in `folder`.
fn url_of(text: &str, folder: &Path) -> Result<DisplaySafeUrl, String> {
    let told = |error: &dyn std::fmt::Display| error.to_string();
    match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") && !rest.starts_with('/') => {
            // Of a file in it, since a URL's last part is what another one takes the place of.
            let inside = DisplaySafeUrl::from_file_path(folder.join("-"))
                .map_err(|()| "its directory has no URL".to_owned())?;
            inside.join(&format!("./{rest}")).map_err(|error| told(&error))
        }
        _ => DisplaySafeUrl::parse(text).map_err(|error| told(&error)),
    }
}

/// What a file is, told by its name; an error is what to do about one that is nothing of that.
pub(super) fn form(location: &Location) -> Result<Form, String> {
    let name = match location {
        Location::StandardInput => return Ok(Form::Lines),
        Location::Path(path) => path.file_name().and_then(|name| name.to_str()).unwrap_or_default(),
        Location::Url(url) => url.path().rsplit('/').next().unwrap_or_default(),
    };
    let is_toml = has_extension(name, "toml");
    Ok(match name {
        "pyproject.toml" | "setup.py" | "setup.cfg" => Form::Project,
        _ if is_toml && (name == "pylock.toml" || name.starts_with("pylock.")) => Form::Lock,
        _ if is_toml || has_extension(name, "yml") || has_extension(name, "yaml") => {
            return Err(
                "`-r` takes pip's format, `pylock.toml`, `pyproject.toml`, `setup.py` and `setup.cfg`"
                    .to_owned(),
            );
        }
        _ => Form::Lines,
    })
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// Whether a path is that of what a shell passes on: `/dev/stdin`, `/dev/fd/63`. What is deeper in `/dev`, as in the memory
/// behind `/dev/shm`, is a file as any other.
fn is_stream_name(path: &Path) -> bool {
    path.parent() == Some(Path::new("/dev")) || path.starts_with("/dev/fd") || path.starts_with("/proc")
}

/// Opens a file or a pipe.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::from(io::ErrorKind::IsADirectory));
    }
    if !kind.is_file() {
        input_was_consumed();
    }
    Ok(file)
}

/// Reads to the end, if that is not too far.
pub(super) fn bounded(source: impl Read) -> io::Result<Vec<u8>> {
    // Most are read at once.
    let mut bytes = Vec::with_capacity(8 << 10);
    source.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST_FILE {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("it has more than {} MiB", LARGEST_FILE >> 20),
        ));
    }
    Ok(bytes)
}

pub(super) fn told(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => ABSENT.to_owned(),
        io::ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(name: &str, base: Option<&Location>) -> Result<Location, String> {
        Location::of(Path::new(name), base, Path::new("/here"))
    }

    #[test]
    fn a_file_is_named_by_a_path_or_a_url() {
        let path = |text: &str| Ok(Location::Path(PathBuf::from(text)));
        let url = |text: &str| Location::Url(DisplaySafeUrl::parse(text).expect("a URL"));
        let inner = Location::Path(PathBuf::from("/there/in/a.txt"));
        let pipe = Location::Path(PathBuf::from("/dev/fd/63"));
        let standard = Location::Path(PathBuf::from("/dev/stdin"));
        let in_memory = Location::Path(PathBuf::from("/dev/shm/in/a.txt"));
        let remote = url("https://h.example/x/a.txt?b#c");
        for (name, base, expected) in [
            ("-", None, Ok(Location::StandardInput)),
            ("a.txt", None, path("/here/a.txt")),
            ("./b/../a.txt", None, path("/here/a.txt")),
            ("file:///x/a%20b.txt", None, path("/x/a b.txt")),
            ("FILE:/x/a.txt", None, path("/x/a.txt")),
            ("file:a%20b.txt", None, path("/here/a b.txt")),
            ("file:../a.txt", Some(&inner), path("/there/a.txt")),
            ("file://localhost/x/a.txt", None, path("/x/a.txt")),
            ("../b.txt", Some(&inner), path("/there/b.txt")),
            ("/b.txt", Some(&inner), path("/b.txt")),
            ("b.txt", Some(&pipe), path("/here/b.txt")),
            ("b.txt", Some(&standard), path("/here/b.txt")),
            ("b.txt", Some(&in_memory), path("/dev/shm/in/b.txt")),
            ("https://h.example/b.txt", Some(&inner), Ok(url("https://h.example/b.txt"))),
            ("../b.txt", Some(&remote), Ok(url("https://h.example/b.txt"))),
            ("/b.txt", Some(&remote), Ok(url("https://h.example/b.txt"))),
        ] {
            assert_eq!(place(name, base), expected, "{name}");
        }
        assert!(place("file://elsewhere/x/a.txt", None).is_err());
        assert!(place("https://", None).is_err());
    }
}
