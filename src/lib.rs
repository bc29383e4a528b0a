//! `virtpy` gives every project its own Python environment at the price of a few symlinks: each wheel is
//! unpacked once per machine into a read-only store, and venvs link to it.
//!
//! The binary is a thin face over this library. Data flows one way, and `tests/layering.rs` keeps it so:
//! `commands → cli → install → (tools | poetry | lockfile | scripts) → bytecode → (resolve | interpreters) → venv → store → wheel → archive → (fs, digest)`.
//! `docs/architecture.md` tells what each module owns.

pub mod bytecode;
pub mod cli;
pub mod commands;
pub mod context;
pub mod downloads;
pub mod error;
pub mod install;
pub mod lockfile;
pub mod output;
pub mod poetry;
pub mod progress;
pub mod report;
pub mod resolve;
pub mod scripts;
pub mod settings;
pub mod tools;

pub use virtpy_files::{self as fs, digest};
pub use virtpy_wheel::{self as wheel, archive};
pub use {virtpy_interpreters as interpreters, virtpy_store as store, virtpy_venv as venv};
