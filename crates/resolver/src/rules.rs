//! The rules that a resolution follows beside its request: the user's settings with what `[tool.uv]` of a project or a script says.

use std::path::Path;
use std::str::FromStr;

use uv_configuration::Overrides;
use uv_distribution_types::NameRequirementSpecification;
use uv_normalize::PackageName;
use uv_pep508::MarkerTree;
use uv_pypi_types::SupportedEnvironments;
use uv_resolver::{
    ExcludeNewer, ExcludeNewerPackage, ExcludeNewerPackageEntry, ForkStrategy, PrereleaseMode, ResolutionMode,
};

use crate::error::Error;
use crate::request::{Input, Request};
use crate::requirements;
use crate::settings::IndexSettings;
use crate::tool_uv::{UnusableKey, UvTable};
use crate::workspace::{at, read_project, workspace_of};

/// What a resolution follows.
#[derive(Default)]
pub(crate) struct Rules {
    pub(crate) settings: IndexSettings,
    pub(crate) constraints: Vec<NameRequirementSpecification>,
    pub(crate) overrides: Overrides,
    /// Packages that nobody gets.
    pub(crate) excludes: Vec<PackageName>,
    pub(crate) resolution: ResolutionMode,
    /// Nothing where the user decides.
    pub(crate) prerelease: Option<PrereleaseMode>,
    pub(crate) fork_strategy: ForkStrategy,
    exclude_newer_packages: ExcludeNewerPackage,
    /// The environments that a lock is for; all if there are none.
    pub(crate) environments: Vec<MarkerTree>,
    pub(crate) required_environments: SupportedEnvironments,
    /// What the user should know.
    pub(crate) warnings: Vec<String>,
}

impl Rules {
    /// Those of a request: of a project in it the table of its workspace's root counts, as in uv. What a script says of indexes is
    /// among the settings already.
    ///
    /// # Errors
    ///
    /// [`Error::Requirements`] and [`Error::Settings`] for values that make no sense.
    pub(crate) fn of(request: &Request, settings: &IndexSettings) -> Result<Self, Error> {
        let working_directory = request.options.folder();
        let project = request.requirements.iter().find_map(|input| match input {
            Input::Project(project) => Some(working_directory.join(&project.path)),
            Input::Requirement(_) | Input::Editable(_) => None,
        });
        let Some(folder) = project.as_deref().and_then(Path::parent).or(request.project.as_deref()) else {
            let rules = Self::of_table(&request.rules, &working_directory)?;
            return Ok(Self { settings: settings.clone(), ..rules });
        };
        Self::of_project(folder, settings)
    }

    /// Those of the project in a directory.
    ///
    /// # Errors
    ///
    /// As those of [`Self::of`].
    pub(crate) fn of_project(folder: &Path, settings: &IndexSettings) -> Result<Self, Error> {
        let root = workspace_of(folder).unwrap_or_else(|| folder.to_path_buf());
        let table = table(&root)?.in_directory(&root);
        let rules = Self::of_table(&table, &root)?;
        let warnings = warnings(&root, &table);
        Ok(Self { settings: table.applied_to(settings.clone()), warnings, ..rules })
    }

    /// Adds what is said of single packages to what is said of all.
    pub(crate) fn add_to(&self, exclude_newer: &mut ExcludeNewer) {
        exclude_newer.package.extend(self.exclude_newer_packages.clone());
    }

    fn of_table(table: &UvTable, folder: &Path) -> Result<Self, Error> {
        let newer: Vec<ExcludeNewerPackageEntry> =
            all("exclude-newer-package", &table.exclude_newer_packages, |text| text.parse().ok())?;
        let required = markers("required-environments", &table.required_environments)?;
        let overrides = requirements::of_setting("override-dependencies", &table.overrides, folder)?;
        let overrides = overrides.into_iter().map(|entry| entry.requirement).collect();
        Ok(Self {
            constraints: requirements::of_setting("constraint-dependencies", &table.constraints, folder)?,
            overrides: Overrides::from_requirements(overrides),
            excludes: all("exclude-dependencies", &table.excludes, |text| text.parse().ok())?,
            resolution: one("resolution", table.resolution.as_deref(), |word| {
                Some(match word {
                    "highest" => ResolutionMode::Highest,
                    "lowest" => ResolutionMode::Lowest,
                    "lowest-direct" => ResolutionMode::LowestDirect,
                    _ => return None,
                })
            })?
            .unwrap_or_default(),
            prerelease: one("prerelease", table.prerelease.as_deref(), |word| {
                Some(match word {
                    "disallow" => PrereleaseMode::Disallow,
                    "allow" => PrereleaseMode::Allow,
                    "if-necessary" | "if-necessary-or-explicit" => PrereleaseMode::IfNecessary,
                    "explicit" => PrereleaseMode::Explicit,
                    _ => return None,
                })
            })?,
            fork_strategy: one("fork-strategy", table.fork_strategy.as_deref(), |word| {
                Some(match word {
                    "fewest" => ForkStrategy::Fewest,
                    "requires-python" => ForkStrategy::RequiresPython,
                    _ => return None,
                })
            })?
            .unwrap_or_default(),
            exclude_newer_packages: newer.into_iter().collect(),
            environments: markers("environments", &table.environments)?,
            required_environments: SupportedEnvironments::from_markers(required),
            ..Self::default()
        })
    }
}

/// `[tool.uv]` of the `pyproject.toml` in a directory. What is no TOML is told by whoever reads the rest of it.
fn table(folder: &Path) -> Result<UvTable, Error> {
    let file = read_project(folder).unwrap_or_default();
    let Some(table) = at(&file, &["tool", "uv"]).and_then(toml::Value::as_table) else {
        return Ok(UvTable::default());
    };
    UvTable::parse(table.clone()).map_err(|UnusableKey { key, instead }| Error::Requirements {
        message: format!(
            "cannot use `{key}` in `[tool.uv]` of `{}`: {instead}",
            folder.join("pyproject.toml").display()
        ),
        hint: None,
        cause: None,
    })
}

/// What the user should know of a project's settings.
fn warnings(folder: &Path, table: &UvTable) -> Vec<String> {
    let mut warnings = Vec::new();
    let aside: Vec<&String> = table.left_aside().collect();
    if !aside.is_empty() {
        let keys = aside.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        warnings.push(format!("of `[tool.uv]` in `pyproject.toml`, virtpy leaves {keys} aside"));
    }
    if folder.join("uv.toml").is_file() {
        warnings.push(
            "`uv.toml` is not read: what stands there counts in `[tool.uv]` of `pyproject.toml`".to_owned(),
        );
    }
    warnings
}

fn markers(key: &str, texts: &[String]) -> Result<Vec<MarkerTree>, Error> {
    all(key, texts, |text| MarkerTree::from_str(text).ok())
}

fn all<T>(key: &str, texts: &[String], parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Error> {
    let parse = |text: &String| one(key, Some(text), &parse).map(Option::into_iter);
    Ok(texts.iter().map(parse).collect::<Result<Vec<_>, Error>>()?.into_iter().flatten().collect())
}

fn one<T>(key: &str, text: Option<&str>, parse: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Error> {
    let Some(text) = text else { return Ok(None) };
    parse(text).map(Some).ok_or_else(|| Error::Requirements {
        message: format!("`{text}` makes no sense as `{key}` in `[tool.uv]`"),
        hint: Some("take the key out, or write one of the values that uv knows".to_owned()),
        cause: None,
    })
}
