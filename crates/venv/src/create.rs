//! Making a venv (PEP 405): a folder with `pyvenv.cfg`, links to the base interpreter and activation scripts.
//!
//! It is made beside its place and renamed into it, so it is complete or absent, and `--clear` never leaves
//! anybody without a venv because the new one could not be made. Only where the place is an empty mount point, which cannot
//! be renamed, it is made within, and moved up with `pyvenv.cfg` last.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use virtpy_files::digest::hex;
use virtpy_files::{self as fs, Directory, Lock};
use virtpy_store::{Entry, EntryId, Store, VenvId};

use super::activation::Activation;
use super::change::ResolvedDistribution;
use super::contents::{Contents, Distribution};
use super::keys::Identity;
use super::layout::{MARK_FILE, require_system};
use super::nodes::{make, put_shared};
use super::place::{self, Existing, resolve};
use super::{Config, Layout, LinkMode, Node, PRIVATE_FOLDER, PackageToInstall, State, Venv, VenvError};

/// What a venv needs to know of its base interpreter.
#[derive(Debug, Clone)]
pub struct BaseInterpreter {
    /// The real executable.
    pub executable: PathBuf,
    /// The full version: `3.12.1`.
    pub version: String,
    /// The name of its library folder: `python3.12`.
    pub library: String,
    /// The names by which scripts call it: `python`, `python3`, `python3.12`.
    pub names: Vec<String>,
    /// Whether it is a 64-bit build for a system with `lib64` folders.
    pub lib64: bool,
}

/// What the user wants.
#[derive(Debug, Clone)]
pub struct NewVenv {
    /// Where, absolute.
    pub path: PathBuf,
    /// The name that activation shows; the folder's where none is given.
    pub prompt: Option<String>,
    /// Whether the base interpreter's own packages are visible.
    pub system_site_packages: bool,
    /// Whether a venv that is there is replaced.
    pub clear: bool,
    /// Whether it is one of virtpy's own, in the store's folder, where nobody else may make any.
    pub in_store: bool,
    /// How packages come into it.
    pub link_mode: LinkMode,
    /// What is in it from the start, in order. It is for the interpreter.
    pub packages: Vec<PackageToInstall>,
}

/// A venv that was just made.
#[derive(Debug)]
pub struct MadeVenv {
    /// The venv.
    pub venv: Venv,
    /// What is in it.
    pub contents: Contents,
    /// What keeps others from changing it, held since before it could be seen.
    pub lock: Lock,
}

/// Makes a venv and registers it with the store. Whatever can fail does so before it stands at its place: there may be
/// another one that it replaces.
///
/// # Errors
/// When the path or the prompt cannot be used, something is there already, or the disk cannot be written; nothing
/// is left behind then, and what was there is untouched.
pub fn create(
    store: &Store,
    base: &BaseInterpreter,
    wish: &NewVenv,
    announce: &mut dyn FnMut(&str),
) -> Result<MadeVenv, VenvError> {
    require_system(&wish.path)?;
    let path = if wish.clear { place::not_through_a_link(&wish.path)? } else { resolve(&wish.path)? };
    check_path(&path)?;
    if !wish.in_store {
        place::refuse_store(store, &path)?;
    }
    let found = place::existing(store, &path, wish.clear)?;
    let staging = Staging::at(store, &path, &found, announce)?;
    // Once more: another process may just have made one.
    let old = place::existing(store, &path, wish.clear)?;
    let id = VenvId::random();
    let lock = store.lock_venv(&id, announce)?;
    let mut config = config(base, wish, &path, &Identity { id: &id, store });
    let entries: Vec<&Entry> = wish.packages.iter().map(|package| &package.entry).collect();
    config.set_layers(entries.iter().filter_map(|entry| entry.layer.as_deref()));
    let layout = Layout::of(&path, &config)?;
    let texts = Texts { config: &config, prompt: &prompt(wish.prompt.as_deref(), &path) };
    let directory = staging.directory.for_many_changes();
    fill(&directory, &path, base, &layout, &texts)?;
    let root = store.register(&id, &path)?;
    let uses: BTreeSet<EntryId> =
        entries.iter().filter(|entry| entry.layer.is_none()).map(|entry| entry.id.clone()).collect();
    if !uses.is_empty() {
        store.note_uses(root, uses.into_iter().collect())?;
    }
    // Before the state is written: it is to be the newest.
    if wish.link_mode.folds() {
        let mark_file = format!("{}/{MARK_FILE}", layout.site_packages);
        directory.write_new(mark_file, mark(store, &config)?.as_bytes(), 0o644)?;
    }
    let root = directory.path().to_owned();
    let venv = Venv { root, directory, config, id, layout, lost_keys: false };
    let placed = venv.furnish(&wish.packages).and_then(|contents| {
        let at_its_place = Venv { root: path.clone(), ..venv.clone() };
        at_its_place.register_below(store, &entries, &[]);
        staging.put_in_place(&path, &old)?;
        Ok(contents)
    });
    let contents = match placed {
        Ok(contents) => contents,
        Err(error) => {
            store.forget(&venv.id)?;
            return Err(error);
        }
    };
    if let Existing::Venv { id: Some(replaced), .. } = &old {
        // The new one stands. A root whose venv is gone keeps nothing for long: the next collection removes it.
        let _ = store.forget(replaced);
    }
    let directory = match &old {
        Existing::MountPoint => staging.parent.clone(),
        _ => staging.directory.renamed(path.clone()),
    };
    let venv = Venv { directory, root: path, ..venv };
    Ok(MadeVenv { venv, contents, lock })
}

impl Venv {
    /// The name that activation shows, if it is another than the folder's.
    pub fn prompt(&self) -> Option<String> {
        self.config.get("prompt").map(from_python_repr)
    }

    /// Puts distributions into a venv that is only being made, so that it needs no journal. Returns what is in it then.
    fn furnish(&self, packages: &[PackageToInstall]) -> Result<Contents, VenvError> {
        let directory = &self.directory;
        let mut state = State::default();
        state.change = VenvId::random().to_string();
        let all: Vec<ResolvedDistribution<'_>> = packages.iter().map(ResolvedDistribution::of).collect();
        if !all.is_empty() {
            let mut firsts = BTreeMap::new();
            // A folder comes before what is in it.
            for (path, node) in &self.plan(&all.iter().collect::<Vec<_>>(), &[])?.nodes {
                match node {
                    Node::Folder if directory.has_folder(path)? => {}
                    Node::SharedText(content) => put_shared(directory, path, content, &mut firsts)?,
                    _ => make(directory, &self.layout, path, node)?,
                }
            }
        }
        state.distributions = all.into_iter().map(|one| one.installed).collect();
        directory.create_dir(PRIVATE_FOLDER)?;
        state.write(self)?;
        let distributions = state.distributions.iter().cloned().map(Distribution::from).collect();
        Ok(Contents { state, distributions, ..Contents::default() })
    }
}

/// The content of [`MARK_FILE`]: puts the store's entries on `sys.path`, with a finder that finds nothing there. A line with
/// only the path would do for coverage; but then whatever lies in that folder could be imported, and tools that pack venvs
/// take a path outside the venv for a package in development. Python runs the line twice in a venv.
pub(super) fn mark(store: &Store, config: &Config) -> Result<String, VenvError> {
    let lower = config.layers().into_iter().map(|home| home.join("w"));
    let folders = std::iter::once(store.mark_as_third_party()?).chain(lower);
    let line = |folder: PathBuf| {
        let folder = python_literal(&folder);
        format!(
            "import sys; {folder} in sys.path or sys.path.append({folder}); sys.path_importer_cache[{folder}] = \
             type('Nothing', (), {{'find_spec': staticmethod(lambda name, target=None: None)}})\n"
        )
    };
    Ok(folders.map(line).collect())
}

/// A path as a literal of Python's in plain ASCII: files of this kind are read in various encodings.
pub fn python_literal(path: &Path) -> String {
    let mut text = String::from("'");
    for letter in path.to_string_lossy().chars() {
        match letter {
            '\'' | '\\' => text.extend(['\\', letter]),
            ' '..='~' => text.push(letter),
            other => {
                let _ = write!(text, "\\U{:08x}", u32::from(other));
            }
        }
    }
    text.push('\'');
    text
}

/// Refuses paths that break every tool: a `:` separates the items of PATH, a line end ends a script's first line.
pub(super) fn check_path(path: &Path) -> Result<(), VenvError> {
    let refuse = |reason| Err(VenvError::UnusablePath { path: path.to_path_buf(), reason });
    let Some(text) = path.to_str() else {
        return refuse("it is not valid UTF-8");
    };
    if text.contains(':') {
        return refuse("`:` separates the folders of PATH");
    }
    if text.contains(['\n', '\r']) {
        return refuse("a line end in it would break scripts and `pyvenv.cfg`");
    }
    Ok(())
}

/// What activation shows: what was asked for, or the folder's name.
pub(super) fn prompt(wish: Option<&str>, path: &Path) -> String {
    let folder = || path.file_name().map(|name| name.to_string_lossy().into_owned());
    wish.map(str::to_owned).or_else(folder).unwrap_or_default()
}

/// The keys that `CPython` writes, in its order, and virtpy's own.
fn config(base: &BaseInterpreter, wish: &NewVenv, path: &Path, identity: &Identity<'_>) -> Config {
    let mut config = Config::default();
    let home = base.executable.parent().unwrap_or(Path::new("/"));
    config.push("home", home.display().to_string());
    config.push("include-system-site-packages", wish.system_site_packages.to_string());
    config.push("version", base.version.clone());
    if let Some(prompt) = &wish.prompt {
        config.push("prompt", python_repr(prompt));
    }
    config.push("executable", base.executable.display().to_string());
    config.push("command", format!("virtpy new {}", path.display()));
    identity.write(&mut config, path, &base.library);
    if wish.link_mode != LinkMode::default() {
        config.push("virtpy-link-mode", wish.link_mode.as_str());
    }
    config
}

/// A text as Python's `repr` writes it: `pyvenv.cfg` holds the prompt in that form.
fn python_repr(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
    let mut repr = String::from(quote);
    for character in text.chars() {
        match character {
            '\\' => repr.push_str("\\\\"),
            '\t' => repr.push_str("\\t"),
            character if character == quote => repr.extend(['\\', quote]),
            character if character.is_control() => {
                // Python writes `\x1b`, Rust `\u{1b}`.
                let code = u32::from(character);
                repr.extend(["\\x", &hex(&[u8::try_from(code).unwrap_or(b'?')])]);
            }
            character => repr.push(character),
        }
    }
    repr.push(quote);
    repr
}

/// The text of which [`python_repr`] is the form; anything else as it stands.
pub(super) fn from_python_repr(repr: &str) -> String {
    let quote = repr.chars().next().filter(|first| matches!(first, '\'' | '"'));
    let inner = quote.and_then(|quote| repr.strip_prefix(quote)?.strip_suffix(quote));
    let Some(inner) = inner else { return repr.to_owned() };
    let mut text = String::new();
    let mut letters = inner.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('t') => text.push('\t'),
            Some('x') => {
                let digits: String = letters.by_ref().take(2).collect();
                text.extend(u8::from_str_radix(&digits, 16).ok().map(char::from));
            }
            Some(other) => text.push(other),
            None => {}
        }
    }
    text
}

/// What is written into a new venv.
pub(super) struct Texts<'a> {
    /// Its `pyvenv.cfg`.
    pub(super) config: &'a Config,
    /// What activation shows.
    pub(super) prompt: &'a str,
}

/// Fills a folder with everything a venv at `path` consists of.
pub(super) fn fill(
    folder: &Directory,
    path: &Path,
    base: &BaseInterpreter,
    layout: &Layout,
    texts: &Texts<'_>,
) -> Result<(), VenvError> {
    let activation = Activation { root: path, scripts: &layout.scripts, prompt: texts.prompt };
    let scripts = activation.scripts()?;
    let library = format!("lib/{}", base.library);
    for made in ["lib", &library, &format!("{library}/site-packages"), "include", &layout.scripts] {
        folder.create_dir(made)?;
    }
    let in_bin = |name: &str| format!("{}/{name}", layout.scripts);
    folder.symlink(&base.executable, in_bin("python"))?;
    for name in base.names.iter().filter(|name| *name != "python") {
        folder.symlink(Path::new("python"), in_bin(name))?;
    }
    if base.lib64 {
        folder.symlink(Path::new("lib"), "lib64")?;
    }
    // Each has a file of its own: tools that pack venvs write them again one by one, and make nonsense of names of one file.
    for script in &scripts {
        folder.write_new(in_bin(script.name), script.content.as_bytes(), 0o644)?;
    }
    folder.write_new(".gitignore", b"*\n", 0o644)?;
    // Last: it is what makes the folder a venv.
    folder.write_new("pyvenv.cfg", texts.config.to_string().as_bytes(), 0o644)?;
    Ok(())
}

/// The folder beside a venv's place in which it is made, or in which the old one goes; within the place where that is a mount
/// point. Its name is always the same, so that what a killed process leaves is swept by the next; a lock keeps two from
/// working in it at once.
struct Staging {
    /// The folder that it is in.
    parent: Directory,
    name: String,
    directory: Directory,
    /// Whether nothing is left at that name.
    is_empty: Cell<bool>,
    _lock: Lock,
}

impl Staging {
    fn at(
        store: &Store,
        path: &Path,
        found: &Existing,
        announce: &mut dyn FnMut(&str),
    ) -> Result<Self, VenvError> {
        let lock = store.lock_place(path, announce)?;
        let (parent, mut name) = if matches!(found, Existing::MountPoint) {
            (path, place::MADE_WITHIN.to_owned())
        } else {
            let beside = format!(".{}.virtpy-new", name_of(path).trim_start_matches('.'));
            (path.parent().unwrap_or(Path::new("/")), beside)
        };
        let parent = match Directory::open(parent) {
            Err(error) if error.is_not_found() => {
                fs::create_dir_all(parent)?;
                Directory::open(parent)?
            }
            other => other?,
        };
        match parent.create_dir(&name) {
            Err(error) if error.already_exists() => {
                // What is not virtpy's stays where it is: a repository may ship a link of that name.
                if !place::may_be_swept(&parent, &name)? {
                    name.push('2');
                    if !place::may_be_swept(&parent, &name)? {
                        return Err(VenvError::InTheWay(parent.path().join(name)));
                    }
                }
                parent.remove_tree(&name)?;
                parent.create_dir(&name)?;
            }
            other => other?,
        }
        let directory = parent.folder(&name)?;
        Ok(Self { parent, name, directory, is_empty: Cell::new(false), _lock: lock })
    }

    /// Renames the finished folder to its place, or exchanges it with the venv that is there.
    fn put_in_place(&self, path: &Path, old: &Existing) -> Result<(), VenvError> {
        let name = name_of(path);
        let directory = match old {
            Existing::Venv { directory, .. } => directory,
            Existing::MountPoint => return self.move_up(),
            Existing::Nothing => {
                self.parent.rename(&self.name, name)?;
                self.is_empty.set(true);
                return Ok(());
            }
        };
        self.parent.exchange(&self.name, name)?;
        let found = self.parent.facts(&self.name)?;
        if found.map(|found| found.identity) != Some(directory.own_facts()?.identity) {
            // Somebody has just put something else there, which nobody looked at.
            self.parent.exchange(&self.name, name)?;
            return Err(VenvError::Exists { path: path.to_owned(), is_venv: false });
        }
        Ok(())
    }

    /// Moves what was made within its place up into it, or leaves all of it where it is.
    fn move_up(&self) -> Result<(), VenvError> {
        let made = Path::new(&self.name);
        let mut names = self.directory.names("")?;
        // What makes it a venv comes last.
        names.sort_by_key(|name| name == "pyvenv.cfg");
        for (index, name) in names.iter().enumerate() {
            if let Err(error) = self.parent.rename(made.join(name), name) {
                for moved in &names[..index] {
                    let _ = self.parent.rename(moved, made.join(moved));
                }
                return Err(error.into());
            }
        }
        Ok(())
    }
}

/// The last part of a venv's path, which is UTF-8.
fn name_of(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

impl Drop for Staging {
    fn drop(&mut self) {
        if !self.is_empty.get() {
            let _ = self.parent.remove_tree(&self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_prompts_as_python_does() {
        assert_eq!(python_repr("plain"), "'plain'");
        assert_eq!(python_repr("it's"), "\"it's\"");
        assert_eq!(python_repr("it's \"both\""), "'it\\'s \"both\"'");
        assert_eq!(python_repr("a\\b"), "'a\\\\b'");
        for text in ["plain", "it's", "it's \"both\"", "a\\b", "tab\t and \x1b", ""] {
            assert_eq!(from_python_repr(&python_repr(text)), text);
        }
        assert_eq!(from_python_repr("bare"), "bare");
    }

    #[test]
    fn paths_are_written_as_python_reads_them() {
        assert_eq!(python_literal(Path::new("/a b/it's\\x")), r"'/a b/it\'s\\x'");
        assert_eq!(python_literal(Path::new("/\u{e9}\n")), r"'/\U000000e9\U0000000a'");
    }

    #[test]
    fn refuses_paths_that_break_tools() {
        assert!(check_path(Path::new("/a:b/.venv")).is_err());
        assert!(check_path(Path::new("/a\nb/.venv")).is_err());
        assert!(check_path(Path::new("/a b/$x'\"/.venv")).is_ok());
    }
}
