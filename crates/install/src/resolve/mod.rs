//! From requirements to entries of the store: the thin side of the facade `virtpy-resolver`, which is the only
//! user of uv's crates.

mod built;
mod error;
mod fresh;
mod inputs;
mod kept;
mod local;
mod memory;
mod obtain;
mod repair;
mod reporter;
mod satisfied;
mod watched;

pub(crate) use built::build_key;
pub use error::ResolveError;
pub(crate) use fresh::{recall_fresh, remember_fresh};
pub(crate) use inputs::{KnownBuilds, commit};
pub(crate) use local::StoredWheels;
pub(crate) use memory::{Recalled, recall, recall_one, remember, remember_one};
pub(crate) use obtain::{FetchContext, Obtained, Origin, is_at_hand, obtain};
pub use repair::{Repaired, repair};
pub use reporter::Reporter;
pub(crate) use satisfied::{PinnedRequest, is_satisfied, unknown_extras};
pub use watched::{Watched, watch};
