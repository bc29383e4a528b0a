//! What is asked for: requirements, paths and URLs from the command line, and files of them.
//!
//! Requirements files are read here, and nowhere else. `decode` makes text of a file's bytes, `logical_lines` takes the text
//! apart, `statement` says what a line means, `location` where a file is, `reader` follows what files include, and `files` is what comes out, as plain data
//! that callers may look at. `specification` hands it, and all other inputs, to the libraries underneath.

mod decode;
mod files;
mod location;
mod logical_lines;
mod reader;
mod specification;
mod statement;

pub(crate) use files::pins;
pub use files::{
    EntryKind, Pins, Place, RequirementsEntry, RequirementsFiles, RequirementsOptions, RequirementsText,
};
pub use logical_lines::LogicalLine;
pub use reader::Surroundings;
pub(crate) use specification::{
    Wanted, build_constraints, build_settings, no_binary, of_setting, only_binary, read,
};
