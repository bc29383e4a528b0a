//! `virtpy remote verify` and `virtpy remote gc`: looking after a remote, for whoever owns it.

use std::time::{SystemTime, UNIX_EPOCH};

use virtpy_remote::{Condition, Remote, StoredObject};

use super::configured;
use crate::cli::{RemoteGcArguments, RemoteVerifyArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::output::{bytes, counted};
use crate::progress::Counter;

pub(super) fn verify(context: &Context, arguments: &RemoteVerifyArguments) -> Result<u8, Failure> {
    let remote = configured(context)?;
    let objects = remote.objects()?;
    let progress = Counter::new(context.output, "reading", objects.len());
    let conditions = remote.verify(&objects, &|| progress.tick())?;
    drop(progress);
    let (mut damaged, mut strangers) = (Vec::new(), 0);
    for (object, condition) in objects.iter().zip(conditions) {
        match condition {
            Condition::Damaged(reason) => {
                context.output.data(format_args!("{}: {reason}", object.name));
                // What virtpy did not put there is somebody else's.
                if object.kind.is_some() {
                    damaged.push(object.name.as_str());
                }
            }
            Condition::Stranger => strangers += 1,
            Condition::Sound | Condition::Gone => {}
        }
    }
    if strangers > 0 {
        let count = counted(strangers, "object");
        context.output.message(format_args!("{count} signed by keys that `remote.trust` does not list"));
    }
    if arguments.remove {
        remote.remove(&damaged)?;
        context.output.message(format_args!("Removed {}", counted(damaged.len(), "object")));
    }
    context.output.message(format_args!(
        "Verified {}: {} damaged",
        counted(objects.len(), "object"),
        damaged.len()
    ));
    Ok(u8::from(!damaged.is_empty()))
}

pub(super) fn gc(context: &Context, arguments: &RemoteGcArguments) -> Result<u8, Failure> {
    let remote = configured(context)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    let limit = arguments.max_age.map(|age| now.saturating_sub(age.as_secs()));
    let mut objects = remote.objects()?;
    let all = objects.len();
    objects.retain(|object| object.kind.is_some() && limit.is_none_or(|limit| object.put_at < limit));
    if arguments.untrusted {
        objects = untrusted(context, &remote, objects)?;
    }
    let old: Vec<&StoredObject> = objects.iter().collect();
    let names: Vec<&str> = old.iter().map(|object| object.name.as_str()).collect();
    for name in &names {
        context.output.data(name);
    }
    let what = format!(
        "{} of {} ({})",
        counted(old.len(), "object"),
        all,
        bytes(old.iter().map(|object| object.size).sum())
    );
    if old.is_empty() {
        context.output.message("There is nothing to remove");
    } else if arguments.remove {
        remote.remove(&names)?;
        context.output.message(format_args!("Removed {what}"));
    } else {
        context.output.message(format_args!("Would remove {what}; `--remove` does it"));
    }
    Ok(0)
}

/// Those of some objects that keys have signed which are not trusted.
fn untrusted(
    context: &Context,
    remote: &Remote,
    objects: Vec<StoredObject>,
) -> Result<Vec<StoredObject>, Failure> {
    if remote.settings().trust.is_empty() {
        return Err(Failure::new("no key is trusted, so that everything signed would be removed")
            .hinted("list the keys that count in the setting `remote.trust`"));
    }
    let progress = Counter::new(context.output, "reading", objects.len());
    let strangers = remote.are_strangers(&objects, &|| progress.tick())?;
    Ok(objects
        .into_iter()
        .zip(strangers)
        .filter(|(_, is_stranger)| *is_stranger)
        .map(|(one, _)| one)
        .collect())
}
