//! The names by which people reach an application: its commands, manual pages and completions, each a link in
//! `$VIRTPY_HOME/bin` (or the directory of the setting `tool.bin-dir`) or `$VIRTPY_HOME/share` that leads through the
//! application's `current`.
//!
//! A link belongs to the application that it leads to. Nothing else is ever replaced or removed.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::ToolError;
use super::name::CURRENT;
use virtpy_files::{self as fs, FileKind};
use virtpy_store::{self as store, Store};

/// The folders of a venv whose files are shown to man and to shells, and where.
const RESOURCES: &[&str] = &[
    "share/bash-completion/completions",
    "share/fish/vendor_completions.d",
    "share/zsh/site-functions",
    "share/man/man1",
    "share/man/man2",
    "share/man/man3",
    "share/man/man4",
    "share/man/man5",
    "share/man/man6",
    "share/man/man7",
    "share/man/man8",
    "share/man/man9",
];

/// One name of an application.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exposed {
    /// Where it stands, from `$VIRTPY_HOME`: `bin/black`.
    pub place: String,
    /// What it leads to, from the venv: `bin/black`.
    pub target: String,
}

impl Exposed {
    /// The command's name, if it is one.
    pub fn command(&self) -> Option<&str> {
        self.place.strip_prefix("bin/")
    }

    /// Whether both paths are of the kind that virtpy writes; the manifest is a file like others.
    pub(super) fn validate(&self) -> Result<(), String> {
        let is_sound = |path: &str| {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            (folder == "bin" || RESOURCES.contains(&folder))
                && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
        };
        if is_sound(&self.place) && is_sound(&self.target) {
            Ok(())
        } else {
            Err(format!("`{}` cannot be exposed", self.place.escape_debug()))
        }
    }
}

/// What a distribution has to offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Offer {
    /// Its commands.
    pub commands: Vec<String>,
    /// Its manual pages and completions, as paths in the venv.
    pub resources: Vec<String>,
}

impl Offer {
    /// Reads it off an entry.
    pub fn of(entry: &store::Manifest) -> Self {
        let generated = entry.entry_points.iter().map(|point| point.name.clone());
        let carried = entry.scripts.iter().map(|script| script.file.path.clone());
        let mut commands: Vec<String> = generated.chain(carried).filter(|name| !name.contains('/')).collect();
        commands.sort();
        commands.dedup();
        let is_resource =
            |path: &&str| path.rsplit_once('/').is_some_and(|(folder, _)| RESOURCES.contains(&folder));
        let paths = entry.data.iter().map(|row| row.path.as_str());
        Self { commands, resources: paths.filter(is_resource).map(str::to_owned).collect() }
    }

    /// The names under which it is exposed. With a suffix only the commands are: a manual page has a name of its own.
    pub fn exposed(&self, suffix: &str) -> impl Iterator<Item = Exposed> {
        let commands = self
            .commands
            .iter()
            .map(move |name| Exposed { place: format!("bin/{name}{suffix}"), target: format!("bin/{name}") });
        let resources = if suffix.is_empty() { self.resources.as_slice() } else { &[] };
        commands.chain(resources.iter().map(|path| Exposed { place: path.clone(), target: path.clone() }))
    }
}

/// Where a name stands: commands may have a folder outside the store.
fn link(store: &Store, one: &Exposed) -> PathBuf {
    one.command().map_or_else(|| store.home().join(&one.place), |command| store.bin().join(command))
}

/// The text of the link.
fn target(store: &Store, tool: &str, one: &Exposed) -> PathBuf {
    store.tools().join(tool).join(CURRENT).join(&one.target)
}

/// Whose link it is: the name of an application, whether or not it is still there.
fn owner(store: &Store, link: &Path) -> Result<Option<String>, ToolError> {
    if fs::kind(link)? != Some(FileKind::Link) {
        return Ok(None);
    }
    let target = fs::read_link(link)?;
    let Ok(inside) = target.strip_prefix(store.tools()) else { return Ok(None) };
    let mut parts = inside.iter();
    let tool = parts.next().and_then(|name| name.to_str());
    Ok(tool.filter(|_| parts.next().is_some_and(|part| part == CURRENT)).map(str::to_owned))
}

/// Whether an application may take a name.
pub(super) fn check(store: &Store, tool: &str, one: &Exposed) -> Result<(), ToolError> {
    let link = link(store, one);
    if fs::kind(&link)?.is_none() {
        return Ok(());
    }
    match owner(store, &link)? {
        Some(owner) if owner == tool => Ok(()),
        // What is left of an application that is gone is free.
        Some(owner) if fs::kind(&store.tools().join(&owner).join(CURRENT))?.is_none() => Ok(()),
        Some(owner) => {
            let command = one.command().unwrap_or(&one.place).to_owned();
            Err(ToolError::OtherTool { command, owner })
        }
        None => Err(ToolError::Foreign(link)),
    }
}

/// Makes a name lead to an application. That it may was checked.
pub(super) fn expose(store: &Store, tool: &str, one: &Exposed) -> Result<(), ToolError> {
    let link = link(store, one);
    let folder = link.parent().unwrap_or(Path::new("/"));
    fs::create_dir_all(folder)?;
    let temporary = folder.join(format!(".virtpy-{tool}"));
    Ok(fs::link_by_way_of(&temporary, &target(store, tool, one), &link)?)
}

/// Removes an application's names, but for those in `keep`.
pub(super) fn withdraw(store: &Store, tool: &str, keep: &[Exposed]) -> Result<(), ToolError> {
    // Also where commands were before another folder was chosen for them.
    let resources = RESOURCES.iter().map(|folder| store.home().join(folder));
    for path in [store.bin(), store.usual_bin()].into_iter().chain(resources) {
        if fs::kind(&path)?.is_none() {
            continue;
        }
        for name in fs::names(&path)? {
            let present = path.join(&name);
            let is_kept = keep.iter().any(|one| link(store, one) == present);
            if !is_kept && owner(store, &present)?.as_deref() == Some(tool) {
                fs::remove_file(&present)?;
            }
        }
    }
    Ok(())
}
