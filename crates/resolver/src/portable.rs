//! Makes lock files portable: what they name on this machine is named relative to the lock's own directory, so that the same
//! project gives the same bytes in every directory, and a clone of it follows its own files.

use std::path::{Component, Path, PathBuf};

use toml_edit::{DocumentMut, Item, TableLike, Value};
use uv_redacted::DisplaySafeUrl;
use virtpy_pep::Sha256Digest;

use crate::url::local_path;

/// A path without `.` and `..`, so that one file or directory has one name. Nothing is looked at: a `..` behind a link goes back to
/// where the link stands.
pub fn normalized_path(path: &Path) -> PathBuf {
    path.components().fold(PathBuf::new(), |mut path, part| {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(path.pop()),
            part => path.push(part),
        }
        path
    })
}

/// A file on this machine that a lock names without a hash.
pub(crate) struct Unhashed<'a> {
    /// The file.
    pub(crate) path: PathBuf,
    file: &'a mut dyn TableLike,
}

impl Unhashed<'_> {
    /// Writes its hash down.
    pub(crate) fn hashed(self, sha256: Sha256Digest) {
        let mut hashes = toml_edit::InlineTable::new();
        hashes.insert("sha256", Value::from(sha256.to_string()));
        self.file.insert("hashes", toml_edit::value(hashes));
    }
}

/// Names the files and directories of this machine that a `pylock.toml` has relative to `directory`, in which it will lie.
/// Returns the files that have no hash yet: those of a directory of wheels.
pub(crate) fn name_relative<'a>(document: &'a mut DocumentMut, directory: &Path) -> Vec<Unhashed<'a>> {
    let base = resolved(directory);
    let mut unhashed = Vec::new();
    let packages = document.get_mut("packages").and_then(Item::as_array_of_tables_mut);
    for package in packages.into_iter().flat_map(toml_edit::ArrayOfTables::iter_mut) {
        for (key, item) in package.iter_mut() {
            // A repository is fetched from where the URL says; what follows are files and directories.
            if !matches!(key.get(), "wheels" | "sdist" | "archive" | "directory") {
                continue;
            }
            for place in places(item) {
                let Some(path) = local_place(place) else { continue };
                place.remove("url");
                place.insert("path", toml_edit::value(relative(&path, &base)));
                let is_hashed =
                    place.get("hashes").and_then(Item::as_table_like).is_some_and(|all| !all.is_empty());
                if key.get() != "directory" && !is_hashed {
                    unhashed.push(Unhashed { path, file: place });
                }
            }
        }
    }
    unhashed
}

/// The tables that say where the files of a package are: one, or several in an array.
fn places(item: &mut Item) -> Vec<&mut dyn TableLike> {
    match item {
        Item::Value(Value::Array(array)) => array
            .iter_mut()
            .filter_map(Value::as_inline_table_mut)
            .map(|table| table as &mut dyn TableLike)
            .collect(),
        Item::ArrayOfTables(tables) => tables.iter_mut().map(|table| table as &mut dyn TableLike).collect(),
        other => other.as_table_like_mut().into_iter().collect(),
    }
}

/// The absolute path that a table names, by `path` or by a `file:` URL.
fn local_place(place: &dyn TableLike) -> Option<PathBuf> {
    if let Some(path) = place.get("path").and_then(Item::as_str) {
        return Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    }
    let url = place.get("url").and_then(Item::as_str)?;
    local_path(&DisplaySafeUrl::parse(url).ok()?)
}

/// A path as it is named from a directory: with `/` everywhere, `.` for the directory itself. One that has nothing in common
/// with the directory but the root stays as it is: it is a place of the machine, not of the project.
pub(crate) fn relative(path: &Path, base: &Path) -> String {
    let path = resolved(path);
    let shared = path.components().zip(base.components()).take_while(|(one, other)| one == other).count();
    if shared <= 1 {
        return path.display().to_string();
    }
    let up = base.components().skip(shared).map(|_| Component::ParentDir);
    let named: PathBuf = up.chain(path.components().skip(shared)).collect();
    if named.as_os_str().is_empty() { ".".to_owned() } else { named.display().to_string() }
}

/// A path as a file in `directory` names it: relative, with `/` everywhere. One that has nothing in common with the directory but
/// the root stays as it is.
pub fn relative_to(path: &Path, directory: &Path) -> String {
    relative(path, &resolved(directory))
}

/// A path without `.`, `..` and links on its way. What it leads to itself may be a link: that is what is named.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    let whole = || path.canonicalize().ok();
    match (path.parent(), path.file_name()) {
        (Some(parent), Some(name)) => {
            parent.canonicalize().map(|parent| parent.join(name)).ok().or_else(whole)
        }
        _ => whole(),
    }
    .unwrap_or_else(|| path.to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_named_from_where_the_lock_lies() {
        let name = |path: &str, base: &str| relative(Path::new(path), Path::new(base));
        assert_eq!(name("/absent/p", "/absent/p"), ".");
        assert_eq!(name("/absent/p/lib/a", "/absent/p"), "lib/a");
        assert_eq!(name("/absent/p", "/absent/p/locks/ci"), "../..");
        assert_eq!(name("/absent/q/x.whl", "/absent/p"), "../q/x.whl");
        assert_eq!(name("/absent/pq", "/absent/p"), "../pq");
        assert_eq!(name("/elsewhere/x.whl", "/absent/p"), "/elsewhere/x.whl");
    }

    #[test]
    fn all_that_is_on_this_machine_is_named_relatively() {
        let text = "[[packages]]\nname = \"a\"\ndirectory = { path = \"/absent/p/a b\", editable = true }\n\n\
                    [[packages]]\nname = \"b\"\n\
                    sdist = { url = \"https://host.invalid/b.tar.gz\", hashes = { sha256 = \"00\" } }\n\
                    wheels = [\n    { url = \"file:///absent/p/w/b%20c.whl\", hashes = {} },\n    \
                    { url = \"https://host.invalid/b.whl\", hashes = {} },\n]\n\n\
                    [[packages]]\nname = \"c\"\narchive = { path = \"/absent/c.whl\", hashes = { sha256 = \"01\" } }\n\n\
                    [[packages]]\nname = \"d\"\nvcs = { type = \"git\", url = \"file:///absent/p/d\" }\n";
        let mut document: DocumentMut = text.parse().unwrap();
        let unhashed = name_relative(&mut document, Path::new("/absent/p"));
        let files: Vec<PathBuf> = unhashed.iter().map(|file| file.path.clone()).collect();
        for file in unhashed {
            file.hashed([0xff; 32].into());
        }
        assert_eq!(files, [Path::new("/absent/p/w/b c.whl")]);
        let written = document.to_string();
        for expected in [
            "directory = { path = \"a b\", editable = true }",
            "path = \"w/b c.whl\"",
            "sha256 = \"ffff",
            "archive = { path = \"../c.whl\", hashes",
            "url = \"file:///absent/p/d\"",
            "{ url = \"https://host.invalid/b.whl\", hashes = {} }",
        ] {
            assert!(written.contains(expected), "{expected} is not in {written}");
        }
    }
}
