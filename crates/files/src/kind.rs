//! What stands at a path: its kind, and what is known of it in a folder that is held open.

/// What stands at a path, without following a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A real folder.
    Folder,
    /// A symbolic link, whatever it points at; on Windows a junction, too.
    Link,
    /// A socket, a device, a pipe.
    Other,
}

impl From<std::fs::FileType> for FileKind {
    fn from(kind: std::fs::FileType) -> Self {
        if kind.is_symlink() {
            Self::Link
        } else if kind.is_dir() {
            Self::Folder
        } else if kind.is_file() {
            Self::File
        } else {
            Self::Other
        }
    }
}

/// What is known of a file, a link or a folder itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What it is.
    pub kind: FileKind,
    /// Its size in bytes.
    pub size: u64,
    /// Its permission bits.
    pub mode: u32,
    /// Whose it is.
    pub user: u32,
    /// What tells it from all others: the device and the inode.
    pub identity: (u64, u64),
}
