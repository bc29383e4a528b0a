//! What a wheel is (the binary distribution format, PEP 427): its file name, METADATA, RECORD, entry points and
//! scripts. This module reads an archive and says what belongs where; the only thing it writes is the folder that
//! it is told to unpack into.

mod entry_points;
mod error;
mod filename;
mod layout;
mod metadata;
mod record;
mod shebang;
mod unpack;

pub use entry_points::{EntryPoint, is_reserved_script, script};
pub use error::Error;
pub use filename::WheelName;
pub use metadata::Metadata;
pub use record::{
    RecordHash, RecordRow, known_record_row, parse as parse_record, record_row, rows_of as record_rows,
};
pub use shebang::{rewrite_python_shebang, shebang};
pub use unpack::{CheckStrategy, InstalledFile, ScriptFile, Unpacked, unpack};

pub use crate::archive::Limits;

/// The folder in which Python keeps the bytecode of the modules beside it (PEP 3147).
pub const BYTECODE_FOLDER: &str = "__pycache__";
