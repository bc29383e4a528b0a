//! `virtpy kernel`: venvs as kernels of Jupyter.

use std::path::{Path, PathBuf};

use crate::cli::{KernelArguments, KernelCommand, KernelInstallArguments, KernelListArguments};
use crate::context::Context;
use crate::error::Failure;
use crate::install::{Kernel, Kernels, contents, kernel_name};

pub(super) fn run(context: &Context, arguments: &KernelArguments) -> Result<u8, Failure> {
    let kernels = kernels()?;
    match &arguments.command {
        KernelCommand::Install(arguments) => install(context, &kernels, arguments),
        KernelCommand::Uninstall(arguments) => {
            let kernel = kernels.uninstall(&arguments.name)?;
            context.output.message(format_args!("Removed the kernel `{}`; its venv stays", kernel.name));
            Ok(0)
        }
        KernelCommand::List(arguments) => list(context, &kernels, arguments),
    }
}

fn kernels() -> Result<Kernels, Failure> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let home =
        variable("HOME").ok_or_else(|| Failure::new("there is no home directory: `HOME` is not set"))?;
    Ok(Kernels::of_user(&variable, Path::new(&home)))
}

fn install(context: &Context, kernels: &Kernels, arguments: &KernelInstallArguments) -> Result<u8, Failure> {
    let venv = context.venv(&arguments.venv)?;
    let installed = contents(&context.host, &venv)?;
    if !installed.distributions.iter().any(|one| one.package.as_str() == "ipykernel") {
        return Err(Failure::new(format!("the venv at `{}` has no `ipykernel`", venv.root.display()))
            .hinted("install it with `virtpy add ipykernel`; then this command works"));
    }
    let title = title(&venv.root);
    let version = context.host.interpreter(&venv)?.version;
    let shown = || format!("{title} (Python {}.{})", version.major, version.minor);
    let kernel = Kernel {
        name: arguments.name.clone().unwrap_or_else(|| kernel_name(&title)),
        display_name: arguments.display_name.clone().unwrap_or_else(shown),
        venv: venv.root.clone(),
    };
    let folder = kernels.install(&kernel)?;
    context.output.message(format_args!(
        "Jupyter has the kernel `{}` (`{}`)",
        kernel.display_name,
        folder.display()
    ));
    Ok(0)
}

/// The name of the project that a venv is of: a venv's own name, such as `.venv`, tells nothing.
fn title(venv: &Path) -> String {
    let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
    let own = name(venv).unwrap_or_default();
    let is_usual = [".venv", "venv", "env", ".env"].contains(&own.as_str());
    venv.parent().filter(|_| is_usual).and_then(name).unwrap_or(own)
}

fn list(context: &Context, kernels: &Kernels, arguments: &KernelListArguments) -> Result<u8, Failure> {
    let all = kernels.list()?;
    if arguments.json {
        context.output.json(&all)?;
        return Ok(0);
    }
    for Kernel { name, display_name, venv } in all {
        let python: PathBuf = venv.join("bin/python");
        let gone = if crate::fs::metadata(&python).is_ok() { "" } else { ", which is gone" };
        context.output.data(format_args!("{name}: {display_name}, in `{}`{gone}", venv.display()));
    }
    Ok(0)
}
