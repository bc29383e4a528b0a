//! A venv: making it, knowing what is in it, and changing it.
//!
//! A change is planned first, as plain data, and applied after. The plan of a venv is a function of the set of
//! its distributions ([`plan`]), so what has to be done is the difference between two plans ([`change`]), and a
//! venv always looks as if its final set had been installed at once. Applying is all or nothing: a journal says
//! how to go back.

pub mod activation;
mod adopt;
mod adoption;
mod candidates;
mod change;
mod check;
mod config;
mod contents;
mod copied_bytecode;
mod create;
mod deleted;
mod detach;
mod direct_url;
mod earlier;
mod error;
mod export;
mod facts;
mod foreign;
mod foreign_changes;
mod installed;
mod installed_metadata;
mod interrupted;
mod journal;
mod keys;
mod layers;
mod layout;
mod lookout;
mod lost_keys;
mod node;
mod nodes;
mod own_pip;
mod phase;
mod place;
mod plan;
mod problem;
mod rebuild;
mod record;
mod relink;
mod requirement_graph;
mod served;
mod state;
mod statistics;
mod survey;
mod system_site;
#[cfg(test)]
mod testing;
mod torn;
mod transaction;
mod unfoldable;
mod unseen;
mod users;
mod venv;

pub use adopt::Candidate;
pub use adoption::{Adoptable, Extent, Inventory, LeftAlone};
pub use change::{ChangeSet, ChangeSummary, PackageToInstall};
pub use check::{Scope, check, check_requirements, check_tags};
pub use config::{Config, LinkMode};
pub use contents::{Contents, Distribution, Owner};
pub use create::{BaseInterpreter, MadeVenv, NewVenv, create, python_literal};
pub use direct_url::{editable_location, frozen};
pub use error::VenvError;
pub use export::Destination;
pub use foreign_changes::StoreDamage;
pub use installed::Installed;
pub use installed_metadata::Described;
pub use interrupted::Recovery;
pub use layout::{Layout, PRIVATE_FOLDER};
pub use lookout::{ChangedVenv, Lookout};
pub use node::{Clash, Node, PlannedDistribution};
pub use phase::Phase;
pub use plan::Plan;
pub use problem::Problem;
pub use relink::Place;
pub use requirement_graph::RequirementGraph;
pub use state::State;
pub use statistics::{EntryUsage, LowerStoreUse, Statistics};
pub use survey::{Fate, LowerEntry, Surveyed, survey, survey_again};
pub use system_site::distributions_in;
pub use users::EntryUse;
pub use venv::{Venv, discard, is_proven};
