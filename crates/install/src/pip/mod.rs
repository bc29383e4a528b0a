//! What only pip's command line asks for.

mod groups;
mod script;

pub use groups::group_requirements;
pub use script::script_inputs;
