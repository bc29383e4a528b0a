//! Pages of an index: which files a project has (the simple repository API: PEP 503, PEP 691, PEP 700, PEP 714, PEP 792).
//!
//! A page may have thousands of files, and every one is looked at before anything is chosen. So this stands here, where all is
//! compiled to be fast, and not with the client that asks for pages.

mod html;
mod json;
mod loose;
mod page;
#[cfg(test)]
mod tests;

pub use html::read as read_html;
pub use json::read as read_json;
pub use page::{Page, metadata_hashes, metadata_sha256, without_marks};

/// What came is no page of an index.
#[derive(Debug, Clone, thiserror::Error)]
#[error("what came is not a page of an index: {0}")]
pub struct InvalidPage(String);
