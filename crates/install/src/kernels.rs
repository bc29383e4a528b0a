//! Kernels of Jupyter: a venv as a kernelspec in the user's folder of them, for notebooks that run elsewhere.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Error, Result};
use virtpy_files::{self as fs, FileKind};

/// The file that describes a kernel.
const SPEC: &str = "kernel.json";

/// The most that is read of one.
const LARGEST: u64 = 1 << 20;

/// The kernelspecs of a user.
#[derive(Debug)]
pub struct Kernels {
    folder: PathBuf,
}

/// A kernel that virtpy has registered.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Kernel {
    /// By which Jupyter knows it.
    pub name: String,
    /// What Jupyter shows.
    pub display_name: String,
    /// The venv that it runs in.
    pub venv: PathBuf,
}

impl Kernels {
    /// Where Jupyter looks for what a user has registered.
    pub fn of_user(variable: &dyn Fn(&str) -> Option<String>, home: &Path) -> Self {
        let usual = || {
            if cfg!(target_os = "macos") {
                return home.join("Library/Jupyter");
            }
            variable("XDG_DATA_HOME").map_or_else(|| home.join(".local/share"), PathBuf::from).join("jupyter")
        };
        let data = variable("JUPYTER_DATA_DIR").map_or_else(usual, PathBuf::from);
        Self { folder: data.join("kernels") }
    }

    /// Registers a kernel, in place of one of the same venv. Returns its folder.
    ///
    /// # Errors
    /// When its name is none, or there is one of that name that is not this venv's.
    pub fn install(&self, kernel: &Kernel) -> Result<PathBuf> {
        check_name(&kernel.name)?;
        let folder = self.folder.join(&kernel.name);
        match self.read(&kernel.name)? {
            Found::Own(known) if known.venv == kernel.venv => {}
            Found::Nothing => {}
            Found::Own(known) => {
                return Err(Error::new(format!(
                    "the kernel `{}` is that of the venv at `{}`",
                    kernel.name,
                    known.venv.display()
                ))
                .hinted("choose another name with `--name`, or remove it with `virtpy kernel uninstall`"));
            }
            Found::Foreign => return Err(self.not_ours(&kernel.name, "choose another name with `--name`")),
        }
        let text = serde_json::to_string_pretty(&spec(kernel))
            .map_err(|error| Error::new(format!("the kernel cannot be described: {error}")))?;
        fs::create_dir_all(&folder)?;
        fs::write_atomic(&folder.join(SPEC), format!("{text}\n").as_bytes())?;
        Ok(folder)
    }

    /// Takes a kernel away.
    ///
    /// # Errors
    /// When there is none of that name, or virtpy has not registered it.
    pub fn uninstall(&self, name: &str) -> Result<Kernel> {
        check_name(name)?;
        match self.read(name)? {
            Found::Own(kernel) => {
                fs::remove_tree(&self.folder.join(name))?;
                Ok(kernel)
            }
            Found::Nothing => Err(Error::new(format!("there is no kernel `{name}`"))
                .hinted("`virtpy kernel list` shows those that virtpy has registered")),
            Found::Foreign => Err(self.not_ours(name, "remove it with `jupyter kernelspec remove`")),
        }
    }

    /// The kernels that virtpy has registered, sorted by name.
    ///
    /// # Errors
    /// When the folder of kernels cannot be read.
    pub fn list(&self) -> Result<Vec<Kernel>> {
        if fs::kind(&self.folder)?.is_none() {
            return Ok(Vec::new());
        }
        let mut kernels = Vec::new();
        for (name, kind) in fs::read_dir_names(&self.folder)? {
            if let (FileKind::Folder, Ok(name)) = (kind, name.into_string())
                && let Found::Own(kernel) = self.read(&name)?
            {
                kernels.push(kernel);
            }
        }
        kernels.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(kernels)
    }

    fn not_ours(&self, name: &str, hint: &str) -> Error {
        Error::new(format!("virtpy has not registered the kernel at `{}`", self.folder.join(name).display()))
            .hinted(hint)
    }

    fn read(&self, name: &str) -> Result<Found> {
        let folder = self.folder.join(name);
        if fs::kind(&folder)?.is_none() {
            return Ok(Found::Nothing);
        }
        let content = fs::read_bounded(&folder.join(SPEC), LARGEST).unwrap_or_default();
        let spec: Value = serde_json::from_slice(&content).unwrap_or_default();
        let Some(venv) = spec["metadata"]["virtpy"]["venv"].as_str() else { return Ok(Found::Foreign) };
        let display_name = spec["display_name"].as_str().unwrap_or(name).to_owned();
        Ok(Found::Own(Kernel { name: name.to_owned(), display_name, venv: PathBuf::from(venv) }))
    }
}

/// What stands under a kernel's name.
enum Found {
    Nothing,
    Own(Kernel),
    Foreign,
}

/// What Jupyter reads.
fn spec(kernel: &Kernel) -> Value {
    serde_json::json!({
        "argv": [kernel.venv.join("bin/python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": kernel.display_name,
        "language": "python",
        "metadata": { "debugger": true, "virtpy": { "venv": kernel.venv } },
    })
}

/// A name from the name of a folder, as Jupyter takes it.
pub fn kernel_name(text: &str) -> String {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    let name: String =
        text.to_lowercase().chars().map(|letter| if fits(letter) { letter } else { '-' }).collect();
    name.trim_matches(['.', '-']).to_owned()
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name != kernel_name(name) {
        return Err(Error::usage(format!("`{name}` is not the name of a kernel"))
            .hinted("Jupyter takes lower-case letters, digits, `.`, `_` and `-`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_as_jupyter_takes_them() {
        for (text, name) in [("My Project", "my-project"), (".venv", "venv"), ("a_b.c", "a_b.c"), ("é", "")]
        {
            assert_eq!(kernel_name(text), name);
        }
        assert!(check_name("my-project").is_ok());
        for name in ["", "..", "a/b", "My", "a b"] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
