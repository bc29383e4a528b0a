//! Recording what is added and removed: a project's `pyproject.toml` is edited and locked again, and both are as before if that, or
//! what the caller does with the venv after it, fails.

mod array;
mod bound;
mod manifest;
mod script;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use virtpy_pep::{PackageName, Requirement};

pub use self::bound::Bound;
pub use self::manifest::RequirementList;
pub use self::script::SavingScript;

use self::bound::bounded;
use self::manifest::{Manifest, NO_PROJECT};
use crate::locking::{Draft, Locked, Locking};
use crate::resolved::interrupt;
use crate::unfinished::{self, UnfinishedFile};
use crate::{Environment, Error, Host, Result, lockfile, markers};
use virtpy_files as fs;
use virtpy_venv::{Distribution, RequirementGraph};

/// What some editors put before UTF-8.
const MARK: char = '\u{feff}';

/// A project whose requirements are being changed. Unless it is [kept](Self::keep), its files are put back.
#[derive(Debug)]
pub struct Saving<'a> {
    host: &'a Host,
    list: RequirementList,
    project: UnfinishedFile,
    lock: UnfinishedFile,
    /// The file of the workspace's root, where that is what is locked.
    root: Option<PathBuf>,
}

/// What a removal left.
#[derive(Debug)]
pub struct Unlocked {
    /// The lock as it is now.
    pub locked: Locked,
    /// The packages that the lock had before and has no more.
    pub gone: BTreeSet<PackageName>,
}

impl<'a> Saving<'a> {
    /// Looks at the project that the working directory is in.
    ///
    /// # Errors
    /// When there is none, it is not a standard one (PEP 621, PEP 735), or another tool locks it.
    pub fn begin(host: &'a Host, list: RequirementList) -> Result<Self> {
        interrupt::watch(host);
        let path = lockfile::find_project(&host.working_directory).ok_or_else(|| {
            Error::new("there is no `pyproject.toml` here or up to the project's root")
                .hinted("make one with `virtpy init`, or go to the project's directory")
        })?;
        // The file itself may be a link: the project is where that is.
        let path = fs::canonicalize(path.parent().unwrap_or(Path::new("/")))?.join("pyproject.toml");
        let workspace = path.parent().and_then(lockfile::lock_of_workspace);
        let root = workspace.as_ref().map(|lock| lock.with_file_name("pyproject.toml"));
        let lock = UnfinishedFile::read(workspace.unwrap_or_else(|| path.with_file_name("pylock.toml")))?;
        let saving = Self { host, list, lock, project: UnfinishedFile::read(path)?, root };
        saving.refuse_other_tools(&saving.manifest()?)?;
        Ok(saving)
    }

    /// The list that is changed.
    pub fn list(&self) -> &RequirementList {
        &self.list
    }

    /// The directory of the project's lock and venv, which are those of its workspace if that has it.
    pub fn folder(&self) -> &Path {
        self.lock.path.parent().unwrap_or(Path::new("/"))
    }

    /// Whether the lock and the venv are those of the workspace that the project is a member of.
    pub fn is_of_workspace(&self) -> bool {
        self.root.is_some()
    }

    /// What is locked, and how, if nothing else is said.
    pub fn locking(&self) -> Locking {
        Locking::of_file(self.root.as_deref().unwrap_or(&self.project.path))
    }

    /// The lock file.
    pub fn lock(&self) -> &Path {
        &self.lock.path
    }

    /// The project's file as a user sees it.
    pub fn shown(&self) -> String {
        self.host.shown(&self.project.path)
    }

    /// The lock file as a user sees it.
    pub fn shown_lock(&self) -> String {
        self.host.shown(&self.lock.path)
    }

    /// Checks requirements that are to be recorded.
    ///
    /// # Errors
    /// When one of them cannot stand in a project's file, or in the place of another of them.
    pub fn check(specs: &[String]) -> Result<()> {
        let mut places = BTreeMap::new();
        for spec in specs {
            let Ok(requirement) = spec.parse::<Requirement>() else {
                return Err(Error::usage(format!("`{spec}` cannot be recorded: it is not a requirement"))
                    .hinted("name a package, with versions if need be (`rich>=13`), or as `name @ URL`"));
            };
            let place = (requirement.name().clone(), manifest::marker(spec));
            if let Some(other) = places.insert(place, spec).filter(|other| *other != spec) {
                return Err(Error::usage(format!(
                    "`{other}` and `{spec}` cannot both be recorded: a package is listed once"
                ))
                .hinted("put their versions together: `rich>=13,<15`"));
            }
        }
        Ok(())
    }

    /// Records requirements and locks the project. Returns the lock, and the requirements as they were recorded.
    ///
    /// # Errors
    /// When they cannot be recorded or the project cannot be locked with them.
    pub fn add(
        &mut self,
        specs: &[String],
        bound: Bound,
        locking: &Locking,
    ) -> Result<(Locked, Vec<String>)> {
        let mut manifest = self.manifest()?;
        self.refuse_itself(&manifest, specs)?;
        self.refuse_groups_of_member()?;
        let mut recorded: Vec<String> = Vec::with_capacity(specs.len());
        for spec in specs {
            let merged = manifest.merged(&self.list, spec.trim(), bound != Bound::Exact);
            recorded.push(merged.map_err(|reason| self.unusable(&reason))?);
        }
        // The file is written once, with the bounds: whatever ends this, it is as before or as after.
        if recorded.iter().any(|text| bound::is_open(text, bound)) {
            let chosen = self.draft(self.with(&recorded)?, locking)?.text;
            for text in &mut recorded {
                if let Some(bounded) = bounded(text, bound, &chosen) {
                    *text = bounded;
                }
            }
        }
        let text = self.with(&recorded)?;
        self.project.write_unchanged(text)?;
        Ok((self.locked(locking)?, recorded))
    }

    /// What the lock would be if the project's file had this text.
    fn draft(&self, text: String, locking: &Locking) -> Result<Locked> {
        let draft = Some(Draft { path: self.project.path.clone(), text });
        let locking = Locking { draft, no_project: true, ..locking.clone() };
        let Some(root) = &self.root else { return locking.run(self.host) };
        let paths = |files: &[&PathBuf]| files.iter().map(|path| path.display().to_string()).collect();
        let of_lock =
            |inputs: Vec<String>| Locking { inputs, output: Some(self.lock.path.clone()), ..locking.clone() };
        // The versions are to suit the whole workspace. Where that still has what the new text replaces, those for the member alone
        // have to do: whether all goes together is told when it is locked.
        let whole = of_lock(paths(&[root, &self.project.path])).run(self.host);
        whole.or_else(|_| of_lock(paths(&[&self.project.path])).run(self.host))
    }

    /// Takes requirements out and locks the project.
    ///
    /// # Errors
    /// When one of them is not recorded there, or the project cannot be locked without them.
    pub fn remove(&mut self, names: &[PackageName], locking: &Locking) -> Result<Unlocked> {
        let mut manifest = self.manifest()?;
        for name in names {
            let found = manifest.remove(&self.list, name).map_err(|reason| self.unusable(&reason))?;
            if !found {
                return Err(self.not_recorded(&mut manifest, name));
            }
        }
        self.project.write_unchanged(self.in_style(manifest.text()))?;
        let before = self.lock.before.as_deref().map(bound::names).unwrap_or_default();
        let locked = self.locked(locking)?;
        let still = bound::names(&locked.text);
        let gone = before.into_iter().filter(|name| !still.contains(name)).collect();
        Ok(Unlocked { locked, gone })
    }

    /// Whether a lock has packages for all of these requirements.
    pub fn is_locked(locked: &Locked, requirements: &[String]) -> bool {
        let names = bound::names(&locked.text);
        let name = |text: &String| text.parse::<Requirement>().ok().map(|one| one.name().clone());
        requirements.iter().filter_map(name).all(|name| names.contains(&name))
    }

    /// Leaves the files as they are now.
    pub fn keep(mut self) {
        self.project.written = None;
        self.lock.written = None;
    }

    fn manifest(&self) -> Result<Manifest> {
        let text = self.project.before.as_deref().unwrap_or_default();
        Manifest::parse(text).map_err(|reason| self.unusable(&reason))
    }

    /// The file's text as it was, with these requirements.
    fn with(&self, requirements: &[String]) -> Result<String> {
        let mut manifest = self.manifest()?;
        for text in requirements {
            manifest.add(&self.list, text).map_err(|reason| self.unusable(&reason))?;
        }
        Ok(self.in_style(manifest.text()))
    }

    /// A text with the ends of lines, and the mark at its beginning, that the project's file has.
    fn in_style(&self, text: String) -> String {
        let before = self.project.before.as_deref().unwrap_or_default();
        let has_crlf = before.contains("\r\n") && !before.replace("\r\n", "").contains('\n');
        let text = if has_crlf { text.replace("\r\n", "\n").replace('\n', "\r\n") } else { text };
        if before.starts_with(MARK) && !text.starts_with(MARK) { format!("{MARK}{text}") } else { text }
    }

    /// Locks the project as its file says now.
    fn locked(&mut self, locking: &Locking) -> Result<Locked> {
        unfinished::hold().push(self.lock.clone());
        let locked = locking.run(self.host)?;
        self.lock.written = Some(locked.text.clone());
        Ok(locked)
    }

    /// A project cannot depend on itself; an extra or a group of it may ask for another extra.
    fn refuse_itself(&self, manifest: &Manifest, specs: &[String]) -> Result<()> {
        let Some(own) = manifest.name().filter(|_| self.list == RequirementList::Dependencies) else {
            return Ok(());
        };
        let is_own = |spec: &String| spec.parse::<Requirement>().is_ok_and(|one| *one.name() == own);
        if !specs.iter().any(is_own) {
            return Ok(());
        }
        Err(Error::new(format!("`{own}` is the project of `{}` itself; nothing was changed", self.shown())).hinted(
            "`virtpy sync` installs the project; another package of this name cannot be installed beside it",
        ))
    }

    /// A lock has the groups of the project that it is made of, and of no other.
    fn refuse_groups_of_member(&self) -> Result<()> {
        let (Some(root), RequirementList::Group(_)) = (&self.root, &self.list) else { return Ok(()) };
        let (lock, root) = (self.shown_lock(), root.parent().unwrap_or(Path::new("/")));
        Err(Error::new(format!(
            "`{}` is a member of the workspace that `{lock}` locks, which has no groups but those of its root; nothing was changed",
            self.shown()
        ))
        .hinted(format!(
            "record it in the group of the root, in `{}`; or `virtpy lock pyproject.toml` gives the member a lock of its own",
            root.display()
        )))
    }

    fn refuse_other_tools(&self, manifest: &Manifest) -> Result<()> {
        let own = self.project.path.parent().unwrap_or(Path::new("/"));
        if let Some((lock, tool)) = lockfile::lock_of_other_tool(own) {
            return Err(Error::new(format!(
                "the project of `{}` is locked by `{lock}`; nothing was changed",
                self.shown()
            ))
            .hinted(format!("use `{tool}` to record it, then `virtpy sync`")));
        }
        if manifest.is_standard() {
            return Ok(());
        }
        Err(self
            .unusable("it has neither `[project]` nor `[dependency-groups]`")
            .hinted("write a table `[project]` with `name` and `version` into it"))
    }

    fn unusable(&self, reason: &str) -> Error {
        let error = Error::new(format!("nothing can be recorded in `{}`: {reason}", self.shown()));
        // A file may have groups only.
        if reason == NO_PROJECT {
            return error.hinted(
                "`--dev` or `--group NAME` records it in a group; or write `[project]` with `name` and `version` into the file",
            );
        }
        error
    }

    fn not_recorded(&self, manifest: &mut Manifest, name: &PackageName) -> Error {
        let lists = manifest.lists_with(name);
        let hint = match lists.first() {
            Some(RequirementList::Dependencies) => {
                format!("`{name}` is in the dependencies: leave `--group` and `--extra` out")
            }
            Some(RequirementList::Group(group)) => format!("it is in a group: `--group {group}`"),
            Some(RequirementList::Extra(extra)) => format!("it is in an extra: `--extra {extra}`"),
            None => "without `--save`, it is removed from the venv only".to_owned(),
        };
        Error::new(format!("`{name}` is not in {} of `{}`; nothing was changed", self.list, self.shown()))
            .hinted(hint)
    }
}

/// Those of the requirements that the project's file beside a venv does not have and could have.
pub fn unrecorded(host: &Host, specs: &[String], venv: &Path) -> Vec<String> {
    // Asked after every plain `add`: nothing is read unless the venv is the project's.
    if specs.is_empty() {
        return Vec::new();
    }
    let project = lockfile::find_project(&host.working_directory);
    let folder = project.and_then(|project| fs::canonicalize(project.parent()?).ok());
    if venv.parent().is_none_or(|owner| folder.is_none_or(|folder| !folder.starts_with(owner))) {
        return Vec::new();
    }
    let Ok(saving) = Saving::begin(host, RequirementList::Dependencies) else { return Vec::new() };
    if fs::canonicalize(&saving.folder().join(".venv")).ok().as_deref() != Some(venv) {
        return Vec::new();
    }
    let Ok(mut manifest) = saving.manifest() else { return Vec::new() };
    let is_new = |spec: &&String| {
        spec.parse::<Requirement>().is_ok_and(|one| manifest.lists_with(one.name()).is_empty())
    };
    specs.iter().filter(is_new).cloned().collect()
}

/// What the project in a directory requires, each with the list that it is in; nothing where there is none that can be read.
pub(crate) fn recorded(folder: &Path) -> Vec<(RequirementList, Requirement)> {
    let text = fs::read_to_string(&folder.join("pyproject.toml")).unwrap_or_default();
    Manifest::parse(&text).map(|mut manifest| manifest.requirements()).unwrap_or_default()
}

/// What of a project's packages is installed in an environment and is not needed there any more, when its lock lost some (`gone`) and
/// some of these were `named` to go: nothing else requires it, and nobody asked for it by its name.
///
/// # Errors
/// When the environment's interpreter does not tell about itself.
pub fn unused(
    environment: &Environment<'_>,
    gone: &BTreeSet<PackageName>,
    named: &[PackageName],
) -> Result<BTreeSet<PackageName>> {
    let contents = &environment.contents;
    let markers = markers(environment.interpreter()?)?;
    let graph = RequirementGraph::of(contents, &markers, false);
    let asked: BTreeSet<&PackageName> =
        contents.state.distributions.iter().filter(|one| one.requested).map(|one| &one.package).collect();
    let stays = |one: &Distribution| {
        let name = &one.package;
        !gone.contains(name) || asked.contains(name) && !named.contains(name)
    };
    let staying = || contents.distributions.iter().filter(|one| stays(one));
    let mut kept: BTreeSet<&PackageName> = staying().flat_map(|one| graph.below(one)).collect();
    kept.extend(staying().map(|one| &one.package));
    let is_unused = |name: &PackageName| contents.find(name).is_some() && !kept.contains(name);
    let unused = gone.iter().filter(|name| is_unused(name)).cloned().collect();
    Ok(unused)
}

impl Drop for Saving<'_> {
    fn drop(&mut self) {
        unfinished::put_back(self.host, [&self.project, &self.lock]);
    }
}
