//! hand-made zips
