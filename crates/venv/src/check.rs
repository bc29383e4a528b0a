//! What is wrong in a venv: requirements that are not met, links that lead nowhere, files that were changed.

use std::collections::BTreeSet;
use std::path::Path;

use virtpy_files::{self as fs, Directory, FileKind};
use virtpy_pep::{InterpreterTags, MarkerEnvironment, Requirement, Version, WheelHash};
use virtpy_store::{ADOPTED, Entry, EntryId, Store, StoreError};
use virtpy_wheel as wheel;

use super::contents::{Contents, Distribution, Owner};
use super::node::Node;
use super::plan::{MARKER, Plan};
use super::problem::Problem;
use super::{Installed, Venv, VenvError, foreign};

/// Looks for everything that is wrong in a venv.
///
/// # Errors
/// When the venv cannot be read.
pub fn check(
    venv: &Venv,
    store: &Store,
    contents: &Contents,
    markers: &MarkerEnvironment,
) -> Result<Vec<Problem>, VenvError> {
    let mut problems = check_requirements(contents, markers, Scope::Venv);
    let python = venv.python();
    if fs::metadata(&python).is_err() {
        problems.push(Problem::NoInterpreter { path: python.display().to_string() });
    }
    check_files(venv, store, contents, &mut problems)?;
    for distribution in &contents.distributions {
        if let Owner::Foreign(described) = &distribution.owner {
            let (distribution, installer) = (distribution.label().to_string(), described.installer.clone());
            problems.push(Problem::Foreign { distribution, installer });
        }
    }
    for lost in &contents.lost {
        problems.push(Problem::Lost { distribution: lost.label().to_string() });
    }
    for stranger in store.strangers()? {
        problems.push(Problem::Stranger { name: stranger.name.to_string_lossy().into_owned() });
    }
    Ok(problems)
}

/// Whose requirements are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those of the venv's distributions, and of the base interpreter's on them.
    Venv,
    /// Those of all that is seen in the venv.
    Everything,
}

/// Looks for requirements of installed distributions that are not met.
pub fn check_requirements(contents: &Contents, markers: &MarkerEnvironment, scope: Scope) -> Vec<Problem> {
    let mut problems = Vec::new();
    let installed = contents.visible_by_package();
    for distribution in contents.visible() {
        let label = distribution.label().to_string();
        for text in distribution.requires_dist() {
            let Ok(requirement) = Requirement::of_metadata(text) else {
                continue;
            };
            if !requirement.applies(markers, &[]) {
                continue;
            }
            let found = installed.get(requirement.name());
            let is_venvs = |one: &&Distribution| !one.is_of_system();
            if scope == Scope::Venv && !is_venvs(&distribution) && !found.is_some_and(is_venvs) {
                continue;
            }
            let met = found.map(|one| &one.version);
            let problem = match met.map(|installed| (installed, installed.parse::<Version>())) {
                None => Problem::Unmet { distribution: label.clone(), requirement: text.clone() },
                Some((_, Ok(version))) if requirement.accepts(&version) => continue,
                Some((installed, _)) => Problem::Conflicting {
                    distribution: label.clone(),
                    requirement: text.clone(),
                    installed: installed.clone(),
                },
            };
            problems.push(problem);
        }
    }
    problems
}

/// Looks for distributions whose wheels are for another interpreter or system. Of one that was adopted nobody knows the wheel's
/// name, and what another tool installed is its own affair.
///
/// # Errors
/// When the store cannot be read.
pub fn check_tags(
    store: &Store,
    contents: &Contents,
    tags: &InterpreterTags,
) -> Result<Vec<Problem>, VenvError> {
    let mut problems = Vec::new();
    for distribution in &contents.distributions {
        let Owner::Virtpy(installed) = &distribution.owner else { continue };
        let Some(entry) = store.entry_as_linked(installed.linked())? else { continue };
        if entry.manifest.origin == ADOPTED {
            continue;
        }
        if let Err(error) = tags.check(&entry.manifest.filename) {
            problems.push(Problem::Incompatible {
                distribution: distribution.label().to_string(),
                wheel: error.file,
                made_for: error.made_for,
                interpreter: error.interpreter,
            });
        }
    }
    Ok(problems)
}

/// The entry of a distribution, and what is wrong with it.
struct EntryLook {
    /// Nothing if it is gone.
    entry: Option<Entry>,
    damage: Option<String>,
}

/// Compares every file of an entry with its manifest, by what is known of it without reading it.
fn look_at_entry(store: &Store, installed: &Installed) -> Result<EntryLook, StoreError> {
    let Some(entry) = store.linked_entry(installed.linked())? else {
        return Ok(EntryLook { entry: None, damage: None });
    };
    // An editor's forced write goes through a link, and nothing prevents the store's owner from it.
    let damage = match store.look_at(&entry) {
        Err(StoreError::Damaged { reason, .. }) => Some(reason),
        _ if entry.layer.is_some() => store.look_at_names(&entry).first().map(ToString::to_string),
        _ => store.strays_in(&entry)?.first().map(ToString::to_string),
    };
    Ok(EntryLook { entry: Some(entry), damage })
}

/// Compares the venv with its plan.
fn check_files(
    venv: &Venv,
    store: &Store,
    contents: &Contents,
    problems: &mut Vec<Problem>,
) -> Result<(), VenvError> {
    let mut entries: Vec<(Entry, &Installed)> = Vec::new();
    // What another tool took away was laid out with its neighbours, which stand so until virtpy's next change.
    for installed in &contents.lost {
        if let Ok(Some(entry)) = store.entry_as_linked(installed.linked()) {
            entries.push((entry, installed));
        }
    }
    let taken: BTreeSet<&WheelHash> = contents.lost.iter().map(|installed| &installed.sha256).collect();
    let own: Vec<&Installed> = contents.distributions.iter().filter_map(Distribution::installed).collect();
    let looks = fs::map_ordered(&own, fs::processors(), |installed| look_at_entry(store, installed));
    for (installed, look) in own.into_iter().zip(looks) {
        let EntryLook { entry, damage } = look?;
        let distribution = installed.label().to_string();
        let place = installed.layer.as_ref().map(|layer| layer.display().to_string());
        let Some(entry) = entry else {
            let path = store.path_linked(&EntryId::of(&installed.sha256), installed.layer.as_deref());
            problems.push(Problem::NoEntry { distribution, path: path.display().to_string(), store: place });
            continue;
        };
        if let Some(reason) = damage {
            problems.push(Problem::Damaged { distribution, reason, store: place });
        }
        entries.push((entry, installed));
    }
    let mut edited = BTreeSet::new();
    for (entry, installed) in
        entries.iter().filter(|(_, installed)| installed.copied && !taken.contains(&installed.sha256))
    {
        let files = venv.edited_files(entry, installed)?;
        edited.extend(files.iter().map(|file| format!("{}/{file}", venv.layout.site_packages)));
        let distribution = installed.label().to_string();
        problems.push(Problem::Detached { distribution, edited: files });
    }
    let order = |key: &str| contents.state.distributions.iter().position(|known| known.package == key);
    entries.sort_by_key(|(_, installed)| order(&installed.package));
    let members: Vec<_> = entries
        .iter()
        .map(|(entry, installed)| super::PlannedDistribution {
            manifest: &entry.manifest,
            entry: &entry.path,
            requested: installed.requested,
            direct_url: installed.direct_url.as_deref(),
            copied: installed.copied,
        })
        .collect();
    let plan = Plan::of(&venv.layout, venv.config.link_mode(), &contents.state.shared_folders, &members)?;
    let staying: Vec<(&Entry, &str)> = entries
        .iter()
        .filter(|(_, installed)| !taken.contains(&installed.sha256))
        .map(|(entry, installed)| (entry, installed.dist_info.as_str()))
        .collect();
    let is_of_staying = |path: &str, node: &Node| {
        taken.is_empty()
            || match node.source() {
                Some(source) => staying.iter().any(|(entry, _)| source.starts_with(&entry.path)),
                None => staying.iter().any(|(_, dist_info)| path.contains(dist_info)),
            }
    };
    // What another installer's RECORD lists is its own, also where it overwrote something.
    let mut theirs = edited;
    for distribution in contents.distributions.iter().filter(|one| one.is_foreign()) {
        theirs.extend(foreign::files(venv, distribution).unwrap_or_default());
    }
    // Folders of the venv in which many paths are looked at are opened once.
    let venv = &Venv { directory: venv.directory.for_many_changes(), ..venv.clone() };
    for (path, node) in plan.nodes.iter().filter(|(path, node)| is_of_staying(path, node)) {
        if !theirs.contains(path) {
            check_node(venv, path, node, problems)?;
        }
    }
    Ok(())
}

fn check_node(venv: &Venv, path: &str, node: &Node, problems: &mut Vec<Problem>) -> Result<(), VenvError> {
    let absolute = venv.root.join(path);
    // Anybody may clear bytecode, and Python makes its folder again.
    if path.ends_with(wheel::BYTECODE_FOLDER) && fs::kind(&absolute)? != Some(FileKind::Link) {
        return Ok(());
    }
    if venv.layout.is_provenance(path) {
        return Ok(());
    }
    if !venv.is_as_planned(path, node)? && !venv.is_record_of_the_same_files(path, node) {
        let path = path.to_owned();
        let is_somebodys = match venv.directory.kind(&path)? {
            Some(FileKind::File) => is_replaced(&venv.directory, &path, node)?,
            Some(FileKind::Folder) => matches!(node, Node::Link(_)),
            _ => false,
        };
        problems.push(if is_somebodys { Problem::Replaced { path } } else { Problem::Modified { path } });
    } else if matches!(node, Node::Link(_)) && fs::metadata(&absolute).is_err() {
        problems.push(Problem::Dangling { path: path.to_owned() });
    }
    Ok(())
}

impl Venv {
    /// Whether a path is a RECORD that differs from the planned one only by what it says of a `direct_url.json`, or of markers,
    /// of which earlier versions had more.
    fn is_record_of_the_same_files(&self, path: &str, node: &Node) -> bool {
        if !self.layout.is_record(path) {
            return false;
        }
        let planned = match node {
            Node::Text { content, .. } => Ok(content.clone()),
            Node::HardlinkOrCopy(source) => fs::read(source),
            _ => return false,
        };
        let Ok(planned) = planned else { return false };
        let Ok(found) = self.directory.read(path) else { return false };
        let rows = |text: &[u8]| -> Vec<String> {
            let text = String::from_utf8_lossy(text);
            let is_other = |row: &&str| {
                !row.contains(".dist-info/direct_url.json,") && !row.contains(&format!("/{MARKER},"))
            };
            text.lines().filter(is_other).map(str::to_owned).collect()
        };
        rows(&found) == rows(&planned)
    }

    /// Whether what stands at a path is exactly what a plan wants there. Of the store's own files and of scripts that wheels
    /// carry only the kind is looked at.
    pub(super) fn is_as_planned(&self, path: &str, node: &Node) -> Result<bool, VenvError> {
        let directory = &self.directory;
        let Some(found) = directory.facts(path)? else { return Ok(false) };
        Ok(match (node, found.kind) {
            (Node::Folder, FileKind::Folder) | (Node::Script(_) | Node::Hardlink(_), FileKind::File) => true,
            (Node::HardlinkOrCopy(source), FileKind::File) => {
                // A large one may be a second name of it.
                found.is_file_at(source).unwrap_or(false) || equals(directory, path, source)?
            }
            (Node::Link(target), FileKind::Link) => directory.read_link(path)? == *target,
            (Node::SharedText(content), FileKind::File) => directory.read(path)? == content.as_bytes(),
            (Node::Text { content, .. }, FileKind::File) => directory.read(path)? == *content,
            (Node::Copy(source), FileKind::File) => equals(directory, path, source)?,
            _ => false,
        })
    }
}

/// Whether a file that stands where a plan wants a link has been put there by somebody: virtpy makes links there and, in a venv of another
/// link mode, files with the content of the store's.
pub(super) fn is_replaced(directory: &Directory, path: &str, node: &Node) -> Result<bool, VenvError> {
    let Node::Link(source) = node else { return Ok(false) };
    let is_file = fs::metadata(source).is_ok_and(|facts| facts.is_file());
    Ok(!is_file || !equals(directory, path, source)?)
}

/// Whether a file of the venv has the content of one in the store; one that the store lost equals nothing.
fn equals(directory: &Directory, path: &str, source: &Path) -> Result<bool, VenvError> {
    match fs::read(source) {
        Err(error) if error.is_not_found() => Ok(false),
        source => Ok(directory.read(path)? == source?),
    }
}
