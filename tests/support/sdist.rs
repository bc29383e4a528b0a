//! Source distributions and source folders whose build backend lies in the tree and needs only the standard library,
//! so that they build without an index.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use super::{Artifact, archive};

/// A PEP 517 and PEP 660 backend: it packs the one module beside it into a wheel.
const BACKEND: &str = r#"import base64, hashlib, os, zipfile

HERE = os.path.dirname(os.path.abspath(__file__))


def _settings():
    values = {}
    with open(os.path.join(HERE, "settings.txt"), encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.rstrip("\n").partition("=")
            values.setdefault(key, []).append(value)
    return values


def _metadata(settings):
    lines = ["Metadata-Version: 2.1", "Name: " + settings["name"][0], "Version: " + settings["version"][0]]
    lines += ["Requires-Dist: " + requirement for requirement in settings.get("requires", [])]
    return "\n".join(lines) + "\n"


def _pack(folder, files):
    settings = _settings()
    stem = settings["name"][0].replace("-", "_") + "-" + settings["version"][0]
    files = dict(files)
    files[stem + ".dist-info/METADATA"] = _metadata(settings)
    files[stem + ".dist-info/WHEEL"] = "Wheel-Version: 1.0\nGenerator: backend\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = ""
    name = stem + "-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, text in files.items():
            content = text.encode("utf-8")
            wheel.writestr(zipfile.ZipInfo(path), content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode("ascii")
            record += "%s,sha256=%s,%d\n" % (path, digest, len(content))
        record_path = stem + ".dist-info/RECORD"
        wheel.writestr(zipfile.ZipInfo(record_path), record + record_path + ",,\n")
    return name


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    settings = _settings()
    if "fail" in settings:
        raise RuntimeError(settings["fail"][0])
    module = settings["module"][0]
    with open(os.path.join(HERE, module + ".py"), encoding="utf-8") as source:
        return _pack(wheel_directory, {module + ".py": source.read()})


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    return _pack(wheel_directory, {"__editable__." + _settings()["name"][0] + ".pth": HERE + "\n"})
"#;

/// Makes a source distribution.
pub(crate) struct SdistBuilder {
    name: String,
    version: String,
    requires: Vec<String>,
    source: String,
    failure: Option<String>,
}

impl SdistBuilder {
    /// A source distribution with the one module `name`.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            requires: Vec::new(),
            source: format!("__version__ = {version:?}\n"),
            failure: None,
        }
    }

    /// Adds a requirement, which only the build tells (the metadata in the archive says nothing of it).
    pub(crate) fn requires(mut self, requirement: &str) -> Self {
        self.requires.push(requirement.to_owned());
        self
    }

    /// Sets the module's source.
    pub(crate) fn source(mut self, text: &str) -> Self {
        text.clone_into(&mut self.source);
        self
    }

    /// Lets the build fail with this message.
    pub(crate) fn failing(mut self, message: &str) -> Self {
        self.failure = Some(message.to_owned());
        self
    }

    /// The module's name.
    pub(crate) fn module(&self) -> String {
        self.name.replace(['-', '.'], "_").to_lowercase()
    }

    fn files(&self) -> Vec<(String, String)> {
        let mut settings =
            format!("name={}\nversion={}\nmodule={}\n", self.name, self.version, self.module());
        for requirement in &self.requires {
            let _ = writeln!(settings, "requires={requirement}");
        }
        if let Some(message) = &self.failure {
            let _ = writeln!(settings, "fail={message}");
        }
        let project = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
        let metadata = format!("Metadata-Version: 1.2\nName: {}\nVersion: {}\n", self.name, self.version);
        vec![
            ("pyproject.toml".to_owned(), project.to_owned()),
            ("backend.py".to_owned(), BACKEND.to_owned()),
            ("settings.txt".to_owned(), settings),
            (format!("{}.py", self.module()), self.source.clone()),
            ("PKG-INFO".to_owned(), metadata),
        ]
    }

    /// Makes the `.tar.gz`.
    pub(crate) fn build(&self) -> Artifact {
        let stem = format!("{}-{}", self.module(), self.version);
        let members: Vec<archive::TarMember> = self
            .files()
            .into_iter()
            .map(|(path, text)| archive::TarMember {
                path: format!("{stem}/{path}"),
                mode: 0o644,
                bytes: text.into_bytes(),
            })
            .collect();
        Artifact {
            file_name: format!("{stem}.tar.gz"),
            project: self.name.clone(),
            bytes: archive::tar_gz(&members),
            metadata: None,
            requires_python: None,
        }
    }

    /// Writes the same files as a source folder and returns its path.
    pub(crate) fn write_folder(&self, folder: &Path) -> PathBuf {
        std::fs::create_dir_all(folder).expect("the source folder can be made");
        for (path, text) in self.files() {
            std::fs::write(folder.join(path), text).expect("the source file can be written");
        }
        folder.to_path_buf()
    }
}
