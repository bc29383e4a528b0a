//! `virtpy detach`: give a venv a copy of its own of a package, to edit it; or link it again.

use schemars::JsonSchema;
use serde::Serialize;

use crate::cli::DetachArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Environment, Indexes};
use crate::output::counted;
use crate::report;
use crate::venv::{ChangeSet, Contents, Installed, LinkMode, Owner, PackageToInstall};

pub(super) fn run(context: &Context, arguments: &DetachArguments) -> Result<u8, Failure> {
    let venv = context.venv_to_change(&arguments.venv)?;
    context.name_venv(&venv.root);
    if venv.config.link_mode() == LinkMode::Copy {
        return Err(Failure::new("every package of this venv is a copy already: its link mode is `copy`"));
    }
    let indexes = Indexes::default();
    let environment = Environment::open_as_it_is(&context.host, venv, &indexes)?;
    report::warn_of_lost(context, &environment.contents);
    let contents = &environment.contents;
    let mut reports = Vec::new();
    let mut install = Vec::new();
    for name in &arguments.names {
        let installed = installed(contents, name)?;
        let entry = context.store.entry(&installed.sha256)?.ok_or_else(|| {
            Failure::new(format!("the store no longer has {} {}", installed.name, installed.version))
        })?;
        let changes = installed.copied == arguments.undo;
        let detached = !arguments.undo;
        reports.push(Report {
            name: installed.name.clone(),
            version: installed.version.clone(),
            detached,
            changes,
        });
        if changes {
            install.push(PackageToInstall {
                entry,
                requested: installed.requested,
                direct_url: installed.direct_url.clone(),
                copied: detached,
            });
        }
    }
    // The set stays the same, so whatever it satisfied it still does.
    let satisfies = contents.state.satisfied.clone();
    if !install.is_empty() {
        let change = ChangeSet { install, satisfies, force: arguments.force, ..ChangeSet::default() };
        environment.apply(&change, false)?;
    }
    report(context, arguments, &reports)?;
    Ok(0)
}

fn installed<'a>(contents: &'a Contents, name: &str) -> Result<&'a Installed, Failure> {
    match contents.find_spelled(name).map(|found| (&found.owner, found)) {
        Some((Owner::Virtpy(installed), _)) => Ok(installed),
        Some((Owner::Foreign(_) | Owner::System { .. }, found)) => Err(Failure::new(format!(
            "{} was installed by {}: its files are this venv's own already",
            found.name,
            found.installer()
        ))),
        None => Err(Failure::new(format!("`{name}` is not installed; nothing was changed"))
            .hinted("`virtpy list` shows what is installed")),
    }
}

#[derive(JsonSchema, Serialize)]
pub(super) struct Report {
    /// The package.
    name: String,
    /// Its version.
    version: String,
    /// Whether it is this venv's own now.
    detached: bool,
    /// Whether that is new.
    #[serde(rename = "changed")]
    changes: bool,
}

fn report(context: &Context, arguments: &DetachArguments, reports: &[Report]) -> Result<(), Failure> {
    if arguments.json {
        return context.output.json(&reports);
    }
    for Report { name, version, detached, changes } in reports {
        let state = match (detached, changes) {
            (true, true) => "is this venv's own now, and may be edited",
            (true, false) => "was this venv's own already",
            (false, true) => "is linked to the store again",
            (false, false) => "was linked to the store already",
        };
        context.output.message(format_args!("{name} {version} {state}"));
    }
    let changed = reports.iter().filter(|report| report.changes).count();
    context.output.detail(format_args!("changed {}", counted(changed, "package")));
    Ok(())
}
