//! What a signature covers.
//!
//! A signed statement is JSON: the signed text, who signed it, and the signature. The text holds the content, and besides the
//! format, the kind and the name of the object: one that was put under another name, or in place of another kind, is refused,
//! although its signature is right.

use data_encoding::BASE64;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Kind, PrivateKey, PublicKey};

/// The version of the format that this program writes and reads.
const FORMAT: u32 = 1;

/// What stands before each text that is signed: a signature that was made for something else does not fit.
const PURPOSE: &[u8] = b"virtpy remote statement\n";

/// The most bytes of a statement.
pub(crate) const LARGEST: usize = 64 << 10;

/// Why a signed object is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It cannot be read.
    #[error("it is damaged")]
    Damaged,
    /// It is of a later version of virtpy.
    #[error("it has a format that this version of virtpy does not know")]
    Format,
    /// Nobody whose signature counts has signed it.
    #[error("it is signed by a key that `remote.trust` does not list")]
    Stranger,
    /// The signature is not that of its text.
    #[error("its signature is wrong")]
    Signature,
    /// It was signed for another place.
    #[error("it was signed for another name")]
    Misplaced,
    /// What it says of itself is not what it is.
    #[error("it is not what its signature says")]
    Content,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    signer: String,
    signature: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Payload<T> {
    format: u32,
    kind: String,
    name: String,
    content: T,
}

/// The format alone, of whatever the rest is.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

fn signed_text(payload: &str) -> Vec<u8> {
    [PURPOSE, payload.as_bytes()].concat()
}

/// Signs a content for an object of this kind and name.
///
/// # Panics
/// Never: what is signed here can be written as JSON.
pub(crate) fn sign<T: Serialize>(kind: Kind, name: &str, content: &T, key: &PrivateKey) -> Vec<u8> {
    let payload = Payload { format: FORMAT, kind: kind.folder().to_owned(), name: name.to_owned(), content };
    let payload = serde_json::to_string(&payload).expect("it is plain data");
    let signature = BASE64.encode(&key.sign(&signed_text(&payload)));
    let envelope = Envelope { payload, signer: key.public().to_string(), signature };
    serde_json::to_vec(&envelope).expect("it is plain data")
}

/// Reads the content of a statement that somebody trusted has signed for an object of this kind and name. Nothing of the text is
/// read before its signature is known to be right.
pub(crate) fn open<T: DeserializeOwned>(
    kind: Kind,
    name: &str,
    statement: &[u8],
    trusted: &[PublicKey],
) -> Result<T, Refusal> {
    if statement.len() > LARGEST {
        return Err(Refusal::Damaged);
    }
    let envelope: Envelope = serde_json::from_slice(statement).map_err(|_| Refusal::Damaged)?;
    let signer: PublicKey = envelope.signer.parse().map_err(|_| Refusal::Damaged)?;
    let signature = BASE64.decode(envelope.signature.as_bytes()).map_err(|_| Refusal::Damaged)?;
    if !trusted.contains(&signer) {
        return Err(Refusal::Stranger);
    }
    if !signer.has_signed(&signed_text(&envelope.payload), &signature) {
        return Err(Refusal::Signature);
    }
    let Format { format } = serde_json::from_str(&envelope.payload).map_err(|_| Refusal::Damaged)?;
    if format != FORMAT {
        return Err(Refusal::Format);
    }
    let payload: Payload<T> = serde_json::from_str(&envelope.payload).map_err(|_| Refusal::Damaged)?;
    if payload.kind != kind.folder() || payload.name != name {
        return Err(Refusal::Misplaced);
    }
    Ok(payload.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_holds_where_it_was_signed_for() {
        let key = PrivateKey::generate();
        let trusted = [PrivateKey::generate().public(), key.public()];
        let statement = sign(Kind::Build, "v1/builds/a", &"content", &key);
        let opened =
            |kind, name: &str, trusted: &[PublicKey]| open::<String>(kind, name, &statement, trusted);
        assert_eq!(opened(Kind::Build, "v1/builds/a", &trusted), Ok("content".to_owned()));
        assert_eq!(opened(Kind::Build, "v1/builds/b", &trusted), Err(Refusal::Misplaced));
        assert_eq!(opened(Kind::Bytecode, "v1/builds/a", &trusted), Err(Refusal::Misplaced));
        assert_eq!(opened(Kind::Build, "v1/builds/a", &trusted[..1]), Err(Refusal::Stranger));
        assert_eq!(opened(Kind::Build, "v1/builds/a", &[]), Err(Refusal::Stranger));
    }

    #[test]
    fn another_format_is_not_guessed_at() {
        let key = PrivateKey::generate();
        let payload = r#"{"format":2,"kind":"builds","name":"n","content":"c","more":1}"#.to_owned();
        let signature = BASE64.encode(&key.sign(&signed_text(&payload)));
        let envelope = Envelope { payload, signer: key.public().to_string(), signature };
        let statement = serde_json::to_vec(&envelope).unwrap();
        assert_eq!(open::<String>(Kind::Build, "n", &statement, &[key.public()]), Err(Refusal::Format));
    }

    #[test]
    fn a_signature_for_something_else_does_not_fit() {
        let key = PrivateKey::generate();
        let payload = r#"{"format":1,"kind":"builds","name":"n","content":"c"}"#.to_owned();
        let signature = BASE64.encode(&key.sign(payload.as_bytes()));
        let envelope = Envelope { payload, signer: key.public().to_string(), signature };
        let statement = serde_json::to_vec(&envelope).unwrap();
        assert_eq!(open::<String>(Kind::Build, "n", &statement, &[key.public()]), Err(Refusal::Signature));
    }
}
