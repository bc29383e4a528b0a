//! Looking after a storage: what is there, whether it is sound, and removing what is old.

use futures::StreamExt as _;
use virtpy_files::digest::Sha256;

use crate::engine::{Engine, Failure, Listed, Meter};
use crate::names::{self, Kind};
use crate::remote::AT_ONCE;
use crate::signed::Refusal;
use crate::{BuildRecord, BytecodeArchive, Error, PublicKey, Remote, bytecode, signed};

/// An object that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its name.
    pub name: String,
    /// What it is by its name; `None` for what virtpy did not put there.
    pub kind: Option<Kind>,
    /// Its size in bytes.
    pub size: u64,
    /// When it was put there, in seconds since 1970.
    pub put_at: u64,
}

/// How an object was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// It is what its name or its signature says.
    Sound,
    /// It is signed by somebody whose signature does not count here.
    Stranger,
    /// It is not what it should be.
    Damaged(String),
    /// It is gone meanwhile.
    Gone,
}

impl Remote {
    /// Everything below the address that has the present layout, sorted by name.
    ///
    /// # Errors
    /// When the storage does not answer, or cannot list.
    pub fn objects(&self) -> Result<Vec<StoredObject>, Error> {
        let (engine, runtime) = self.open()?;
        let listed = runtime.block_on(engine.list(names::LAYOUT));
        let listed = match listed {
            Err(Failure::Absent) => Vec::new(),
            other => other.map_err(|failure| self.failed("does not list its objects", failure))?,
        };
        let object =
            |Listed { name, size, put_at }| StoredObject { kind: Kind::of(&name), name, size, put_at };
        let mut objects: Vec<StoredObject> = listed.into_iter().map(object).collect();
        objects.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok(objects)
    }

    /// Reads each of some objects and says how it is, in their order. `heard` is called for each.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub fn verify(&self, objects: &[StoredObject], heard: &dyn Fn()) -> Result<Vec<Condition>, Error> {
        let (engine, runtime) = self.open()?;
        let trusted = &self.settings().trust;
        let look = |object| async move {
            let condition = look_at(engine, object, trusted).await;
            heard();
            condition.map_err(|failure| self.failed("does not answer", failure))
        };
        let looks = futures::stream::iter(objects).map(look).buffered(AT_ONCE);
        runtime.block_on(looks.collect::<Vec<_>>()).into_iter().collect()
    }

    /// Removes objects. One that is gone is fine.
    ///
    /// # Errors
    /// When the storage refuses or does not answer.
    pub fn remove(&self, names: &[&str]) -> Result<(), Error> {
        let (engine, runtime) = self.open_to_write()?;
        let remove = |name| async move {
            engine.remove(name).await.map_err(|failure| self.failed("does not remove an object", failure))
        };
        let removals = futures::stream::iter(names.iter().copied()).map(remove).buffer_unordered(AT_ONCE);
        runtime.block_on(removals.collect::<Vec<_>>()).into_iter().collect()
    }
}

async fn look_at(
    engine: &Engine,
    object: &StoredObject,
    trusted: &[PublicKey],
) -> Result<Condition, Failure> {
    let name = object.name.as_str();
    let meter = Meter::default();
    let judged = match object.kind {
        Some(Kind::Wheel) => return look_at_wheel(engine, name).await,
        Some(Kind::Build) => engine
            .whole(name, signed::LARGEST as u64, &meter)
            .await
            .map(|content| BuildRecord::decode(&content, name, trusted).map(drop)),
        Some(Kind::Bytecode) => engine
            .whole(name, bytecode::LARGEST_OBJECT, &meter)
            .await
            .map(|content| BytecodeArchive::decode(&content, name, trusted).map(drop)),
        None => return Ok(Condition::Damaged("virtpy puts nothing there".to_owned())),
    };
    match judged {
        Ok(Ok(())) => Ok(Condition::Sound),
        Ok(Err(Refusal::Stranger)) => Ok(Condition::Stranger),
        Ok(Err(refusal)) => Ok(Condition::Damaged(refusal.to_string())),
        Err(Failure::Absent) => Ok(Condition::Gone),
        Err(Failure::Refused(reason)) => Ok(Condition::Damaged(reason)),
        Err(failure) => Err(failure),
    }
}

async fn look_at_wheel(engine: &Engine, name: &str) -> Result<Condition, Failure> {
    let (meter, mut hash) = (Meter::default(), Sha256::new());
    let mut stream = match engine.read(name, 0).await {
        Err(Failure::Absent) => return Ok(Condition::Gone),
        Err(Failure::Refused(reason)) => return Ok(Condition::Damaged(reason)),
        other => other?.1,
    };
    while let Some(piece) = engine.next(&mut stream, &meter).await? {
        hash.update(&piece);
    }
    Ok(if name == names::wheel(&hash.finish().into()) {
        Condition::Sound
    } else {
        Condition::Damaged("it has another hash than its name says".to_owned())
    })
}
