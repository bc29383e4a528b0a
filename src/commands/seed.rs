//! `virtpy seed`: what virtualenv's plugin calls for each venv.

use crate::cli::SeedArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Seed, seed};

pub(super) fn run(context: &Context, arguments: &SeedArguments) -> Result<u8, Failure> {
    let wish = Seed {
        path: context.working_directory.join(&arguments.path),
        pip: !arguments.no_pip_shim,
        link_mode: arguments.link_mode,
        wheels: arguments.wheels.iter().map(|wheel| context.working_directory.join(wheel)).collect(),
    };
    context.output.json_of_others(&seed(&context.host, &wish)?)?;
    Ok(0)
}
