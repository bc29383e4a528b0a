//! Stores below the user's own that are only read: which they are, and whether they are believed.
//!
//! Whoever can write into a store decides what every venv imports that links into it. So a lower store is believed as ssh believes
//! key files: its folders, and all on the way to them, belong to root, to who runs this, or to an owner whom the settings name,
//! and nobody else can write there. (A POSIX access list shows in the bits of the group.)

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fmt;
use std::fs::Metadata;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, OnceLock};

use virtpy_files::{self as fs, MetadataExt as _, PathError, PermissionsExt as _};

/// So many links are followed on the way to a store.
const MOST_LINKS: usize = 40;

/// Who but its owner could change a file.
const OTHERS_WRITE: u32 = 0o022;

/// Why the stores below the user's own cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct LayerError {
    /// What is wrong with which.
    pub message: String,
    /// What a user can do about it.
    pub hint: Option<String>,
}

/// A store below the user's own, which is only read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    home: PathBuf,
    owners: Owners,
    is_there: bool,
}

/// The users who may own a lower store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owners(BTreeSet<u32>);

impl Owners {
    /// Root, who runs this, and these.
    pub fn and(named: impl IntoIterator<Item = u32>) -> Self {
        Self(named.into_iter().chain([0, fs::effective_user()]).collect())
    }

    /// What speaks against somebody being believed who can write a file or a folder.
    fn objection(&self, path: &Path, facts: &Metadata) -> Option<String> {
        if !self.0.contains(&facts.uid()) {
            return Some(format!("`{}` belongs to the user {}", path.display(), facts.uid()));
        }
        // Everybody may "write" a link.
        let is_open = !facts.is_symlink() && facts.permissions().mode() & OTHERS_WRITE != 0;
        is_open.then(|| format!("`{}` can be written by others than its owner", path.display()))
    }
}

impl Layer {
    /// Looks at the store in a folder. One that is not there has nothing.
    ///
    /// # Errors
    /// When somebody could write there who is not believed.
    pub fn at(home: &Path, owners: &Owners) -> Result<Self, LayerError> {
        let layer = |is_there| Self { home: home.to_path_buf(), owners: owners.clone(), is_there };
        match look(home, owners) {
            Ok(()) => Ok(layer(true)),
            Err(Objection::Path(error)) if error.is_not_found() => Ok(layer(false)),
            Err(objection) => Err(LayerError {
                message: format!("the store `{}` is not trusted: {objection}", home.display()),
                hint: Some(
                    "its directories and all above them have to belong to root, to you, or to a user whom the setting \
                     `store-owners` names, and nobody else may write there (`chmod go-w`)"
                        .to_owned(),
                ),
            }),
        }
    }

    /// Its folder, as the settings name it: venvs have links with this path.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of its entries.
    pub fn entries(&self) -> PathBuf {
        self.home.join("w")
    }

    /// Whether it is there now.
    pub fn is_there(&self) -> bool {
        self.is_there
    }

    /// What speaks against believing an entry of it: somebody else can write to something in its folder.
    pub(super) fn objection_to(&self, entry: &Path) -> Option<String> {
        let below = fs::walk(entry).map(|found| found.map(|found| found.path));
        for path in std::iter::once(Ok(entry.to_path_buf())).chain(below) {
            let looked = path.and_then(|path| Ok((fs::symlink_metadata(&path)?, path)));
            let objection = match looked {
                Ok((facts, path)) => self.owners.objection(&path, &facts),
                Err(error) => Some(format!("{error}: {}", error.source)),
            };
            if objection.is_some() {
                return objection;
            }
        }
        None
    }
}

/// What speaks against a store.
enum Objection {
    Path(PathError),
    Reason(String),
}

impl fmt::Display for Objection {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(error) => write!(formatter, "{error}: {}", error.source),
            Self::Reason(reason) => formatter.write_str(reason),
        }
    }
}

impl From<PathError> for Objection {
    fn from(error: PathError) -> Self {
        Self::Path(error)
    }
}

/// Looks at every folder and link on the way to a store's entries.
fn look(home: &Path, owners: &Owners) -> Result<(), Objection> {
    if !fs::knows_owners() {
        return Err(Objection::Reason("whose its files are is not to be had on Windows yet".to_owned()));
    }
    let real = walk_to(home, owners)?;
    for folder in [real.clone(), real.join("w")] {
        let facts = fs::symlink_metadata(&folder)?;
        if !facts.is_dir() {
            return Err(Objection::Reason(format!("`{}` is not a directory", folder.display())));
        }
        if let Some(reason) = owners.objection(&folder, &facts) {
            return Err(Objection::Reason(reason));
        }
    }
    Ok(())
}

/// Goes to a folder step by step, and looks at each. In a folder that bears the sticky bit (`/tmp`) everybody may make something,
/// and only its owner may put something else in its place. Returns the real path.
fn walk_to(path: &Path, owners: &Owners) -> Result<PathBuf, Objection> {
    let parts = |path: &Path| -> Vec<OsString> {
        let named =
            path.components().filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir));
        named.map(|part| part.as_os_str().to_owned()).collect()
    };
    let mut left: VecDeque<OsString> = parts(path).into();
    let mut real = PathBuf::from("/");
    let mut links = 0;
    loop {
        let facts = fs::symlink_metadata(&real)?;
        if facts.is_symlink() {
            links += 1;
            if links > MOST_LINKS {
                return Err(Objection::Reason(format!("`{}` leads nowhere", path.display())));
            }
            if !owners.0.contains(&facts.uid()) {
                let owner = facts.uid();
                return Err(Objection::Reason(format!("`{}` belongs to the user {owner}", real.display())));
            }
            let target = fs::read_link(&real)?;
            real = if target.is_absolute() { PathBuf::from("/") } else { parent(&real) };
            parts(&target).into_iter().rev().for_each(|part| left.push_front(part));
        } else if let Some(reason) = owners.objection(&real, &facts) {
            let is_sticky = facts.permissions().mode() & 0o1000 != 0 && owners.0.contains(&facts.uid());
            if !is_sticky {
                return Err(Objection::Reason(reason));
            }
        }
        match left.pop_front() {
            None => return Ok(real),
            Some(name) if name == ".." => real = parent(&real),
            Some(name) => real.push(name),
        }
    }
}

fn parent(path: &Path) -> PathBuf {
    path.parent().unwrap_or(Path::new("/")).to_path_buf()
}

/// What finds out which stores are below one in a folder.
type Source = dyn Fn(&Path) -> Result<Vec<Layer>, LayerError> + Send + Sync;

/// The stores below one, looked at when they are first needed: most commands need none.
#[derive(Clone)]
pub(super) struct LowerStores {
    source: Arc<Source>,
    known: Arc<OnceLock<Result<Vec<Layer>, LayerError>>>,
}

impl LowerStores {
    /// Those that this tells.
    pub(super) fn of(source: Arc<Source>) -> Self {
        Self { source, known: Arc::default() }
    }

    /// The same for a store in another folder.
    pub(super) fn beside(&self) -> Self {
        Self::of(Arc::clone(&self.source))
    }

    /// The stores below the one in this folder, in order.
    pub(super) fn below(&self, home: &Path) -> Result<&[Layer], LayerError> {
        match self.known.get_or_init(|| (self.source)(home)) {
            Ok(layers) => Ok(layers),
            Err(error) => Err(error.clone()),
        }
    }
}

impl Default for LowerStores {
    fn default() -> Self {
        Self::of(Arc::new(|_| Ok(Vec::new())))
    }
}

impl fmt::Debug for LowerStores {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("LowerStores").field(&self.known).finish()
    }
}
