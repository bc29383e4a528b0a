//! Changing what is in a directory that is held open.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::{Directory, Folder};
use crate::{IoResultExt as _, PathError};

impl Directory {
    /// Opens a file for writing that must not exist yet, with these permission bits (less the umask).
    ///
    /// # Errors
    /// When something stands there, even a dangling link, or the folder is not writable.
    pub fn create_new(&self, path: impl AsRef<Path>, mode: u32) -> Result<File, PathError> {
        self.on(path.as_ref(), "create", |folder, name| folder.create(name, mode))
    }

    /// Writes a file that must not exist yet.
    ///
    /// # Errors
    /// As [`Self::create_new`]'s, and when the write fails.
    pub fn write_new(&self, path: impl AsRef<Path>, content: &[u8], mode: u32) -> Result<(), PathError> {
        let path = path.as_ref();
        self.create_new(path, mode)?.write_all(content).at("write", &self.path.join(path))
    }

    /// Copies the rest of an open file to a path where nothing stands. The kernel shares the blocks where the file system can.
    ///
    /// # Errors
    /// When either side cannot be read or written.
    pub fn copy_new(&self, mut source: File, path: impl AsRef<Path>, mode: u32) -> Result<(), PathError> {
        let path = path.as_ref();
        let mut target = self.create_new(path, mode)?;
        crate::copy_rest(&mut source, &mut target).at("copy to", &self.path.join(path))
    }

    /// Replaces what stands at a path by a file with this content and these permission bits, by way of a name at which one
    /// process at a time works. Readers see the old file or the new one, never a part.
    ///
    /// # Errors
    /// When a folder is missing or not writable, or the disk is full; the old file is then untouched.
    pub fn replace(
        &self,
        by_way_of: impl AsRef<Path>,
        path: impl AsRef<Path>,
        content: &[u8],
        mode: u32,
    ) -> Result<(), PathError> {
        let (by_way_of, path) = (by_way_of.as_ref(), path.as_ref());
        self.write_before_naming(by_way_of, path, content, mode)?;
        self.name(by_way_of, path)
    }

    /// Replaces what stands at a path as [`Self::replace`] does, and lets the kernel begin to write the content back before the
    /// file has its name, without waiting for it: a file system that writes content before the names that follow it (ext4) has
    /// no name without content then, whenever the power is cut.
    ///
    /// # Errors
    /// As [`Self::replace`].
    pub fn replace_early(
        &self,
        by_way_of: impl AsRef<Path>,
        path: impl AsRef<Path>,
        content: &[u8],
        mode: u32,
    ) -> Result<(), PathError> {
        let (by_way_of, path) = (by_way_of.as_ref(), path.as_ref());
        crate::begin_writing_back(&self.write_before_naming(by_way_of, path, content, mode)?);
        self.name(by_way_of, path)
    }

    /// Writes what is to stand at a path.
    fn write_before_naming(
        &self,
        by_way_of: &Path,
        path: &Path,
        content: &[u8],
        mode: u32,
    ) -> Result<File, PathError> {
        // Never into what stands there: it may be a link, or have another name elsewhere.
        let file = match self.create_new(by_way_of, mode) {
            Err(error) if error.already_exists() => {
                self.remove_tree(by_way_of)?;
                self.create_new(by_way_of, mode)
            }
            other => other,
        };
        let mut file =
            file.map_err(|error| PathError { action: "write", path: self.path.join(path), ..error })?;
        let written = file.write_all(content).at("write", &self.path.join(path));
        if written.is_err() {
            let _ = self.remove_file(by_way_of);
        }
        written.map(|()| file)
    }

    /// Gives what was written its name.
    fn name(&self, by_way_of: &Path, path: &Path) -> Result<(), PathError> {
        let named = self.rename(by_way_of, path);
        if named.is_err() {
            let _ = self.remove_file(by_way_of);
        }
        named
    }

    /// Makes a symbolic link that holds the text `target`.
    ///
    /// # Errors
    /// When something stands there, or its folder is missing or not writable.
    pub fn symlink(&self, target: &Path, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on(path.as_ref(), "link", |folder, name| folder.symlink(target, name))
    }

    /// Replaces what stands at a path by a link, by way of a name at which one process at a time works; a link that leads
    /// there already is left.
    ///
    /// # Errors
    /// When a folder is missing or not writable, or a folder stands there.
    pub fn replace_by_link(
        &self,
        by_way_of: impl AsRef<Path>,
        target: &Path,
        path: impl AsRef<Path>,
    ) -> Result<(), PathError> {
        let (by_way_of, path) = (by_way_of.as_ref(), path.as_ref());
        if self.read_link(path).is_ok_and(|found| found == target) {
            return Ok(());
        }
        self.remove_tree(by_way_of)?;
        self.symlink(target, by_way_of)?;
        let renamed = self.rename(by_way_of, path);
        if renamed.is_err() {
            let _ = self.remove_file(by_way_of);
        }
        renamed
    }

    /// Gives a file from elsewhere a second name here.
    ///
    /// # Errors
    /// When something stands there, or the two are on different file systems.
    pub fn hard_link_from(&self, original: &Path, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on(path.as_ref(), "link", |folder, name| folder.hard_link_from(original, name))
    }

    /// Gives a file of this directory a second name in it.
    ///
    /// # Errors
    /// When something stands there, or the file has as many names as it can have.
    pub fn hard_link(&self, original: impl AsRef<Path>, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on_two(original.as_ref(), path.as_ref(), "link", |(from, original), (folder, name)| {
            from.hard_link(original, folder, name)
        })
    }

    /// Sets the permission bits of a file.
    ///
    /// # Errors
    /// When there is none that may be read, or it is somebody else's.
    pub fn set_mode(&self, path: impl AsRef<Path>, mode: u32) -> Result<(), PathError> {
        self.on(path.as_ref(), "set the mode of", |folder, name| folder.set_mode(name, mode))
    }

    /// Sets the time of a folder's last change back, as [`super::set_back`] does.
    ///
    /// # Errors
    /// When there is none, or it is somebody else's.
    pub fn set_folder_back(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        let path = path.as_ref();
        self.reach(path)
            .and_then(|folder| folder.set_back(&self.path.join(path)))
            .at("set the time of", &self.path.join(path))
    }

    /// Makes one folder whose parent exists.
    ///
    /// # Errors
    /// When something stands there, or the parent is missing or not writable.
    pub fn create_dir(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on(path.as_ref(), "create the folder", Folder::create_dir)
    }

    /// Makes a folder and those above it; one that exists is fine.
    ///
    /// # Errors
    /// When one of them is no folder, or not writable.
    pub fn create_dir_all(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        let mut reached = PathBuf::new();
        for part in path.as_ref() {
            reached.push(part);
            match self.create_dir(&reached) {
                Err(error) if error.already_exists() && self.has_folder(&reached)? => {}
                other => other?,
            }
        }
        Ok(())
    }

    /// Renames within the directory; replaces a file, a link or an empty folder at `to`.
    ///
    /// # Errors
    /// When there is nothing to rename, or a folder with content stands at `to`.
    pub fn rename(&self, from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<(), PathError> {
        let (from, to) = (from.as_ref(), to.as_ref());
        self.forget(from);
        self.forget(to);
        self.on_two(from, to, "rename to", |(here, old), (there, new)| here.rename(old, there, new))
    }

    /// Exchanges what stands at two paths: in one step on Linux, by three renames elsewhere.
    ///
    /// # Errors
    /// When one is missing, or a folder is not writable.
    pub fn exchange(&self, one: impl AsRef<Path>, other: impl AsRef<Path>) -> Result<(), PathError> {
        let (one, other) = (one.as_ref(), other.as_ref());
        self.forget(one);
        self.forget(other);
        let exchanged =
            self.on_two(one, other, "replace", |(here, old), (there, new)| here.exchange(old, there, new))?;
        if exchanged {
            return Ok(());
        }
        let aside = one.with_file_name(format!("{}{}", crate::UNFINISHED, std::process::id()));
        self.create_dir(&aside)?;
        let kept = aside.join("old");
        let exchanged = self.rename(other, &kept).and_then(|()| match self.rename(one, other) {
            Err(error) => self.rename(&kept, other).and(Err(error)),
            Ok(()) => self.rename(&kept, one),
        });
        let _ = self.remove_dir(&aside);
        exchanged
    }

    /// Removes a file or a link; a link's target stays.
    ///
    /// # Errors
    /// When there is none, or the folder is not writable.
    pub fn remove_file(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        self.on(path.as_ref(), "remove", Folder::remove_file)
    }

    /// Removes an empty folder.
    ///
    /// # Errors
    /// When it has content or its parent is not writable.
    pub fn remove_dir(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        let path = path.as_ref();
        self.forget(path);
        self.on(path, "remove the folder", Folder::remove_dir)
    }

    /// Removes whatever stands at a path, as [`super::remove_tree`] does. Nothing there is fine.
    ///
    /// # Errors
    /// When a part belongs to somebody else; what could be removed is then gone.
    pub fn remove_tree(&self, path: impl AsRef<Path>) -> Result<(), PathError> {
        let path = path.as_ref();
        self.forget(path);
        match self.on(path, "remove", Folder::remove_tree) {
            Err(error) if error.is_not_found() => Ok(()),
            other => other,
        }
    }
}
