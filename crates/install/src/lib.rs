//! The operation: bringing an environment to what is wanted of it.
//!
//! Whoever wants something says so with a [`Goal`]. An [`Environment`] is opened or made, the goal's [`Source`] finds out what has
//! to come and go, which is an [`InstallPlan`], a value that can be shown, and [`execute`] carries it out, wholly or not at all, and tells what came of it
//! as a [`Changelog`]. What people have to hear meanwhile goes through the one [`Caller`] that the [`Host`] has; nothing here
//! prints, and nothing here knows how a command line looks.
//!
//! | file or folder | owns |
//! |---|---|
//! | `host`, `preferences`, `error`, `words` | where operations take place and who asks for them; why they fail |
//! | `index`, `interpreters`, `pythons` | where packages come from, and for which interpreter; installing one |
//! | `environment`, `restore`, `installed` | a venv that is worked on: locks, recovery, what is in it |
//! | `plan`, `execute`, `changelog`, `followed` | goals, plans, and what came of them; following a file |
//! | `resolved`, `resolved_supply`, `request_key` | asking the resolver; remembered answers |
//! | `requirements`, `lock`, `lock_source`, `directories`, `closure`, `poetry`, `wheels` | the sources of a goal |
//! | `bytecode` | compiling what came |
//! | `applications`, `installed_tools`, `tool_list` | applications on PATH |
//! | `scripted`, `script_download`, `base_venv`, `cache` | environments in the cache, and what is swept there |
//! | `newest` | the newest versions of what is installed |
//! | `git_hook`, `kernels` | git's new worktrees, and Jupyter's kernels |
//! | `git`, `checkout`, `shared_pip` | repositories that are installed in place; the real pip |
//! | `adopt`, `relink`, `seed` | other operations on venvs |
//! | `plugins` | other tools that make venvs, and virtpy's plugins in them |
//! | `locking`, `collection` | making a lock file; collecting the store |

mod adopt;
mod applications;
mod base_venv;
pub mod bytecode;
pub mod cache;
mod changelog;
pub mod checkout;
mod collection;
mod compiler;
mod downloads;
mod environment;
mod error;
mod execute;
mod followed;
mod git;
mod git_hook;
mod host;
mod index;
mod injected;
mod installed;
mod installed_tools;
mod interpreters;
mod interrupt;
mod kernels;
pub mod lockfile;
mod locking;
mod newest;
pub mod pip;
mod plan;
pub mod plugins;
pub mod poetry;
mod preferences;
pub mod pythons;
mod relink;
mod request_key;
mod resolve;
mod resolved;
mod resolved_supply;
mod restore;
mod script_download;
mod scripted;
pub mod scripts;
mod seed;
mod shared_pip;
mod sources;
mod tool_changes;
mod tool_list;
mod tool_spec;
pub mod tools;
mod words;

pub use adopt::{Adopted, Adoption, adopt};
pub use applications::{ToolOutcome, absolutize_spec, install_generation, install_tool, package_name};
pub use base_venv::Base;
pub use changelog::{Changelog, Origins, Refusal};
pub use collection::{Collected, collect, collect_if_due};
pub use environment::{Environment, NewEnvironment, own_program};
pub use error::{Error, Result};
pub use execute::{bring, execute, install};
pub use followed::{Followed, Following};
pub use git_hook::{GitHook, HookState, is_new_worktree};
pub use host::{Caller, Host, Level, Progress};
pub use index::{IndexOptions, Indexes, markers, transfer};
pub use installed::{contents, overview};
pub use interpreters::{Pin, admits, base, is_same_place, system_site_of};
pub use kernels::{Kernel, Kernels, kernel_name};
pub use locking::{Locked, Locking};
pub use newest::NewestVersions;
pub use plan::{Extent, Goal, InstallOptions, InstallPlan, Source};
pub use preferences::{Bytecode, IndexLimits, Preferences};
pub use relink::{Relinked, relink};
pub use resolve::{Repaired, Reporter, ResolveError, repair};
pub use restore::{damaged, described, refresh_names, torn};
pub use scripted::{EnvironmentSpec, ReadyEnvironment, ScriptLock};
pub use seed::{Seed, seed};
pub use shared_pip::shared_pip;
pub use sources::{BuildOptions, Requirements};
pub use sources::{LocalWheel, WheelSource};
pub use sources::{LockChoice, LockSource};
pub use sources::{PoetryChoice, PoetryProject};
pub use tool_changes::Upgrade;
pub use tool_list::ToolList;
pub use tool_spec::ToolSpec;
pub use words::{counted, masked, seconds};
