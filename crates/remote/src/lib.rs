//! Object storage that machines share: wheels, records of builds, and bytecode.
//!
//! Three kinds of objects are there, and none is ever changed. A wheel stands under its SHA-256, which an index or a lock file
//! vouches for. A record of a build says that a source gave a certain wheel, and an archive holds the bytecode of a wheel: nothing
//! else vouches for these two, so they are signed. Everything that comes in is bounded, and checked before it is used: a hostile
//! storage can refuse, and nothing more.
//!
//! No type of the library underneath crosses this face. Nothing is connected, and no runtime made, before the first request.
//!
//! | module | owns |
//! |---|---|
//! | `settings`, `address` | which storage, whose signatures count, and who signs |
//! | `keys` | Ed25519 keys and how they are written down |
//! | `names` | under which names the objects stand |
//! | `signed` | what a signature covers: the content, its kind, its name and the format |
//! | `build`, `bytecode` | the two signed kinds, as bytes and as values |
//! | `engine` | requests: bounded, timed, tried again |
//! | `remote`, `wheels`, `pushing`, `signers`, `care` | what is done with the storage |

mod address;
mod build;
mod bytecode;
mod care;
mod engine;
mod error;
mod keys;
mod names;
mod platform;
mod pushing;
mod remote;
mod settings;
mod signed;
mod signers;
mod wheels;

#[cfg(test)]
mod properties;

pub use address::Address;
pub use build::{BuildKey, BuildRecord};
pub use bytecode::{BytecodeArchive, BytecodeFile, BytecodeKey};
pub use care::{Condition, StoredObject};
pub use error::Error;
pub use keys::{PrivateKey, PublicKey};
pub use names::Kind;
pub use pushing::{NewObject, Pushed};
pub use remote::{Remote, UnreadBytecode};
pub use settings::{KeySource, RemoteSettings};
pub use wheels::{WantedWheel, WheelReceiver};
