//! Windows. What it lacks is refused in plain words, and never passed over as done: whose a file is and who else may read it, a file
//! that bears the immutable flag, a nameless file for another program.

mod disk;
mod facts;
mod folder;
mod numbers;
mod opening;
mod pin;
mod process;
mod removal;
mod times;

pub(crate) use disk::{
    begin_writing_back, exchange, file_system, free_space, is_immutable, number_of_mount, path_of_bytes,
    resolved, set_immutable, sync_file_system,
};
pub use facts::{FileExt, MetadataExt, PermissionsExt, is_executable, knows_owners};
pub(crate) use facts::{
    allocated, block_size, device, identity, identity_at, identity_of_open, names, names_of_open,
};
pub(crate) use folder::{CAN_KEEP_OPEN, Folder};
pub(crate) use numbers::{has_no_locks, hint_by_number, is_failing_disk};
pub(crate) use opening::{
    creating, finish_mode, following_nothing, give_to_owner_of, hand_over, not_waiting, set_mode, set_owner,
    symlink, sync_folder, with_mode,
};
pub(crate) use process::{effective_user, is_running};
pub use process::{narrow_umask, restore_umask, survive_size_limit};
pub(crate) use removal::{remove_file, remove_tree};
pub(crate) use times::{open_to_date, set_back};
