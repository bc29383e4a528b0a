//! `virtpy tool repair`: applications whose interpreter or packages are gone get them again, in the same versions.

use std::time::Instant;

use super::carry::constraints;
use super::list::trouble;
use super::realize::{Wish, realize};
use super::report::Reports;
use super::{each, open};
use crate::cli::RepairToolsArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::tools::{Manifest, Toolbox};

pub(super) fn run(context: &Context, arguments: &RepairToolsArguments) -> Result<u8, Failure> {
    let toolbox = Toolbox::new(&context.store);
    let names = if arguments.names.is_empty() {
        let is_broken = |name: &String| {
            toolbox.open(name).ok().flatten().is_none_or(|tool| trouble(context, &tool).is_some())
        };
        toolbox.names()?.into_iter().filter(is_broken).collect()
    } else {
        arguments.names.clone()
    };
    if names.is_empty() {
        context.output.message("Nothing to do: no application is broken");
    }
    each(context, &names, &|name| {
        let started = Instant::now();
        let tool = open(context, name)?;
        if arguments.python.is_none() && trouble(context, &tool).is_none() {
            context.output.message(format_args!("{} is not broken", tool.name));
            return Ok(());
        }
        let locked = super::change::versions(context, &tool)?;
        let folder = context.store.temporary_folder()?;
        let constraints = constraints(folder.path(), &locked)?;
        let python = arguments.python.clone().or_else(|| tool.manifest.python.clone());
        // An interpreter that was named by its path may be what is gone.
        let python = python.filter(|text| {
            !text.contains('/') || arguments.python.is_some() || std::path::Path::new(text).exists()
        });
        let wish =
            Wish { constraints: Some(constraints), ..Wish::of(Manifest { python, ..tool.manifest.clone() }) };
        let realized = realize(context, toolbox, wish)?;
        Reports::new(context, false).tell("Repaired", &realized, started.elapsed());
        Ok(())
    })
}
