//! What an environment has to have, and the text that names the request for it.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use virtpy_resolver::{IndexSettings, RequirementsFiles};

use super::super::hold::hold_whole;
use super::super::tool::settled;
use super::{Call, What};
use crate::cli::{IndexArguments, RunArguments, VenvArgument};
use crate::context::{Context, active_venv};
use crate::error::Failure;
use crate::fs;
use crate::interpreters::{self, Interpreter};
use crate::lockfile;
use crate::scripts::{self, Block};
use crate::store::PIP_SHIM_VERSION;
use crate::venv::{self, Config, Distribution, State, Venv};

/// A new form of requests or environments gets another number, so that none of an old one is taken for it.
const FORMAT: u32 = 2;

/// A venv that a program sees beside what is asked for.
#[derive(Debug, Clone)]
pub(super) struct Base {
    /// Its folder.
    pub(super) root: PathBuf,
    /// The folder of its packages.
    pub(super) site_packages: PathBuf,
    /// Whether it sees its interpreter's own packages.
    pub(super) sees_system: bool,
}

/// A script's lock file.
pub(super) struct LockText {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// What an environment has to have.
pub(super) struct Wish {
    /// What the script says about itself.
    pub(super) block: Option<Block>,
    /// The lock file beside the script.
    pub(super) lock: Option<LockText>,
    /// The folder that paths in it start from.
    pub(super) folder: PathBuf,
    /// Requirements; paths in them are absolute.
    pub(super) specs: Vec<String>,
    /// What requirements files say.
    pub(super) files: RequirementsFiles,
    /// Folders that are used in place, absolute.
    pub(super) editables: Vec<String>,
    /// The interpreter that the user names.
    pub(super) python: Option<String>,
    /// The venv that is seen as well.
    pub(super) base: Option<Base>,
    /// Where packages come from, without what the script says about that.
    pub(super) settings: IndexSettings,
    /// Whether the user named an index.
    pub(super) names_index: bool,
    /// Whether the newest versions are wanted.
    pub(super) refresh: bool,
    /// All of this as a text.
    pub(super) request: String,
}

impl Wish {
    pub(super) fn of(context: &Context, arguments: &RunArguments, call: &Call) -> Result<Self, Failure> {
        let absolute = |path: &Path| context.working_directory.join(path);
        let base = if call.block.is_some() || arguments.isolated { None } else { find_base(context)? };
        if let Some(base) = &base {
            base.demand_interpreter()?;
            base.demand_packages(context, &arguments.index)?;
        }
        let mut wish = Self {
            block: call.block.clone(),
            lock: None,
            folder: call.folder.clone(),
            specs: arguments.with.iter().map(|spec| settled(context, spec)).collect(),
            files: RequirementsFiles::default(),
            editables: arguments.with_editable.iter().map(|path| in_folder(context, path)).collect(),
            python: arguments.python.clone(),
            base,
            settings: IndexSettings::default(),
            names_index: arguments.index.index_url.is_some(),
            refresh: arguments.refresh,
            request: String::new(),
        };
        if !arguments.with_requirements.is_empty() {
            let settings = context.index_settings(&arguments.index)?;
            wish.files = context.requirements_files(&arguments.with_requirements, &[], &settings)?;
            wish.refuse_lock()?;
            if let Some(remark) = wish.files.remark_on_nothing() {
                context.output.warning(remark);
            }
        }
        wish.lock = wish.lock_of(context, call)?;
        if !wish.is_plain() || wish.base.is_none() {
            wish.settings = context.index_settings(&arguments.index)?;
            // Paths in the script's metadata start elsewhere.
            let settings = &mut wish.settings;
            let named = settings.index_url.iter_mut().chain(&mut settings.extra_index_urls);
            for place in named.chain(&mut settings.find_links).filter(|place| !place.contains("://")) {
                *place = absolute(Path::new(&place)).display().to_string();
            }
            wish.request = wish.told(context)?;
        }
        Ok(wish)
    }

    /// The lock file beside the script. What is asked for beside the script is not in it, so then it counts for nothing.
    fn lock_of(&self, context: &Context, call: &Call) -> Result<Option<LockText>, Failure> {
        let What::File(script) = &call.what else { return Ok(None) };
        let found = scripts::lock_beside(&context.working_directory.join(script));
        let Some(path) = found.filter(|_| self.block.is_some()) else { return Ok(None) };
        if !self.is_bare() {
            context.output.warning(format_args!(
                "`{}` is left aside: what is asked for beside the script is not locked",
                path.display()
            ));
            return Ok(None);
        }
        let text = fs::read_to_string(&path)?;
        Ok(Some(LockText { path, text }))
    }

    /// Whether nothing is asked for on the command line.
    fn is_bare(&self) -> bool {
        self.specs.is_empty() && self.editables.is_empty() && !self.files.asks_for_something()
    }

    /// Whether nothing is asked for beside what the base has.
    pub(super) fn is_plain(&self) -> bool {
        self.block.is_none() && self.is_bare()
    }

    /// Refuses a lock file where something beside it is to be had.
    fn refuse_lock(&self) -> Result<(), Failure> {
        let Some(lock) = self.files.locks.first() else { return Ok(()) };
        Err(Failure::usage(format!(
            "`{}` is a lock file, not one of requirements",
            self.files.texts[*lock].name
        ))
        .hinted("make a venv of it: `virtpy new --from pylock.toml`"))
    }

    /// Everything that decides about the environment.
    fn told(&self, context: &Context) -> Result<String, Failure> {
        // Whether a connection may be made changes nothing about the answer.
        let settings = IndexSettings { offline: false, ..self.settings.clone() };
        let mut text = format!(
            "{FORMAT} {} {} {:?} {:?} {:?} {settings:?} {:?}\n",
            std::env::consts::OS,
            std::env::consts::ARCH,
            self.specs,
            self.editables,
            self.python,
            self.names_index,
        );
        if let Some(block) = &self.block {
            // Only a path in it can mean something else in another folder.
            let has_path = block.text.contains(['/', '\\']) || block.text.contains("path");
            let folder = if has_path { self.folder.as_path() } else { Path::new("") };
            let _ = write!(text, "{}\n{}", folder.display(), block.text);
        } else if self.base.is_none() && self.python.is_none() {
            let _ = write!(text, "{:?}", context.pin().map(|pin| pin.requests));
        }
        if let Some(lock) = &self.lock {
            let _ = write!(text, "\n{}\n{}", lock.path.display(), lock.text);
        }
        if let Some(base) = &self.base {
            let python = fs::read_link(&base.root.join("bin/python")).ok();
            let _ = writeln!(text, "{base:?} {python:?} {:?}", base.distributions(context)?);
        }
        if self.files != RequirementsFiles::default() {
            // Paths in them start in the present folder.
            let _ = writeln!(text, "{} {:?}", context.working_directory.display(), self.files);
        }
        Ok(text)
    }

    /// Makes sure that a venv has the Python that the user names.
    pub(super) fn check_python(&self, context: &Context, base: &Base) -> Result<(), Failure> {
        let Some(text) = &self.python else { return Ok(()) };
        let own = base.interpreter(context)?;
        if context.is_wanted(text, &own)? {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the venv at `{}` has Python {}, not {text}",
            base.root.display(),
            own.version
        ))
        .hinted("`--isolated` leaves it aside; `virtpy new --clear -p VERSION` makes it anew"))
    }
}

impl Base {
    /// Whether its interpreter is there. Without it another Python would run what is asked for, one without its packages.
    fn demand_interpreter(&self) -> Result<PathBuf, Failure> {
        fs::canonicalize(&self.root.join("bin/python")).map_err(|error| {
            if !error.is_not_found() {
                return error.into();
            }
            Failure::new(format!("the interpreter of the venv at `{}` is gone", self.root.display()))
                .hinted("give it another with `virtpy relink`, or leave it aside with `--isolated`")
        })
    }

    /// The facts of its interpreter.
    pub(super) fn interpreter(&self, context: &Context) -> Result<Interpreter, Failure> {
        Ok(interpreters::query(&self.demand_interpreter()?, &context.store.cache())?)
    }

    /// Fetches what the store lost of it, so that nothing runs without it.
    pub(super) fn demand_packages(&self, context: &Context, index: &IndexArguments) -> Result<(), Failure> {
        let Ok(venv) = Venv::open(&self.root) else { return Ok(()) };
        if State::is_in_store(&venv, &context.store) {
            return Ok(());
        }
        let named = VenvArgument { path: Some(self.root.clone()) };
        let venv = context.venv_to_change(&named)?;
        hold_whole(context, &venv, index).map(drop)
    }

    /// The names of all that describes a distribution that is seen in it, sorted: of its own, and of the base interpreter's.
    fn distributions(&self, context: &Context) -> Result<Vec<String>, Failure> {
        let folders = if self.sees_system { self.folders(&self.interpreter(context)?) } else { self.own() };
        let is_metadata =
            |name: &String| [".dist-info", ".egg-info", ".egg-link"].iter().any(|end| name.ends_with(end));
        let names = folders.iter().flat_map(|folder| fs::names(folder).unwrap_or_default());
        let mut known: Vec<String> =
            names.filter_map(|name| name.into_string().ok()).filter(is_metadata).collect();
        known.sort();
        Ok(known)
    }

    /// What is installed and seen in it, whoever installed it, but for virtpy's own pip.
    pub(super) fn packages(&self, interpreter: &Interpreter) -> Vec<Distribution> {
        let folders = if self.sees_system { self.folders(interpreter) } else { self.own() };
        let mut found = venv::distributions_in(&folders);
        found.retain(|one| one.version != PIP_SHIM_VERSION);
        found
    }

    fn own(&self) -> Vec<PathBuf> {
        vec![self.site_packages.clone()]
    }

    /// The folders of packages that are searched, in their order.
    fn folders(&self, interpreter: &Interpreter) -> Vec<PathBuf> {
        [self.own(), Context::system_site_of(interpreter)].concat()
    }
}

/// The venv that is seen beside what is asked for, whoever made it: the project's, or else the active one, or the nearest
/// `.venv`.
fn find_base(context: &Context) -> Result<Option<Base>, Failure> {
    if let Some(project) = lockfile::python_project(&context.working_directory)
        && let Some(nearest) = context.nearest_venv()?
    {
        context.project_venv(&VenvArgument::default(), nearest.parent().unwrap_or(&project))?;
        return open(&nearest);
    }
    if let Some(root) = active_venv() {
        return match open(&root)? {
            Some(base) => Ok(Some(base)),
            None => Err(Failure::new(format!("the active venv `{}` is not there", root.display()))
                .hinted("`deactivate` it, or leave it aside with `--isolated`")),
        };
    }
    context.nearest_venv()?.map_or(Ok(None), |root| open(&root))
}

fn open(root: &Path) -> Result<Option<Base>, Failure> {
    let text = match fs::read_to_string(&root.join("pyvenv.cfg")) {
        Ok(text) => text,
        Err(error) if matches!(error.source.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error.into()),
    };
    let config = Config::parse(&text);
    let library = match (config.get("virtpy-library"), config.get("version").or(config.get("version_info"))) {
        (Some(library), _) => library.to_owned(),
        (None, Some(version)) => {
            let minor: Vec<&str> = version.split('.').take(2).collect();
            format!("python{}", minor.join("."))
        }
        (None, None) => String::new(),
    };
    let mut site_packages = root.join("lib").join(library).join("site-packages");
    if fs::kind(&site_packages)?.is_none() {
        // Other implementations and builds have other names.
        let names = fs::names(&root.join("lib"))?;
        let found = names.iter().map(|name| root.join("lib").join(name).join("site-packages"));
        site_packages = found.into_iter().find(|path| path.is_dir()).unwrap_or(site_packages);
    }
    let sees_system = config.sees_system_site();
    Ok(Some(Base { root: root.to_path_buf(), site_packages, sees_system }))
}

/// The folder of an editable, whatever folder it is named from; its extras stay.
fn in_folder(context: &Context, text: &str) -> String {
    if text.contains("://") {
        return text.to_owned();
    }
    let path = context.working_directory.join(text);
    path.display().to_string()
}
