//! From requirements to entries of the store: the thin side of the facade `virtpy-resolver`, which is the only
//! user of uv's crates.

mod built;
mod error;
mod obtain;
mod reporter;
mod satisfied;

pub use error::ResolveError;
pub use obtain::{Obtained, Supply, Way, obtain};
pub use reporter::Reporter;
pub use satisfied::{Question, is_satisfied, request_digest};
