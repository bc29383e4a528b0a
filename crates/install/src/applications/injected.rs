//! Packages that were injected into an application from places of their own: an index that only they come from, or a directory
//! of wheels.
//!
//! They come after the application, from their own places alone. Among the application's indexes anybody could have a
//! package of the same name, and theirs need not have the application.

use virtpy_pep::Requirement;

use super::spec::ToolSpec;
use crate::changelog::Changelog;
use crate::plan::{Extent, Goal, InstallOptions};
use crate::tools::{Manifest, Origin, names_of};
use crate::{Environment, IndexOptions, Indexes, Requirements, Result, bring, contents};
use virtpy_venv::Contents;

/// Packages that come from one place.
pub(crate) struct Injection {
    specs: Vec<String>,
    indexes: Indexes,
}

/// The packages of an application that have places of their own, by place. How anything is had, not where, is said for all.
pub(crate) fn groups(manifest: &Manifest, said: &IndexOptions) -> Vec<Injection> {
    let mut groups: Vec<(&Origin, Vec<String>)> = Vec::new();
    for spec in &manifest.with {
        let Some(own) = manifest.with_origins.get(spec) else { continue };
        match groups.iter_mut().find(|(origin, _)| *origin == own) {
            Some((_, specs)) => specs.push(spec.clone()),
            None => groups.push((own, vec![spec.clone()])),
        }
    }
    let injection = |(own, specs)| {
        let options = IndexOptions {
            offline: said.offline,
            no_binary: said.no_binary.clone(),
            only_binary: said.only_binary.clone(),
            ..IndexOptions::of(own)
        };
        Injection { specs, indexes: Indexes::new(options) }
    };
    groups.into_iter().map(injection).collect()
}

/// Adds the packages of one place to what is there, which keeps its versions.
pub(crate) fn bring_group<'a>(
    environment: &mut Environment<'a>,
    spec: &ToolSpec,
    injection: &'a Injection,
) -> Result<Changelog> {
    let host = environment.host;
    environment.indexes = &injection.indexes;
    environment.contents = contents(host, environment.venv())?;
    let settings = injection.indexes.settings(host)?;
    let mut wanted = Requirements::read(host, &injection.specs, &[], &[], settings)?;
    wanted.specs.extend(kept(&spec.manifest, &environment.contents));
    wanted.files.constrain(&spec.constraints, "the list of applications");
    let upgrade_packages = if spec.upgrade { names_of(&injection.specs) } else { Vec::new() };
    let wanted = Requirements {
        upgrade_packages,
        preferred: spec.preferred.clone(),
        pre: spec.manifest.origin.pre,
        ..wanted
    };
    bring(
        environment,
        &Goal { source: &wanted, extent: Extent::Sufficient, options: InstallOptions::default() },
    )
}

/// What an application was made of, as requirements that what is installed meets: no other package takes that away then.
fn kept(manifest: &Manifest, contents: &Contents) -> Vec<String> {
    let own = |text: &String| manifest.with_origins.contains_key(text);
    let asked = std::iter::once(&manifest.request).chain(manifest.with.iter().filter(|text| !own(text)));
    let is_named = |text: &&String| text.parse::<Requirement>().is_ok_and(|wanted| wanted.url().is_none());
    let mut kept: Vec<String> = asked.filter(is_named).cloned().collect();
    // What came from a path or a URL is known by its name now.
    let others = contents.distributions.iter().filter(|one| one.direct_url().is_some());
    kept.extend(others.map(|one| format!("{}=={}", one.package, one.version)));
    kept
}
