//! The newest versions of some distributions: a resolution without requirements of their own.

use std::collections::BTreeMap;

use crate::session::LatestVersion;
use crate::{Artifact, Error, Input, Options, Request, SessionOptions, resolve};

pub(crate) async fn latest_versions(
    session: &SessionOptions,
    names: &[String],
    prerelease: bool,
) -> Result<BTreeMap<String, LatestVersion>, Error> {
    match ask(session, names, prerelease).await {
        // One that no index has spoils the answer for all: ask for each alone, and leave that one out.
        Err(Error::NoSolution { .. }) if names.len() > 1 => {
            let mut latest = BTreeMap::new();
            for name in names {
                match ask(session, std::slice::from_ref(name), prerelease).await {
                    Err(Error::NoSolution { .. }) => {}
                    other => latest.extend(other?),
                }
            }
            Ok(latest)
        }
        Err(Error::NoSolution { .. }) => Ok(BTreeMap::new()),
        other => other,
    }
}

async fn ask(
    session: &SessionOptions,
    names: &[String],
    prerelease: bool,
) -> Result<BTreeMap<String, LatestVersion>, Error> {
    let request = Request {
        requirements: names.iter().cloned().map(Input::Requirement).collect(),
        options: Options {
            no_deps: true,
            upgrade: true,
            prerelease,
            // Names are not relative to anything, but the library wants a folder.
            working_directory: "/".into(),
            ..Options::default()
        },
        ..Request::default()
    };
    let resolution = resolve::resolve(session, &request).await?;
    let mut latest = BTreeMap::new();
    for package in resolution.packages {
        let kind = match package.file {
            Artifact::Wheel { .. } => "wheel",
            Artifact::Source { .. } => "sdist",
        };
        if let Ok(version) = package.version.parse() {
            latest.insert(package.name, LatestVersion { version, kind: kind.to_owned() });
        }
    }
    Ok(latest)
}
