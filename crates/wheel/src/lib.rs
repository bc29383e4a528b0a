//! What a wheel is.
//!
//! Knowledge of the binary distribution format (PEP 427, PEP 491) and of what surrounds it: METADATA (core
//! metadata), RECORD (PEP 376, PEP 627), `entry_points.txt`, and the scripts that an installer makes of those. The
//! heart is [`unpack`], which turns a wheel file into folders that can be linked into a venv: each file verified
//! against RECORD, everything that is not allowed refused. Nothing here knows where the store or a venv is. All
//! that a wheel contains is hostile input.

pub mod archive;
mod climbing;
mod entry_points;
mod error;
mod installed;
mod installed_record;
mod layout;
mod libraries;
mod metadata;
mod metadata_json;
mod namespaces;
mod pack;
mod record;
mod record_digest;
mod script;
mod script_name;
mod shebang;
#[cfg(test)]
mod tests;
mod unpack;
mod unpacked;
mod verify;

pub use crate::archive::Limits;
pub use climbing::Climbing;
pub use entry_points::{EntryPoint, parse as parse_entry_points};
pub use error::Error;
pub use installed::{InstalledWheel, Part, PartSource, is_written_by_installers};
pub use installed_record::{INSTALLER, RecordAdditions, installed_record, installer_files, ready_record};
pub use layout::{Item, Tree, WheelContents, read};
pub use libraries::{Libraries, SearchingFolder, is_library_name};
pub use metadata::{Metadata, WheelInfo};
pub use metadata_json::{home_page, metadata_as_json};
pub use namespaces::namespaces;
pub use pack::{pack, with_record};
pub use record::{
    RecordHash, RecordRow, known_record_row, parse_record, record_row, record_rows, write_record,
};
pub use record_digest::{RecordDigest, file_sha256};
pub use script::script;
pub use script_name::is_reserved_script;
pub use shebang::{restore_python_shebang, rewrite_python_shebang, shebang};
pub use unpack::unpack;
pub use unpacked::{InstalledFile, ScriptFile, Unpacked};
pub use verify::CheckStrategy;

/// The name of the table of a distribution's files (PEP 376).
pub const RECORD: &str = "RECORD";

/// The name of the folders that Python keeps compiled modules in (PEP 3147).
pub const BYTECODE_FOLDER: &str = "__pycache__";

/// Whether a path is of a compiled module in a folder that Python keeps those in: nobody's but Python's.
pub fn is_bytecode(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let name = parts.next().unwrap_or_default();
    name.as_bytes().ends_with(b".pyc") && parts.next() == Some(BYTECODE_FOLDER)
}
