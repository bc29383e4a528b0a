//! The grammar of Python packaging: versions (PEP 440), names (PEP 503), requirements and markers (PEP 508), file names of
//! wheels and their tags (PEP 427, PEP 425), hashes, direct references, and pages of an index (PEP 503, PEP 691).
//!
//! Everything in virtpy that reads or compares one of these uses these types, so that one grammar holds everywhere. Parsing is
//! all they do; none of them touches the disk or the network. Underneath are uv's grammar crates, whose types only the
//! resolver's facade sees.

mod cache_tag;
mod direct_url;
mod hash;
pub mod index_page;
mod invalid;
pub mod limits;
mod markers;
mod name;
mod named_version;
mod requirement;
mod specifier;
mod spelling;
mod tag_facts;
mod tag_words;
mod tags;
mod url;
mod version;
mod wheel_name;

pub use cache_tag::may_accept;
pub use direct_url::{ArchiveHashes, DirectSource, DirectUrl, Revision};
pub use hash::{Sha256Digest, WheelHash};
pub use invalid::{InvalidHash, InvalidName, InvalidText, plain_text};
pub use limits::check_requirement;
pub use markers::MarkerEnvironment;
pub use name::PackageName;
pub use named_version::NamedVersion;
pub use requirement::Requirement;
pub use specifier::Specifier;
pub use tag_facts::{TagFacts, TagSystem};
pub use tags::{IncompatibleWheel, InterpreterTags};
pub use url::{is_public_parameter, may_hold_secret, public_requirement, public_url, strip_secrets};
pub use version::{Version, accepts_python};
pub use wheel_name::WheelName;
