//! The facade against an index on the loopback interface and the machine's `python3`. One binary, so that
//! the libraries underneath are linked once. Nothing here needs another network.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // tests may stop at once, and write where they like

mod building;
mod distrusting;
mod index;
mod installed;
mod local;
mod obtaining;
mod refusing;
mod resolving;
mod transferring;
mod world;
