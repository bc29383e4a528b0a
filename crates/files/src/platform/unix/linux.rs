//! Linux, with its calls for what others need several steps for.

use std::ffi::OsStr;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{
    Advice, AtFlags, CWD, IFlags, Mode, OFlags, RenameFlags, ResolveFlags, StatxAttributes, StatxFlags,
    chmod, fadvise, ioctl_getflags, ioctl_setflags, openat, openat2, renameat_with, statx, syncfs,
};
use rustix::io::Errno;

/// What a folder is opened for that is only to be worked in.
pub(crate) const FOLDER_TO_WORK_IN: OFlags = OFlags::PATH;

/// Whether the call that [`at_once`] makes was refused to this process: by a kernel before 5.6, or by a filter of system calls, as
/// older containers have.
static IS_REFUSED: AtomicBool = AtomicBool::new(false);

/// How often it is tried while others rename folders on the way.
const TRIES: usize = 32;

/// The number of the mount that a path is on.
pub(crate) fn number_of_mount(path: &Path) -> Option<u64> {
    let facts = statx(CWD, path, AtFlags::empty(), StatxFlags::MNT_ID).ok()?;
    // Kernels before 5.8 don't tell.
    (facts.stx_mask & StatxFlags::MNT_ID.bits() != 0).then_some(facts.stx_mnt_id)
}

/// Whether something is mounted at a name in a folder. Kernels before 5.8 don't tell.
pub(crate) fn is_mounted_at(parent: BorrowedFd<'_>, name: &OsStr) -> bool {
    statx(parent, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)
        .is_ok_and(|facts| facts.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// Opens something in a folder, unless another file system or folder is mounted there; `None` where that has to be found out
/// otherwise.
pub(crate) fn open_on_same_mount(
    parent: BorrowedFd<'_>,
    name: &OsStr,
    flags: OFlags,
) -> Option<Result<OwnedFd, Errno>> {
    at_once(parent, Path::new(name), flags, ResolveFlags::NO_XDEV)
}

/// Exchanges two names in one step. Returns whether it was done: not every file system can.
pub(crate) fn exchange(
    (here, one): (BorrowedFd<'_>, &OsStr),
    (there, other): (BorrowedFd<'_>, &OsStr),
) -> std::io::Result<bool> {
    match renameat_with(here, one, there, other, RenameFlags::EXCHANGE) {
        Err(Errno::INVAL | Errno::NOSYS) => Ok(false),
        answer => Ok(answer.map(|()| true)?),
    }
}

/// Writes back what was written to the file system that a folder is on.
pub(crate) fn sync_file_system(folder: &Path) -> std::io::Result<()> {
    Ok(syncfs(File::open(folder)?)?)
}

/// Lets the kernel begin to write a new file back. It also drops pages that are on the disk already, which those of a new file are
/// not.
pub(crate) fn begin_writing_back(file: &File) {
    let _ = fadvise(file, 0, None, Advice::DontNeed);
}

/// The absolute path without links, by three system calls, where a library makes one for each part of the path; an error where
/// nothing stands. `None` where the kernel does not tell.
pub(crate) fn resolved_by_kernel(path: &Path) -> Option<Result<PathBuf, Errno>> {
    let file = match rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) {
        Err(Errno::NOENT) => return Some(Err(Errno::NOENT)),
        opened => opened.ok()?,
    };
    let resolved = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()?;
    // Of what was removed meanwhile, or is out of reach, the kernel says so in the text.
    let is_plain = resolved.is_absolute() && !resolved.as_os_str().as_bytes().ends_with(b" (deleted)");
    is_plain.then_some(Ok(resolved))
}

/// Lets the owner look into a folder that nobody may look into.
pub(crate) fn make_accessible(parent: BorrowedFd<'_>, name: &OsStr) -> Result<(), Errno> {
    // There is no call that changes the mode of a name and follows no link, nor one for what was opened without looking
    // into it, but by this name of a descriptor.
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = openat(parent, name, flags, Mode::empty())?;
    chmod(format!("/proc/self/fd/{}", folder.as_raw_fd()), Mode::RWXU)
}

/// Whether an open file or folder bears the immutable flag.
pub(crate) fn is_immutable(file: impl AsFd) -> bool {
    ioctl_getflags(file).is_ok_and(|flags| flags.contains(IFlags::IMMUTABLE))
}

/// Sets the immutable flag of an open file or folder, or takes it off.
pub(crate) fn set_immutable(file: impl AsFd, immutable: bool) -> Result<(), Errno> {
    let mut flags = ioctl_getflags(&file)?;
    if flags.contains(IFlags::IMMUTABLE) == immutable {
        return Ok(());
    }
    flags.set(IFlags::IMMUTABLE, immutable);
    ioctl_setflags(file, flags)
}

/// Opens a path below a folder in one call, through no link and never upwards; `None` where that has to be done by steps.
pub(crate) fn open_below(root: BorrowedFd<'_>, path: &Path, flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
    at_once(
        root,
        path,
        flags,
        ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS,
    )
}

/// Opens an absolute path in one call, through no link; `None` where that cannot be had.
pub(crate) fn open_without_links(path: &Path, flags: OFlags) -> Option<Result<OwnedFd, Errno>> {
    at_once(CWD, path, flags, ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS)
}

fn at_once(
    root: BorrowedFd<'_>,
    path: &Path,
    flags: OFlags,
    rules: ResolveFlags,
) -> Option<Result<OwnedFd, Errno>> {
    if IS_REFUSED.load(Ordering::Relaxed) {
        return None;
    }
    for _ in 0..TRIES {
        match openat2(root, path, flags, Mode::empty(), rules) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            Err(Errno::NOSYS | Errno::PERM) => {
                IS_REFUSED.store(true, Ordering::Relaxed);
                return None;
            }
            answer => return Some(answer),
        }
    }
    None
}
