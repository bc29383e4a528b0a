//! Who has signed what is there: keys are changed, and what an old one signed makes way, or is signed by the new one.

use futures::StreamExt as _;

use crate::engine::{Content, Engine, Failure, Meter};
use crate::names::Kind;
use crate::remote::AT_ONCE;
use crate::signed::{self, Refusal};
use crate::{
    BuildRecord, BytecodeArchive, BytecodeKey, Error, PrivateKey, PublicKey, Remote, StoredObject, bytecode,
};

/// So many bytes are read to see who has signed bytecode: a statement about it is shorter.
const STATEMENT: u64 = 8 << 10;

/// Who has signed an object, for whoever believes certain keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signer {
    /// Somebody who is believed.
    Believed,
    /// Somebody else.
    Stranger,
    /// It cannot be told: it is not as it should be.
    Unknown,
}

impl Remote {
    /// Whether bytecode is there that counts, in the order of the keys: signed by somebody who is trusted or, where nobody is named,
    /// by anybody. What `key` has signed counts as well.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub fn has_bytecode(&self, keys: &[BytecodeKey], key: &PrivateKey) -> Result<Vec<bool>, Error> {
        if self.settings().trust.is_empty() {
            return self.has(keys.iter().map(BytecodeKey::name).collect());
        }
        let believed = [self.settings().trust.as_slice(), &[key.public()]].concat();
        let names: Vec<String> = keys.iter().map(BytecodeKey::name).collect();
        let (engine, runtime) = self.open()?;
        let ask = |name: &String| {
            let (name, believed) = (name.clone(), &believed);
            async move {
                let signer = signer(engine, Kind::Bytecode, &name, believed).await;
                self.if_there(signer.map(|signer| signer == Signer::Believed))
            }
        };
        let answers = futures::stream::iter(&names).map(ask).buffered(AT_ONCE);
        runtime.block_on(answers.collect::<Vec<_>>()).into_iter().collect()
    }

    /// Which of some objects are signed by keys that are not trusted, in their order. `heard` is called for each.
    ///
    /// # Errors
    /// When the storage does not answer.
    pub fn are_strangers(&self, objects: &[StoredObject], heard: &dyn Fn()) -> Result<Vec<bool>, Error> {
        let (engine, runtime) = self.open()?;
        let trusted = self.settings().trust.as_slice();
        let ask = |object: &StoredObject| {
            let (name, kind) = (object.name.clone(), object.kind);
            async move {
                let Some(kind @ (Kind::Build | Kind::Bytecode)) = kind else { return Ok(false) };
                let signer = signer(engine, kind, &name, trusted).await;
                heard();
                self.if_there(signer.map(|signer| signer == Signer::Stranger))
            }
        };
        let answers = futures::stream::iter(objects).map(ask).buffered(AT_ONCE);
        runtime.block_on(answers.collect::<Vec<_>>()).into_iter().collect()
    }

    /// Signs with a key what other trusted keys have signed, and returns how many objects that were. What somebody puts there
    /// meanwhile stays. `heard` is called for each object.
    ///
    /// # Errors
    /// When the storage refuses or does not answer. What is signed by then stays so.
    pub fn sign_again(
        &self,
        objects: &[StoredObject],
        key: &PrivateKey,
        heard: &dyn Fn(),
    ) -> Result<usize, Error> {
        let (engine, runtime) = self.open_to_write()?;
        let trusted = self.settings().trust.as_slice();
        let sign = |object: &StoredObject| {
            let (name, kind) = (object.name.clone(), object.kind);
            async move {
                let signed = match kind {
                    Some(kind @ (Kind::Build | Kind::Bytecode)) => {
                        sign_one(engine, (kind, &name), trusted, key).await
                    }
                    _ => Ok(false),
                };
                heard();
                match signed {
                    Ok(is_new) => Ok(usize::from(is_new)),
                    // What is damaged stays as it is for `verify`.
                    Err(Failure::Absent | Failure::Present | Failure::Refused(_)) => Ok(0),
                    Err(failure) => Err(self.failed("does not take an object", failure)),
                }
            }
        };
        let signed = futures::stream::iter(objects).map(sign).buffer_unordered(AT_ONCE);
        let signed = runtime.block_on(signed.collect::<Vec<_>>());
        signed.into_iter().sum()
    }
}

async fn signer(engine: &Engine, kind: Kind, name: &str, believed: &[PublicKey]) -> Result<Signer, Failure> {
    match engine.beginning(name, statement_size(kind)).await {
        Ok((content, _)) => Ok(signer_of(kind, name, &content, believed)),
        Err(Failure::Refused(_)) => Ok(Signer::Unknown),
        Err(failure) => Err(failure),
    }
}

/// How much of an object is read for what was signed of it: of a record that is all.
fn statement_size(kind: Kind) -> u64 {
    if kind == Kind::Build { signed::LARGEST as u64 } else { STATEMENT }
}

fn signer_of(kind: Kind, name: &str, content: &[u8], believed: &[PublicKey]) -> Signer {
    let judged = match kind {
        Kind::Build => BuildRecord::decode(content, name, believed).map(drop),
        Kind::Bytecode => bytecode::look_at_statement(content, name, believed),
        Kind::Wheel => return Signer::Unknown,
    };
    match judged {
        Ok(()) => Signer::Believed,
        Err(Refusal::Stranger) => Signer::Stranger,
        Err(_) => Signer::Unknown,
    }
}

/// Signs one object, unless the key has signed it already. Returns whether it was done.
async fn sign_one(
    engine: &Engine,
    (kind, name): (Kind, &str),
    trusted: &[PublicKey],
    key: &PrivateKey,
) -> Result<bool, Failure> {
    let (beginning, seen) = engine.beginning(name, statement_size(kind)).await?;
    let own = signer_of(kind, name, &beginning, &[key.public()]);
    if own != Signer::Stranger || signer_of(kind, name, &beginning, trusted) != Signer::Believed {
        return Ok(false);
    }
    let refused = |refusal: Refusal| Failure::Refused(refusal.to_string());
    let object = if kind == Kind::Build {
        BuildRecord::decode(&beginning, name, trusted).map_err(refused)?.encode(key)
    } else {
        let whole = engine.whole(name, bytecode::LARGEST_OBJECT, &Meter::default()).await?;
        BytecodeArchive::signed_again(&whole, name, trusted, key).map_err(refused)?
    };
    engine.replace_seen(name, Content::from(object), seen).await?;
    Ok(true)
}
