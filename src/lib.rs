//! `virtpy` gives every project its own Python environment at the price of a few symlinks: each wheel is
//! unpacked once per machine into a read-only store, and venvs link to it.
//!
//! The binary is a thin face over this library. Data flows one way, and `tests/layering.rs` keeps it so:
//! `cli → commands → report → install → (interpreters | resolver) → venv → store → wheel → (files | pep)`, the last six of which are
//! crates of their own. `docs/architecture.md` tells what each owns.

pub mod cli;
pub mod commands;
pub mod context;
pub mod error;
pub mod output;
pub mod progress;
pub mod report;
pub mod restart;
pub mod settings;

pub use virtpy_files::{self as fs, digest};
pub use virtpy_install::{self as install, lockfile, plugins, poetry, scripts, tools};
pub use virtpy_wheel::{self as wheel, archive};
pub use {virtpy_interpreters as interpreters, virtpy_store as store, virtpy_venv as venv};
