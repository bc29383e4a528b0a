//! Writes lock files: a request is resolved for every platform and every Python that it is for, or for the
//! session's interpreter alone, and written down as `pylock.toml` (PEP 751) or as requirements with hashes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use uv_cache_info::Timestamp;
use uv_configuration::Constraints;
use uv_distribution_types::{HashGeneration, Requirement, RequiresPython};
use uv_normalize::PackageName;
use uv_pep440::{Version, VersionSpecifier, VersionSpecifiers};
use uv_pep508::MarkerTree;
use uv_requirements::RequirementsSpecification;
use uv_resolver::{AnnotationStyle, DisplayResolutionGraph, PylockToml, ResolverEnvironment, ResolverOutput};
use uv_types::HashStrategy;
use virtpy_pep::NamedVersion;
use virtpy_pep::index_page::without_marks;

use crate::client::ClientFactory;
use crate::context::Context;
use crate::describe::remark;
use crate::download::{self, Expected};
use crate::error::{Cause, Error};
use crate::group_needs::GroupNeeds;
use crate::installed::Installed;
use crate::project::{self, Project, same_name};
use crate::pylock::versions_of_pylock;
use crate::request::{Input, Request};
use crate::requirements;
use crate::resolve::{NamedInputs, Problem, Target, choices, name_all, solve};
use crate::rules::Rules;
use crate::runtime::Runtime;
use crate::{archives, folders, indexes, locked_commits, portable, public};

/// The form of the lock file to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockForm {
    /// `pylock.toml` (PEP 751).
    Pylock,
    /// Pinned requirements in pip's format, with or without hashes.
    Requirements {
        /// Whether each has the hashes of its files.
        hashes: bool,
    },
}

/// What to lock, and how.
#[derive(Debug, Clone)]
pub struct LockRequest {
    /// What is asked for.
    pub request: Request,
    /// The form of the result.
    pub form: LockForm,
    /// Whether it is for every platform, not only for the session's interpreter.
    pub universal: bool,
    /// The versions of Python that it is for (PEP 440 specifiers, such as `>=3.9`); otherwise those of the
    /// project, or the interpreter's and later ones.
    pub requires_python: Option<String>,
    /// The folder that the file will lie in: paths in it are relative to that.
    pub folder: PathBuf,
    /// The text of the lock file that is replaced; its versions are kept where they can be.
    pub existing: Option<String>,
    /// Whether the index is asked about all packages, also about those that the existing lock has.
    pub asks_all: bool,
}

/// A lock file's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lock {
    /// The text.
    pub text: String,
    /// How many packages it has.
    pub packages: usize,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// Resolves a request and writes the result down.
///
/// Whatever the old lock has and need not move is taken from the cached pages of the index, however old these are. If it moves all the
/// same, the index is asked about it, and about everything if there is no solution without.
///
/// # Errors
///
/// Those of resolving, and [`Error::Requirements`] for what a lock file cannot hold.
pub(crate) async fn lock(
    runtime: &Runtime,
    network: &ClientFactory,
    rules: &Rules,
    lock: &LockRequest,
) -> Result<Lock, Error> {
    let kept = lock.existing.as_deref().map(kept_versions).unwrap_or_default();
    let upgraded = &lock.request.options.upgrade_packages;
    let is_upgraded = |one: &NamedVersion| upgraded.iter().any(|name| same_name(name, &one.name));
    let mut settled: BTreeSet<PackageName> = BTreeSet::new();
    if !lock.asks_all {
        let names = kept.iter().filter(|one| !is_upgraded(one));
        settled.extend(names.filter_map(|one| PackageName::from_str(&one.name).ok()));
    }
    let mut tells_groups = tells_groups(lock)?;
    let mut known = Known { kept, settled, tells_groups };
    loop {
        let made = match Box::pin(attempt(runtime, network, rules, lock, &known)).await {
            // What does not build does not build the second time either.
            Err(error @ Error::Build { .. }) => return Err(error),
            Err(error) if known.settled.is_empty() && !known.tells_groups => return Err(error),
            Err(_) => {
                // People are to read of what they asked for, and of no condition that was put to it.
                tells_groups &= !known.settled.is_empty();
                known.settled.clear();
                known.tells_groups = false;
                continue;
            }
            Ok(_) if tells_groups && !known.tells_groups => {
                known.tells_groups = true;
                continue;
            }
            Ok(made) => made,
        };
        let before = known.settled.len();
        for moved in kept_versions(&made.text).iter().filter(|one| !known.kept.contains(one)) {
            known.settled.retain(|name| *name.as_str() != *moved.name);
        }
        if known.settled.len() == before {
            return Ok(made);
        }
    }
}

/// What the lock that is replaced tells.
struct Known {
    /// The versions that it has.
    kept: Vec<NamedVersion>,
    /// The packages that no index is asked about.
    settled: BTreeSet<PackageName>,
    /// Whether what groups need is told apart from the rest.
    tells_groups: bool,
}

/// Whether a lock can say what groups need without the rest: it is of one project, which has some.
fn tells_groups(lock: &LockRequest) -> Result<bool, Error> {
    let request = &lock.request;
    if !lock.universal || lock.form != LockForm::Pylock || !request.files.texts.is_empty() {
        return Ok(false);
    }
    let projects = project::projects(request)?;
    Ok(match (projects.as_slice(), request.requirements.as_slice()) {
        ([project], [_]) => project.has_groups_to_tell(),
        _ => false,
    })
}

/// Resolves a request once.
async fn attempt(
    runtime: &Runtime,
    network: &ClientFactory,
    rules: &Rules,
    lock: &LockRequest,
    known: &Known,
) -> Result<Lock, Error> {
    let settings = &rules.settings;
    let mut request = lock.request.clone();
    request.preferred.extend(known.kept.iter().cloned());
    for input in &mut request.requirements {
        if let Input::Project(project) = input {
            project.marks_base = known.tells_groups;
        }
    }
    let projects = project::projects(&request)?;
    let mut warnings = rules.warnings.clone();
    warnings.extend(request.files.warnings.iter().cloned());
    let mut inputs = requirements::read(&request, settings)?.specification;
    inputs.constraints.extend(rules.constraints.iter().cloned());
    let folders = folders::of_inputs(&inputs);
    let runtime = &runtime.refreshed_folders(&request, &folders, Timestamp::now());
    let archives = archives::unpack(runtime, network, &mut inputs).await?;
    let indexes = indexes::locations(settings, &inputs, &request.options.folder(), &mut warnings)?;
    let mut choices = choices(settings, &request.options, &request.files.options.choices)?;
    rules.add_to(&mut choices.exclude_newer);
    choices.every_platform = lock.universal;
    let hasher = HashStrategy::Generate(HashGeneration::All);
    let mut context = Context::new(runtime, network, indexes, hasher, choices).await?;
    context.archives = archives;
    context.settle(network, known.settled.clone())?;
    if let Some(existing) = &lock.existing {
        locked_commits::keep(context.state.git(), existing, &lock.folder, &request.options);
    }
    let RequirementsSpecification { requirements, source_trees, constraints, .. } = inputs;
    let dispatch = context.dispatch();
    let wanted = name_all(&context, &dispatch, NamedInputs { entries: requirements, source_trees }).await?;
    let constraints = Constraints::from_requirements(constraints.into_iter().map(|entry| entry.requirement));
    let scope = Scope::of(&context, lock, &projects, rules)?;
    let output = scope.solve(&context, &wanted, constraints, (&request, rules)).await?;
    warnings.extend(output.diagnostics().iter().map(remark));
    let text = match lock.form {
        LockForm::Pylock => {
            let needs = known.tells_groups.then(GroupNeeds::default);
            pylock(&context, (lock, needs), &output, (&projects, rules)).await?
        }
        LockForm::Requirements { hashes } => {
            let text = public::strip_lines(&scope.requirements_txt(&output, hashes));
            projects
                .iter()
                .fold(text, |text, project| project.named_relative(&text, &lock.request.options.folder()))
        }
    };
    Ok(Lock { text, packages: output.len(), warnings })
}

/// Where a lock is to work.
struct Scope {
    env: ResolverEnvironment,
    /// For which versions of Python, if not for the interpreter's.
    required: Option<RequiresPython>,
    universal: bool,
}

impl Scope {
    fn of(context: &Context, lock: &LockRequest, projects: &[Project], rules: &Rules) -> Result<Self, Error> {
        let interpreter = &context.interpreter;
        if !lock.universal {
            let env = ResolverEnvironment::specific(interpreter.to_resolver_marker_environment());
            return Ok(Self { env, required: None, universal: false });
        }
        let asked = lock.requires_python.as_deref().map(specifiers).transpose()?;
        let required = match asked {
            Some(asked) => RequiresPython::from_specifiers(asked),
            None => Self::of_projects(projects)?.unwrap_or_else(|| {
                let (major, minor) = interpreter.python_tuple();
                RequiresPython::greater_than_equal_version(&Version::new([
                    u64::from(major),
                    u64::from(minor),
                ]))
            }),
        };
        let env = ResolverEnvironment::universal(rules.environments.clone());
        Ok(Self { env, required: Some(required), universal: true })
    }

    fn of_projects(projects: &[Project]) -> Result<Option<RequiresPython>, Error> {
        let all: Vec<VersionSpecifiers> =
            projects.iter().filter_map(Project::requires_python).map(specifiers).collect::<Result<_, _>>()?;
        let every: Vec<VersionSpecifier> = all.into_iter().flatten().collect();
        Ok((!every.is_empty()).then(|| RequiresPython::from_specifiers(every.into_iter().collect())))
    }

    async fn solve(
        &self,
        context: &Context,
        wanted: &[Requirement],
        constraints: Constraints,
        (request, rules): (&Request, &Rules),
    ) -> Result<ResolverOutput, Error> {
        let tags = if self.universal { None } else { Some(context.tags()?) };
        let target = Target { env: &self.env, required: self.required.as_ref(), tags };
        // A lock says what anybody is to have, whatever is installed here.
        let installed = &Installed::default();
        let problem = Problem { wanted, constraints, target, request, rules, installed };
        solve(context, problem).await.map(|(output, _)| output)
    }

    fn requirements_txt(&self, output: &ResolverOutput, hashes: bool) -> String {
        let shown = DisplayResolutionGraph::new(
            output,
            &self.env,
            &[],
            hashes,
            false,
            self.universal,
            false,
            false,
            AnnotationStyle::Split,
        );
        shown.to_string()
    }
}

fn specifiers(text: &str) -> Result<VersionSpecifiers, Error> {
    VersionSpecifiers::from_str(text).map_err(|error| Error::Requirements {
        message: format!("`{text}` does not say which versions of Python are meant"),
        hint: Some("write for instance `>=3.9`".to_owned()),
        cause: Some(Cause::from_error(&error)),
    })
}

async fn pylock(
    context: &Context,
    (lock, mut needs): (&LockRequest, Option<GroupNeeds>),
    output: &ResolverOutput,
    (projects, rules): (&[Project], &Rules),
) -> Result<String, Error> {
    let failed = |error: &(dyn std::error::Error + 'static)| Error::Requirements {
        message: "the result does not fit into a lock file".to_owned(),
        hint: Some("`virtpy lock -o requirements.txt` writes requirements instead".to_owned()),
        cause: Some(Cause::from_error(error)),
    };
    let tags = if lock.universal { None } else { Some(context.tags()?) };
    let build_options = &context.choices.build_options;
    let mut made = PylockToml::from_resolution(output, &[], &lock.folder, tags, build_options)
        .map_err(|error| failed(&error))?;
    for project in projects {
        made.extras.extend(project.extras());
        made.dependency_groups.extend(project.groups());
        made.default_groups.extend(project.default_groups());
    }
    let text = without_marks(&made.to_toml().map_err(|error| failed(&error))?);
    let mut document: toml_edit::DocumentMut =
        text.parse().map_err(|error: toml_edit::TomlError| failed(&error))?;
    document["created-by"] = toml_edit::value("virtpy");
    let environments = rules.environments.iter().filter_map(|marker| marker.try_to_string());
    let environments: toml_edit::Array = environments.filter(|_| lock.universal).collect();
    if !environments.is_empty() {
        document["environments"] = toml_edit::value(environments);
    }
    let packages = document.get_mut("packages").and_then(toml_edit::Item::as_array_of_tables_mut);
    for package in packages.into_iter().flat_map(toml_edit::ArrayOfTables::iter_mut) {
        if let Some(needs) = &mut needs {
            tell_apart(package, needs);
        }
        if let Some(required) = &made.requires_python {
            simplify_marker(package, required);
        }
        archives::describe(&context.archives, package, &lock.folder);
    }
    for file in portable::name_relative(&mut document, &lock.folder) {
        let label = file.path.display().to_string();
        let found = download::check_local(&file.path, &Expected::nothing(&label)).await?;
        file.hashed(found.sha256);
    }
    public::strip_document(&mut document);
    if let Some(needs) = &needs {
        let required = made.requires_python.as_ref();
        needs.write(&mut document, |marker| required.map_or(marker, |one| one.simplify_markers(marker)));
    }
    Ok(document.to_string())
}

/// Takes the condition of what is in no group out of a package's marker.
fn tell_apart(package: &mut toml_edit::Table, needs: &mut GroupNeeds) {
    let text = |key: &str| package.get(key).and_then(toml_edit::Item::as_str);
    let name = text("name").and_then(|name| PackageName::from_str(name).ok());
    let marker = text("marker").map_or(Ok(MarkerTree::TRUE), MarkerTree::from_str);
    let (Some(name), Ok(marker)) = (name, marker) else { return };
    match needs.split(&name, marker).try_to_string() {
        Some(whole) => package["marker"] = toml_edit::value(whole),
        None => drop(package.remove("marker")),
    }
}

/// Leaves out of a package's marker what the whole file's `requires-python` says already.
fn simplify_marker(package: &mut toml_edit::Table, required: &RequiresPython) {
    let marker = package.get("marker").and_then(toml_edit::Item::as_str);
    let Some(Ok(marker)) = marker.map(MarkerTree::from_str) else { return };
    match required.simplify_markers(marker).try_to_string() {
        Some(simple) => package["marker"] = toml_edit::value(simple),
        None => drop(package.remove("marker")),
    }
}

/// The names and versions that a lock file of either form has.
fn kept_versions(text: &str) -> Vec<NamedVersion> {
    let kept = versions_of_pylock(text);
    if kept.is_empty() { requirements::pins(text) } else { kept }
}
