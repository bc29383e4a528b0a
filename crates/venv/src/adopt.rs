//! Taking over a venv that another tool made.
//!
//! What makes a venv virtpy's are a few lines in its `pyvenv.cfg`. Writing those is a step of its own, before anything is
//! linked: a venv of virtpy's in which all distributions are another installer's is a correct one, so whoever is killed
//! after that step has lost nothing.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, FileKind};
use virtpy_store::{Store, VenvId};

use super::create::mark;
use super::keys::Identity;
use super::layout::MARK_FILE;
use super::{Config, Layout, LinkMode, Venv, VenvError};

/// A venv that is virtpy's or may become so.
#[derive(Debug)]
pub struct Candidate {
    /// The venv as it is once it is taken over.
    pub venv: Venv,
    /// What is to be written; nothing for one that is virtpy's already.
    takeover: Option<Takeover>,
}

/// The step from another tool's venv to one of virtpy's.
#[derive(Debug)]
struct Takeover {
    config: PathBuf,
    mode: u32,
    before: String,
    after: String,
}

impl Candidate {
    /// Looks at the venv in `root`, whoever made it. `link_mode` is how packages come into one that is taken over.
    ///
    /// # Errors
    /// When there is no venv, it has no folder of packages, or its path fits into no interpreter line.
    pub fn open(store: &Store, root: &Path, link_mode: LinkMode) -> Result<Self, VenvError> {
        match Venv::open(root) {
            Ok(venv) => Ok(Self { venv, takeover: None }),
            Err(VenvError::NotOurs(_)) => Self::foreign(store, root, link_mode),
            Err(error) => Err(error),
        }
    }

    fn foreign(store: &Store, root: &Path, link_mode: LinkMode) -> Result<Self, VenvError> {
        let root = fs::canonicalize(root)?;
        let path = root.join("pyvenv.cfg");
        let damaged = |reason: &str| VenvError::Damaged { path: path.clone(), reason: reason.to_owned() };
        if fs::kind(&path)? != Some(FileKind::File) {
            return Err(damaged("it is no regular file"));
        }
        let before = fs::read_to_string(&path)?;
        let config = Config::parse(&before);
        if config.get("virtpy-library").is_some() || config.get("virtpy-link-mode").is_some() {
            return Err(damaged("it has lines of virtpy's, but no `virtpy-id`"));
        }
        let id = VenvId::random();
        let mut own = Config::default();
        Identity { id: &id, store }.write(&mut own, &root, &library(&root, &config)?);
        if link_mode != LinkMode::default() {
            own.push("virtpy-link-mode", link_mode.as_str());
        }
        let line_end = if before.is_empty() || before.ends_with('\n') { "" } else { "\n" };
        let after = format!("{before}{line_end}{own}");
        let config = Config::parse(&after);
        let layout = Layout::of(&root, &config)?;
        let mode = fs::metadata(&path)?.permissions().mode() & 0o7777;
        let takeover = Takeover { config: path, mode, before, after };
        let venv = Venv { root, config, id, layout, lost_keys: false };
        venv.demand_real_folders()?;
        Ok(Self { venv, takeover: Some(takeover) })
    }

    /// Whether another tool made it.
    pub fn is_foreign(&self) -> bool {
        self.takeover.is_some()
    }

    /// Makes it virtpy's: registered with the store first, then marked. The caller holds the store's lock and the venv's.
    ///
    /// # Errors
    /// When the store or the venv cannot be written; the venv is then as before.
    pub fn take_over(&self, store: &Store) -> Result<(), VenvError> {
        let Some(takeover) = &self.takeover else { return Ok(()) };
        store.register(&self.venv.id, &self.venv.root)?;
        let done = self.mark(store).and_then(|()| takeover.write(&takeover.after));
        if let Err(error) = done {
            self.give_back(store)?;
            return Err(error);
        }
        Ok(())
    }

    /// Undoes [`Self::take_over`], after a change that failed.
    ///
    /// # Errors
    /// When the venv cannot be written.
    pub fn give_back(&self, store: &Store) -> Result<(), VenvError> {
        let Some(takeover) = &self.takeover else { return Ok(()) };
        if fs::read_to_string(&takeover.config)? != takeover.before {
            takeover.write(&takeover.before)?;
        }
        let mark = self.venv.site_packages().join(MARK_FILE);
        if fs::kind(&mark)?.is_some() {
            fs::remove_file(&mark)?;
        }
        // Nothing is in it unless going back failed.
        let _ = fs::remove_dir(&self.venv.private());
        Ok(store.forget(&self.venv.id)?)
    }

    fn mark(&self, store: &Store) -> Result<(), VenvError> {
        if self.venv.config.link_mode().folds() {
            let path = self.venv.site_packages().join(MARK_FILE);
            fs::write_by_way_of(&unfinished(&self.venv.root), &path, mark(store)?.as_bytes())?;
        }
        Ok(())
    }
}

impl Takeover {
    fn write(&self, text: &str) -> Result<(), VenvError> {
        let root = self.config.parent().unwrap_or(Path::new("."));
        fs::write_by_way_of(&unfinished(root), &self.config, text.as_bytes())?;
        Ok(fs::set_mode(&self.config, self.mode)?)
    }
}

/// The name by way of which files are replaced before the venv has a folder for it. Always the same, so that the next
/// adoption overwrites what a killed one left.
fn unfinished(root: &Path) -> PathBuf {
    root.join(format!("{}unfinished", fs::UNFINISHED))
}

/// The `python3.12` of `lib/python3.12/site-packages`. Where a venv was upgraded and there are several, the version in its
/// configuration decides.
pub(super) fn library(root: &Path, config: &Config) -> Result<String, VenvError> {
    let library = root.join("lib");
    let is_folder = |path: &Path| fs::kind(path).is_ok_and(|kind| kind == Some(FileKind::Folder));
    let mut found = Vec::new();
    if is_folder(&library) {
        for (name, kind) in fs::read_dir_names(&library)? {
            let has_packages = is_folder(&library.join(&name).join("site-packages"));
            if let (FileKind::Folder, true, Ok(name)) = (kind, has_packages, name.into_string()) {
                found.push(name);
            }
        }
    }
    let version = config.get("version").or_else(|| config.get("version_info")).unwrap_or_default();
    let present = version.split('.').take(2).collect::<Vec<_>>().join(".");
    if found.len() > 1 {
        found.retain(|name| name.strip_prefix("python") == Some(present.as_str()));
    }
    if let Ok([name]) = <[String; 1]>::try_from(found) {
        return Ok(name);
    }
    let reason = "it does not tell which `site-packages` folder is the venv's".to_owned();
    Err(VenvError::Damaged { path: library, reason })
}
