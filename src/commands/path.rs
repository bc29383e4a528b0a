//! `virtpy path`: one of virtpy's own folders, or a command by another name.

use std::path::PathBuf;

use crate::cli::{PathArguments, PathKind};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;

pub(super) fn run(context: &Context, arguments: &PathArguments) -> Result<u8, Failure> {
    let path = match arguments.kind {
        PathKind::Bin | PathKind::Executables => context.store.bin(),
        PathKind::Storage => context.store.home().to_path_buf(),
        PathKind::Isopy => link(context, "isopy")?,
        PathKind::Virtpyx => link(context, "virtpyx")?,
    };
    context.output.data(path.display());
    Ok(0)
}

/// Makes the link by whose name this program does something else.
fn link(context: &Context, name: &str) -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(format!("this program cannot find itself: {error}")))?;
    let bin = context.store.bin();
    let link = bin.join(name);
    fs::create_dir_all(&bin)?;
    fs::link_by_way_of(&bin.join(format!("{}{}", fs::UNFINISHED, std::process::id())), &program, &link)?;
    Ok(link)
}
