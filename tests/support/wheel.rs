//! Wheels made to measure, among them the broken and the hostile ones.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Artifact, archive};

/// A way in which a wheel is broken or hostile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Defect {
    /// RECORD names another hash for this file than the file has.
    WrongRecordHash(String),
    /// RECORD names another size for this file than the file has.
    WrongRecordSize(String),
    /// RECORD lists a file that the archive does not hold.
    ListedButMissing(String),
    /// The archive holds this file, and RECORD does not list it.
    Unlisted(String),
    /// There is no RECORD.
    NoRecord,
    /// There is no METADATA.
    NoMetadata,
    /// There is no WHEEL file.
    NoWheelFile,
    /// METADATA names another project than the file name.
    OtherName(String),
    /// METADATA names another version than the file name.
    OtherVersion(String),
    /// There are two `.dist-info` folders.
    TwoDistInfos,
    /// Only the first half of the archive is there.
    Truncated,
    /// The file is no zip archive at all.
    NotAnArchive,
    /// A byte of this stored file is flipped, so that the archive's own checksum fails.
    FlippedByte(String),
    /// The archive's headers announce this unpacked size for this file.
    DeclaredSize(String, u32),
    /// The archive holds a symbolic link from this path to that target.
    Symlink(String, String),
    /// The archive holds this path twice, with different contents.
    Duplicate(String),
    /// The WHEEL file announces a format from the future.
    FutureFormat,
}

struct Member {
    path: String,
    bytes: Vec<u8>,
    mode: u32,
}

/// Makes a wheel. Everything that is not asked for is as a well-behaved build backend writes it.
pub(crate) struct WheelBuilder {
    name: String,
    version: String,
    tag: String,
    build_number: Option<String>,
    members: Vec<Member>,
    metadata: Vec<String>,
    requires_python: Option<String>,
    entry_points: Vec<(String, String)>,
    root_is_purelib: bool,
    defects: Vec<Defect>,
}

impl WheelBuilder {
    /// A wheel of the project `name` with the module `name` in it.
    pub(crate) fn new(name: &str, version: &str) -> Self {
        let module = name.replace(['-', '.'], "_").to_lowercase();
        Self::empty(name, version)
            .file(&format!("{module}/__init__.py"), &format!("__version__ = {version:?}\n"))
    }

    /// A wheel without any module.
    pub(crate) fn empty(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            tag: "py3-none-any".to_owned(),
            build_number: None,
            members: Vec::new(),
            metadata: Vec::new(),
            requires_python: None,
            entry_points: Vec::new(),
            root_is_purelib: true,
            defects: Vec::new(),
        }
    }

    /// Adds a file with mode 0644 at `path`, counted from the archive's root.
    pub(crate) fn file(self, path: &str, text: &str) -> Self {
        self.member(path, text.as_bytes(), 0o644)
    }

    /// Adds a file with mode 0755.
    pub(crate) fn executable(self, path: &str, text: &str) -> Self {
        self.member(path, text.as_bytes(), 0o755)
    }

    /// Adds a file with the given bytes and permission bits.
    pub(crate) fn member(mut self, path: &str, bytes: &[u8], mode: u32) -> Self {
        self.members.push(Member { path: path.to_owned(), bytes: bytes.to_vec(), mode });
        self
    }

    /// Adds a file under `.data/<scheme>/`.
    pub(crate) fn data(self, scheme: &str, path: &str, text: &str) -> Self {
        let folder = self.data_folder();
        self.file(&format!("{folder}/{scheme}/{path}"), text)
    }

    /// Adds a `Requires-Dist` line.
    pub(crate) fn requires(self, requirement: &str) -> Self {
        self.metadata_line(&format!("Requires-Dist: {requirement}"))
    }

    /// Adds the extra `name` with these requirements.
    pub(crate) fn extra(mut self, name: &str, requirements: &[&str]) -> Self {
        self = self.metadata_line(&format!("Provides-Extra: {name}"));
        for requirement in requirements {
            self = self.requires(&format!("{requirement} ; extra == \"{name}\""));
        }
        self
    }

    /// Adds a line to METADATA.
    pub(crate) fn metadata_line(mut self, line: &str) -> Self {
        self.metadata.push(line.to_owned());
        self
    }

    /// Sets `Requires-Python`.
    pub(crate) fn requires_python(mut self, specifiers: &str) -> Self {
        self.requires_python = Some(specifiers.to_owned());
        self
    }

    /// Adds a line such as `demo = demo:main` to a group such as `console_scripts`.
    pub(crate) fn entry_point(mut self, group: &str, line: &str) -> Self {
        self.entry_points.push((group.to_owned(), line.to_owned()));
        self
    }

    /// Adds a module `main` function that prints its arguments, and a console script for it.
    pub(crate) fn console_script(self, script: &str) -> Self {
        let module = format!("{}_main", script.replace('-', "_"));
        let source = "import sys\n\ndef main():\n    print('ran', sys.argv[1:], sys.prefix)\n";
        self.file(&format!("{module}.py"), source)
            .entry_point("console_scripts", &format!("{script} = {module}:main"))
    }

    /// Sets the compatibility tags, such as `cp311-cp311-linux_x86_64`.
    pub(crate) fn tag(mut self, tag: &str) -> Self {
        tag.clone_into(&mut self.tag);
        self
    }

    /// Sets the build number of the file name.
    pub(crate) fn build_number(mut self, number: &str) -> Self {
        self.build_number = Some(number.to_owned());
        self
    }

    /// Says that the archive's root belongs into platlib.
    pub(crate) fn platlib(mut self) -> Self {
        self.root_is_purelib = false;
        self
    }

    /// Breaks the wheel.
    pub(crate) fn defect(mut self, defect: Defect) -> Self {
        self.defects.push(defect);
        self
    }

    fn escaped_name(&self) -> String {
        self.name.replace(['-', '.'], "_")
    }

    fn dist_info(&self) -> String {
        format!("{}-{}.dist-info", self.escaped_name(), self.version)
    }

    fn data_folder(&self) -> String {
        format!("{}-{}.data", self.escaped_name(), self.version)
    }

    fn core_metadata(&self) -> String {
        let mut name = self.name.clone();
        let mut version = self.version.clone();
        for defect in &self.defects {
            match defect {
                Defect::OtherName(other) => name.clone_from(other),
                Defect::OtherVersion(other) => version.clone_from(other),
                _ => {}
            }
        }
        let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
        text.push_str("Summary: A distribution made for a test\nLicense: MIT\n");
        if let Some(specifiers) = &self.requires_python {
            let _ = writeln!(text, "Requires-Python: {specifiers}");
        }
        for line in &self.metadata {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str("\nA description.\n");
        text
    }

    fn wheel_file(&self) -> String {
        let format = if self.defects.contains(&Defect::FutureFormat) { "2.0" } else { "1.0" };
        let mut text = format!(
            "Wheel-Version: {format}\nGenerator: fixture 1.0\nRoot-Is-Purelib: {}\n",
            self.root_is_purelib
        );
        let mut parts = self.tag.split('-');
        let mut next = || parts.next().expect("a tag has three parts").split('.').collect::<Vec<_>>();
        let (pythons, abis, platforms) = (next(), next(), next());
        for python in &pythons {
            for abi in &abis {
                for platform in &platforms {
                    let _ = writeln!(text, "Tag: {python}-{abi}-{platform}");
                }
            }
        }
        text
    }

    fn entry_points_file(&self) -> String {
        let mut groups: Vec<&str> = self.entry_points.iter().map(|(group, _)| group.as_str()).collect();
        groups.sort_unstable();
        groups.dedup();
        let mut text = String::new();
        for group in groups {
            let _ = writeln!(text, "[{group}]");
            for (_, line) in self.entry_points.iter().filter(|(of, _)| of == group) {
                let _ = writeln!(text, "{line}");
            }
        }
        text
    }

    /// The files as the archive holds them, RECORD last.
    fn all_members(&self) -> Vec<Member> {
        let folder = self.dist_info();
        let mut members: Vec<Member> = self
            .members
            .iter()
            .map(|member| Member {
                path: member.path.clone(),
                bytes: member.bytes.clone(),
                mode: member.mode,
            })
            .collect();
        let mut push = |path: String, text: String| {
            members.push(Member { path, bytes: text.into_bytes(), mode: 0o644 });
        };
        if !self.defects.contains(&Defect::NoMetadata) {
            push(format!("{folder}/METADATA"), self.core_metadata());
        }
        if !self.defects.contains(&Defect::NoWheelFile) {
            push(format!("{folder}/WHEEL"), self.wheel_file());
        }
        if !self.entry_points.is_empty() {
            push(format!("{folder}/entry_points.txt"), self.entry_points_file());
        }
        if self.defects.contains(&Defect::TwoDistInfos) {
            push("other-1.0.dist-info/METADATA".to_owned(), self.core_metadata());
        }
        if !self.defects.contains(&Defect::NoRecord) {
            let record = self.record(&members, &folder);
            members.push(Member {
                path: format!("{folder}/RECORD"),
                bytes: record.into_bytes(),
                mode: 0o644,
            });
        }
        members
    }

    fn record(&self, members: &[Member], folder: &str) -> String {
        let mut rows = String::new();
        for member in members {
            if self.defects.contains(&Defect::Unlisted(member.path.clone())) {
                continue;
            }
            let mut hash = archive::base64(&archive::sha256(&member.bytes));
            let mut size = member.bytes.len();
            if self.defects.contains(&Defect::WrongRecordHash(member.path.clone())) {
                hash = archive::base64(&archive::sha256(b"something else"));
            }
            if self.defects.contains(&Defect::WrongRecordSize(member.path.clone())) {
                size += 1;
            }
            let path = &member.path;
            let quoted = if path.contains([',', '"']) {
                format!("\"{}\"", path.replace('"', "\"\""))
            } else {
                path.clone()
            };
            let _ = writeln!(rows, "{quoted},sha256={hash},{size}");
        }
        for defect in &self.defects {
            if let Defect::ListedButMissing(path) = defect {
                let hash = archive::base64(&archive::sha256(b""));
                let _ = writeln!(rows, "{path},sha256={hash},0");
            }
        }
        let _ = writeln!(rows, "{folder}/RECORD,,");
        rows
    }

    fn file_name(&self) -> String {
        let build = self.build_number.as_ref().map(|number| format!("-{number}")).unwrap_or_default();
        format!("{}-{}{build}-{}.whl", self.escaped_name(), self.version, self.tag)
    }

    /// Makes the wheel.
    pub(crate) fn build(&self) -> Artifact {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for member in self.all_members() {
            let flipped = self.defects.contains(&Defect::FlippedByte(member.path.clone()));
            let method = if flipped { CompressionMethod::Stored } else { CompressionMethod::Deflated };
            let options =
                SimpleFileOptions::default().compression_method(method).unix_permissions(member.mode);
            writer.start_file(member.path.as_str(), options).expect("a member can be started");
            writer.write_all(&member.bytes).expect("a member can be written");
        }
        for defect in &self.defects {
            let options = SimpleFileOptions::default();
            match defect {
                Defect::Symlink(path, target) => {
                    writer.add_symlink(path.as_str(), target.as_str(), options).expect("a link can be added");
                }
                // The writer refuses the same name twice, so another name of equal length is overwritten below.
                Defect::Duplicate(path) => {
                    writer.start_file("~".repeat(path.len()), options).expect("a member can be started");
                    writer.write_all(b"the second of two\n").expect("a member can be written");
                }
                _ => {}
            }
        }
        let mut bytes = writer.finish().expect("the archive can be finished").into_inner();
        for defect in &self.defects {
            bytes = self.spoil(bytes, defect);
        }
        let metadata = (!self.defects.contains(&Defect::NoMetadata)).then(|| self.core_metadata());
        Artifact {
            file_name: self.file_name(),
            project: self.name.clone(),
            bytes,
            metadata,
            requires_python: self.requires_python.clone(),
        }
    }

    /// Does to the finished archive what no zip writer would do.
    fn spoil(&self, mut bytes: Vec<u8>, defect: &Defect) -> Vec<u8> {
        match defect {
            Defect::Truncated => bytes.truncate(bytes.len() / 2),
            Defect::NotAnArchive => bytes = b"<html>Log in to continue</html>".to_vec(),
            Defect::Duplicate(path) => {
                replace_all(&mut bytes, "~".repeat(path.len()).as_bytes(), path.as_bytes());
            }
            Defect::DeclaredSize(path, size) => {
                declare_size(&mut bytes, *b"PK\x03\x04", 22, (30, path), *size);
                declare_size(&mut bytes, *b"PK\x01\x02", 24, (46, path), *size);
            }
            Defect::FlippedByte(path) => {
                let member =
                    self.members.iter().find(|member| member.path == *path).expect("the file is there");
                let at = find(&bytes, &member.bytes).expect("a stored member stands in the archive as it is");
                bytes[at] ^= 1;
            }
            _ => {}
        }
        bytes
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

fn replace_all(bytes: &mut [u8], from: &[u8], to: &[u8]) {
    while let Some(at) = find(bytes, from) {
        bytes[at..at + to.len()].copy_from_slice(to);
    }
}

/// Writes `size` at `offset` into the header with this signature that has this name at its place.
fn declare_size(bytes: &mut [u8], signature: [u8; 4], offset: usize, name: (usize, &str), size: u32) {
    let (name_at, name) = name;
    let is_header = |at: &usize| {
        bytes[*at..].starts_with(&signature)
            && bytes.get(at + name_at..).is_some_and(|rest| rest.starts_with(name.as_bytes()))
    };
    let header = (0..bytes.len()).find(is_header).expect("the member has this header");
    bytes[header + offset..header + offset + 4].copy_from_slice(&size.to_le_bytes());
}
