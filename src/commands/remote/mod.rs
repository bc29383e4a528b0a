//! `virtpy remote`: object storage that machines share.

mod care;
mod files;
mod key;
mod pull;
mod push;
pub(super) mod status;

use virtpy_remote::Remote;

use crate::cli::{RemoteArguments, RemoteCommand};
use crate::context::Context;
use crate::error::Failure;

pub(super) fn run(context: &Context, arguments: &RemoteArguments) -> Result<u8, Failure> {
    match &arguments.command {
        RemoteCommand::Key(arguments) => key::run(context, arguments),
        RemoteCommand::Push(arguments) => push::run(context, arguments),
        RemoteCommand::Pull(arguments) => pull::run(context, arguments),
        RemoteCommand::Status(arguments) => status::run(context, arguments),
        RemoteCommand::Verify(arguments) => care::verify(context, arguments),
        RemoteCommand::Gc(arguments) => care::gc(context, arguments),
    }
}

/// The remote of the settings, which is waited for.
fn configured(context: &Context) -> Result<Remote, Failure> {
    let settings = context.host.preferences()?.remote.clone();
    settings.map(Remote::asked_for).ok_or_else(|| {
        Failure::new("no remote is set up").hinted(
            "set `remote.url` in config.toml, or the variable `VIRTPY_REMOTE`; docs/teams.md says more",
        )
    })
}
