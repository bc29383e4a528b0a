//! From requirements to entries of the store: the thin side of the facade `virtpy-resolver`, which is the only
//! user of uv's crates.

mod built;
mod error;
mod fresh;
mod inputs;
mod kept;
mod local;
mod obtain;
mod publication;
mod remote;
mod repair;
mod reporter;
mod repository;
mod resolution_cache;
mod satisfied;
mod sights;
mod source_contents;
mod unpacking;
mod unpushed;
mod watched;

pub(crate) use built::build_key;
pub use error::ResolveError;
pub(crate) use inputs::{KnownBuilds, commit};
pub(crate) use local::StoredWheels;
pub(crate) use obtain::{FetchContext, Obtained, Origin, is_at_hand, obtain};
pub(crate) use remote::{BuildTarget, RemoteSupply};
pub use repair::{Repaired, repair};
pub use reporter::Reporter;
pub(crate) use resolution_cache::{CachedPackage, ResolutionCache};
pub(crate) use satisfied::{PinnedRequest, is_satisfied, unknown_extras};
pub(crate) use unpushed::Unpushed;
pub use watched::{Watched, watch};
