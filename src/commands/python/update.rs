//! `virtpy python update`.

use std::collections::BTreeMap;

use super::install::report_warnings;
use crate::cli::UpdateArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::pythons::{Order, described, install};
use crate::interpreters::available::Build;
use crate::interpreters::managed::{Installed, installed, named, repair_links};

pub(super) fn run(context: &Context, arguments: &UpdateArguments) -> Result<u8, Failure> {
    let pythons = context.store.pythons();
    let transfer = context.host.downloads()?;
    let catalogue = context.host.catalogue(&transfer)?;
    let mut wanted: BTreeMap<String, Installed> = BTreeMap::new();
    if arguments.all {
        wanted.extend(installed(&pythons).into_iter().map(|one| (one.folder_name.clone(), one)));
    }
    for name in &arguments.names {
        wanted.extend(named(&pythons, name)?.into_iter().map(|one| (one.folder_name.clone(), one)));
    }
    let mut builds: Vec<Build> = Vec::new();
    let mut replaced = Vec::new();
    for one in wanted.values() {
        let record = &one.record;
        let update = catalogue.update_for(&record.name, &record.version, record.build.as_deref())?;
        let is_known = |build: &Build| {
            builds.iter().any(|other| other.name == build.name)
                || (build.name != record.name && !named(&pythons, &build.name).unwrap_or_default().is_empty())
        };
        if let Some(build) = update.filter(|build| !is_known(build)) {
            let from = described(&record.version, record.build.as_deref());
            let to = described(&build.version, build.build.as_deref());
            context.output.message(format_args!("{}: {from} → {to}", record.name));
            if build.name != record.name {
                replaced.push(record.name.clone());
            }
            builds.push(build);
        }
    }
    report_warnings(context, &catalogue);
    if builds.is_empty() {
        repair_links(&context.store, &mut context.host.announce())?;
        context.output.message("Everything is up to date");
        return Ok(0);
    }
    // What has the same name is exchanged; a newer patch release comes beside the older one.
    let order = Order { fetch: &transfer, reinstall: true, force: false, default: None };
    for result in install(&context.host, &order, &builds)? {
        result?;
    }
    for name in replaced {
        context
            .output
            .message(format_args!("{name} is still installed; `virtpy python uninstall {name}` removes it"));
    }
    Ok(0)
}
