//! Putting objects there. What is there already is left, unless it is not what it has to be.

use std::path::PathBuf;

use futures::StreamExt as _;
use virtpy_files as fs;
use virtpy_files::digest::sha256;
use virtpy_pep::WheelHash;

use crate::engine::{Content, Engine, Failure, Meter, Seen};
use crate::{
    BuildRecord, BytecodeArchive, BytecodeKey, Error, PrivateKey, PublicKey, Remote, bytecode, names, signed,
};

/// How many objects are sent at once.
const AT_ONCE: usize = 8;

/// Something to be put there.
#[derive(Debug)]
pub enum NewObject {
    /// A wheel.
    Wheel {
        /// Its SHA-256.
        sha256: WheelHash,
        /// The file.
        path: PathBuf,
    },
    /// The record of a build, whose wheel goes before it.
    Build(BuildRecord),
    /// Bytecode of a wheel.
    Bytecode {
        /// Whose it is.
        key: BytecodeKey,
        /// What it is.
        archive: BytecodeArchive,
    },
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is there now.
    New,
    /// It was there.
    Present,
}

impl Remote {
    /// Whether wheels are there, in the order of their hashes.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub fn has_wheels(&self, sha256: &[WheelHash]) -> Result<Vec<bool>, Error> {
        self.has(sha256.iter().map(names::wheel).collect())
    }

    pub(crate) fn has(&self, names: Vec<String>) -> Result<Vec<bool>, Error> {
        let (engine, runtime) = self.open()?;
        let ask = |name: String| async move { self.if_there(engine.size(&name).await.map(|_| true)) };
        let answers = futures::stream::iter(names).map(ask).buffered(AT_ONCE);
        runtime.block_on(answers.collect::<Vec<_>>()).into_iter().collect()
    }

    /// Puts objects there, several at once; records of builds after all else, so that none tells of a wheel that is not there.
    /// `heard` hears of each as soon as it is there.
    ///
    /// # Errors
    /// When the storage refuses one or does not answer. What was put there stays: the next call goes on.
    pub fn push(
        &self,
        objects: &[NewObject],
        key: Option<&PrivateKey>,
        heard: &dyn Fn(usize, Pushed),
    ) -> Result<(), Error> {
        let (engine, runtime) = self.open_to_write()?;
        let is_record = |index: &usize| matches!(objects[*index], NewObject::Build(_));
        let (last, first): (Vec<usize>, Vec<usize>) = (0..objects.len()).partition(is_record);
        for indices in [first, last] {
            let send = |index: usize| async move {
                let sent = put(engine, &objects[index], key).await;
                sent.map(|pushed| (index, pushed))
                    .map_err(|failure| self.failed("does not take an object", failure))
            };
            runtime.block_on(async {
                let mut answers = futures::stream::iter(indices).map(send).buffer_unordered(AT_ONCE);
                while let Some(answer) = answers.next().await {
                    let (index, pushed) = answer?;
                    heard(index, pushed);
                }
                Ok::<(), Error>(())
            })?;
        }
        Ok(())
    }
}

async fn put(engine: &Engine, object: &NewObject, key: Option<&PrivateKey>) -> Result<Pushed, Failure> {
    let unsigned = || Failure::Refused("there is no private key to sign with".to_owned());
    match object {
        NewObject::Wheel { sha256, path } => put_wheel(engine, sha256, path).await,
        NewObject::Build(record) => {
            let key = key.ok_or_else(unsigned)?;
            let is_mine = |object: &[u8], signers: &[PublicKey]| {
                BuildRecord::decode(object, &record.name(), signers).is_ok()
            };
            let limit = signed::LARGEST as u64;
            put_signed(
                engine,
                Signed { name: &record.name(), object: record.encode(key), limit, is_mine: &is_mine },
                key,
            )
            .await
        }
        NewObject::Bytecode { key: of, archive } => {
            let key = key.ok_or_else(unsigned)?;
            let name = of.name();
            let is_mine = |object: &[u8], signers: &[PublicKey]| {
                BytecodeArchive::decode(object, &name, signers).is_ok()
            };
            let Some(object) = archive.encode(of, key) else {
                return Err(Failure::Refused("the bytecode of one wheel is too large".to_owned()));
            };
            let limit = bytecode::LARGEST_OBJECT;
            put_signed(engine, Signed { name: &name, object, limit, is_mine: &is_mine }, key).await
        }
    }
}

/// Puts a wheel whose bytes are hashed once more: a file may have changed since.
async fn put_wheel(engine: &Engine, expected: &WheelHash, path: &std::path::Path) -> Result<Pushed, Failure> {
    let name = names::wheel(expected);
    let unreadable = |error: fs::PathError| Failure::Refused(error.to_string());
    let size = fs::metadata(path).map_err(unreadable)?.len();
    match engine.size(&name).await {
        Ok(there) if there == size => return Ok(Pushed::Present),
        // What was cut off is put there again.
        Ok(_) | Err(Failure::Absent) => {}
        Err(failure) => return Err(failure),
    }
    let other = || Failure::Refused(format!("`{}` is another file than it was", path.display()));
    if Engine::is_small(size) {
        let content = fs::read(path).map_err(unreadable)?;
        if WheelHash::from(sha256(&content)) != *expected {
            return Err(other());
        }
        let content = Content::from(content);
        return match engine.create(&name, content.clone()).await {
            Ok(()) => Ok(Pushed::New),
            // Another one was faster, or it is one that was cut off.
            Err(Failure::Present) if engine.size(&name).await.is_ok_and(|there| there == size) => {
                Ok(Pushed::Present)
            }
            Err(Failure::Present) => engine.replace(&name, content).await.map(|()| Pushed::New),
            Err(failure) => Err(failure),
        };
    }
    let is_same = |found: [u8; 32]| if WheelHash::from(found) == *expected { Ok(()) } else { Err(other()) };
    engine.put_file(&name, path, size, &is_same).await?;
    Ok(Pushed::New)
}

/// A signed object that is to be put there.
struct Signed<'a> {
    name: &'a str,
    object: Vec<u8>,
    limit: u64,
    is_mine: &'a dyn Fn(&[u8], &[PublicKey]) -> bool,
}

/// Puts a signed object there. One that the same key has signed stays as it is; another one makes way, since whoever trusts this
/// key only has nothing of it. What somebody else puts there meanwhile stays.
async fn put_signed(engine: &Engine, signed: Signed<'_>, key: &PrivateKey) -> Result<Pushed, Failure> {
    let object = Content::from(signed.object);
    match engine.create(signed.name, object.clone()).await {
        Err(Failure::Present) => {}
        other => return other.map(|()| Pushed::New),
    }
    let seen = match engine.beginning(signed.name, 1).await {
        Ok((_, seen)) => seen,
        Err(Failure::Absent | Failure::Refused(_)) => Seen::default(),
        Err(failure) => return Err(failure),
    };
    match engine.whole(signed.name, signed.limit, &Meter::default()).await {
        Ok(there) if (signed.is_mine)(&there, &[key.public()]) => Ok(Pushed::Present),
        Ok(_) | Err(Failure::Absent | Failure::Refused(_)) => {
            match engine.replace_seen(signed.name, object, seen).await {
                Err(Failure::Present) => Ok(Pushed::Present),
                other => other.map(|()| Pushed::New),
            }
        }
        Err(failure) => Err(failure),
    }
}
