//! What must hold of virtpy's parsers whatever they are fed, and mutations that get past their first check.

pub mod mend;
pub mod oracles;
