//! Remembers what interpreters answered, so that none is started twice.
//!
//! One small JSON file per executable. It is trusted as long as the files that decide the answer (the
//! executable, the one it leads to, the C library) and the running kernel, whose name and version are among
//! the environment markers, are the same. Anything odd about a cache file makes it a miss; it is then
//! replaced.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use virtpy_files::digest::sha256;
use virtpy_files::{self as fs, Stamp};

use super::{Interpreter, platform};

/// Goes up whenever [`Interpreter`] or the facts behind it change their meaning.
const FORMAT: u32 = 2;
/// More bytes than a cache file has, so that it is read at once.
const EXPECTED_SIZE: usize = 4096;

/// What asking an executable led to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// The base interpreter behind it.
    Usable(Box<Interpreter>),
    /// A Python that virtpy does not support; its version, or what is known about it.
    TooOld(String),
}

#[derive(Serialize, Deserialize)]
struct Entry {
    format: u32,
    system: String,
    files: Vec<Stamp>,
    answer: Answer,
}

/// Returns the remembered answer of an executable, if it still holds, with the files that it depends on.
pub(super) fn load(cache: &Path, executable: &Path) -> Option<(Answer, Vec<Stamp>)> {
    let content = fs::read_own(&entry_path(cache, executable), EXPECTED_SIZE).ok()?;
    let entry: Entry = serde_json::from_slice(&content).ok()?;
    let is_current = entry.format == FORMAT
        && entry.files.first().is_some_and(|stamp| stamp.path == executable)
        && entry.system == system()
        && entry.files.iter().all(Stamp::is_current);
    is_current.then_some((entry.answer, entry.files))
}

/// Remembers an answer. `files` begins with the executable's stamp from before it was asked.
///
/// A cache that cannot be written only costs time, so nothing is reported.
pub(super) fn store(cache: &Path, executable: &Path, files: Vec<Stamp>, answer: &Answer) {
    let entry = Entry { format: FORMAT, system: system(), files, answer: answer.clone() };
    let path = entry_path(cache, executable);
    // A path that is not UTF-8 cannot stand in JSON; such an interpreter is asked every time.
    if let Ok(content) = serde_json::to_vec(&entry)
        && let Some(folder) = path.parent()
        && fs::create_dir_all(folder).is_ok()
    {
        drop(fs::write_atomic(&path, &content));
    }
}

fn entry_path(cache: &Path, executable: &Path) -> PathBuf {
    let digest = sha256(executable.as_os_str().as_encoded_bytes());
    let short = digest.iter().take(8).fold(0, |number: u64, byte| (number << 8) | u64::from(*byte));
    cache.join("interpreters").join(format!("{short:016x}.json"))
}

/// Changes whenever the operating system is updated, and with it markers that no file of the interpreter
/// tells.
fn system() -> String {
    if cfg!(target_os = "macos") {
        let stamp = Stamp::of(Path::new("/System/Library/CoreServices/SystemVersion.plist"));
        return stamp.map_or_else(String::new, |stamp| {
            let (seconds, nanoseconds) = stamp.modified;
            format!("{seconds}.{nanoseconds:09}")
        });
    }
    platform::kernel()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn too_old() -> Answer {
        Answer::TooOld("2.7.18".to_owned())
    }

    fn loaded(cache: &Path, executable: &Path) -> Option<Answer> {
        load(cache, executable).map(|(answer, _)| answer)
    }

    fn remembered(folder: &Path) -> PathBuf {
        let executable = folder.join("python");
        fs::write_new(&executable, b"one", 0o755).unwrap();
        store(folder, &executable, vec![Stamp::of(&executable).unwrap()], &too_old());
        executable
    }

    #[test]
    fn an_answer_is_kept_until_its_file_changes() {
        let folder = tempfile::tempdir().unwrap();
        let executable = remembered(folder.path());
        assert_eq!(loaded(folder.path(), &executable), Some(too_old()));
        assert_eq!(loaded(folder.path(), &folder.path().join("other")), None);
        fs::write_atomic(&executable, b"two").unwrap();
        assert_eq!(loaded(folder.path(), &executable), None);
    }

    #[test]
    fn damaged_and_foreign_entries_are_misses_and_are_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let executable = remembered(folder.path());
        let path = entry_path(folder.path(), &executable);
        let good = fs::read_to_string(&path).unwrap();
        let other_kernel = good.replacen("\"system\":\"", "\"system\":\"other ", 1);
        let other_format = good.replacen("\"format\":2", "\"format\":1", 1);
        for bad in ["", "{", "null", "\0", &good[..good.len() / 2], &other_kernel, &other_format] {
            assert_ne!(bad, good);
            fs::write_atomic(&path, bad.as_bytes()).unwrap();
            assert_eq!(loaded(folder.path(), &executable), None, "{bad}");
        }
        store(folder.path(), &executable, vec![Stamp::of(&executable).unwrap()], &too_old());
        assert_eq!(loaded(folder.path(), &executable), Some(too_old()));
    }

    #[test]
    fn a_cache_that_cannot_be_written_is_no_failure() {
        let folder = tempfile::tempdir().unwrap();
        let executable = remembered(folder.path());
        let file_in_the_way = folder.path().join("file");
        fs::write_new(&file_in_the_way, b"", 0o644).unwrap();
        store(&file_in_the_way, &executable, vec![Stamp::of(&executable).unwrap()], &too_old());
        assert_eq!(loaded(&file_in_the_way, &executable), None);
    }
}
