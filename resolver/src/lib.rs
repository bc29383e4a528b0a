//! The one place where virtpy talks to uv's crates: requirements go in; versions, files, hashes and wheels come
//! out, as plain data. No type of those crates crosses this face, so that a new version of them changes this
//! folder and nothing else.
//!
//! A [`Session`] is made with the settings of one command; [`Session::resolve`] finds a set of packages, and
//! [`Session::obtain`] brings their wheels to this machine, downloaded or built. The vocabulary ([`Version`],
//! [`Requirement`], …) is used all over virtpy.

mod build;
mod download;
mod error;
mod latest;
mod materials;
mod obtain;
mod package;
mod pip_conf;
mod request;
mod resolve;
mod reword;
mod session;
mod settings;
mod vocabulary;

pub use error::{Error, Story};
pub use materials::check_date;
pub use obtain::ObtainedWheel;
pub use request::{Artifact, Input, Options, Package, Request, Resolution};
pub use session::{LatestVersion, Receiver, Session, SessionOptions};
pub use settings::IndexSettings;
pub use vocabulary::{InvalidText, MarkerEnvironment, Requirement, Version, normalize_name};
