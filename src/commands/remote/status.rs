//! `virtpy remote status`: which remote is used, and how much is there.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use virtpy_remote::{Kind, Remote, RemoteSettings, StoredObject};

use super::configured;
use crate::cli::RemoteStatusArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::output::{bytes, counted};

pub(super) fn run(context: &Context, arguments: &RemoteStatusArguments) -> Result<u8, Failure> {
    let remote = configured(context)?;
    let settings = remote.settings();
    // Plain servers of files have no list of them.
    let objects = if settings.address.is_writable() { Some(remote.objects()?) } else { None };
    let status = Status::of(settings, objects.as_deref());
    if arguments.json {
        context.output.json(&status)?;
    } else {
        context.output.data_block(&text(&remote, &status));
    }
    Ok(0)
}

/// What is used, and what is there.
#[derive(JsonSchema, Serialize)]
pub(in crate::commands) struct Status {
    /// Where it is.
    url: String,
    /// Whether what is new goes there by itself.
    push: bool,
    /// The public keys whose signatures count.
    trust: Vec<String>,
    /// The public key of this user; null where there is none.
    key: Option<String>,
    /// What is there, by kind: `wheels`, `builds`, `bytecode`, `others`; null where it cannot be listed.
    objects: Option<BTreeMap<&'static str, Amount>>,
}

/// How much there is of something.
#[derive(Clone, Copy, Default, JsonSchema, Serialize)]
pub(in crate::commands) struct Amount {
    /// How many objects.
    count: usize,
    /// What they take together.
    bytes: u64,
}

impl Status {
    fn of(settings: &RemoteSettings, objects: Option<&[StoredObject]>) -> Self {
        let mut amounts =
            BTreeMap::from(["wheels", "builds", "bytecode"].map(|kind| (kind, Amount::default())));
        for object in objects.unwrap_or_default() {
            let kind = match object.kind {
                Some(Kind::Wheel) => "wheels",
                Some(Kind::Build) => "builds",
                Some(Kind::Bytecode) => "bytecode",
                None => "others",
            };
            let amount = amounts.entry(kind).or_default();
            amount.count += 1;
            amount.bytes += object.size;
        }
        Self {
            url: settings.address.to_string(),
            push: settings.push,
            trust: settings.trust.iter().map(ToString::to_string).collect(),
            key: settings.private_key().ok().map(|key| key.public().to_string()),
            objects: objects.map(|_| amounts),
        }
    }
}

fn text(remote: &Remote, status: &Status) -> String {
    let settings = remote.settings();
    let mut lines = vec![status.url.clone()];
    lines.push(match (settings.address.is_writable(), status.push) {
        (false, _) => "can only be read".to_owned(),
        (true, true) => "what is fetched, built or compiled goes there by itself".to_owned(),
        (true, false) => "`virtpy remote push` puts something there".to_owned(),
    });
    lines.push(match status.trust.len() {
        0 => "no key is trusted: wheels of indexes are taken, builds and bytecode are not".to_owned(),
        count => format!("{} trusted: {}", counted(count, "key"), status.trust.join(", ")),
    });
    match &status.key {
        Some(key) => lines.push(format!("signs as {key}")),
        None => lines.push("has no private key here: `virtpy remote key` makes one".to_owned()),
    }
    for (kind, amount) in status.objects.iter().flatten() {
        lines.push(format!("{kind}: {} ({})", amount.count, bytes(amount.bytes)));
    }
    lines.join("\n") + "\n"
}
