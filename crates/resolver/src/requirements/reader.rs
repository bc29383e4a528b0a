//! Reads requirements files: each file, pipe and URL once, with what they include.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use virtpy_pep::limits;

use super::decode::{self, decode};
use super::files::{EntryKind, Place, RequirementsEntry, RequirementsFiles, RequirementsText};
use super::location::{ABSENT, Form, LARGEST_FILE, Location, bounded, form, open, told};
use super::logical_lines::{expanded, logical_lines};
use super::statement::{self, FileOption, Statement, Wanted};
use crate::error::{Cause, Error};
use crate::git_settings::input_was_consumed;
use crate::public::public;

/// How much all files together may have.
const LARGEST_SUM: usize = 64 << 20;

/// How long a line may be, with those that it goes on in.
const LONGEST_LINE: usize = 1 << 20;

/// How deep files may include each other.
const DEEPEST: usize = 100;

/// How many files may be included.
const MOST_FILES: usize = 5000;

/// How much of a line messages show.
const LONGEST_SHOWN: usize = 200;

/// Fetches what is behind a URL, if it has no more than so many bytes.
pub(super) type Fetch<'a> = dyn Fn(&str, u64) -> Result<Vec<u8>, Error> + 'a;

/// Where requirements files are read from.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The folder that paths start from.
    pub folder: &'a Path,
    /// The environment's variables.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Fetches what is behind a URL, if it has no more than so many bytes.
    pub fetch: &'a Fetch<'a>,
    /// Whether pipes are read: what comes through one can be read only once, and may be waited for.
    pub pipes: bool,
}

impl RequirementsFiles {
    /// Reads requirements files, and files that only limit what is asked for. A file is a path, a URL (`https://`, `file://`), or `-`
    /// for the standard input.
    ///
    /// # Errors
    ///
    /// [`Error::Requirements`] for what cannot be read or understood, and those of fetching.
    pub fn read(
        requirements: &[PathBuf],
        constraints: &[PathBuf],
        from: Surroundings<'_>,
    ) -> Result<Self, Error> {
        let mut reader = Reader::new(from);
        for (names, role) in [(requirements, Role::Requirements), (constraints, Role::Constraints)] {
            for name in names {
                let place = reader.location(name, None)?;
                reader.file(&place, role, &mut Vec::new())?;
            }
        }
        Ok(reader.found)
    }

    /// Reads one file of requirements alone: what it includes is left aside, wherever that may be.
    ///
    /// # Errors
    ///
    /// Those of [`Self::read`].
    pub fn read_alone(name: &Path, from: Surroundings<'_>) -> Result<Self, Error> {
        let mut reader = Reader { follows: false, ..Reader::new(from) };
        let place = reader.location(name, None)?;
        reader.file(&place, Role::Requirements, &mut Vec::new())?;
        Ok(reader.found)
    }

    /// Reads a text as if it were in a file of this path.
    ///
    /// # Errors
    ///
    /// Those of [`Self::read`].
    pub fn of_text(path: &Path, text: String, from: Surroundings<'_>) -> Result<Self, Error> {
        let mut reader = Reader::new(from);
        let location = Location::Path(path.to_path_buf());
        let name = reader.label(&location);
        reader.found.texts.push(RequirementsText { name, path: Some(path.to_path_buf()), text });
        reader.known.insert(location.clone(), 0);
        reader.file(&location, Role::Requirements, &mut Vec::new())?;
        Ok(reader.found)
    }
}

/// What a file's requirements are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Role {
    Requirements,
    Constraints,
}

struct Reader<'a> {
    from: Surroundings<'a>,
    found: RequirementsFiles,
    /// What was read, as places in `found.texts`: a pipe gives its content only once.
    known: HashMap<Location, usize>,
    /// What was taken in already: a second time would say nothing new.
    done: HashSet<(Location, Role)>,
    sum: usize,
    /// Whether what is included is read.
    follows: bool,
}

impl<'a> Reader<'a> {
    fn new(from: Surroundings<'a>) -> Self {
        let found = RequirementsFiles::default();
        Self { from, found, known: HashMap::new(), done: HashSet::new(), sum: 0, follows: true }
    }

    /// Takes a file in. `above` are those that it is included by, the innermost last.
    fn file(&mut self, location: &Location, role: Role, above: &mut Vec<Location>) -> Result<(), Error> {
        if let Some(including) = above.last()
            && above.contains(location)
        {
            let message =
                format!("`{}` includes itself, by way of `{}`", self.label(location), self.label(including));
            return Err(refused(message, "take one of the `-r` or `-c` lines out"));
        }
        if above.len() >= DEEPEST {
            let message =
                format!("`{}` is included over more than {DEEPEST} other files", self.label(location));
            return Err(refused(message, "put what belongs together in one file"));
        }
        if !self.done.insert((location.clone(), role)) {
            return Ok(());
        }
        match form(location).map_err(|hint| match location {
            Location::Path(path) if !path.exists() => unreadable(role, &self.label(location), ABSENT),
            _ => refused(format!("`{}` is not a file of requirements", self.label(location)), &hint),
        })? {
            Form::Lines => {}
            Form::Lock if role == Role::Requirements => {
                let index = self.read(location, role)?;
                self.found.locks.push(index);
                return Ok(());
            }
            Form::Project if role == Role::Requirements => return self.project(location),
            Form::Lock | Form::Project => {
                let message = format!("`{}` has no constraints", self.label(location));
                return Err(refused(message, "`-c` takes a file in the format of requirements files"));
            }
        }
        let index = self.read(location, role)?;
        let text = std::mem::take(&mut self.found.texts[index].text);
        above.push(location.clone());
        let outcome = self.lines(&text, index, role, above);
        above.pop();
        self.found.texts[index].text = text;
        outcome
    }

    fn project(&mut self, location: &Location) -> Result<(), Error> {
        match location {
            Location::Path(path) if path.is_file() => self.found.projects.push(path.clone()),
            _ => return Err(unreadable(Role::Requirements, &self.label(location), ABSENT)),
        }
        Ok(())
    }

    fn lines(
        &mut self,
        text: &str,
        index: usize,
        role: Role,
        above: &mut Vec<Location>,
    ) -> Result<(), Error> {
        let file = self.found.texts[index].name.clone();
        for line in logical_lines(text).iter().filter(|line| !line.text.is_empty()) {
            let place = Place { file: file.clone(), line: line.number };
            if line.text.len() > LONGEST_LINE {
                return Err(refused(
                    format!("{place} is longer than {LONGEST_LINE} bytes"),
                    "give each requirement a line",
                ));
            }
            let said = expanded(&line.text, self.from.environment);
            let statement =
                statement::parse(&said).map_err(|reason| misunderstood(&place, &reason, &said))?;
            match statement {
                Statement::Requirement(wanted) => self.entry(wanted, EntryKind::Requirement, place, role)?,
                Statement::Editable(wanted) => self.entry(wanted, EntryKind::Editable, place, role)?,
                Statement::Options(options) => {
                    for option in options {
                        self.option(option, &place, role, above)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, wanted: Wanted, kind: EntryKind, place: Place, role: Role) -> Result<(), Error> {
        let Wanted { text, hashes, build_settings, idle } = wanted;
        limits::check_requirement(&text)
            .map_err(|reason| misunderstood(&place, &reason, &limits::beginning(&text)))?;
        if let Some(path) = path_behind_at(&text) {
            let reason = format!("`{path}` stands where a URL has to be");
            return Err(refused(
                format!("{place}: {reason}"),
                &format!("write `{path}` alone, or `NAME @ file:{path}`"),
            ));
        }
        let kind = match (role, kind) {
            (Role::Constraints, EntryKind::Editable) => {
                return Err(misunderstood(&place, "a constraint cannot be installed in place", &text));
            }
            (Role::Constraints, _) => EntryKind::Constraint,
            (Role::Requirements, kind) => kind,
        };
        for option in idle {
            self.found
                .warnings
                .push(format!("{place}: `{option}` says nothing about one requirement, and is left aside"));
        }
        self.found.entries.push(RequirementsEntry { kind, text, hashes, build_settings, place });
        Ok(())
    }

    fn option(
        &mut self,
        option: FileOption,
        place: &Place,
        role: Role,
        above: &mut Vec<Location>,
    ) -> Result<(), Error> {
        let base = above.last().cloned();
        let options = &mut self.found.options;
        match option {
            FileOption::Requirements(name) | FileOption::Constraints(name) if name.is_empty() => {
                return Err(misunderstood(place, "it names no file", ""));
            }
            FileOption::Requirements(_) | FileOption::Constraints(_) if !self.follows => {}
            FileOption::Requirements(name) => {
                let location =
                    self.location(Path::new(&name), base.as_ref()).map_err(|error| within(place, error))?;
                // What a file of constraints includes limits as well.
                self.file(&location, role, above).map_err(|error| within(place, error))?;
            }
            FileOption::Constraints(name) => {
                let location =
                    self.location(Path::new(&name), base.as_ref()).map_err(|error| within(place, error))?;
                self.file(&location, Role::Constraints, above).map_err(|error| within(place, error))?;
            }
            FileOption::IndexUrl(url) => {
                if let Some((other, named)) = &options.index_url
                    && *other != url
                {
                    let message = format!("{place} names another index than {named}");
                    return Err(refused(
                        message,
                        "keep one `--index-url`, and make the other an `--extra-index-url`",
                    ));
                }
                options.index_url = Some((url, place.clone()));
            }
            FileOption::ExtraIndexUrl(url) => options.extra_index_urls.push(url),
            FileOption::FindLinks(link) => {
                let beside = match &base {
                    Some(Location::Path(file)) => file.parent().map(|folder| folder.join(&link)),
                    _ => None,
                };
                let beside = beside.filter(|path| path.exists()).map(|path| path.display().to_string());
                options.find_links.push(beside.unwrap_or(link));
            }
            FileOption::NoIndex => options.no_index = true,
            FileOption::Choice(choice) => options.choices.push(choice),
            FileOption::RequireHashes(required) => options.require_hashes = required,
            FileOption::TrustedHost(host) => options.trusted_hosts.push(host),
            FileOption::Idle(name, is_told) => {
                if is_told {
                    self.found
                        .warnings
                        .push(format!("{place}: `{name}` changes nothing here, and is left aside"));
                }
            }
        }
        Ok(())
    }

    /// Where a file is that is named on the command line, or in another file.
    fn location(&self, name: &Path, base: Option<&Location>) -> Result<Location, Error> {
        Location::of(name, base, self.from.folder)
            .map_err(|reason| unreadable(Role::Requirements, &name.display().to_string(), &reason))
    }

    /// Reads a file that was not read before, and says where its text is.
    fn read(&mut self, location: &Location, role: Role) -> Result<usize, Error> {
        if let Some(index) = self.known.get(location) {
            return Ok(*index);
        }
        let name = self.label(location);
        if self.known.len() >= MOST_FILES {
            return Err(refused(
                format!("`{name}` is one file too many: more than {MOST_FILES} are included"),
                "put what belongs together in one file",
            ));
        }
        let failed = |reason: &str| unreadable(role, &name, reason);
        let bytes = match location {
            Location::StandardInput => {
                input_was_consumed();
                bounded(io::stdin().lock())
            }
            Location::Path(path) if !self.from.pipes && !path.is_file() => {
                Err(io::Error::other("it is not a file"))
            }
            Location::Path(path) => open(path).and_then(bounded),
            Location::Url(url) => {
                let url = url.displayable_with_credentials().to_string();
                Ok((self.from.fetch)(&url, LARGEST_FILE)?)
            }
        };
        let bytes = bytes.map_err(|error| failed(&told(&error)))?;
        self.sum += bytes.len();
        if self.sum > LARGEST_SUM {
            return Err(failed(&format!("all files together have more than {} MiB", LARGEST_SUM >> 20)));
        }
        let text = decode(&bytes).map_err(|reason| Error::Requirements {
            message: format!("cannot read {} `{name}`", kind_of(role)),
            hint: Some(decode::HINT.to_owned()),
            cause: Some(Cause::new(reason)),
        })?;
        let path = if let Location::Path(path) = location { Some(path.clone()) } else { None };
        self.found.texts.push(RequirementsText { name, path, text });
        let index = self.found.texts.len() - 1;
        self.known.insert(location.clone(), index);
        Ok(index)
    }

    /// A file's name for people.
    fn label(&self, location: &Location) -> String {
        match location {
            Location::StandardInput => "the standard input".to_owned(),
            Location::Path(path) => path.strip_prefix(self.from.folder).unwrap_or(path).display().to_string(),
            Location::Url(url) => public(url),
        }
    }
}

fn kind_of(role: Role) -> &'static str {
    match role {
        Role::Requirements => "the requirements in",
        Role::Constraints => "the constraints in",
    }
}

fn unreadable(role: Role, name: &str, reason: &str) -> Error {
    let is_absent = reason == ABSENT;
    let message = if is_absent {
        format!("there is no file `{name}`")
    } else {
        format!("cannot read {} `{name}`", kind_of(role))
    };
    Error::Requirements {
        message,
        hint: Some("look at the path: one on the command line starts in the current folder, one in a file in that file's".to_owned()),
        cause: (!is_absent).then(|| Cause::new(reason)),
    }
}

fn refused(message: String, hint: &str) -> Error {
    Error::Requirements { message, hint: Some(hint.to_owned()), cause: None }
}

/// A line that makes no sense.
fn misunderstood(place: &Place, reason: &str, line: &str) -> Error {
    let shown: String = line.chars().take(LONGEST_SHOWN).collect();
    let dots = if shown.len() < line.len() { "…" } else { "" };
    Error::Requirements {
        message: format!("cannot understand {place}"),
        hint: Some(
            "write requirements and options as pip's requirements files have them, one on a line".to_owned(),
        ),
        cause: Some(Cause::new(if line.is_empty() {
            reason.to_owned()
        } else {
            format!("{reason}: `{shown}{dots}`")
        })),
    }
}

/// Says in which line the file is named that something is wrong with. What is said of a line already is left alone.
fn within(place: &Place, error: Error) -> Error {
    match error {
        Error::Requirements { message, hint, cause }
            if message.starts_with("cannot read") || message.starts_with("there is no file") =>
        {
            Error::Requirements { message: format!("{message}, which {place} names"), hint, cause }
        }
        other => other,
    }
}

/// The path that stands behind a name and an `@`, where only a URL may: pip refuses it, since nothing says what it starts from.
fn path_behind_at(text: &str) -> Option<&str> {
    let (name, rest) = text.split_once('@')?;
    let name = name.split('[').next().unwrap_or(name).trim();
    let is_name =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    let target = rest.split(';').next().unwrap_or(rest).trim();
    let is_path = target.starts_with(['.', '/', '~']);
    (is_name && is_path && !name.starts_with('.')).then_some(target)
}
