//! Reads what is asked for: requirements, paths and URLs from the command line, and files of them.
//!
//! A requirements file may name indexes itself, so everything is read before the first index is asked.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use uv_client::BaseClientBuilder;
use uv_configuration::{Constraints, NoBinary, NoBuild, PackageNameSpecifier};
use uv_distribution_types::{
    NameRequirementSpecification, Requirement, UnresolvedRequirement, UnresolvedRequirementSpecification,
};
use uv_pep508::Pep508Error;
use uv_pypi_types::{PyProjectToml, VerbatimParsedUrl};
use uv_requirements::{RequirementsSpecification, SourceTree};
use uv_requirements_txt::{
    RequirementsTxt, RequirementsTxtFileError, RequirementsTxtRequirement, SourceCache,
};

use crate::error::{Cause, Error};
use crate::failure::requirements;
use crate::project::Project;
use crate::request::{Input, Request};
use crate::reword::reword;

/// The forms of an input, for hints.
const FORMS: &str = "forms: `rich`, `rich>=13`, `rich[jupyter]`, `./folder`, `file.whl`, `git+https://HOST/REPO`, \
                     `name @ URL`";

/// Reads all inputs and constraints of a request.
///
/// # Errors
///
/// [`Error::Requirements`] for what cannot be parsed or read, [`Error::Network`] or [`Error::Offline`] for
/// a file behind a URL.
pub(crate) async fn read(
    request: &Request,
    client: &BaseClientBuilder<'static>,
) -> Result<RequirementsSpecification, Error> {
    let folder = request.options.folder();
    let mut reader = Reader { folder: &folder, client, cache: request.texts.iter().cloned().collect() };
    let mut all = RequirementsSpecification::default();
    for input in &request.requirements {
        match input {
            Input::Requirement(text) => all.requirements.push(parse(text, &folder, false)?.into()),
            Input::Editable(text) => {
                let mut requirement = parse(text, &folder, true)?;
                requirement.make_editable().map_err(|error| {
                    let failed = requirements(&error, "`-e` takes a folder with a `pyproject.toml`");
                    with_message(failed, format!("`{text}` cannot be installed in place"))
                })?;
                all.requirements.push(requirement.into());
            }
            Input::RequirementsFile(path) => reader.file(path, &mut all).await?,
            Input::Project(input) => {
                let wanted = Project::read(input, &folder)?.requirements()?;
                all.requirements.extend(wanted.into_iter().map(UnresolvedRequirementSpecification::from));
            }
        }
    }
    for path in &request.constraints {
        reader.constraints(path, &mut all).await?;
    }
    Ok(all)
}

/// Reads the constraints for what builds need.
///
/// # Errors
///
/// Those of [`read`].
pub(crate) async fn build_constraints(
    request: &Request,
    client: &BaseClientBuilder<'static>,
) -> Result<Constraints, Error> {
    let folder = request.options.folder();
    let mut reader = Reader { folder: &folder, client, cache: SourceCache::default() };
    let mut all = RequirementsSpecification::default();
    for path in &request.build_constraints {
        reader.constraints(path, &mut all).await?;
    }
    Ok(Constraints::from_requirements(all.constraints.into_iter().map(|entry| entry.requirement)))
}

/// Parses one requirement as pip takes it on its command line.
fn parse(text: &str, folder: &Path, editable: bool) -> Result<RequirementsTxtRequirement, Error> {
    let text = text.trim();
    if is_requirements_file(text) && folder.join(text).is_file() {
        return Err(Error::Requirements {
            message: format!("`{text}` is a file of requirements, not a requirement"),
            hint: Some(format!("give it with `-r {text}`")),
            cause: None,
        });
    }
    RequirementsTxtRequirement::parse(text, folder, editable).map_err(|error| invalid(text, &error))
}

fn invalid(text: &str, error: &Pep508Error<VerbatimParsedUrl>) -> Error {
    Error::Requirements {
        message: format!("`{text}` is not a requirement"),
        hint: Some(FORMS.to_owned()),
        // The library's own rendering underlines the place; its lines stay together.
        cause: Some(Cause::new(error.to_string())),
    }
}

fn is_requirements_file(name: &str) -> bool {
    has_extension(name, "txt") || has_extension(name, "in")
}

/// Reads files; each is fetched only once.
struct Reader<'a> {
    folder: &'a Path,
    client: &'a BaseClientBuilder<'static>,
    cache: SourceCache,
}

impl Reader<'_> {
    async fn file(&mut self, path: &Path, all: &mut RequirementsSpecification) -> Result<(), Error> {
        let path = self.locate(path);
        match path.file_name().and_then(|name| name.to_str()) {
            Some("pyproject.toml") => all.source_trees.push(project(&existing(path)?)?),
            Some("setup.py") => all.source_trees.push(SourceTree::SetupPy(existing(path)?)),
            Some("setup.cfg") => all.source_trees.push(SourceTree::SetupCfg(existing(path)?)),
            Some(name) if has_extension(name, "toml") || has_extension(name, "yml") => {
                return Err(Error::Requirements {
                    message: format!("`{}` is no file of requirements", path.display()),
                    hint: Some(
                        "`-r` takes pip's format, `pyproject.toml`, `setup.py` and `setup.cfg`".to_owned(),
                    ),
                    cause: None,
                });
            }
            _ => {
                let parsed = self.requirements_txt(&path).await?;
                merge(parsed, &path, all)?;
            }
        }
        Ok(())
    }

    async fn constraints(&mut self, path: &Path, all: &mut RequirementsSpecification) -> Result<(), Error> {
        let path = self.locate(path);
        let parsed = self.requirements_txt(&path).await?;
        let mut read = RequirementsSpecification::default();
        merge(parsed, &path, &mut read)?;
        for entry in read.requirements.drain(..) {
            match entry.requirement {
                UnresolvedRequirement::Named(requirement) => {
                    all.constraints.push(NameRequirementSpecification { requirement, hashes: entry.hashes });
                }
                UnresolvedRequirement::Unnamed(requirement) => {
                    return Err(Error::Requirements {
                        message: format!("`{requirement}` in `{}` has no name", path.display()),
                        hint: Some("a constraint is written `NAME==VERSION` or `NAME @ URL`".to_owned()),
                        cause: None,
                    });
                }
            }
        }
        all.constraints.append(&mut read.constraints);
        absorb(read, &path, all)
    }

    async fn requirements_txt(&mut self, path: &Path) -> Result<RequirementsTxt, Error> {
        RequirementsTxt::parse_with_cache(path, self.folder, self.client, &mut self.cache)
            .await
            .map_err(|error| unreadable(path, &error))
    }

    /// The path made absolute; URLs and the standard input stay what they are.
    fn locate(&self, path: &Path) -> PathBuf {
        if path.starts_with("http://") || path.starts_with("https://") || path == Path::new("-") {
            path.to_owned()
        } else {
            self.folder.join(path)
        }
    }
}

fn unreadable(path: &Path, error: &RequirementsTxtFileError) -> Error {
    let cause = Cause::from_error(error);
    let told = cause.to_string();
    let hint = if told.contains("No such file") || told.contains("not found") {
        "look at the path; relative ones start in the current folder"
    } else if told.contains("--") {
        "leave the option out of the file and give it to virtpy"
    } else {
        FORMS
    };
    Error::Requirements {
        message: format!("cannot read the requirements in `{}`", path.display()),
        hint: Some(hint.to_owned()),
        cause: Some(cause),
    }
}

fn merge(parsed: RequirementsTxt, path: &Path, all: &mut RequirementsSpecification) -> Result<(), Error> {
    let entries = parsed.requirements.into_iter().chain(parsed.editables);
    let read = RequirementsSpecification {
        requirements: entries.map(UnresolvedRequirementSpecification::from).collect(),
        constraints: parsed
            .constraints
            .into_iter()
            .map(|constraint| NameRequirementSpecification::from(Requirement::from(constraint)))
            .collect(),
        index_url: parsed.index_url.map(Into::into),
        extra_index_urls: parsed.extra_index_urls.into_iter().map(Into::into).collect(),
        find_links: parsed.find_links.into_iter().map(Into::into).collect(),
        no_index: parsed.no_index,
        require_hashes: parsed.require_hashes,
        no_binary: parsed.no_binary,
        no_build: parsed.only_binary,
        ..RequirementsSpecification::default()
    };
    absorb(read, path, all)
}

/// Adds what one file said to what all say together.
fn absorb(
    mut read: RequirementsSpecification,
    path: &Path,
    all: &mut RequirementsSpecification,
) -> Result<(), Error> {
    all.requirements.append(&mut read.requirements);
    all.constraints.append(&mut read.constraints);
    if let Some(index) = read.index_url {
        if all.index_url.as_ref().is_some_and(|other| other.url() != index.url()) {
            return Err(Error::Requirements {
                message: format!("`{}` names another index than a file before it", path.display()),
                hint: Some("keep one `--index-url`, and make the other an `--extra-index-url`".to_owned()),
                cause: None,
            });
        }
        all.index_url = Some(index);
    }
    all.extra_index_urls.append(&mut read.extra_index_urls);
    all.find_links.append(&mut read.find_links);
    all.no_index |= read.no_index;
    all.require_hashes |= read.require_hashes;
    all.no_binary.extend(read.no_binary);
    all.no_build.extend(read.no_build);
    Ok(())
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

fn existing(path: PathBuf) -> Result<PathBuf, Error> {
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::Requirements {
        message: format!("there is no file `{}`", path.display()),
        hint: Some("relative paths start in the current folder".to_owned()),
        cause: None,
    })
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
