//! Where the folders of tests are.

use std::path::Path;

use rustix::fs::{StatVfsMountFlags, statvfs};

/// The file system in memory that Linux has.
const MEMORY: &str = "/dev/shm";
/// How much of it has to be free: all tests at once take some hundred MiB.
const ENOUGH: u64 = 2 << 30;

/// A folder that goes away with its owner. It is in memory where there is enough of it for programs and their files, since a
/// disk is slow at the thousands of small files that a test makes and removes; or where `TMPDIR` says.
pub(crate) fn folder() -> tempfile::TempDir {
    let memory = Path::new(MEMORY);
    let in_memory =
        if std::env::var_os("TMPDIR").is_none() && is_suitable(memory) { made_in(memory) } else { None };
    in_memory.or_else(|| made_in(&std::env::temp_dir())).expect("a folder can be made")
}

/// A folder on another file system than this path is on; none where the machine has only one.
pub(crate) fn folder_elsewhere(path: &Path) -> Option<tempfile::TempDir> {
    use std::os::unix::fs::MetadataExt as _;
    let device = |path: &Path| std::fs::metadata(path).ok().map(|facts| facts.dev());
    let beside_the_build = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for other in [Path::new(MEMORY), beside_the_build] {
        if device(other).is_some() && device(other) != device(path) {
            return made_in(other);
        }
    }
    super::skip("this machine has no second file system to write to");
    None
}

fn made_in(parent: &Path) -> Option<tempfile::TempDir> {
    tempfile::Builder::new().prefix("virtpy-test-").tempdir_in(parent).ok()
}

/// Whether programs can be run from there, and there is enough of it.
fn is_suitable(memory: &Path) -> bool {
    statvfs(memory).is_ok_and(|facts| {
        !facts.f_flag.contains(StatVfsMountFlags::NOEXEC) && facts.f_bavail * facts.f_frsize >= ENOUGH
    })
}
