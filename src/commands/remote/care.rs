//! `virtpy remote verify` and `virtpy remote gc`: looking after a remote, for whoever owns it.

use std::time::{SystemTime, UNIX_EPOCH};

use virtpy_remote::{Condition, StoredObject};

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
    let limit = now.saturating_sub(arguments.max_age.as_secs());
    let objects = remote.objects()?;
    let is_old = |object: &&StoredObject| object.kind.is_some() && object.put_at < limit;
    let old: Vec<&StoredObject> = objects.iter().filter(is_old).collect();
    let names: Vec<&str> = old.iter().map(|object| object.name.as_str()).collect();
    for name in &names {
        context.output.data(name);
    }
    let what = format!(
        "{} of {} ({})",
        counted(old.len(), "object"),
        objects.len(),
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
