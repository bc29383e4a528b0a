//! The one place where virtpy talks to the libraries that resolve Python packages: requirements in, plain
//! data and wheel files out.
//!
//! A [`Session`] has an interpreter, a cache folder and the [`IndexSettings`]. It turns a [`Request`] into a
//! [`Resolution`], and then [obtains](Session::obtain) the wheels that whoever asks does not have yet. No
//! type of the libraries underneath crosses this face, so that a change of theirs ends here; and their
//! messages are put in virtpy's words.
//!
//! | module | owns |
//! |---|---|
//! | `public` | lock files and requirements files without what proves to a server who asks |
//! | `settings`, `pip_conf` | where indexes, certificates and proxies are configured |
//! | `session`, `runtime` | the calls, and the runtime, the cache and the interpreter that they use |
//! | `request` | what goes in and what comes out |
//! | `requirements`, `indexes` | requirements files and the other inputs, and the indexes that they name |
//! | `git_settings` | what git is given in its environment |
//! | `client`, `context` | HTTP, and what one request shares |
//! | `project`, `workspace`, `tool_sources`, `tool_uv` | what a project's file asks for, from where, and by which settings |
//! | `rules` | those settings as the libraries know them |
//! | `locked`, `pylock` | reading lock files |
//! | `locking`, `locked_commits`, `locked_names`, `portable` | writing them, with what the last one had, and paths that hold elsewhere |
//! | `local_wheels`, `local_grounds` | the caller's wheels, in place of an index that may not be asked |
//! | `resolve`, `provider`, `solution`, `describe`, `latest`, `newest` | solving, and describing the solution |
//! | `obtain`, `download`, `build`, `build_output` | from a solution to wheel files; what builds print |
//! | `fetch` | a wheel whose origin and hash are known |
//! | `transfer` | whatever else is behind a URL |
//! | `error`, `failure`, `proof`, `explain`, `reasons`, `reword` | what went wrong, and what to do |

mod archives;
mod build;
mod build_locks;
mod build_output;
mod claims;
mod client;
mod context;
mod demanded;
mod describe;
mod download;
mod error;
mod explain;
mod failure;
mod fetch;
mod folders;
mod git_settings;
mod group_needs;
mod hashing;
mod indexes;
mod installed;
mod interrupt;
mod known_metadata;
mod latest;
mod local_grounds;
mod local_wheels;
mod locked;
mod locked_commits;
mod locked_names;
mod locking;
mod named_inputs;
mod newest;
mod obtain;
mod package_choices;
mod pages;
mod pip_conf;
mod platform;
mod portable;
mod project;
mod proof;
mod provider;
mod public;
mod pylock;
mod reasons;
mod replies;
mod request;
mod requirements;
mod resolve;
mod reword;
mod rules;
mod runtime;
mod session;
mod settings;
mod solution;

mod tool_sources;
mod tool_uv;
mod transfer;

mod url;
mod workspace;

pub use build_output::build_output;
pub use client::prepare;
pub use error::{Cause, Error, PythonNeed};
pub use folders::KnownDirectories;
pub use git_settings::{
    GitSetting, add_git_settings, input_was_consumed, remove_git_settings, withhold_git_credentials,
};
pub use interrupt::on_interrupt;
pub use local_wheels::{LocalWheel, LocalWheels};
pub use locked::{LockFormat, LockedRequest};
pub use locking::{Lock, LockForm, LockRequest};
pub use named_inputs::named_inputs;
pub use package_choices::{ChoiceKind, PackageChoice};
pub use pages::Pages;
pub use pip_conf::PipConfiguration;
pub use portable::{normalized_path, relative_to};
pub use request::{
    Artifact, Input, InstalledDistribution, Kept, KnownWheel, LatestVersion, ObtainedWheel, Options, Package,
    ProjectInput, Receiver, Request, Selection, Sought,
};
pub use requirements::{
    EntryKind, LogicalLine, Pins, Place, RequirementsEntry, RequirementsFiles, RequirementsOptions,
    RequirementsText, Surroundings,
};
pub use resolve::check_date;
pub use runtime::SessionOptions;
pub use session::Session;
pub use settings::IndexSettings;
pub use solution::Resolution;
pub use tool_uv::{LOCK_KEYS, UnusableKey, UvIndex, UvTable};
pub use transfer::{Body, Transfer, Transferred};
pub use workspace::{members_of, read_project, workspace_of};
