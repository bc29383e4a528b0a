//! What only pip's command line asks for.

mod checkout;
mod groups;
mod script;
mod shared;

pub use checkout::{Checkouts, CloneFolder, frozen_editable};
pub use groups::group_requirements;
pub use script::script_inputs;
pub use shared::shared_pip;
