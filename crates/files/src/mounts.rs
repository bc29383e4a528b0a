//! Which file system a path is on, and where others are mounted.

use std::path::{Path, PathBuf};

use super::error::{IoResultExt as _, PathError};
use super::{canonicalize, kind, metadata, platform, read_stream};

/// Returns where the file system of a path is mounted, and what tells it from others (`f_fsid` of statvfs(3)). Of a path
/// whose last parts are missing it is the one that they would be on.
///
/// # Errors
/// When a part may not be read.
pub fn mount_of(path: &Path) -> Result<(PathBuf, u64), PathError> {
    let mut present = path.to_path_buf();
    while kind(&present)?.is_none() {
        if !present.pop() {
            break;
        }
    }
    let mut point = canonicalize(&present)?;
    let device_of = |path: &Path| metadata(path).map(|facts| platform::device(path, &facts));
    let device = device_of(&point)?;
    while let Some(parent) = point.parent() {
        if device_of(parent)? != device {
            break;
        }
        point.pop();
    }
    let file_system = platform::file_system(&point).at("look at", &point)?;
    Ok((point, file_system))
}

/// Whether two paths are surely on one mounted file system: the system numbers its mounts. Of a path where nothing stands it is
/// the folder that it is in.
pub fn is_on_mount_of(path: &Path, other: &Path) -> bool {
    let number =
        |path: &Path| platform::number_of_mount(path).or_else(|| platform::number_of_mount(path.parent()?));
    number(path).is_some_and(|own| number(other) == Some(own))
}

/// Where file systems are mounted in a folder or at it, also folders that are bound there. None where the system does not tell.
pub fn mounts_in(folder: &Path) -> Vec<PathBuf> {
    // Its length is not known before it is read.
    let content = read_stream(Path::new("/proc/self/mountinfo")).unwrap_or_default();
    let points =
        content.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    points.map(unescaped).filter(|point| point.starts_with(folder)).collect()
}

/// Whether a file system, or another folder, is mounted at a path without links. Such a folder cannot be renamed or removed.
pub fn is_mount_point(path: &Path) -> bool {
    mounts_in(path).iter().any(|point| point == path)
}

/// A path of the table of mounts, in which blanks and the like are written as three octal digits.
fn unescaped(text: &[u8]) -> PathBuf {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let digits = after.get(..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits.filter(|_| *byte == b'\\').and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(escaped.unwrap_or(*byte));
        rest = if escaped.is_some() { &after[3..] } else { after };
    }
    platform::path_of_bytes(bytes)
}
