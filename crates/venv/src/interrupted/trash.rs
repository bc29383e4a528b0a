//! The files that an interrupted change has taken away, when nothing says any more where they were.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use virtpy_files::digest::{from_base64, sha256};
use virtpy_files::{Directory, FileKind};
use virtpy_wheel::{self as wheel, RecordRow};

use super::remains::content;
use crate::layout::{PRIVATE_FOLDER, TRASH};
use crate::node::Node;
use crate::{Venv, VenvError, foreign, rebuild};

/// Where files are kept that belong to nobody known.
const KEPT: &str = "kept";

/// A file in the trash.
#[derive(Debug)]
struct Thrown {
    sha256: [u8; 32],
    is_emptied: bool,
    record: Option<Record>,
}

/// What a RECORD says.
#[derive(Debug)]
struct Record {
    /// The dist-info folder that it is of, by its name.
    dist_info: String,
    rows: Vec<RecordRow>,
}

impl Record {
    fn parse(content: &[u8]) -> Option<Self> {
        let rows = wheel::parse_record(std::str::from_utf8(content).ok()?).ok()?;
        let own = rows.iter().find_map(|row| row.path.strip_suffix(".dist-info/RECORD"))?;
        let name = own.rsplit('/').next().unwrap_or(own);
        Some(Self { dist_info: format!("{name}.dist-info"), rows })
    }
}

/// The trash of a change, by the paths of what is in it.
#[derive(Debug)]
pub(crate) struct Trash<'a> {
    directory: &'a Directory,
    files: BTreeMap<String, Thrown>,
}

impl<'a> Trash<'a> {
    pub(crate) fn open(directory: &'a Directory) -> Result<Self, VenvError> {
        let mut files = BTreeMap::new();
        let names = match directory.read_dir_names(TRASH) {
            Err(error) if error.is_not_found() => Vec::new(),
            other => other?,
        };
        for (name, kind) in names {
            let (Ok(name), FileKind::File) = (name.into_string(), kind) else { continue };
            let path = format!("{TRASH}/{name}");
            let content = directory.read(&path)?;
            let is_emptied = rebuild::is_emptied(&content);
            files.insert(
                path,
                Thrown { sha256: sha256(&content), is_emptied, record: Record::parse(&content) },
            );
        }
        Ok(Self { directory, files })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The SHA-256 of each of its files.
    pub(super) fn digests(&self) -> BTreeSet<[u8; 32]> {
        self.files.values().map(|thrown| thrown.sha256).collect()
    }

    /// Hands out a file with this content.
    pub(super) fn take(&mut self, content: &[u8]) -> Option<String> {
        self.take_digest(&sha256(content))
    }

    fn take_digest(&mut self, digest: &[u8]) -> Option<String> {
        let path = self.files.iter().find(|(_, thrown)| thrown.sha256 == digest)?.0.clone();
        self.files.remove(&path);
        Some(path)
    }

    /// Brings files of other installers back to where their RECORD, which may be in the trash itself, has them.
    pub(super) fn give_back(&mut self, venv: &Venv, own: &BTreeSet<String>) -> Result<(), VenvError> {
        if self.files.is_empty() {
            return Ok(());
        }
        let thrown: Vec<String> = self
            .files
            .iter()
            .filter(|(_, thrown)| {
                thrown.record.as_ref().is_some_and(|record| !own.contains(&record.dist_info))
            })
            .map(|(path, _)| path.clone())
            .collect();
        for path in thrown {
            let Some(record) = self.files.remove(&path).and_then(|thrown| thrown.record) else { continue };
            let folder = format!("{}/{}", venv.layout.site_packages, record.dist_info);
            self.move_to(venv, &path, &format!("{folder}/{}", wheel::RECORD))?;
            self.give_back_files(venv, &record)?;
        }
        for (name, kind) in self.directory.read_dir_names(&venv.layout.site_packages)? {
            let (Ok(name), FileKind::Folder) = (name.into_string(), kind) else { continue };
            let path = format!("{}/{name}/{}", venv.layout.site_packages, wheel::RECORD);
            if name.ends_with(".dist-info")
                && !own.contains(&name)
                && let Ok(content) = self.directory.read(&path)
                && let Some(record) = Record::parse(&content)
            {
                self.give_back_files(venv, &record)?;
            }
        }
        Ok(())
    }

    fn give_back_files(&mut self, venv: &Venv, record: &Record) -> Result<(), VenvError> {
        for row in &record.rows {
            let Some(hash) = row.hash.as_ref().filter(|hash| hash.algorithm.eq_ignore_ascii_case("sha256"))
            else {
                continue;
            };
            let (Some(path), Some(digest)) = (foreign::in_venv(venv, &row.path), from_base64(&hash.digest))
            else {
                continue;
            };
            if self.is_free(venv, &path)?
                && let Some(kept) = self.take_digest(&digest)
            {
                self.move_to(venv, &kept, &path)?;
            }
        }
        Ok(())
    }

    /// Whether another installer may have had a file at a path where nothing stands.
    fn is_free(&self, venv: &Venv, path: &str) -> Result<bool, VenvError> {
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        Ok(!venv.layout.is_reserved(path)
            && !venv.layout.is_skeleton(path)
            && self.directory.first_unreal(folder)?.is_none()
            && self.directory.kind(path)?.is_none())
    }

    /// Moves a file out of the trash, unless something stands at its place: then it stays for the rest to be kept.
    fn move_to(&self, venv: &Venv, kept: &str, path: &str) -> Result<(), VenvError> {
        if self.is_free(venv, path)? {
            if let Some((folder, _)) = path.rsplit_once('/') {
                self.directory.create_dir_all(folder)?;
            }
            self.directory.rename(kept, path)?;
        }
        Ok(())
    }

    /// Puts aside what is left and not known to be virtpy's own, whose files are made again. Returns where.
    pub(super) fn keep_strangers<'n>(
        &mut self,
        venv: &Venv,
        nodes: impl Iterator<Item = &'n Node>,
        own: &BTreeSet<String>,
    ) -> Result<Option<PathBuf>, VenvError> {
        let is_own = |thrown: &Thrown| {
            let record = thrown.record.as_ref();
            thrown.is_emptied || record.is_some_and(|record| own.contains(&record.dist_info))
        };
        self.files.retain(|_, thrown| !is_own(thrown));
        if !self.files.is_empty() {
            let installer = sha256(wheel::INSTALLER);
            let made: BTreeSet<[u8; 32]> = nodes
                .filter_map(|node| content(&venv.layout, node))
                .map(sha256)
                .chain(std::iter::once(installer))
                .collect();
            self.files.retain(|_, thrown| !made.contains(&thrown.sha256));
        }
        if self.files.is_empty() {
            return Ok(None);
        }
        let folder = format!("{PRIVATE_FOLDER}/{KEPT}");
        self.directory.create_dir_all(&folder)?;
        let mut number = 0;
        for path in self.files.keys() {
            while self.directory.kind(format!("{folder}/{number}"))?.is_some() {
                number += 1;
            }
            self.directory.rename(path, format!("{folder}/{number}"))?;
        }
        Ok(Some(venv.root.join(folder)))
    }
}
