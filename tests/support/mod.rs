//! What the end-to-end tests stand on: wheels and source distributions made to measure, an index on the loopback
//! interface that counts what is asked of it, and a context with a home, a store and an environment of its own.

pub(crate) mod archive;
pub(crate) mod context;
pub(crate) mod index;
mod known;
pub(crate) mod output;
pub(crate) mod place;
pub(crate) mod python;
pub(crate) mod pythons;
pub(crate) mod sdist;
pub(crate) mod site;
pub(crate) mod tls;
pub(crate) mod transcript;
pub(crate) mod tree;
pub(crate) mod wheel;

pub(crate) use context::TestContext;
pub(crate) use index::{Fault, Index};
pub(crate) use output::Output;
pub(crate) use sdist::SdistBuilder;
pub(crate) use site::Site;
pub(crate) use tls::TlsFront;
pub(crate) use tree::{Node, Tree};
pub(crate) use wheel::{Defect, WheelBuilder};

/// Writes a file, and gives it a time after everything that was written before. The kernel's clock for files stands still for
/// some milliseconds: without this a test can be too fast for whoever compares times, as no editor or installer is.
pub(crate) fn write_later(path: &std::path::Path, content: &[u8]) {
    std::fs::write(path, content).unwrap();
    std::fs::File::open(path).unwrap().set_modified(std::time::SystemTime::now()).unwrap();
}

/// A distribution file as an index serves it: a wheel or a source distribution.
#[derive(Clone, Debug)]
pub(crate) struct Artifact {
    /// The file's name, by which its format, version and tags are known.
    pub(crate) file_name: String,
    /// The project's name as the author wrote it.
    pub(crate) project: String,
    /// The file's bytes.
    pub(crate) bytes: Vec<u8>,
    /// The core metadata, which an index may serve beside a wheel (PEP 658).
    pub(crate) metadata: Option<String>,
    /// `Requires-Python`, as the index repeats it.
    pub(crate) requires_python: Option<String>,
}

impl Artifact {
    /// The file's SHA-256 in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        archive::hex(&archive::sha256(&self.bytes))
    }

    /// Writes the file into `folder` and returns its path.
    pub(crate) fn write_to(&self, folder: &std::path::Path) -> std::path::PathBuf {
        std::fs::create_dir_all(folder).expect("the fixture's folder can be made");
        let path = folder.join(&self.file_name);
        std::fs::write(&path, &self.bytes).expect("the fixture can be written");
        path
    }
}

/// Says why a test is skipped on this machine. It shows with `--nocapture`.
#[allow(clippy::print_stdout, reason = "a test has no other way to say so")]
pub(crate) fn skip(reason: &str) {
    println!("skipped: {reason}");
}

/// A project's name in the normal form of PEP 503.
pub(crate) fn normalize(name: &str) -> String {
    let mut normal = String::new();
    for character in name.chars() {
        match character {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.extend(other.to_lowercase()),
        }
    }
    normal
}
