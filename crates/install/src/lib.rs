//! The operation: bringing an environment to what is wanted of it.
//!
//! Whoever wants something says so with a [`Goal`]. An [`Environment`] is opened or made, the goal's [`Source`] finds out what has
//! to come and go, which is an [`InstallPlan`], a value that can be shown, and [`execute`] carries it out, wholly or not at all, and tells what came of it
//! as a [`Changelog`]. What people have to hear meanwhile goes through the one [`Caller`] that the [`Host`] has; nothing here
//! prints, and nothing here knows how a command line looks.
//!
//! | file or folder | owns |
//! |---|---|
//! | `environment`, `restore`, `installed` | a venv that is worked on: locks, recovery, what is in it |
//! | `plan`, `execute`, `changelog`, `followed`, `current_project` | goals, plans, and what came of them; following a file |
//! | `adopt`, `another_python`, `relink`, `seed`, `collection`, `locking` | other operations: on venvs, on the store, making a lock file |
//! | `pushing` | putting what the store has on a remote |
//! | `reasons` | why a package is in a venv, and what limits its version |
//! | `unfinished` | the user's files that are put back if a command is ended on the way |
//! | `git`, `git_hook`, `kernels` | git, its new worktrees, and Jupyter's kernels |
//! | `plugins` | other tools that make venvs, and virtpy's plugins in them |
//! | `host`, `error`, `words` | where operations take place and who asks for them, with which interpreters and indexes; why they fail |
//! | `sources` | what a goal's packages come from |
//! | `resolved`, `resolve` | asking the resolver; remembered answers |
//! | `applications`, `tools` | applications on PATH |
//! | `cache`, `scripts` | environments in the cache, for scripts and commands |
//! | `pip` | what only pip's command line asks for |
//! | `bytecode`, `compiler` | compiling what came |

mod adopt;
mod another_python;
mod applications;
pub mod bytecode;
pub mod cache;
mod changelog;
mod collection;
mod compiler;
mod current_project;
mod downloads;
mod environment;
mod error;
mod execute;
mod filling;
mod followed;
mod git;
mod git_hook;
mod host;
mod installed;
mod kernels;
pub mod lockfile;
mod locking;
mod new_project;
pub mod pip;
mod plan;
mod platform;
pub mod plugins;
pub mod poetry;
mod pushing;
mod reasons;
mod relink;
mod resolve;
mod resolved;
mod restore;
mod saving;
mod script_lock;
pub mod scripts;
mod seed;
mod sources;
pub mod tools;
mod unfinished;
mod words;

pub use adopt::{Adopted, Adoption, adopt};
pub use another_python::{Renewed, with_another_python};
pub use applications::{
    ToolList, ToolOutcome, ToolSpec, Upgrade, absolutize_spec, install_generation, install_tool,
    package_name, versioned,
};
pub use cache::{Base, EnvironmentSpec, ReadyEnvironment, ready_for_lock};
pub use changelog::{ArrivingWheel, Changelog, Origins, Refusal};
pub use collection::{Collected, collect, collect_builds, collect_if_due};
pub use current_project::{CurrentProject, LockTrust};
pub use environment::{Environment, NewEnvironment, own_program};
pub use error::{Error, Result};
pub use execute::{bring, execute, install};
pub use filling::{Filled, Filling, Found, fill};
pub use followed::{Followed, Following};
pub use git_hook::{GitHook, HookState, is_new_worktree};
pub use host::{
    Bytecode, Caller, Host, IndexLimits, IndexOptions, Indexes, Level, NewestVersions, Pin, Preferences,
    Progress, admits, base, is_same_place, markers, pythons, sought, system_site_of, transfer,
};
pub use installed::{contents, overview, recover};
pub use kernels::{Kernel, Kernels, kernel_name};
pub use locking::{Locked, Locking};
pub use new_project::{Backend, NewProject, project_folder};
pub use plan::{Extent, Goal, InstallOptions, InstallPlan, Source};
pub use pushing::{Push, PushOutcome, check_wheel, push_entries};
pub use reasons::{AskedBy, Limits, ProjectList, Step, Way, required_beside, ways_to};
pub use relink::{Relinked, relink};
pub use resolve::{Repaired, Reporter, ResolveError, repair};
pub use resolved::AtHand;
pub use restore::{damaged, demand_stores, described, refresh_names, store_of, torn};
pub use saving::{Bound, RequirementList, Saving, SavingScript, Unlocked, unrecorded, unused};
pub use script_lock::ScriptLock;
pub use seed::{Seed, seed};
pub use sources::{
    BuildOptions, LocalWheel, LockChoice, LockSource, PoetryChoice, PoetryProject, Requirements, WheelSource,
};
pub use words::{counted, masked, seconds};
