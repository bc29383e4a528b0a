//! Reads lock files: `uv.lock`, and what it has in common with `pylock.toml`. What they hold for one interpreter becomes a
//! [`Resolution`] without a single question to an index.

use std::borrow::Cow;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;
use uv_configuration::{
    BuildOptions, DependencyGroups, DevMode, ExtrasSpecification, HashCheckingMode, InstallOptions,
};
use uv_distribution_types::{
    DirectorySourceDist, Dist, HashPolicy, Name as _, Node, Resolution as SolvedGraph, ResolvedDist,
    SourceDist,
};
use uv_errors::Hint;
use uv_normalize::{DefaultExtras, DefaultGroups, ExtraName, GroupName, PackageName};
use uv_pep440::VersionSpecifiers;
use uv_platform_tags::Tags;
use uv_requirements::RequirementsSpecification;
use uv_resolver::{Installable, Lock};
use uv_types::HashStrategy;
use virtpy_pep::limits;

use crate::client::ClientFactory;
use crate::context::Context;
use crate::describe;
use crate::error::{Cause, Error};
use crate::failure::requirements as unusable;
use crate::git_settings::{missing, withheld_from_lock};
use crate::indexes;
use crate::locked_names;
use crate::portable::resolved;
use crate::project::names;
use crate::request::{Options, Selection};
use crate::resolve::choices;
use crate::reword::reword;
use crate::runtime::Runtime;
use crate::settings::IndexSettings;
use crate::solution::{Plan, Resolution};

/// The form of a lock file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockFormat {
    /// `pylock.toml` or `pylock.NAME.toml` (PEP 751).
    Pylock,
    /// `uv.lock`, or `SCRIPT.py.lock` as uv writes it.
    Uv,
}

/// A lock file, and what of it is wanted.
#[derive(Debug, Clone)]
pub struct LockedRequest {
    /// The file; relative paths in it start in its folder.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
    /// Its form.
    pub format: LockFormat,
    /// What of it is wanted.
    pub selection: Selection,
    /// How what has to be built is built. Nothing is resolved, so most options mean nothing here.
    pub options: Options,
}

/// Finds what a lock file holds for the session's interpreter.
///
/// # Errors
///
/// [`Error::Requirements`] when the file makes no sense, is for other interpreters or has no file for this
/// one; the variants of settings for what it needs to build.
pub(crate) async fn resolve(
    runtime: &Runtime,
    network: &ClientFactory,
    settings: &IndexSettings,
    request: &LockedRequest,
) -> Result<Resolution, Error> {
    let mut warnings = Vec::new();
    let nothing = RequirementsSpecification::default();
    let locations = indexes::locations(settings, &nothing, &request.options.folder(), &mut warnings)?;
    let choices = choices(settings, &request.options, &[])?;
    let mut context = Context::new(runtime, network, locations, HashStrategy::default(), choices).await?;
    let reader = Reader { request, context: &context };
    let solved = match request.format {
        LockFormat::Pylock => reader.pylock(&mut warnings)?,
        LockFormat::Uv => reader.uv()?,
    };
    check_own_project(&solved, &reader)?;
    check_names(&solved, &reader)?;
    context.hasher = HashStrategy::from_resolution(&solved, HashCheckingMode::Verify)
        .map_err(|error| unusable(&error, "make the lock file again"))?;
    demand_hashes(&solved, &context.hasher, &request.path)?;
    let (packages, chosen) = describe::describe(&context, &solved, &[], &HashSet::new()).await?;
    Ok(Resolution {
        packages,
        kept: Vec::new(),
        left_out: Vec::new(),
        warnings,
        notes: Vec::new(),
        pages: None,
        is_makeshift: false,
        plan: Arc::new(Plan { context, chosen }),
    })
}

/// The project that a lock file is about: that of the nearest `pyproject.toml`, from the lock's own directory upwards.
pub(crate) struct OwnProject {
    pub(crate) folder: PathBuf,
    pub(crate) name: Option<PackageName>,
}

impl OwnProject {
    pub(crate) fn above(folder: &Path) -> Option<Self> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct File {
            project: Table,
        }
        #[derive(Default, Deserialize)]
        struct Table {
            name: Option<PackageName>,
        }
        folder.ancestors().find_map(|folder| {
            // Reading only: the ban is on writing past the one module that does.
            #[expect(clippy::disallowed_methods)]
            let text = std::fs::read_to_string(folder.join("pyproject.toml")).ok()?;
            let file: File = toml::from_str(&text).unwrap_or_default();
            Some(Self { folder: folder.to_path_buf(), name: file.project.name })
        })
    }
}

/// The project itself has to be the one beside the lock: a lock that came with a clone may name the place where it was made.
fn check_own_project(solved: &SolvedGraph, reader: &Reader<'_>) -> Result<(), Error> {
    let Some(OwnProject { folder, name: Some(name) }) = OwnProject::above(&reader.folder()) else {
        return Ok(());
    };
    for node in solved.graph().node_weights() {
        let Node::Dist { dist: ResolvedDist::Installable { dist, .. }, .. } = node else { continue };
        let Dist::Source(SourceDist::Directory(directory)) = &**dist else { continue };
        if directory.name == name && resolved(&directory.install_path) != resolved(&folder) {
            return Err(reader.refused(
                &format!(
                    "takes {name} from `{}`, another checkout than its own (`{}`)",
                    directory.install_path.display(),
                    folder.display()
                ),
                "make the lock again here, with `virtpy lock` or the tool that wrote it",
            ));
        }
    }
    Ok(())
}

/// What comes has a name that the lock says.
fn check_names(solved: &SolvedGraph, reader: &Reader<'_>) -> Result<(), Error> {
    let text = &reader.request.text;
    let quick = locked_names::at_first_sight(text);
    for node in solved.graph().node_weights() {
        let Node::Dist { dist: ResolvedDist::Installable { dist, .. }, .. } = node else { continue };
        if !locked_names::has(text, &quick, dist.name()) {
            let message = format!("lists a file of {} under another package's name", dist.name());
            return Err(
                reader.refused(&message, "make the lock again, and do not trust where this one came from")
            );
        }
    }
    Ok(())
}

/// A lock file's archives are all told by their hashes; one without is refused, since whatever came in its
/// place would be believed.
fn demand_hashes(solved: &SolvedGraph, hasher: &HashStrategy, path: &Path) -> Result<(), Error> {
    for node in solved.graph().node_weights() {
        let Node::Dist { dist: ResolvedDist::Installable { dist, .. }, .. } = node else { continue };
        let is_file = dist.file().is_some() || matches!(&**dist, Dist::Built(_));
        if is_file && matches!(hasher.get(&**dist), HashPolicy::None) {
            return Err(Error::Requirements {
                message: format!("`{}` gives no hash for {dist}", path.display()),
                hint: Some("make the lock file again; a lock without hashes protects nobody".to_owned()),
                cause: None,
            });
        }
    }
    Ok(())
}

/// Reads one lock file for one interpreter.
pub(crate) struct Reader<'a> {
    pub(crate) request: &'a LockedRequest,
    pub(crate) context: &'a Context,
}

impl Reader<'_> {
    pub(crate) fn broken<E: std::error::Error + 'static>(&self, error: &E) -> Error {
        Error::Requirements {
            message: format!("cannot read the lock file `{}`", self.request.path.display()),
            hint: Some("make it again with the tool that wrote it, or with `virtpy lock`".to_owned()),
            cause: Some(Cause::new(reword(&crate::failure::whole_message(error)))),
        }
    }

    /// To be called before the text is parsed.
    pub(crate) fn check_nesting(&self) -> Result<(), Error> {
        limits::check_file(&self.request.text)
            .map_err(|reason| self.refused("cannot be read", &format!("{reason}; make it again")))
    }

    pub(crate) fn refused(&self, message: &str, hint: &str) -> Error {
        Error::Requirements {
            message: format!("`{}` {message}", self.request.path.display()),
            hint: Some(hint.to_owned()),
            cause: None,
        }
    }

    /// What only another interpreter can follow.
    pub(crate) fn other_python(&self, message: &str, hint: &str) -> Error {
        Error::OtherPython {
            message: format!("`{}` {message}", self.request.path.display()),
            hint: hint.to_owned(),
            cause: None,
        }
    }

    /// No file of a package suits this interpreter, or the choices leave none.
    pub(crate) fn unsuitable<E: std::error::Error + Hint + 'static>(&self, error: &E) -> Error {
        let hint = crate::failure::hints_of(error).into_iter().next();
        let reason = reword(&crate::failure::whole_message(error));
        if reason.contains("Found conflicting ") {
            return Error::Requirements {
                message: format!("of `{}` not all that is chosen goes together", self.request.path.display()),
                hint: Some("leave one of these out: the project says that they conflict".to_owned()),
                cause: Some(Cause::new(reason)),
            };
        }
        Error::OtherPython {
            message: format!("`{}` cannot be installed here", self.request.path.display()),
            hint: hint.map_or_else(
                || "look at the file, and at `--only-binary` and `--no-binary`".to_owned(),
                |hint| reword(&hint),
            ),
            cause: Some(Cause::new(reason)),
        }
    }

    /// The folder that relative paths start from.
    pub(crate) fn folder(&self) -> PathBuf {
        let path = self.request.options.folder().join(&self.request.path);
        path.parent().map_or_else(|| PathBuf::from("/"), Path::to_path_buf)
    }

    pub(crate) fn tags(&self) -> Result<&Tags, Error> {
        self.context.tags()
    }

    pub(crate) fn check_python(&self, required: Option<&str>) -> Result<(), Error> {
        let Some(required) = required else { return Ok(()) };
        let specifiers = VersionSpecifiers::from_str(required).map_err(|error| self.broken(&error))?;
        let version = self.context.interpreter.python_version();
        if specifiers.contains(version) {
            return Ok(());
        }
        Err(self.other_python(
            &format!("is for Python {required}, and the venv has {version}"),
            &format!("give the venv another interpreter: `virtpy new --keep -p '{required}'`"),
        ))
    }

    pub(crate) fn no_such<'n>(&self, kind: &str, name: &str, all: impl Iterator<Item = &'n str>) -> Error {
        let all: Vec<&str> = all.collect();
        let hint = if all.is_empty() {
            format!("it has no {kind} at all")
        } else {
            format!("it has {}", all.join(", "))
        };
        self.refused(&format!("has no {kind} `{name}`"), &hint)
    }

    /// The file's text without the passwords of repositories, which stand at these keys of its packages.
    ///
    /// # Errors
    ///
    /// [`Error::GitSettings`] if git's environment lacks some of them.
    pub(crate) fn withheld(&self, keys: [&str; 3]) -> Result<Cow<'_, str>, Error> {
        let mut settings = Vec::new();
        let text = withheld_from_lock(&self.request.text, keys, &mut settings);
        let settings = missing(settings);
        if settings.is_empty() { Ok(text) } else { Err(Error::GitSettings { settings }) }
    }

    fn uv(&self) -> Result<SolvedGraph, Error> {
        self.check_nesting()?;
        let text = self.withheld(["package", "source", "git"])?;
        let lock = Lock::from_toml(&text).map_err(|error| self.broken(&error))?;
        self.check_python(Some(&lock.requires_python().to_string()))?;
        let folder = self.folder();
        let selection = &self.request.selection;
        let meant = self.meant(&lock)?;
        let extras = ExtrasSpecification::from_args(
            names(&selection.extras)?,
            Vec::new(),
            false,
            Vec::new(),
            selection.all_extras,
        );
        let groups = DependencyGroups::from_args(
            selection.no_dev.then_some(DevMode::Exclude),
            names(&selection.groups)?,
            names(&selection.without_groups)?,
            selection.no_default_groups,
            names(&selection.only_groups)?,
            selection.all_groups,
        );
        self.check_uv_names(&lock, &meant.roots)?;
        let target = Target { folder: &folder, lock: &lock, roots: meant.roots, project: meant.project };
        let leave_out_project = InstallOptions::new(
            selection.no_project,
            false,
            false,
            false,
            false,
            false,
            Vec::new(),
            Vec::new(),
        );
        let solved = target
            .to_resolution(
                &self.context.interpreter.to_resolver_marker_environment(),
                self.tags()?,
                &extras.with_defaults(DefaultExtras::default()),
                &groups.with_defaults(default_groups(&folder.join(meant.folder))),
                &self.build_options(),
                &leave_out_project,
            )
            .map_err(|error| self.unsuitable(&error))?;
        Ok(if selection.no_editable { solved.map(as_built) } else { solved })
    }

    /// The project that the lock is of, or the members of its workspace that are asked for.
    fn meant(&self, lock: &Lock) -> Result<Meant, Error> {
        let selection = &self.request.selection;
        let root = lock.root().map(|package| package.name().clone());
        let all = || lock.members().iter().cloned().collect::<Vec<_>>();
        if selection.members.is_empty() {
            let roots = match &root {
                Some(root) if !selection.all_members || lock.members().is_empty() => vec![root.clone()],
                _ => all(),
            };
            let project = if selection.all_members { None } else { root };
            return Ok(Meant { roots, project, folder: PathBuf::new() });
        }
        let roots: Vec<PackageName> = names(&selection.members)?;
        for name in &roots {
            if root.as_ref() != Some(name) && !lock.members().contains(name) {
                let known = lock.members().iter().map(PackageName::as_str);
                return Err(self.no_such("member", name.as_str(), known));
            }
        }
        let [project] = roots.as_slice() else {
            return Ok(Meant { roots, project: None, folder: PathBuf::new() });
        };
        let folder = folder_of_member(&self.request.text, project);
        Ok(Meant { project: Some(project.clone()), folder, roots })
    }

    fn build_options(&self) -> BuildOptions {
        self.context.choices.build_options.clone()
    }

    /// The library takes names that the lock does not know as if they were empty.
    fn check_uv_names(&self, lock: &Lock, roots: &[PackageName]) -> Result<(), Error> {
        let packages: Vec<_> =
            lock.packages().iter().filter(|package| roots.contains(package.name())).collect();
        let selection = &self.request.selection;
        for extra in names::<ExtraName>(&selection.extras)? {
            if !packages.iter().any(|package| package.provides_extras().contains(&extra)) {
                let all = packages.iter().flat_map(|package| package.provides_extras());
                return Err(self.no_such("extra", extra.as_str(), all.map(ExtraName::as_str)));
            }
        }
        if packages.is_empty() {
            // A lock of a script, or of a workspace without members, has its groups elsewhere.
            return Ok(());
        }
        for group in names::<GroupName>(selection.groups.iter().chain(&selection.only_groups))? {
            let known = |package: &&uv_resolver::Package| {
                package.dependency_groups().contains_key(&group)
                    || package.resolved_dependency_groups().contains_key(&group)
            };
            if !packages.iter().any(known) {
                let all = packages.iter().flat_map(|package| package.dependency_groups().keys());
                return Err(self.no_such("dependency group", group.as_str(), all.map(GroupName::as_str)));
            }
        }
        Ok(())
    }
}

/// Whom a lock of uv is read for.
struct Meant {
    roots: Vec<PackageName>,
    /// The one among them that stands for the project.
    project: Option<PackageName>,
    /// The folder of the project whose groups come unasked, from the lock's folder on.
    folder: PathBuf,
}

/// The folder of a member of a workspace, from the lock's folder on.
fn folder_of_member(text: &str, member: &PackageName) -> PathBuf {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        package: Vec<Named>,
    }
    #[derive(Deserialize)]
    struct Named {
        name: String,
        source: Place,
    }
    #[derive(Deserialize)]
    struct Place {
        editable: Option<PathBuf>,
        r#virtual: Option<PathBuf>,
        directory: Option<PathBuf>,
    }
    let Ok(head) = toml::from_str::<Head>(text) else { return PathBuf::new() };
    let found = head.package.into_iter().find(|package| package.name == member.as_str());
    let place =
        found.and_then(|found| found.source.editable.or(found.source.r#virtual).or(found.source.directory));
    place.unwrap_or_default()
}

/// A folder that would be installed in place, as one that is built.
fn as_built(dist: &ResolvedDist) -> Option<ResolvedDist> {
    let ResolvedDist::Installable { dist, version } = dist else { return None };
    let Dist::Source(SourceDist::Directory(folder)) = &**dist else { return None };
    let folder = DirectorySourceDist { editable: Some(false), ..folder.clone() };
    let dist = Arc::new(Dist::Source(SourceDist::Directory(folder)));
    Some(ResolvedDist::Installable { dist, version: version.clone() })
}

/// The groups that uv installs unasked: those of `[tool.uv] default-groups`, or else `dev`.
fn default_groups(folder: &Path) -> DefaultGroups {
    #[derive(Default, Deserialize)]
    #[serde(rename_all = "kebab-case", default)]
    struct UvTable {
        default_groups: Option<DefaultGroups>,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct ToolTable {
        uv: UvTable,
    }
    #[derive(Default, Deserialize)]
    #[serde(default)]
    struct Project {
        tool: ToolTable,
    }
    // Reading only: the ban is on writing past the one module that does.
    #[expect(clippy::disallowed_methods)]
    let text = std::fs::read_to_string(folder.join("pyproject.toml")).unwrap_or_default();
    let project: Project = toml::from_str(&text).unwrap_or_default();
    let dev = || GroupName::from_str("dev").map(|dev| DefaultGroups::List(vec![dev])).unwrap_or_default();
    project.tool.uv.default_groups.unwrap_or_else(dev)
}

/// A lock of uv, and whom it is read for.
struct Target<'lock> {
    folder: &'lock Path,
    lock: &'lock Lock,
    roots: Vec<PackageName>,
    project: Option<PackageName>,
}

impl<'lock> Installable<'lock> for Target<'lock> {
    fn install_path(&self) -> &'lock Path {
        self.folder
    }

    fn lock(&self) -> &'lock Lock {
        self.lock
    }

    fn roots(&self) -> impl Iterator<Item = &PackageName> {
        self.roots.iter()
    }

    fn project_name(&self) -> Option<&PackageName> {
        self.project.as_ref()
    }
}
