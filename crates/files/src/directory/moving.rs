//! Bringing a whole tree into a directory that is held open.

use std::path::Path;

use super::Directory;
use crate::{FileKind, Found, PathError, UNFINISHED};

impl Directory {
    /// Moves a folder from elsewhere, which nobody else works in, to a path where nothing stands. From another file system it is
    /// copied, and is whole when it appears.
    ///
    /// # Errors
    /// When something stands there, or either side cannot be read or written; nothing is left there then.
    pub fn move_in(&self, from: &Path, to: impl AsRef<Path>) -> Result<(), PathError> {
        let to = to.as_ref();
        // A folder never takes the place of a file, of a link, or of a folder with something in it.
        let renamed = self.on(to, "rename to", |folder, name| folder.rename_from(from, name));
        match renamed {
            Err(error) if error.source.kind() == std::io::ErrorKind::CrossesDevices => {}
            other => return other,
        }
        let unfinished = to.with_file_name(format!("{UNFINISHED}{}", std::process::id()));
        let copied = self.copy_tree(from, &unfinished).and_then(|()| self.rename(&unfinished, to));
        if copied.is_err() {
            let _ = self.remove_tree(&unfinished);
        }
        copied.and_then(|()| crate::remove_tree(from))
    }

    /// Copies a folder with its files, their permission bits and its links to a path where nothing stands.
    fn copy_tree(&self, from: &Path, to: &Path) -> Result<(), PathError> {
        use crate::PermissionsExt as _;
        self.create_dir(to)?;
        for found in crate::walk(from) {
            let Found { path, kind } = found?;
            let target = to.join(path.strip_prefix(from).unwrap_or(&path));
            match kind {
                FileKind::Folder => self.create_dir(target)?,
                FileKind::Link => self.symlink(&crate::read_link(&path)?, target)?,
                FileKind::File => {
                    let mode = crate::symlink_metadata(&path)?.permissions().mode() & 0o777;
                    self.copy_new(crate::open(&path)?, target, mode)?;
                }
                FileKind::Other => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{create_dir_all, read_link, read_to_string, set_mode, symlink, write_new};

    /// A folder with a venv in it, and a tree to be moved.
    fn scene() -> (tempfile::TempDir, Directory) {
        let holder = tempfile::tempdir().unwrap();
        let root = holder.path();
        create_dir_all(&root.join("tree/.git/hooks")).unwrap();
        create_dir_all(&root.join("venv/src")).unwrap();
        write_new(&root.join("tree/.git/hooks/run"), b"#!/bin/sh\n", 0o644).unwrap();
        set_mode(&root.join("tree/.git/hooks/run"), 0o555).unwrap();
        symlink(Path::new(".git"), &root.join("tree/link")).unwrap();
        let directory = Directory::open(&crate::canonicalize(&root.join("venv")).unwrap()).unwrap();
        (holder, directory)
    }

    #[test]
    fn a_tree_is_moved_where_nothing_stands() {
        let (holder, directory) = scene();
        let tree = holder.path().join("tree");
        write_new(&holder.path().join("venv/src/file"), b"", 0o644).unwrap();
        assert!(directory.move_in(&tree, "src/file").is_err());
        directory.move_in(&tree, "src/tree").unwrap();
        assert!(crate::kind(&tree).unwrap().is_none());
        assert!(directory.has_folder("src/tree/.git/hooks").unwrap());
        // Not through a link in place of a folder on the way.
        create_dir_all(&tree).unwrap();
        symlink(holder.path(), &holder.path().join("venv/away")).unwrap();
        assert!(directory.move_in(&tree, "away/new").is_err());
        assert!(crate::kind(&holder.path().join("new")).unwrap().is_none());
    }

    #[test]
    fn a_copy_has_the_modes_and_the_links() {
        let (holder, directory) = scene();
        directory.copy_tree(&holder.path().join("tree"), Path::new("src/tree")).unwrap();
        let copy = holder.path().join("venv/src/tree");
        assert_eq!(read_to_string(&copy.join(".git/hooks/run")).unwrap(), "#!/bin/sh\n");
        assert_eq!(directory.facts("src/tree/.git/hooks/run").unwrap().unwrap().mode, 0o555);
        assert_eq!(read_link(&copy.join("link")).unwrap(), Path::new(".git"));
        assert!(directory.copy_tree(&holder.path().join("tree"), Path::new("src/tree")).is_err());
    }
}
