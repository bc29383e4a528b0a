//! A new project: the least that a standard `pyproject.toml` needs (PEP 621, PEP 518), and the module that it is about.

use std::path::{Path, PathBuf};

use virtpy_pep::PackageName;

use crate::{Error, Result};
use virtpy_files as fs;

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
            return Err(Error::new(format!("`{}` is there already", file.display()))
                .hinted("add to it with `virtpy add --save NAME`"));
        }
        fs::create_dir_all(&self.folder)?;
        let mut written = Vec::new();
        if let (Some(module), true) = (module, self.backend.is_some()) {
            let source = self.folder.join("src").join(&module);
            let start = source.join("__init__.py");
            if fs::kind(&source)?.is_none() {
                fs::create_dir_all(&source)?;
                fs::write_new(&start, b"", 0o644)?;
                written.push(start);
            }
        }
        fs::write_new(&file, self.text(&name).as_bytes(), 0o644)?;
        written.push(file);
        Ok(written)
    }

    /// The name of the module that the project's wheel has; none where it has no wheel.
    fn module(&self, name: &str) -> Result<Option<String>> {
        let normalized: PackageName = name.parse().map_err(|_| {
            Error::usage(format!("`{name}` cannot be the name of a project")).hinted(
                "letters, digits, `-`, `_` and `.`, with a letter or digit at both ends: `virtpy init NAME`",
            )
        })?;
        let module = normalized.as_str().replace('-', "_");
        let is_identifier = !module.starts_with(|first: char| first.is_ascii_digit());
        if self.backend.is_some() && !is_identifier {
            return Err(Error::usage(format!(
                "`{name}` cannot be the name of a module: it begins with a digit"
            ))
            .hinted("choose another name, or `--backend none`"));
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

/// The directory in which a project of a name is made: a new one, or without a name the present one.
pub fn project_folder(present: &Path, name: Option<&str>) -> PathBuf {
    name.map_or_else(|| present.to_path_buf(), |name| present.join(name))
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
}
