//! `virtpy path`: one of virtpy's own folders, or the command `isopy`.

use std::path::PathBuf;

use crate::cli::{PathArguments, PathKind};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;

pub(super) fn run(context: &Context, arguments: &PathArguments) -> Result<u8, Failure> {
    let path = match arguments.kind {
        PathKind::Bin | PathKind::Executables => context.store.bin(),
        PathKind::Storage => context.store.home().to_path_buf(),
        PathKind::Isopy => isopy(context)?,
    };
    context.output.data(path.display());
    Ok(0)
}

/// Makes the link by whose name this program is `isopy`.
fn isopy(context: &Context) -> Result<PathBuf, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new(format!("this program cannot find itself: {error}")))?;
    let bin = context.store.bin();
    let link = bin.join("isopy");
    fs::create_dir_all(&bin)?;
    fs::link_by_way_of(&bin.join(format!("{}{}", fs::UNFINISHED, std::process::id())), &program, &link)?;
    Ok(link)
}
