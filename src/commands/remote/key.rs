//! `virtpy remote key`: make a pair of keys, or show the public one.

use virtpy_remote::{KeySource, PrivateKey};

use crate::cli::RemoteKeyArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::settings::{Settings, key_file_of_user};

pub(super) fn run(context: &Context, arguments: &RemoteKeyArguments) -> Result<u8, Failure> {
    let remote = Settings::current()?.preferences.remote.as_ref();
    let path = match (&arguments.file, remote.map(|remote| &remote.key)) {
        (Some(file), _) => context.working_directory.join(file),
        (None, Some(KeySource::File(path))) => path.clone(),
        (None, Some(KeySource::Variable(_))) => {
            let key = remote.map(virtpy_remote::RemoteSettings::private_key).transpose()?;
            if let Some(key) = key {
                context.output.data(key.public());
            }
            return Ok(0);
        }
        (None, None) => key_file_of_user(),
    };
    if fs::kind(&path)?.is_some() {
        context.output.data(PrivateKey::read(&path)?.public());
        return Ok(0);
    }
    let public = PrivateKey::create(&path)?;
    context
        .output
        .message(format_args!("Made a private key in `{}`, which nobody else may have", path.display()));
    context.output.data(public);
    Ok(0)
}
