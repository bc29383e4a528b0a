//! Hands what is asked for to the libraries underneath.
//!
//! A requirements file may name indexes itself, so everything is put together before the first index is asked.

use std::borrow::Cow;
use std::path::Path;
use std::str::FromStr;

use uv_configuration::{Constraints, NoBinary, NoBuild, PackageNameSpecifier};
use uv_distribution_types::{
    ConfigSettingEntry, ConfigSettings, NameRequirementSpecification, Requirement, UnresolvedRequirement,
    UnresolvedRequirementSpecification,
};
use uv_normalize::PackageName;
use uv_pep508::{Pep508Error, VerbatimUrl, VersionOrUrl};
use uv_pypi_types::{ParsedUrl, PyProjectToml, VerbatimParsedUrl};
use uv_redacted::DisplaySafeUrl;
use uv_requirements::{RequirementsSpecification, SourceTree};
use uv_requirements_txt::{RequirementEntry, RequirementsTxtRequirement};
use virtpy_pep::{Version, limits};

use super::files::{EntryKind, RequirementsEntry, RequirementsFiles};
use super::location;
use crate::error::{Cause, Error};
use crate::failure::requirements;
use crate::git_settings::{self, GitSetting, withhold_git_credentials};
use crate::indexes;
use crate::project::Project;
use crate::request::{Input, Request};
use crate::reword::reword;
use crate::settings::IndexSettings;
use crate::tool_sources::ToolSources;

/// The forms of an input, for hints.
const FORMS: &str = "forms: `rich`, `rich>=13`, `rich[jupyter]`, `./folder`, `file.whl`, `git+https://HOST/REPO`, \
                     `name @ URL`";

/// All inputs and constraints of a request.
#[derive(Default)]
pub(crate) struct Wanted {
    /// In the libraries' form.
    pub(crate) specification: RequirementsSpecification,
    /// Settings for the build backends of single requirements, by their places in the specification.
    pub(crate) build_settings: Vec<(usize, Vec<String>)>,
    /// What git needs to know of the repositories among them.
    git_settings: Vec<GitSetting>,
}

/// Puts all inputs and constraints of a request together. Of the user's settings only the names of indexes count.
///
/// # Errors
///
/// [`Error::Requirements`] for what cannot be parsed or read; [`Error::GitSettings`] if the environment lacks some.
pub(crate) fn read(request: &Request, users: &IndexSettings) -> Result<Wanted, Error> {
    let folder = request.options.folder();
    let mut wanted = Wanted::default();
    // What makes no sense is told, whether or not anything is built.
    let settings = &request.options.build_settings;
    build_settings(settings)?;
    let sources = request.project.as_deref().map(ToolSources::of).unwrap_or_default();
    for input in &request.requirements {
        if request.options.settings_of_inputs && !settings.is_empty() {
            let place = wanted.specification.requirements.len();
            wanted.build_settings.push((place, settings.clone()));
        }
        match input {
            Input::Requirement(text) => {
                refuse_file(text.trim(), &folder)?;
                let text = wanted.withhold(text.trim());
                let read = parse(&text, &folder, false)?;
                wanted.specification.requirements.push(sources.at_its_index(read, users).into());
            }
            Input::Editable(text) => {
                let text = wanted.withhold(text);
                let read = parse(&text, &folder, true)?;
                wanted.specification.requirements.push(read.into());
            }
            Input::Project(input) => {
                let mut requirements = Project::read(input, &folder)?.requirements(users)?;
                for placed in &mut requirements {
                    wanted.withhold_from(&mut placed.requirement);
                }
                let all = &mut wanted.specification;
                all.requirements
                    .extend(requirements.into_iter().map(UnresolvedRequirementSpecification::from));
            }
        }
    }
    wanted.add(&request.files, &folder)?;
    let settings = git_settings::missing(std::mem::take(&mut wanted.git_settings));
    if settings.is_empty() { Ok(wanted) } else { Err(Error::GitSettings { settings }) }
}

/// The constraints for what builds need.
///
/// # Errors
///
/// Those of [`read`].
pub(crate) fn build_constraints(request: &Request) -> Result<Constraints, Error> {
    let mut wanted = Wanted::default();
    wanted.add(&request.build_constraints, &request.options.folder())?;
    let constraints = wanted.specification.constraints.into_iter();
    Ok(Constraints::from_requirements(constraints.map(|entry| entry.requirement)))
}

/// The requirements that a key of `[tool.uv]` has.
///
/// # Errors
///
/// [`Error::Requirements`] for what is none.
pub(crate) fn of_setting(
    key: &str,
    texts: &[String],
    folder: &Path,
) -> Result<Vec<NameRequirementSpecification>, Error> {
    let read = |text: &String| {
        let read = UnresolvedRequirementSpecification::from(parse(text, folder, false)?);
        let requirement = named(read.requirement).ok_or_else(|| nameless(text))?;
        Ok(NameRequirementSpecification { requirement, hashes: read.hashes })
    };
    let within = |error| match error {
        Error::Requirements { message, hint, cause } => {
            Error::Requirements { message: format!("`{key}` in `[tool.uv]`: {message}"), hint, cause }
        }
        other => other,
    };
    texts.iter().map(|text| read(text).map_err(within)).collect()
}

/// That a requirement that limits versions has no name.
fn nameless(text: &str) -> Error {
    Error::Requirements {
        message: format!("`{text}` has no name"),
        hint: Some("a constraint is written `NAME==VERSION` or `NAME @ URL`".to_owned()),
        cause: None,
    }
}

impl Wanted {
    fn add(&mut self, files: &RequirementsFiles, folder: &Path) -> Result<(), Error> {
        for entry in &files.entries {
            self.entry(entry, folder).map_err(|error| at(entry, error))?;
        }
        let all = &mut self.specification;
        for path in &files.projects {
            all.source_trees.push(match path.extension().and_then(|extension| extension.to_str()) {
                Some("py") => SourceTree::SetupPy(path.clone()),
                Some("cfg") => SourceTree::SetupCfg(path.clone()),
                _ => project(path)?,
            });
        }
        let options = &files.options;
        if let Some((url, place)) = &options.index_url {
            all.index_url = Some(indexes::url(url, folder, &format!("`--index-url` in {place},"))?);
        }
        for url in &options.extra_index_urls {
            all.extra_index_urls.push(indexes::url(url, folder, "--extra-index-url")?);
        }
        for link in &options.find_links {
            all.find_links.push(indexes::url(link, folder, "--find-links")?);
        }
        all.no_index |= options.no_index;
        all.require_hashes |= options.require_hashes;
        Ok(())
    }

    /// A requirement without the credentials of a git repository, which are kept for git.
    fn withhold<'t>(&mut self, text: &'t str) -> Cow<'t, str> {
        if !git_settings::can_start_again() {
            return Cow::Borrowed(text);
        }
        withhold_git_credentials(text, &mut self.git_settings).map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// Takes the credentials of a git repository out of a requirement and keeps them for git.
    fn withhold_from(&mut self, requirement: &mut RequirementsTxtRequirement) {
        let url = match requirement {
            RequirementsTxtRequirement::Named(named) => match &mut named.version_or_url {
                Some(VersionOrUrl::Url(url)) => url,
                _ => return,
            },
            RequirementsTxtRequirement::Unnamed(unnamed) => &mut unnamed.url,
        };
        match &mut url.parsed_url {
            ParsedUrl::GitDirectory(git) => git_settings::withhold_from(&mut git.url, &mut self.git_settings),
            ParsedUrl::GitPath(git) => git_settings::withhold_from(&mut git.url, &mut self.git_settings),
            _ => {}
        }
    }

    fn entry(&mut self, entry: &RequirementsEntry, folder: &Path) -> Result<(), Error> {
        let text = self.withhold(&entry.text);
        let requirement = parse(&text, folder, entry.kind == EntryKind::Editable)?;
        let all = &mut self.specification;
        let read = UnresolvedRequirementSpecification::from(RequirementEntry {
            requirement,
            hashes: entry.hashes.clone(),
        });
        if entry.kind != EntryKind::Constraint {
            if !entry.build_settings.is_empty() {
                build_settings(&entry.build_settings)?;
                self.build_settings.push((all.requirements.len(), entry.build_settings.clone()));
            }
            all.requirements.push(read);
            return Ok(());
        }
        let Some(requirement) = named(read.requirement) else {
            return Err(nameless(&entry.text));
        };
        all.constraints.push(NameRequirementSpecification { requirement, hashes: read.hashes });
        Ok(())
    }
}

/// A requirement with the name that it has, or that its URL tells (`#egg=NAME`).
fn named(requirement: UnresolvedRequirement) -> Option<Requirement> {
    let unnamed = match requirement {
        UnresolvedRequirement::Named(requirement) => return Some(requirement),
        UnresolvedRequirement::Unnamed(unnamed) => unnamed,
    };
    let name = unnamed.url.verbatim.fragment()?.split('&').find_map(|part| part.strip_prefix("egg="))?;
    let name = PackageName::from_str(name.split('[').next().unwrap_or(name)).ok()?;
    Some(Requirement::from(uv_pep508::Requirement {
        name,
        extras: unnamed.extras,
        version_or_url: Some(VersionOrUrl::Url(unnamed.url)),
        marker: unnamed.marker,
        origin: unnamed.origin,
    }))
}

/// Says where an entry stands that something is wrong with.
fn at(entry: &RequirementsEntry, error: Error) -> Error {
    match error {
        Error::Requirements { message, hint, cause } => {
            Error::Requirements { message: format!("{}: {message}", entry.place), hint, cause }
        }
        other => other,
    }
}

/// Settings for a build backend.
///
/// # Errors
///
/// [`Error::Settings`] for what is not `KEY=VALUE`.
pub(crate) fn build_settings(texts: &[String]) -> Result<ConfigSettings, Error> {
    let entry = |text: &String| {
        ConfigSettingEntry::from_str(text)
            .map_err(|reason| Error::Settings { setting: format!("--config-settings {text}"), reason })
    };
    texts.iter().map(entry).collect()
}

/// Refuses a requirement that is a file of requirements.
fn refuse_file(text: &str, folder: &Path) -> Result<(), Error> {
    if (has_extension(text, "txt") || has_extension(text, "in")) && folder.join(text).is_file() {
        return Err(Error::Requirements {
            message: format!("`{text}` is a file of requirements, not a requirement"),
            hint: Some(format!("give it with `-r {text}`")),
            cause: None,
        });
    }
    Ok(())
}

/// Parses one requirement as pip takes it on its command line.
fn parse(text: &str, folder: &Path, editable: bool) -> Result<RequirementsTxtRequirement, Error> {
    let text = text.trim();
    limits::check_requirement(text).map_err(|reason| Error::Requirements {
        message: format!("`{}` is not a requirement: {reason}", limits::beginning(text)),
        hint: None,
        cause: None,
    })?;
    if let Some((without, fragment)) = of_archive(text, folder).filter(|_| !editable) {
        return Ok(with_fragment(parse(&without, folder, false)?, fragment));
    }
    let of_path = with_blanks(text, folder);
    let mut requirement =
        RequirementsTxtRequirement::parse(of_path.as_deref().unwrap_or(text), folder, editable)
            .map_err(|error| invalid(text, &error))?;
    if editable {
        requirement.make_editable().map_err(|error| {
            let failed = requirements(&error, "`-e` takes a folder with a `pyproject.toml`");
            with_message(failed, format!("`{text}` cannot be installed in place"))
        })?;
    }
    Ok(requirement)
}

/// A path with white space in it as a URL, which the libraries would take apart otherwise; the extras and the marker behind it
/// stay. `None` where there is nothing of that name.
fn with_blanks(text: &str, folder: &Path) -> Option<String> {
    let (path, marker) = text.split_once(" ;").map_or((text, ""), |(path, marker)| (path.trim(), marker));
    if !path.contains(char::is_whitespace) || path.contains("://") {
        return None;
    }
    let extras = path.strip_suffix(']').and_then(|inner| inner.rfind('[')).unwrap_or(path.len());
    let (path, extras) = if folder.join(path).exists() { (path, "") } else { path.split_at(extras) };
    let found = folder.join(path.trim());
    if path.is_empty() || !found.exists() {
        return None;
    }
    let url = DisplaySafeUrl::from_file_path(found).ok()?;
    let marker = if marker.is_empty() { String::new() } else { format!(" ;{marker}") };
    Some(format!("{url}{extras}{marker}"))
}

/// A local archive with a fragment (`#sha256=…`, `#egg=NAME`) as the text without it, and the fragment: the libraries take it
/// for a part of the file's name. An archive says its name itself, so of `#egg=` only the extras count.
fn of_archive<'t>(text: &'t str, folder: &Path) -> Option<(String, &'t str)> {
    let (path, rest) = text.split_once('#')?;
    let (fragment, marker) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
    let file = match path.split_once(':') {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("file") => location::file_of(path, folder)?,
        // `#` is a character of a path as any other.
        _ => return None,
    };
    if !file.is_file() {
        return None;
    }
    let egg = fragment.split('&').find_map(|part| part.strip_prefix("egg=")).unwrap_or_default();
    let extras = if path.ends_with(']') { "" } else { egg.find('[').map_or("", |start| &egg[start..]) };
    Some((format!("{path}{extras}{marker}"), fragment))
}

/// Gives the URL of a local archive its fragment back, which has the hash.
fn with_fragment(requirement: RequirementsTxtRequirement, fragment: &str) -> RequirementsTxtRequirement {
    let RequirementsTxtRequirement::Unnamed(mut unnamed) = requirement else { return requirement };
    if let ParsedUrl::Path(archive) = &mut unnamed.url.parsed_url {
        archive.url.set_fragment(Some(fragment));
        unnamed.url.verbatim = VerbatimUrl::from_url(archive.url.clone());
    }
    RequirementsTxtRequirement::Unnamed(unnamed)
}

/// What to write for `NAME@VERSION`, as other tools have it.
fn version_after_at(text: &str) -> Option<String> {
    let (name, version) = text.split_once('@')?;
    let (name, version) = (name.trim(), version.trim());
    let is_meant = !name.contains(['/', ':']) && version.parse::<Version>().is_ok();
    is_meant.then(|| format!("a version is asked for with `==`: `{name}=={version}`"))
}

fn invalid(text: &str, error: &Pep508Error<VerbatimParsedUrl>) -> Error {
    Error::Requirements {
        message: format!("`{text}` is not a requirement"),
        hint: Some(version_after_at(text).unwrap_or_else(|| FORMS.to_owned())),
        // The library's own rendering underlines the place; its lines stay together.
        cause: Some(Cause::new(error.to_string())),
    }
}

fn project(path: &Path) -> Result<SourceTree, Error> {
    let failed = |cause: Cause, hint: Option<&str>| Error::Requirements {
        message: format!("cannot read the dependencies in `{}`", path.display()),
        hint: hint.map(ToOwned::to_owned),
        cause: Some(cause),
    };
    // Reading only: the ban is on writing past the one module that does.
    #[expect(clippy::disallowed_methods)]
    let text = std::fs::read_to_string(path).map_err(|error| failed(Cause::from_error(&error), None))?;
    let toml = PyProjectToml::from_toml(&text, path.display())
        .map_err(|error| failed(Cause::from_error(&error), Some("the table `[project]` needs a `name`")))?;
    Ok(SourceTree::PyProjectToml(path.to_owned(), toml))
}

fn has_extension(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

fn with_message(error: Error, message: String) -> Error {
    match error {
        Error::Requirements { message: cause, hint, .. } => {
            Error::Requirements { message, hint, cause: Some(Cause::new(cause)) }
        }
        other => other,
    }
}

/// The packages that are always built from source.
///
/// # Errors
///
/// [`Error::Requirements`] for a name that is none.
pub(crate) fn no_binary(names: &[String]) -> Result<NoBinary, Error> {
    Ok(NoBinary::from_pip_args(specifiers(names, "--no-binary")?))
}

/// The packages that are never built from source.
///
/// # Errors
///
/// [`Error::Requirements`] for a name that is none.
pub(crate) fn only_binary(names: &[String]) -> Result<NoBuild, Error> {
    Ok(NoBuild::from_pip_args(specifiers(names, "--only-binary")?, false))
}

fn specifiers(names: &[String], flag: &str) -> Result<Vec<PackageNameSpecifier>, Error> {
    names
        .iter()
        .flat_map(|names| names.split(','))
        .map(|name| {
            PackageNameSpecifier::from_str(name.trim()).map_err(|error| Error::Requirements {
                message: format!("`{name}` after `{flag}` is not the name of a package"),
                hint: Some("names, `:all:` and `:none:` are possible".to_owned()),
                cause: Some(Cause::new(reword(&error.to_string()))),
            })
        })
        .collect()
}
