//! The end-to-end tests: the program as a user runs it, on wheels made to measure and an index on the loopback
//! interface, so that they need no network. One file per command, and one for each promise that spans commands.

#![allow(clippy::disallowed_methods, reason = "tests lay out their own fixtures")]
#![allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

#[path = "../support/mod.rs"]
mod support;

mod about;
mod activation;
mod add;
mod adopt;
mod another_python;
mod bounds;
mod builds;
mod bytecode;
mod calls;
mod check;
mod collect;
mod credentials;
mod detach;
mod displaced;
mod docs;
mod error_texts;
mod errors;
mod fixtures;
mod foldings;
mod foreign;
mod freeze;
mod fresh;
mod git_credentials;
mod hostile;
mod installed;
mod interpreters;
mod interrupted;
mod kernel;
mod layers;
mod links;
mod list;
mod list_all;
mod lock;
mod lock_again;

mod lock_others;
mod lock_places;
mod lock_settings;
mod lock_sources;
mod looking;
mod messages;
mod must_real;
mod new;
mod offline;
mod once;
mod options;
mod own_files;
mod path;
mod pip_commands;
mod pip_configuration;
mod pip_editable;
mod pip_options;
mod pip_shim;
mod plugins;
mod poetry_install;
mod poetry_plugin;
mod power_cut;
mod progress;
mod project_care;
mod python_index;
mod python_install;
mod python_use;
mod remote;
mod remote_files;
mod remote_keys;
mod remove;
mod reports;
mod requirement_hashes;
mod requirements;
mod run;
mod run_environments;
mod run_projects;
mod save;
mod scripts;
mod sealed;
mod served;
mod show;
mod sources;
mod store;
mod store_care;
mod store_places;
#[cfg(target_os = "linux")]
mod swapped;
mod sync;
mod sync_groups;
mod system_site;
mod tags;
mod tolerated;
mod tools;
mod tools_in_use;
mod tools_injected;
mod tools_named;
mod tools_together;
mod transport;
mod tree;
mod which_venv;
mod whose;
mod why;
mod worktrees;
