//! What the tests share: small wheels and sources, a session with a cache of its own, and a receiver that
//! remembers.

use std::error::Error as StdError;
use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, OnceLock};

use tempfile::TempDir;
use virtpy_pep::InterpreterTags;
use virtpy_resolver::{
    Error, IndexSettings, Input, ObtainedWheel, Package, Receiver, Request, RequirementsFiles, Resolution,
    Session, SessionOptions, Surroundings, Transfer,
};
use zip::write::SimpleFileOptions;

use crate::index::{Format, Hosted, Index};

/// The headers of a wheel's METADATA after name and version, a line each.
pub(crate) fn wheel(name: &str, version: &str, headers: &[&str]) -> Vec<u8> {
    let info = format!("{}-{version}.dist-info", name.replace('-', "_"));
    let mut metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    for header in headers {
        metadata.push_str(header);
        metadata.push('\n');
    }
    zip(&[
        (&format!("{}/__init__.py", name.replace('-', "_")), ""),
        (&format!("{info}/METADATA"), &metadata),
        (
            &format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        (&format!("{info}/RECORD"), ""),
    ])
}

pub(crate) fn zip(files: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

pub(crate) fn wheel_name(name: &str, version: &str) -> String {
    format!("{}-{version}-py3-none-any.whl", name.replace('-', "_"))
}

/// The real executable of the `python3` on PATH, behind any shim.
pub(crate) fn python() -> &'static Path {
    static PYTHON: OnceLock<PathBuf> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        PathBuf::from(String::from_utf8(output.unwrap().stdout).unwrap().trim())
    })
}

/// An index, a folder to work in, and a cache.
pub(crate) struct World {
    pub(crate) index: Index,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Format::Json)
    }

    pub(crate) fn with(format: Format) -> Self {
        Self { index: Index::start(format), folder: TempDir::new().unwrap() }
    }

    /// Puts a wheel on the index.
    pub(crate) fn host(&self, name: &str, version: &str, headers: &[&str]) {
        self.host_as(name, version, headers, |_| {});
    }

    pub(crate) fn host_as(
        &self,
        name: &str,
        version: &str,
        headers: &[&str],
        change: impl FnOnce(&mut Hosted),
    ) {
        let mut file = Hosted::new(&wheel_name(name, version), &wheel(name, version, headers));
        change(&mut file);
        self.index.add(name, file);
    }

    pub(crate) fn settings(&self) -> IndexSettings {
        IndexSettings { index_url: Some(self.index.url()), retries: 0, ..IndexSettings::default() }
    }

    pub(crate) fn session(&self) -> Session {
        self.session_with(self.settings())
    }

    pub(crate) fn session_with(&self, settings: IndexSettings) -> Session {
        Session::new(self.options(settings))
    }

    pub(crate) fn options(&self, settings: IndexSettings) -> SessionOptions {
        SessionOptions {
            cache_dir: self.path("cache"),
            python: python().to_owned(),
            tags: InterpreterTags::default(),
            settings,
            user_agent: "virtpy-test/1".to_owned(),
            local_wheels: None,
            directories: None,
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    pub(crate) fn request(&self, requirements: &[&str]) -> Request {
        self.request_within(requirements, &[])
    }

    /// A request with files of constraints.
    pub(crate) fn request_within(&self, requirements: &[&str], constraints: &[&str]) -> Request {
        self.try_request(requirements, constraints).unwrap()
    }

    pub(crate) fn try_request(&self, requirements: &[&str], constraints: &[&str]) -> Result<Request, Error> {
        let mut files = Vec::new();
        let mut inputs = Vec::new();
        for text in requirements {
            match text.split_once(' ') {
                Some(("-r", file)) => files.push(PathBuf::from(file)),
                Some(("-e", folder)) => inputs.push(Input::Editable(folder.to_owned())),
                _ => inputs.push(Input::Requirement((*text).to_owned())),
            }
        }
        let constraints: Vec<PathBuf> = constraints.iter().map(PathBuf::from).collect();
        let settings = self.settings();
        let from = Surroundings {
            folder: self.folder.path(),
            environment: &|_| None,
            fetch: &|url, limit| Transfer::new(&settings, "virtpy-test/1").text(url, limit),
            pipes: true,
        };
        let files = RequirementsFiles::read(&files, &constraints, from)?;
        let mut request = Request { requirements: inputs, files, ..Request::default() };
        self.folder.path().clone_into(&mut request.options.working_directory);
        Ok(request)
    }

    pub(crate) fn resolve(&self, requirements: &[&str]) -> Result<Resolution, Error> {
        self.session().resolve(&self.try_request(requirements, &[])?)
    }

    /// Resolves and obtains everything.
    pub(crate) fn obtain(
        &self,
        session: &Session,
        request: &Request,
    ) -> Result<Vec<(Package, ObtainedWheel)>, Error> {
        let resolution = session.resolve(request)?;
        let wanted: Vec<usize> = (0..resolution.packages.len()).collect();
        let memory = Memory::default();
        session.obtain(&resolution, &wanted, &self.path("wheels"), &memory)?;
        let mut wheels = memory.finished.into_inner().unwrap();
        wheels.sort_by_key(|(index, _)| *index);
        assert_eq!(wheels.len(), wanted.len());
        Ok(wheels.into_iter().map(|(index, wheel)| (resolution.packages[index].clone(), wheel)).collect())
    }
}

/// `name version` of each package.
pub(crate) fn pins(resolution: &Resolution) -> Vec<String> {
    resolution.packages.iter().map(|package| format!("{} {}", package.name, package.version)).collect()
}

/// Remembers what it hears.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) finished: Mutex<Vec<(usize, ObtainedWheel)>>,
    pub(crate) started: Mutex<Vec<(usize, Option<u64>)>>,
    pub(crate) bytes: Mutex<u64>,
    pub(crate) built: Mutex<Vec<usize>>,
}

impl Receiver for Memory {
    fn started(&self, index: usize, bytes: Option<u64>) {
        self.started.lock().unwrap().push((index, bytes));
    }

    fn progress(&self, _: usize, bytes: u64) {
        *self.bytes.lock().unwrap() = bytes;
    }

    fn building(&self, index: usize) {
        self.built.lock().unwrap().push(index);
    }

    fn finished(&self, index: usize, wheel: ObtainedWheel) -> Result<(), Box<dyn StdError + Send + Sync>> {
        self.finished.lock().unwrap().push((index, wheel));
        Ok(())
    }
}

/// Everything that a user would read of an error. Fails if it speaks of another program.
pub(crate) fn told(error: &Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push('\n');
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    if let Some(hint) = error.hint() {
        text.push('\n');
        text.push_str(&hint);
    }
    let word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let foreign = text.split(|letter| !word(letter)).any(|part| part == "uv" || part.starts_with("UV_"));
    assert!(!foreign, "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    text
}

/// What will stand in a package's `direct_url.json`.
pub(crate) fn origin_of(package: &Package) -> serde_json::Value {
    serde_json::to_value(package.direct_url.as_ref().unwrap()).unwrap()
}
