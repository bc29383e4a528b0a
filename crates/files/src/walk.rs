//! Going through all that is below a folder.

use std::path::{Path, PathBuf};

use super::facts::{set_mode, symlink_metadata};
use super::kind::FileKind;
use super::platform::PermissionsExt as _;
use super::{PathError, read_dir_names};

/// Something below a folder that is walked through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is: the folder that was named, and the way from there.
    pub path: PathBuf,
    /// What it is; a link is never followed.
    pub kind: FileKind,
}

/// Goes through all that is below a folder, itself left out: a folder comes before what is in it, and the names of a folder in
/// their order. No link is followed, and no depth is too much for the stack. What cannot be listed is an error in its place,
/// after which it goes on.
pub fn walk(folder: &Path) -> Walk {
    Walk { left: Vec::new(), entered: Some(folder.to_path_buf()) }
}

/// See [`walk`].
#[derive(Debug)]
pub struct Walk {
    /// What was listed and has not been passed yet, the next one last.
    left: Vec<Found>,
    /// The folder to list next.
    entered: Option<PathBuf>,
}

impl Walk {
    /// Leaves out what is in the folder that came last.
    pub fn skip_folder(&mut self) {
        self.entered = None;
    }
}

impl Iterator for Walk {
    type Item = Result<Found, PathError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(folder) = self.entered.take() {
            let mut names = match read_dir_names(&folder) {
                Ok(names) => names,
                Err(error) => return Some(Err(error)),
            };
            names.sort_unstable_by(|one, other| other.0.cmp(&one.0));
            self.left.extend(names.into_iter().map(|(name, kind)| Found { path: folder.join(name), kind }));
        }
        let found = self.left.pop()?;
        if found.kind == FileKind::Folder {
            self.entered = Some(found.path.clone());
        }
        Some(Ok(found))
    }
}

/// Takes the write permission from every folder under `folder`, itself left out.
///
/// # Errors
/// When a folder cannot be read or changed.
pub fn make_folders_read_only(folder: &Path) -> Result<(), PathError> {
    for found in walk(folder) {
        let Found { path, kind } = found?;
        if kind == FileKind::Folder && symlink_metadata(&path)?.permissions().mode() & 0o222 != 0 {
            set_mode(&path, 0o555)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{create_dir_all, symlink, write_new};

    #[test]
    fn folders_come_before_what_is_in_them_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for inner in ["a/b", "a/skipped/deep", "c"] {
            create_dir_all(&root.join(inner)).unwrap();
        }
        for file in ["a/b/file", "a/skipped/deep/file", "z"] {
            write_new(&root.join(file), b"", 0o644).unwrap();
        }
        symlink(root, &root.join("c/link")).unwrap();
        let mut walk = walk(root);
        let mut seen = Vec::new();
        while let Some(found) = walk.next() {
            let Found { path, kind } = found.unwrap();
            if path.ends_with("skipped") {
                walk.skip_folder();
            }
            seen.push((path.strip_prefix(root).unwrap().display().to_string(), kind));
        }
        let expected = [
            ("a", FileKind::Folder),
            ("a/b", FileKind::Folder),
            ("a/b/file", FileKind::File),
            ("a/skipped", FileKind::Folder),
            ("c", FileKind::Folder),
            ("c/link", FileKind::Link),
            ("z", FileKind::File),
        ];
        assert_eq!(seen, expected.map(|(path, kind)| (path.to_owned(), kind)));
    }

    #[test]
    fn what_cannot_be_listed_is_an_error_and_not_the_end() {
        let folder = tempfile::tempdir().unwrap();
        create_dir_all(&folder.path().join("a")).unwrap();
        write_new(&folder.path().join("b"), b"", 0o644).unwrap();
        let mut walk = walk(folder.path());
        assert!(walk.next().unwrap().unwrap().path.ends_with("a"));
        crate::remove_dir(&folder.path().join("a")).unwrap();
        assert!(walk.next().unwrap().unwrap_err().is_not_found());
        assert!(walk.next().unwrap().unwrap().path.ends_with("b"));
        assert!(walk.next().is_none());
    }
}
