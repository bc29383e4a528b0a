//! `virtpy path`: one of virtpy's own folders.

use crate::cli::{PathArguments, PathKind};
use crate::context::Context;

pub(super) fn run(context: &Context, arguments: &PathArguments) -> u8 {
    let path = match arguments.kind {
        PathKind::Bin | PathKind::Executables => context.store.bin(),
        PathKind::Storage => context.store.home().to_path_buf(),
    };
    context.output.data(path.display());
    0
}
