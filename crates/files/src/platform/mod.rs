//! What systems do differently. Linux has calls that others lack: those are in `linux`, and `other` does the same in another way
//! or says that it cannot be done. Both have the same functions; nothing else in this crate asks on which system it runs.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use linux::{
    FOLDER_TO_WORK_IN, begin_writing_back, exchange, is_immutable, is_mounted_at, make_accessible,
    number_of_mount, open_below, open_on_same_mount, open_without_links, resolved_by_kernel, set_immutable,
    sync_file_system,
};

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod other;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use other::{
    FOLDER_TO_WORK_IN, begin_writing_back, exchange, is_immutable, is_mounted_at, make_accessible,
    number_of_mount, open_below, open_on_same_mount, open_without_links, resolved_by_kernel, set_immutable,
    sync_file_system,
};
