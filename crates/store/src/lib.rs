//! The store: every wheel that any venv of this machine uses, unpacked once, read-only, keyed by its SHA-256.
//!
//! An entry is complete or absent: it is unpacked beside the store, verified, and then published by
//! one rename; a published entry is never changed. Venvs register themselves as roots before they link, so that
//! nothing in use is ever collected. `docs/store.md` describes what is on disk.

mod abandoned;
mod absent;
mod adopt;
mod boot;
mod bytecode;
mod collect;
mod comparison;
mod complete;
mod daily;
mod digests;
mod durable;
mod entry;
mod error;
mod facts;
mod finding;
mod id;
mod ingest;
mod known_files;
mod layer;
mod layers;
mod locks;
mod manifest;
mod open;
mod origin;
mod others_roots;
mod pip_shim;
mod places;
mod protect;
mod removal;
mod roots;
mod seal;
mod store;
mod strangers;
mod usage;
mod verify;

pub use adopt::{ADOPTED, Catalogue, content_key};
pub use boot::Checked;
pub use bytecode::{Batch, Compilation, CompiledFile, Dialect, Module, Published, Record, Staging, Stray};
pub use collect::{Collecting, Collection, Discarded, Policy};
pub use daily::Look;
pub use entry::Entry;
pub use error::StoreError;
pub use facts::Facts;
pub use finding::Finding;
pub use id::{EntryId, VenvId};
pub use ingest::{DIST_INFO_ALIAS, Staged, WheelFile};
pub use known_files::Sight;
pub use layer::{Layer, LayerError, Owners};
pub use layers::LinkedWheel;
pub use locks::{LockName, PATIENCE};
pub use manifest::{FileRow, FolderItem, KnownOrigin, Manifest, ROWS, ScriptRow};
pub use origin::was_built;
pub use others_roots::UsedByOthers;
pub use pip_shim::{PIP_SHIM_ORIGIN, PIP_SHIM_VERSION, PROGRAM, is_pip_shim};
pub use roots::{Mount, Root};
pub use seal::Lack;
pub use store::Store;
pub use strangers::Stranger;
pub use verify::Verdict;
