//! Holding the unpacked files against RECORD.

use std::collections::HashMap;

use virtpy_files::digest::HashAlgorithm;

use super::record::Verifiable;
use super::{Error, RecordRow};
use crate::archive::Written;

/// What to do about files without a row in RECORD, rows for files that the wheel does not have, and rows without a usable
/// hash. RECORD lies in the archive that it describes: whoever can change a file can change its row, and what vouches for the
/// archive is the hash that an index or a lock file gives. So an incomplete RECORD only shows how a wheel was built. A hash
/// or size that contradicts the file shows damage, and is always an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CheckStrategy {
    /// Install the files that are there and report the differences.
    #[default]
    Repair,
    /// Refuse the wheel.
    RejectInvalid,
}

/// RECORD, ready to be asked by path.
pub(super) struct Record<'a> {
    rows: HashMap<&'a str, Row<'a>>,
}

struct Row<'a> {
    listed: &'a RecordRow,
    /// The digest to compare with, where the row has a strong one.
    digest: Option<(HashAlgorithm, Vec<u8>)>,
    used: bool,
}

/// How RECORD differs from the files without being wrong about one.
#[derive(Debug, Default)]
struct Differences {
    unlisted: Vec<String>,
    unhashed: Vec<String>,
    absent: Vec<String>,
}

impl<'a> Record<'a> {
    /// Reads the hashes of all rows.
    ///
    /// # Errors
    /// When a hash is malformed, or two rows contradict each other.
    pub(super) fn new(rows: &'a [RecordRow]) -> Result<Self, Error> {
        let mut known: HashMap<&str, Row<'_>> = HashMap::with_capacity(rows.len());
        for row in rows {
            let digest = digest(row)?;
            let new = Row { listed: row, digest, used: false };
            match known.get_mut(row.path.as_str()) {
                None => {
                    known.insert(&row.path, new);
                }
                Some(old) if old.listed.hash.is_none() => *old = new,
                Some(old) if row.hash.is_none() || row == old.listed => {}
                Some(_) => return Err(wrong(&row.path, "has two different rows in RECORD")),
            }
        }
        Ok(Self { rows: known })
    }

    /// The algorithm that a member's row uses, if it is another than SHA-256.
    pub(super) fn other_algorithm(&self, path: &str) -> Option<HashAlgorithm> {
        let (algorithm, _) = self.find(path)?.digest.as_ref()?;
        Some(*algorithm).filter(|algorithm| *algorithm != HashAlgorithm::Sha256)
    }

    fn find(&self, path: &str) -> Option<&Row<'a>> {
        // Wheels built on Windows long ago.
        self.rows.get(path).or_else(|| self.rows.get(path.replace('/', "\\").as_str()))
    }

    /// Compares the written files with their rows and returns the differences as warnings.
    ///
    /// `written` are the unpacked members by their names in the archive, `others` are members that are not
    /// installed, such as RECORD itself.
    ///
    /// # Errors
    /// When a file has another digest or size than its row, or, with [`CheckStrategy::RejectInvalid`], at any difference.
    pub(super) fn verify<'f>(
        mut self,
        written: impl Iterator<Item = (&'f str, &'f Written)>,
        others: impl Iterator<Item = &'f str>,
        strategy: CheckStrategy,
    ) -> Result<Vec<String>, Error> {
        let mut differences = Differences::default();
        for (path, file) in written {
            let Some(row) = self.use_row(path) else {
                differences.unlisted.push(path.to_owned());
                continue;
            };
            match &row.digest {
                Some((HashAlgorithm::Sha256, digest)) if digest.as_slice() == file.sha256 => {}
                Some((HashAlgorithm::Sha384 | HashAlgorithm::Sha512, digest))
                    if file.other_digest.as_ref() == Some(digest) => {}
                Some(_) => return Err(wrong(path, "has another hash than RECORD says")),
                None => differences.unhashed.push(path.to_owned()),
            }
            if row.listed.size.is_some_and(|size| size != file.size) {
                return Err(wrong(path, "has another size than RECORD says"));
            }
        }
        for path in others {
            self.use_row(path);
        }
        differences.absent = self
            .rows
            .into_values()
            .filter(|row| !row.used && !row.listed.path.ends_with('/'))
            .map(|row| row.listed.path.clone())
            .collect();
        differences.absent.sort();
        differences.judge(strategy)
    }

    fn use_row(&mut self, path: &str) -> Option<&Row<'a>> {
        let key = self.find(path)?.listed.path.as_str();
        let row = self.rows.get_mut(key)?;
        row.used = true;
        Some(row)
    }
}

fn digest(row: &RecordRow) -> Result<Option<(HashAlgorithm, Vec<u8>)>, Error> {
    match row.hash.as_ref().map(super::RecordHash::verifiable) {
        // MD5 and SHA-1 prove nothing, as no hash does.
        None | Some(Verifiable::Unknown | Verifiable::Weak) => Ok(None),
        Some(Verifiable::Digest(algorithm, digest)) => Ok(Some((algorithm, digest))),
        Some(Verifiable::Malformed) => Err(wrong(&row.path, "has a malformed hash in RECORD")),
    }
}

fn wrong(path: &str, reason: &str) -> Error {
    Error::Verification { path: path.escape_debug().to_string(), reason: reason.to_owned() }
}

impl Differences {
    fn judge(self, strategy: CheckStrategy) -> Result<Vec<String>, Error> {
        let kinds = [
            ("RECORD does not list", self.unlisted, ""),
            ("RECORD has no usable hash for", self.unhashed, ""),
            ("RECORD lists", self.absent, ", which the wheel does not have"),
        ];
        let mut warnings = Vec::new();
        for (start, paths, end) in kinds {
            let [path, more @ ..] = paths.as_slice() else { continue };
            if strategy == CheckStrategy::RejectInvalid {
                return Err(Error::Unlisted(format!("{start} `{}`{end}", path.escape_debug())));
            }
            let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
            warnings.push(format!("{start} `{}`{more}{end}", path.escape_debug()));
        }
        Ok(warnings)
    }
}
