//! `virtpy python update-index`.

use crate::context::Context;
use crate::error::Failure;
use crate::output::counted;

pub(in crate::commands) fn run(context: &Context) -> Result<u8, Failure> {
    let transfer = context.host.downloads()?;
    let catalogue = context.host.catalogue(&transfer)?;
    match catalogue.refresh()? {
        Some((address, count)) => context.output.message(format_args!(
            "Read the index at {address}: {} for {}",
            counted(count, "build"),
            catalogue.triple()
        )),
        None => context.output.message(
            "No index is named by `VIRTPY_PYTHON_INDEX_URL`; the one that is part of virtpy is used, and is as new as it",
        ),
    }
    Ok(0)
}
