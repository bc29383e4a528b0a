//! Unix: open folders, permission bits, owners. Linux has calls that others lack: those are in `linux`, and `other` does the same in
//! another way or says that it cannot be done. Both have the same functions.

mod disk;
mod facts;
mod folder;
mod numbers;
mod opening;
mod process;
mod reach;
mod removal;
mod size_limit;
mod times;
mod umask;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
use linux as system;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod other;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
use other as system;

pub(crate) use disk::{
    exchange, file_system, free_space, is_immutable, path_of_bytes, resolved, set_immutable,
};
pub use facts::{FileExt, MetadataExt, PermissionsExt};
pub(crate) use facts::{
    allocated, block_size, device, identity, identity_at, identity_of_open, names, names_of_open,
};
pub use facts::{is_executable, knows_owners};
pub(crate) use folder::{CAN_KEEP_OPEN, Folder};
pub(crate) use numbers::{has_no_locks, hint_by_number, is_failing_disk};
pub(crate) use opening::{
    creating, finish_mode, following_nothing, give_to_owner_of, hand_over, not_waiting, set_mode, set_owner,
    symlink, sync_folder, with_mode,
};
pub(crate) use process::{effective_user, is_running};
pub(crate) use removal::{remove_file, remove_tree};
pub use size_limit::survive_size_limit;
pub(crate) use system::{begin_writing_back, number_of_mount, sync_file_system};
pub(crate) use times::{open_to_date, set_back};
pub use umask::{narrow_umask, restore_umask};
