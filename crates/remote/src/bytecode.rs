//! Archives of bytecode: what the modules of one wheel were compiled to, for one kind of interpreter.
//!
//! An object is the length of a signed statement, the statement, and a compressed body. The statement has the body's SHA-256 and
//! what it unpacks to, so nothing is decompressed that nobody trusted has signed.

use std::io::Read as _;

use serde::{Deserialize, Serialize};
use virtpy_files::digest::sha256;
use virtpy_pep::{Sha256Digest, WheelHash};

use crate::names;
use crate::signed::{self, Refusal};
use crate::{Kind, PrivateKey, PublicKey};

/// The most bytes of an object.
pub(crate) const LARGEST_OBJECT: u64 = 256 << 20;

/// The most bytes that a body may unpack to.
const LARGEST_BODY: u64 = 1 << 30;

/// The most files of one wheel.
const MOST_FILES: usize = 200_000;

/// How hard bodies are compressed: with more it takes several times as long, and a few percent less room.
const LEVEL: i32 = 6;

/// Whose bytecode it is, and who reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BytecodeKey {
    /// The SHA-256 of the wheel.
    pub wheel_sha256: WheelHash,
    /// The interpreter's cache tag, such as `cpython-312`.
    pub cache_tag: String,
    /// Its magic number, in hexadecimal digits.
    pub magic: String,
}

impl BytecodeKey {
    /// The name of the archive.
    pub(crate) fn name(&self) -> String {
        let Self { wheel_sha256, cache_tag, magic } = self;
        names::object(Kind::Bytecode, &format!("{wheel_sha256}/{cache_tag}-{magic}"))
    }
}

/// A compiled module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BytecodeFile {
    /// The path of its source in the wheel.
    pub source: String,
    /// The file that Python reads.
    pub content: Vec<u8>,
}

/// What the modules of a wheel were compiled to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BytecodeArchive {
    /// The compiled modules.
    pub files: Vec<BytecodeFile>,
    /// The sources that do not compile.
    pub failed: Vec<String>,
}

/// What is signed of a body.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    key: BytecodeKey,
    sha256: Sha256Digest,
    unpacked: u64,
}

/// What a body begins with.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    files: Vec<Row>,
    failed: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    source: String,
    size: u64,
}

impl BytecodeArchive {
    /// The object; `None` for what is too large to be one.
    pub(crate) fn encode(&self, key: &BytecodeKey, signer: &PrivateKey) -> Option<Vec<u8>> {
        let row = |file: &BytecodeFile| Row { source: file.source.clone(), size: file.content.len() as u64 };
        let table = Table { files: self.files.iter().map(row).collect(), failed: self.failed.clone() };
        let mut body = with_length(&serde_json::to_vec(&table).ok()?)?;
        for file in &self.files {
            body.extend_from_slice(&file.content);
        }
        let unpacked = body.len() as u64;
        let packed = zstd::bulk::compress(&body, LEVEL).ok()?;
        let facts = Body { key: key.clone(), sha256: sha256(&packed).into(), unpacked };
        let mut object = with_length(&signed::sign(Kind::Bytecode, &key.name(), &facts, signer))?;
        object.extend_from_slice(&packed);
        let fits = object.len() as u64 <= LARGEST_OBJECT
            && unpacked <= LARGEST_BODY
            && self.files.len() + self.failed.len() <= MOST_FILES;
        fits.then_some(object)
    }

    /// An object that somebody trusted has signed, with another signature. The body stays as it is.
    pub(crate) fn signed_again(
        object: &[u8],
        name: &str,
        trusted: &[PublicKey],
        signer: &PrivateKey,
    ) -> Result<Vec<u8>, Refusal> {
        let (statement, packed) = split(object).ok_or(Refusal::Damaged)?;
        let facts: Body = signed::open(Kind::Bytecode, name, statement, trusted)?;
        if Sha256Digest::from(sha256(packed)) != facts.sha256 {
            return Err(Refusal::Content);
        }
        let statement = signed::sign(Kind::Bytecode, name, &facts, signer);
        let mut object = with_length(&statement).ok_or(Refusal::Damaged)?;
        object.extend_from_slice(packed);
        Ok(object)
    }

    /// Reads an object that stands under the name of some bytecode, or says why it does not count.
    pub(crate) fn decode(object: &[u8], name: &str, trusted: &[PublicKey]) -> Result<Self, Refusal> {
        if object.len() as u64 > LARGEST_OBJECT {
            return Err(Refusal::Damaged);
        }
        let (statement, packed) = split(object).ok_or(Refusal::Damaged)?;
        let facts: Body = signed::open(Kind::Bytecode, name, statement, trusted)?;
        if facts.key.name() != name {
            return Err(Refusal::Misplaced);
        }
        if Sha256Digest::from(sha256(packed)) != facts.sha256 || facts.unpacked > LARGEST_BODY {
            return Err(Refusal::Content);
        }
        let body = unpack(packed, facts.unpacked).ok_or(Refusal::Content)?;
        Self::parse(&body).ok_or(Refusal::Content)
    }

    fn parse(body: &[u8]) -> Option<Self> {
        let (table, mut rest) = split(body)?;
        let table: Table = serde_json::from_slice(table).ok()?;
        if table.files.len() + table.failed.len() > MOST_FILES {
            return None;
        }
        let mut files = Vec::with_capacity(table.files.len());
        for Row { source, size } in table.files {
            let (content, others) = rest.split_at_checked(usize::try_from(size).ok()?)?;
            files.push(BytecodeFile { source, content: content.to_vec() });
            rest = others;
        }
        rest.is_empty().then_some(Self { files, failed: table.failed })
    }
}

/// Whether the beginning of an object has a statement that somebody trusted has signed. The body is not looked at.
pub(crate) fn look_at_statement(beginning: &[u8], name: &str, trusted: &[PublicKey]) -> Result<(), Refusal> {
    let (statement, _) = split(beginning).ok_or(Refusal::Damaged)?;
    signed::open::<Body>(Kind::Bytecode, name, statement, trusted).map(drop)
}

/// Some bytes with their number before them.
fn with_length(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(bytes.len()).ok()?;
    Some([&length.to_be_bytes()[..], bytes].concat())
}

/// What [`with_length`] made, and what follows it.
fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn unpack(packed: &[u8], size: u64) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    let mut stream = zstd::stream::read::Decoder::new(packed).ok()?.take(size + 1);
    stream.read_to_end(&mut body).ok()?;
    (body.len() as u64 == size).then_some(body)
}
