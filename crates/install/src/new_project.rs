//! A new project: the least that a standard `pyproject.toml` needs (PEP 621, PEP 518), and the module that it is about.

use std::path::{Path, PathBuf};

use virtpy_pep::PackageName;
use virtpy_resolver::normalized_path;

use crate::{Error, Result, lockfile};
use virtpy_files::{self as fs, PathError};

/// What builds a project's wheel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// `hatchling`, which finds the files by itself.
    Hatchling,
    /// `flit-core`, the smallest.
    Flit,
}

impl Backend {
    /// The table `[build-system]`, for the file of a project.
    fn table(self) -> &'static str {
        match self {
            Self::Hatchling => {
                "[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n"
            }
            Self::Flit => {
                "[build-system]\nrequires = [\"flit_core>=3.11,<4\"]\nbuild-backend = \"flit_core.buildapi\"\n"
            }
        }
    }
}

/// A project that is to be made.
#[derive(Debug, Clone)]
pub struct NewProject {
    /// Its directory, absolute; made if it is not there.
    pub folder: PathBuf,
    /// Its name, if that is not the directory's.
    pub name: Option<String>,
    /// What builds it; nothing where it is not to be built, and is only a list of dependencies.
    pub backend: Option<Backend>,
    /// The lowest version of Python that it is for: `3.12`.
    pub python: String,
}

impl NewProject {
    /// Makes it. Returns the files that were written; no file that is there is touched.
    ///
    /// # Errors
    /// When there is a project already, the name makes no sense, or the disk cannot be written.
    pub fn make(&self) -> Result<Vec<PathBuf>> {
        let of_folder = self.folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = self.name.clone().or(of_folder).unwrap_or_default();
        let module = self.module(&name)?;
        let file = self.folder.join("pyproject.toml");
        if fs::kind(&file)?.is_some() {
            let hint = if lockfile::is_project(&file) {
                "add to it with `virtpy add --save NAME`"
            } else {
                "it is no project yet: write a table `[project]` with `name` and `version` into it"
            };
            return Err(Error::new(format!("`{}` is there already", file.display())).hinted(hint));
        }
        let mut made = Made::default();
        if let Err(error) = self.write(&name, module.as_deref(), &mut made) {
            made.take_away();
            return Err(error.into());
        }
        Ok(made.files)
    }

    fn write(&self, name: &str, module: Option<&str>, made: &mut Made) -> std::result::Result<(), PathError> {
        made.folder(&self.folder)?;
        if let (Some(module), true) = (module, self.backend.is_some()) {
            let source = self.folder.join("src").join(module);
            if fs::kind(&source)?.is_none() {
                made.folder(&source)?;
                made.file(source.join("__init__.py"), "")?;
            }
        }
        made.file(self.folder.join("pyproject.toml"), &self.text(name))
    }

    /// The name of the module that the project's wheel has; none where it has no wheel.
    fn module(&self, name: &str) -> Result<Option<String>> {
        let normalized: PackageName = name.parse().map_err(|_| {
            Error::usage(format!("`{name}` cannot be the name of a project")).hinted(
                "letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; `--name` gives another one than the \
                 directory's",
            )
        })?;
        let module = normalized.as_str().replace('-', "_");
        let is_identifier = !module.starts_with(|first: char| first.is_ascii_digit());
        if self.backend.is_some() && !is_identifier {
            return Err(Error::usage(format!(
                "`{name}` cannot be the name of a module: it begins with a digit"
            ))
            .hinted("choose another name with `--name`, or `--backend none`"));
        }
        Ok(is_identifier.then_some(module))
    }

    fn text(&self, name: &str) -> String {
        let table = self.backend.map(|backend| format!("\n{}", backend.table())).unwrap_or_default();
        format!(
            "[project]\nname = \"{name}\"\nversion = \"0.1.0\"\ndescription = \"\"\nrequires-python = \">={}\"\ndependencies = []\n{table}",
            self.python
        )
    }
}

/// What was made of a project so far.
#[derive(Default)]
struct Made {
    /// The files, in the order in which they were written.
    files: Vec<PathBuf>,
    /// The folders, outer ones first.
    folders: Vec<PathBuf>,
}

impl Made {
    /// Makes a folder and those above it that are not there.
    fn folder(&mut self, path: &Path) -> std::result::Result<(), PathError> {
        if fs::kind(path)?.is_some() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.folder(parent)?;
        }
        fs::create_dir(path)?;
        self.folders.push(path.to_path_buf());
        Ok(())
    }

    /// Writes a file that is not there.
    fn file(&mut self, path: PathBuf, text: &str) -> std::result::Result<(), PathError> {
        let written = fs::write_new(&path, text.as_bytes(), 0o644);
        if !written.as_ref().is_err_and(PathError::already_exists) {
            self.files.push(path);
        }
        written
    }

    /// Removes the files, and the folders that nobody has put anything into.
    fn take_away(&self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// The directory in which a project is made: the one that is named, or the present one.
pub fn project_folder(present: &Path, named: Option<&Path>) -> PathBuf {
    named.map_or_else(|| present.to_path_buf(), |named| normalized_path(&present.join(named)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(folder: &Path, backend: Option<Backend>) -> NewProject {
        NewProject { folder: folder.to_path_buf(), name: None, backend, python: "3.11".to_owned() }
    }

    #[test]
    fn the_file_is_standard_and_nothing_is_replaced() {
        let holder = tempfile::tempdir().unwrap();
        for (backend, requires) in [(Some(Backend::Hatchling), 1), (Some(Backend::Flit), 1), (None, 0)] {
            let folder =
                holder.path().join(format!("Some.Name{requires}{}", backend.map_or(0, |one| one as u8)));
            let new = project(&folder, backend);
            let written = new.make().unwrap();
            assert_eq!(written.len(), requires + 1);
            let table: toml::Table =
                fs::read_to_string(&folder.join("pyproject.toml")).unwrap().parse().unwrap();
            assert_eq!(table["project"]["requires-python"].as_str(), Some(">=3.11"));
            assert_eq!(table.contains_key("build-system"), backend.is_some());
            assert!(new.make().unwrap_err().to_string().contains("is there already"));
        }
    }

    #[test]
    fn names_that_make_no_sense_leave_nothing() {
        let holder = tempfile::tempdir().unwrap();
        for name in ["-x", "a b", "ä", "3d"] {
            let folder = holder.path().join(name);
            assert!(project(&folder, Some(Backend::Hatchling)).make().is_err(), "{name}");
            assert!(fs::kind(&folder).unwrap().is_none());
        }
        assert!(project(&holder.path().join("3d"), None).make().is_ok());
    }

    #[test]
    fn nothing_is_left_of_one_that_could_not_be_written() {
        let holder = tempfile::tempdir().unwrap();
        let project = project(&holder.path().join("deep/er"), Some(Backend::Flit));
        let mut made = Made::default();
        project.write("demo", Some("demo"), &mut made).unwrap();
        assert_eq!(made.files.len(), 2);
        // What somebody else puts there meanwhile stays, with the folders that it is in.
        fs::write_atomic(&holder.path().join("deep/theirs"), b"").unwrap();
        project.write("demo", Some("demo"), &mut made).unwrap_err();
        made.take_away();
        assert_eq!(fs::names(holder.path()).unwrap(), ["deep"]);
        assert_eq!(fs::names(&holder.path().join("deep")).unwrap(), ["theirs"]);
    }
}
