//! Taking over a venv that another tool made.
//!
//! What makes a venv virtpy's are a few lines in its `pyvenv.cfg`. Writing those is a step of its own, before anything is
//! linked: a venv of virtpy's in which all distributions are another installer's is a correct one, so whoever is killed
//! after that step has lost nothing.

use std::path::Path;

use virtpy_files::{self as fs, Directory, FileKind};
use virtpy_store::{Store, VenvId};

use super::keys::Identity;
use super::layout::MARK_FILE;
use super::{Config, Layout, LinkMode, PRIVATE_FOLDER, Venv, VenvError};

const CONFIG: &str = "pyvenv.cfg";

/// The name by way of which files are replaced before the venv has a folder for it. Always the same, so that the next
/// adoption overwrites what a killed one left.
const UNFINISHED: &str = ".virtpy-unfinished";

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
        let directory = Directory::open(&root)?;
        let damaged =
            |reason: &str| VenvError::Damaged { path: root.join(CONFIG), reason: reason.to_owned() };
        let facts = directory.facts(CONFIG)?.filter(|facts| facts.kind == FileKind::File);
        let mode = facts.ok_or_else(|| damaged("it is not a regular file"))?.mode;
        let before = directory.read_to_string(CONFIG)?;
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
        let takeover = Takeover { mode, before, after };
        let venv = Venv { root, directory, config, id, layout, lost_keys: false };
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
        let done =
            self.venv.write_mark(store, UNFINISHED).and_then(|()| self.write(&takeover.after, takeover.mode));
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
        let directory = &self.venv.directory;
        if directory.read_to_string(CONFIG)? != takeover.before {
            self.write(&takeover.before, takeover.mode)?;
        }
        let mark = self.mark_file();
        if directory.kind(&mark)?.is_some() {
            directory.remove_file(&mark)?;
        }
        // Nothing is in it unless going back failed.
        let _ = directory.remove_dir(PRIVATE_FOLDER);
        Ok(store.forget(&self.venv.id)?)
    }

    fn mark_file(&self) -> String {
        format!("{}/{MARK_FILE}", self.venv.layout.site_packages)
    }

    fn write(&self, text: &str, mode: u32) -> Result<(), VenvError> {
        self.venv.directory.replace(UNFINISHED, CONFIG, text.as_bytes(), 0o644)?;
        Ok(self.venv.directory.set_mode(CONFIG, mode)?)
    }
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
