//! `virtpy python pin`: the interpreter of a folder, in `.python-version`.

use crate::cli::PinArguments;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::PythonRequest;

pub(super) fn run(context: &Context, arguments: &PinArguments) -> Result<u8, Failure> {
    let Some(text) = arguments.request.as_deref() else {
        let Some(pin) = context.host.pin() else {
            return Err(Failure::new("no `.python-version` chooses an interpreter here")
                .hinted("choose one with `virtpy python pin VERSION`"));
        };
        for request in &pin.requests {
            context.output.data(request);
        }
        return Ok(0);
    };
    let request: PythonRequest = text.parse().map_err(|error| Failure::usage(format!("{error}")))?;
    if !matches!(request, PythonRequest::Version(_) | PythonRequest::Range(_)) {
        return Err(Failure::usage(format!("`{text}` is not a version of Python"))
            .hinted("`.python-version` takes a version such as `3.12` or `pypy3.10`"));
    }
    fs::write_in_project(
        &context.working_directory.join(".python-version"),
        format!("{request}\n").as_bytes(),
        0o644,
    )?;
    context.output.message(format_args!("Wrote `.python-version`: {request}"));
    if context.host.find_interpreter(Some(&request)).is_err() {
        context.output.warning(format_args!(
            "no interpreter here matches `{request}`; `virtpy python install {request}` installs one"
        ));
    }
    Ok(0)
}
