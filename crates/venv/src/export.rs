//! Writing a venv with files of its own: what an image or another machine needs that has no store.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, Directory, FileKind};
use virtpy_pep::WheelHash;
use virtpy_store::{Entry, Store, is_pip_shim};
use virtpy_wheel as wheel;

use super::create::{Texts, check_path, fill, from_python_repr, prompt};
use super::layout::MARK_FILE;
use super::nodes::make;
use super::place::{refuse_store, resolve};
use super::{
    BaseInterpreter, Config, Contents, Layout, LinkMode, Node, Owner, PRIVATE_FOLDER, Plan,
    PlannedDistribution, Venv, VenvError,
};

/// How `pyvenv.cfg` says what made an export.
const COMMAND: &str = "virtpy export";

/// Where an export goes.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The folder that is made, absolute.
    pub path: PathBuf,
    /// The path that it will have where it is used.
    pub at: PathBuf,
}

impl Venv {
    /// Writes the venv as an ordinary one: every file a copy, scripts for the place where it will be used, nothing of
    /// virtpy's own. Packages of other installers, edited copies and files that nobody owns come along. The caller holds the
    /// venv's lock and the store's. Returns the folder.
    ///
    /// # Errors
    /// When something stands at the destination, the store no longer has a package, or the disk cannot be written;
    /// nothing is left behind then.
    pub fn export(
        &self,
        store: &Store,
        contents: &Contents,
        base: &BaseInterpreter,
        destination: &Destination,
    ) -> Result<PathBuf, VenvError> {
        let path = resolve(&destination.path)?;
        check_path(&destination.at)?;
        refuse_store(store, &path)?;
        if path.starts_with(&self.root) {
            return Err(VenvError::ExportInside(path));
        }
        let is_free = match fs::kind(&path)? {
            None => true,
            Some(kind) => kind == FileKind::Folder && fs::names(&path)?.is_empty(),
        };
        if !is_free {
            let config = fs::read_to_string(&path.join("pyvenv.cfg")).map(|text| Config::parse(&text));
            let is_export = config.is_ok_and(|config| {
                config.get("command").is_some_and(|command| command.starts_with(COMMAND))
            });
            return Err(VenvError::ExportExists { path, is_export });
        }
        let layout = Layout::of(&destination.at, &self.config)?;
        let parent = path.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(parent)?;
        let staged = fs::temporary_folder(parent)?;
        let folder = Directory::open(staged.path())?.for_many_changes();
        self.lay_foundation(&folder, &destination.at, base, &layout)?;
        let entries = entries(store, contents)?;
        let own = self.directory.for_many_changes();
        let exporter =
            Exporter { venv: self, own: &own, folder: &folder, layout: &layout, entries: &entries };
        exporter.packages(contents)?;
        exporter.rest(contents)?;
        fs::rename(staged.path(), &path)?;
        Ok(path)
    }

    fn lay_foundation(
        &self,
        folder: &Directory,
        at: &Path,
        base: &BaseInterpreter,
        layout: &Layout,
    ) -> Result<(), VenvError> {
        let mut config = self.config.without_own_keys();
        config.set("command", format!("{COMMAND} {}", at.display()));
        let wish = config.get("prompt").map(from_python_repr);
        let texts = Texts { config: &config, prompt: &prompt(wish.as_deref(), at) };
        fill(folder, at, base, layout, &texts)
    }
}

/// The entries of the distributions that virtpy installed here, in the order of installation.
fn entries(store: &Store, contents: &Contents) -> Result<Vec<Entry>, VenvError> {
    let mut entries = Vec::new();
    for installed in &contents.state.distributions {
        let is_there = contents
            .distributions
            .iter()
            .any(|found| matches!(&found.owner, Owner::Virtpy(own) if own.dist_info == installed.dist_info));
        if is_there {
            entries.push(
                store
                    .entry_as_linked(installed.linked())?
                    .ok_or_else(|| VenvError::MissingEntry(installed.label().to_string()))?,
            );
        }
    }
    Ok(entries)
}

struct Exporter<'a> {
    venv: &'a Venv,
    /// The venv's folder.
    own: &'a Directory,
    /// The folder that becomes the export.
    folder: &'a Directory,
    layout: &'a Layout,
    entries: &'a [Entry],
}

impl Exporter<'_> {
    fn plan(&self, contents: &Contents, layout: &Layout, mode: LinkMode) -> Result<Plan, VenvError> {
        let by_hash: BTreeMap<&WheelHash, &super::Installed> =
            contents.state.distributions.iter().map(|one| (&one.sha256, one)).collect();
        let member = |entry: &'_ Entry| {
            let installed = by_hash.get(&entry.manifest.sha256).copied();
            (installed.is_some_and(|one| one.requested), installed.and_then(|one| one.direct_url.clone()))
        };
        let facts: Vec<(bool, Option<String>)> = self.entries.iter().map(member).collect();
        let copied =
            |entry: &Entry| mode.folds() && by_hash.get(&entry.manifest.sha256).is_some_and(|one| one.copied);
        let members: Vec<PlannedDistribution<'_>> = self
            .entries
            .iter()
            .zip(&facts)
            .map(|(entry, (requested, direct_url))| PlannedDistribution {
                manifest: &entry.manifest,
                entry: &entry.path,
                requested: *requested,
                direct_url: direct_url.as_deref(),
                copied: copied(entry),
            })
            .collect();
        let shared: &[String] = if mode.folds() { &contents.state.shared_folders } else { &[] };
        Plan::of(layout, mode, shared, &members)
    }

    /// Writes what virtpy installed. Of a package that is this venv's own copy, the copy.
    fn packages(&self, contents: &Contents) -> Result<(), VenvError> {
        // virtpy's own pip hands over to a program that need not be there.
        let own_pip = |entry: &Entry| is_pip_shim(&entry.manifest.name, &entry.manifest.version);
        let entries: Vec<Entry> = self.entries.iter().filter(|entry| !own_pip(entry)).cloned().collect();
        let plan = Exporter { entries: &entries, ..*self }.plan(contents, self.layout, LinkMode::Copy)?;
        let edited: Vec<&Path> = self
            .entries
            .iter()
            .filter(|entry| {
                let is_it = |one: &&super::Installed| one.sha256 == entry.manifest.sha256;
                contents.state.distributions.iter().find(is_it).is_some_and(|one| one.copied)
            })
            .map(|entry| entry.path.as_path())
            .collect();
        for (path, node) in &plan.nodes {
            if matches!(node, Node::Folder) && self.folder.kind(path)?.is_some()
                || path.ends_with(wheel::BYTECODE_FOLDER)
            {
                continue;
            }
            let is_edited = |source: &Path| edited.iter().any(|entry| source.starts_with(entry));
            match node {
                Node::Copy(source) if is_edited(source) && self.own.kind(path)? == Some(FileKind::File) => {
                    self.copy(path)?;
                }
                _ => make(self.folder, self.layout, path, node)?,
            }
        }
        Ok(())
    }

    /// Copies what virtpy did not put there: packages of other installers, files that nobody owns.
    fn rest(&self, contents: &Contents) -> Result<(), VenvError> {
        let plan = self.plan(contents, &self.venv.layout, self.venv.config.link_mode())?;
        self.folder_rest("", &plan)
    }

    fn folder_rest(&self, folder: &str, plan: &Plan) -> Result<(), VenvError> {
        for (name, kind) in self.own.read_dir_names(folder)? {
            let Some(name) = name.to_str() else { continue };
            let path = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            let is_own = matches!(name, PRIVATE_FOLDER | MARK_FILE | wheel::BYTECODE_FOLDER);
            let stands = self.folder.kind(&path)?;
            match kind {
                _ if is_own => {}
                FileKind::Folder => {
                    if stands.is_none() && !plan.nodes.contains_key(&path) {
                        self.folder.create_dir(&path)?;
                    }
                    if self.folder.has_folder(&path)? {
                        self.folder_rest(&path, plan)?;
                    }
                }
                _ if stands.is_some() || plan.nodes.contains_key(&path) => {}
                FileKind::Link => self.folder.symlink(&self.own.read_link(&path)?, &path)?,
                FileKind::File => self.file(&path)?,
                FileKind::Other => {}
            }
        }
        Ok(())
    }

    /// Copies a file; a script of this venv is made to run the exported one.
    fn file(&self, path: &str) -> Result<(), VenvError> {
        if path.starts_with(&format!("{}/", self.layout.scripts)) {
            let content = self.own.read(path)?;
            if let Some(body) = content.strip_prefix(self.venv.layout.shebang.as_bytes()) {
                let script = [self.layout.shebang.as_bytes(), body].concat();
                return Ok(self.folder.write_new(path, &script, self.mode(path)?)?);
            }
        }
        self.copy(path)
    }

    fn copy(&self, path: &str) -> Result<(), VenvError> {
        Ok(self.folder.copy_new(self.own.open_file(path)?, path, self.mode(path)?)?)
    }

    /// The permission bits of the copy of a file of the venv.
    fn mode(&self, path: &str) -> Result<u32, VenvError> {
        let executable = self.own.facts(path)?.is_some_and(|facts| facts.mode & 0o111 != 0);
        Ok(if executable { 0o755 } else { 0o644 })
    }
}
