//! `virtpy` gives every project its own Python environment at the price of a few symlinks: each wheel is
//! unpacked once per machine into a read-only store, and venvs link to it.
//!
//! The binary is a thin face over this library. Data flows one way, and `tests/layering.rs` keeps it so:
//! `cli → commands → (tools | poetry | lockfile | scripts) → bytecode → (resolve | interpreters) → venv → store → wheel → archive → (fs, digest)`.
//! `docs/architecture.md` tells what each module owns.

pub mod archive;
pub mod bytecode;
pub mod cli;
pub mod commands;
pub mod context;
pub mod digest;
pub mod error;
pub mod fs;
pub mod interpreters;
pub mod lockfile;
pub mod output;
pub mod poetry;
pub mod resolve;
pub mod scripts;
pub mod settings;
pub mod store;
pub mod tools;
pub mod venv;
pub mod wheel;

#[cfg(test)]
#[path = "../fuzz/src/oracles.rs"]
#[allow(unreachable_pub, clippy::pedantic, reason = "the fuzzers' crate shares it")]
mod oracles;
#[cfg(test)]
mod seeds;
