//! Where a package that a script needs comes from.

/// A package that a script needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A requirement (PEP 508).
    Requirement(String),
    /// A folder that is used in place; relative to the script's.
    Editable(String),
}
