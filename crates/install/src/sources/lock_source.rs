//! What an environment is to hold exactly: which file, of which form, and how it is asked about.

use std::path::{Path, PathBuf};

use virtpy_resolver::{
    IndexSettings, Input, LockFormat, LockedRequest, Options, ProjectInput, Request, RequirementsFiles,
    Selection,
};

use super::closure::Closure;
use crate::installed::{candidates, own_pip};
use crate::lockfile::{self, LockKind, Pipfile};
use crate::resolved::ResolveRequest;
use crate::{Error, Host, Indexes, Result};
use virtpy_files as fs;
use virtpy_venv::Contents;

/// The group of what is needed to work on a project.
const DEVELOPMENT: &str = "dev";

/// Which file is meant, and what of it.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a flag of its own")]
pub struct LockChoice {
    /// Files that are named; several may be requirements files only.
    pub files: Vec<PathBuf>,
    /// Whether the project's own file is meant, whatever locks it.
    pub project: bool,
    /// Extras, groups and members of a workspace.
    pub selection: Selection,
    /// Whether only these indexes are asked, and none that a file names.
    pub own_indexes: bool,
    /// Whether the newest versions are wanted, as far as the file leaves them open.
    pub upgrade: bool,
    /// Whether every file has to have a hash.
    pub require_hashes: bool,
}

/// The file that an environment is to follow.
pub struct LockSource {
    /// Its form.
    pub kind: LockKind,
    /// The file; of requirements there may be several.
    pub(super) files: Vec<PathBuf>,
    /// Their contents; none of requirements.
    pub(super) texts: Vec<String>,
    /// What they say, if they are requirements.
    pub(super) requirements: RequirementsFiles,
    /// The folder that it is in.
    pub folder: PathBuf,
    /// The folder of the project that it is of, where the venv is.
    pub project: PathBuf,
    /// What was chosen.
    pub(crate) choice: LockChoice,
}

impl LockSource {
    /// Finds and reads what is meant.
    ///
    /// # Errors
    /// When there is no such file, or the files do not go together.
    pub fn find(host: &Host, choice: LockChoice, indexes: &Indexes) -> Result<Self> {
        Self::find_from(host, &host.working_directory, choice, indexes)
    }

    /// The same, for somebody in the directory `here`.
    ///
    /// # Errors
    /// As those of [`Self::find`].
    pub fn find_from(host: &Host, here: &Path, mut choice: LockChoice, indexes: &Indexes) -> Result<Self> {
        let is_named = !choice.files.is_empty();
        let is_elsewhere = |file: &Path| file == Path::new("-") || file.to_string_lossy().contains("://");
        let absolute = |file: &PathBuf| if is_elsewhere(file) { file.clone() } else { here.join(file) };
        let files = if choice.project {
            vec![lockfile::find_project(here).ok_or_else(|| {
                Error::new("this project has no `pyproject.toml`, neither here nor up to its root")
                    .hinted("go to the project's directory")
            })?]
        } else if is_named {
            choice.files.iter().map(absolute).collect()
        } else {
            vec![lockfile::find(here).ok_or_else(|| {
                Error::new("there is no lock file here or up to the project's root").hinted(
                    "name one, or make one with `virtpy lock`: `pylock.toml`, `uv.lock`, `poetry.lock`, `Pipfile.lock`, \
                     `requirements.txt` and `pyproject.toml` are looked for",
                )
            })?]
        };
        choice.files = files;
        let index = indexes.settings(host)?;
        let mut source = Self::read(host, choice, index)?;
        if is_named {
            source.project = lockfile::project_of_file(&source.folder, here);
        } else if source.kind == LockKind::Uv
            && source.choice.selection.members.is_empty()
            && !source.choice.selection.all_members
        {
            let member = source.member_here(here)?;
            source.choice.selection.members.extend(member);
        }
        if source.kind == LockKind::Requirements {
            return source.demand_pins(host, index, is_named);
        }
        Ok(source)
    }

    /// The member of the workspace that the current directory belongs to, if it is not the lock's own project.
    fn member_here(&self, here: &Path) -> Result<Option<String>> {
        let own = lockfile::find_project(here);
        let Some(own) = own.as_deref().and_then(Path::parent).filter(|own| *own != self.folder) else {
            return Ok(None);
        };
        if lockfile::workspace_of(own).is_none() {
            return Ok(None);
        }
        let member = lockfile::member_in_lock(&self.texts[0], &self.folder, own);
        let missing = || {
            let (lock, own) = (self.files[0].display(), own.display());
            Error::new(format!("`{lock}` does not have the workspace's member in `{own}`"))
                .hinted("lock the workspace again with `uv lock`")
        };
        member.map(Some).ok_or_else(missing)
    }

    /// Requirements that leave anything open are no lock. Where none is named, the project's own file is followed instead.
    fn demand_pins(self, host: &Host, index: &IndexSettings, is_named: bool) -> Result<Self> {
        let pins = self.requirements.pins();
        // A file that only names the project beside it locks nothing.
        let is_lock = pins.open.is_empty() && (pins.pinned > 0 || is_named && pins.sources > 0);
        if is_lock {
            return Ok(self);
        }
        let project = self.folder.join("pyproject.toml");
        if !is_named && lockfile::is_project(&project) {
            let choice = LockChoice { files: vec![project], ..self.choice.clone() };
            let followed = Self::read(host, choice, index)?;
            host.message(format_args!(
                "`{}` does not pin everything: following `{}`",
                self.label(host),
                followed.label(host)
            ));
            return Ok(followed);
        }
        let why = match pins.open.as_slice() {
            [] => "it pins nothing".to_owned(),
            [one] => format!("it does not pin `{one}`"),
            [one, more @ ..] => format!("it does not pin `{one}` and {} more", more.len()),
        };
        Err(self.closure(host, false).refusal(&why))
    }

    /// That requirements have to be whole by themselves.
    pub(super) fn closure(&self, host: &Host, with_installed: bool) -> Closure {
        let first = self.files.first().map(|file| host.shown(file)).unwrap_or_default();
        Closure { source: self.label(host), first, with_installed }
    }

    /// Reads files that are named.
    ///
    /// # Errors
    /// When one cannot be read, or they do not go together.
    fn read(host: &Host, choice: LockChoice, index: &IndexSettings) -> Result<Self> {
        let LockChoice { files, selection, .. } = &choice;
        let kind = files.first().map_or(LockKind::Requirements, |file| LockKind::of(file));
        if files.len() > 1 && files.iter().any(|file| LockKind::of(file) != LockKind::Requirements) {
            return Err(Error::usage("only requirements files may be several"));
        }
        let has_members = !selection.members.is_empty() || selection.all_members || selection.no_editable;
        if kind != LockKind::Uv && has_members {
            return Err(Error::usage(
                "only `uv.lock` has members of a workspace (`--package`, `--all-packages`, `--no-editable`)",
            )
            .hinted("go to the member's directory: it has a lock and a venv of its own there"));
        }
        if kind == LockKind::Requirements && *selection != Selection::default() {
            return Err(Error::usage("a requirements file has neither extras nor groups"));
        }
        let (texts, requirements) = if kind == LockKind::Requirements {
            (Vec::new(), host.requirements_files(files, &[], index)?)
        } else {
            let texts = files.iter().map(|file| fs::read_named(file)).collect::<Result<_, _>>()?;
            (texts, RequirementsFiles::default())
        };
        // What comes from a pipe or from elsewhere stands in no folder of its own.
        let is_file = files.first().is_some_and(|file| fs::metadata(file).is_ok_and(|found| found.is_file()));
        let folder = files.first().and_then(|file| file.parent()).filter(|_| is_file);
        let folder = fs::canonicalize(folder.unwrap_or(&host.working_directory))?;
        let files = files.clone();
        Ok(Self { kind, files, texts, requirements, project: folder.clone(), folder, choice })
    }

    /// The versions of Python that it is for, if it says so.
    pub fn requires_python(&self) -> Option<String> {
        let text = self.texts.first()?;
        match self.kind {
            LockKind::Pipfile => Pipfile::parse(&self.files[0], text).ok()?.python().map(str::to_owned),
            kind => kind.requires_python(text),
        }
    }

    /// All that decides about what it says, as a text; what the directories that it names hold is left out.
    pub(crate) fn identity(&self) -> String {
        // The settings of a workspace's root count for a project that is not locked.
        let root = (self.kind == LockKind::Project).then(|| lockfile::workspace_of(&self.folder)).flatten();
        let root = root.and_then(|root| fs::read_to_string(&root.join("pyproject.toml")).ok());
        let texts: Vec<&String> = self.texts.iter().chain(&root).collect();
        let named = (&self.kind, &self.folder, texts, &self.requirements);
        let chosen = (&self.choice.selection, self.choice.own_indexes, self.choice.require_hashes);
        serde_json::to_string(&(named, chosen)).unwrap_or_default()
    }

    /// Whether it was made of its directory's `pyproject.toml` alone, and by virtpy.
    pub fn is_of_project_alone(&self) -> bool {
        let origin = self.texts.first().filter(|_| self.kind == LockKind::Pylock);
        let origin = origin.and_then(|text| lockfile::Origin::read(text));
        origin.is_some_and(|origin| origin.is_of_project_alone())
    }

    /// The same with the group that comes unasked with the lock of a project of one's own: `dev`, as uv has it, unless the lock or the
    /// project says which ones do.
    #[must_use]
    pub fn with_development_group(mut self) -> Self {
        let selection = &self.choice.selection;
        let names_it = |names: &[String]| names.iter().any(|name| name == DEVELOPMENT);
        let is_decided = selection.no_default_groups
            || selection.no_dev
            || !selection.only_groups.is_empty()
            || names_it(&selection.groups)
            || names_it(&selection.without_groups);
        if !is_decided && self.has_undecided_development_group() {
            self.choice.selection.groups.push(DEVELOPMENT.to_owned());
        }
        self
    }

    /// Whether it is a lock with a group `dev`, and neither it nor its project says which groups come unasked.
    fn has_undecided_development_group(&self) -> bool {
        let Some(text) = self.texts.first().filter(|_| self.kind == LockKind::Pylock) else { return false };
        let parse = |text: &str| text.parse::<toml::Table>().unwrap_or_default();
        // The packages come behind it, and are many.
        let head = parse(text.split("\n[[packages]]").next().unwrap_or_default());
        let groups = head.get("dependency-groups").and_then(toml::Value::as_array);
        let has_group = groups.is_some_and(|all| all.iter().any(|name| name.as_str() == Some(DEVELOPMENT)));
        if !has_group || head.contains_key("default-groups") {
            return false;
        }
        let project = fs::read_to_string(&self.folder.join("pyproject.toml")).unwrap_or_default();
        let project = parse(&project);
        let settings = project.get("tool").and_then(|tool| tool.get("uv"));
        settings.is_none_or(|settings| settings.get("default-groups").is_none())
    }

    /// Its name, for people.
    pub fn label(&self, host: &Host) -> String {
        self.files.iter().map(|file| host.shown(file)).collect::<Vec<_>>().join("`, `")
    }

    /// What is to be asked, for a venv that has these `contents`.
    ///
    /// # Errors
    /// When the file makes no sense.
    pub(super) fn asked(
        &self,
        host: &Host,
        contents: &Contents,
        settings: &IndexSettings,
    ) -> Result<ResolveRequest> {
        let options = Options {
            upgrade: self.choice.upgrade,
            require_hashes: self.choice.require_hashes,
            left_out: own_pip(contents),
            working_directory: host.working_directory.clone(),
            ..Options::default()
        };
        let locked = |format| {
            ResolveRequest::Locked(Box::new(LockedRequest {
                path: self.files[0].clone(),
                text: self.texts[0].clone(),
                format,
                selection: self.choice.selection.clone(),
                options: options.clone(),
            }))
        };
        let request = |requirements: Vec<Input>, options: Options| Request {
            requirements,
            options,
            ..Request::default()
        };
        let ask = |request| ResolveRequest::Request(Box::new(request));
        // What a pinned file leaves out is not wanted, even if another package requires it.
        let pinned = Options { no_deps: true, ..options.clone() };
        Ok(match self.kind {
            LockKind::Pylock => locked(LockFormat::Pylock),
            LockKind::Uv => locked(LockFormat::Uv),
            LockKind::Requirements => {
                ask(Request { files: self.requirements.clone(), ..request(Vec::new(), pinned) })
            }
            LockKind::Pipfile => {
                let path = &self.files[0];
                let files = host.requirements_text(path, self.pipfile()?, settings)?;
                let pinned = Options { working_directory: self.folder.clone(), ..pinned };
                ask(Request { files, ..request(Vec::new(), pinned) })
            }
            LockKind::Project | LockKind::Poetry => {
                let (path, selection) = (self.files[0].clone(), self.choice.selection.clone());
                let (conditional, marks_base) = (false, false);
                let project = ProjectInput { path, text: None, selection, conditional, marks_base };
                let input = Input::Project(project);
                // Nothing is locked, so what is there does, wherever it came from.
                let installed = candidates(&contents.visible(), Path::new(""));
                ask(Request { installed, ..request(vec![input], options) })
            }
        })
    }

    /// The packages of `Pipfile.lock`, as a requirements file.
    fn pipfile(&self) -> Result<String> {
        let pipfile = Pipfile::parse(&self.files[0], &self.texts[0])?;
        let Selection { extras, all_extras, groups, all_groups, without_groups, only_groups, .. } =
            &self.choice.selection;
        if !extras.is_empty() || *all_extras {
            return Err(Error::usage("`Pipfile.lock` has no extras"));
        }
        let known: Vec<String> = pipfile.categories().map(str::to_owned).collect();
        // pipenv's word for it, and everybody else's.
        let category = |name: &String| if name == "dev" { "develop".to_owned() } else { name.clone() };
        let mut wanted: Vec<String> = groups.iter().chain(only_groups).map(category).collect();
        if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
            return Err(Error::new(format!("`Pipfile.lock` has no group `{unknown}`"))
                .hinted(format!("it has {}", known.join(", "))));
        }
        if *all_groups {
            wanted = known;
        }
        let mut without: Vec<String> = without_groups.iter().map(category).collect();
        without.extend(self.choice.selection.no_dev.then(|| category(&DEVELOPMENT.to_owned())));
        wanted.retain(|name| !without.contains(name));
        wanted.extend(only_groups.is_empty().then(|| "default".to_owned()));
        Ok(pipfile.requirements(&wanted, !self.choice.own_indexes, &|name| std::env::var(name).ok()))
    }
}
