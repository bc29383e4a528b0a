//! `virtpy pip`: what pip does, answered as pip answers, in a venv of virtpy's.

mod check;
mod complaint;
mod configuration;
mod freeze;
mod group;
mod inspect;
mod install;
mod list;
mod projects;
mod python_json;
mod real;
mod refused;
mod report;
mod requirements;
mod show;
mod tell;
mod uninstall;

use std::path::{Path, PathBuf};

use virtpy_resolver::RequirementsFiles;

use self::configuration::{Configuration, variable};
use crate::cli::pip::{PipArguments, PipLine, PipRequest, PipUsage, parse};
use crate::cli::{ColorWhen, GlobalArguments, VenvArgument};
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::install::{IndexOptions, contents};
use crate::output::{Output, masked};
use crate::store::{PIP_SHIM_VERSION, Store};
use crate::venv::{Contents, Venv};

/// The options that say how indexes are asked.
const CONNECTION: [&str; 7] =
    ["trusted-host", "keyring-provider", "cert", "client-cert", "proxy", "timeout", "retries"];

/// The options that say where packages come from.
const SOURCES: [&str; 5] = ["index-url", "extra-index-url", "find-links", "no-binary", "only-binary"];

/// A pip command in a venv of virtpy's.
struct Call<'a> {
    /// The context, with the store that the venv's links lead into.
    context: Context,
    venv: Venv,
    request: &'a PipRequest,
}

/// Why a command could not be carried out.
enum Stop {
    /// The command line makes no sense.
    Usage(PipUsage),
    /// The command failed.
    Failure(Failure),
}

impl From<PipUsage> for Stop {
    fn from(usage: PipUsage) -> Self {
        Self::Usage(usage)
    }
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(failure: E) -> Self {
        Self::Failure(failure.into())
    }
}

pub(super) fn run(context: &Context, arguments: &PipArguments) -> u8 {
    match answer(context, arguments) {
        Ok(code) => code,
        Err(Stop::Usage(usage)) => {
            context.output.complaint(&usage.message);
            usage.code
        }
        Err(Stop::Failure(failure)) => tell_failure(context.output, &failure, None),
    }
}

/// Tells why a command failed; returns its exit code.
fn tell_failure(output: Output, failure: &Failure, request: Option<&PipRequest>) -> u8 {
    for line in complaint::lines(failure, request) {
        output.complaint(line);
    }
    failure.code()
}

fn answer(context: &Context, arguments: &PipArguments) -> Result<u8, Stop> {
    let mut words = Vec::with_capacity(arguments.arguments.len());
    for word in &arguments.arguments {
        let word = word.to_str().ok_or_else(|| Failure::new("an argument is not valid UTF-8"))?;
        words.push(word.to_owned());
    }
    let place = place(&mut words);
    match parse(&words)? {
        PipLine::Help(text) => {
            context.output.data_block(&text);
            Ok(0)
        }
        PipLine::Version => {
            let (_, venv) = open(context, place)?;
            let package = venv.site_packages().join("pip");
            let python = venv.layout.python_version();
            let line = format_args!("pip {PIP_SHIM_VERSION} from {} (python {python})", package.display());
            context.output.data(line);
            Ok(0)
        }
        PipLine::HandedOn(all) => Ok(real::run(context, place, &all)?),
        PipLine::Own(mut request) => {
            let prefix = prefix(context, place.as_deref());
            let configuration = Configuration::read(&request, prefix.as_deref())?;
            request.complete(&|names| configuration.texts(names))?;
            let place = request.value("python").map_or(place, |python| Some(PathBuf::from(python)));
            if real::has_to(context, place.as_deref(), &request) {
                real::guard(context, &request)?;
                let words = real::words(&request);
                return Ok(real::run(context, place, &words)?);
            }
            let (store, venv) = open(context, place)?;
            real::refuse_store(context, &store, &request.all)?;
            let output = output(&request);
            if let Some(log) = request.value("log") {
                output.log_to(context.working_directory.join(log))?;
                output.log(format_args!("pip {}", request.all.join(" ")));
            }
            let context = Context::of(store, context.working_directory.clone(), output);
            match (Call { context, venv, request: &request }).run() {
                Err(Stop::Failure(failure)) => Ok(tell_failure(output, &failure, Some(&request))),
                other => other,
            }
        }
    }
}

/// Takes away the words before pip's own that name the venv, or the interpreter of one.
fn place(words: &mut Vec<String>) -> Option<PathBuf> {
    let named =
        words.first().is_some_and(|first| first == "--venv" || first == "--python") && words.len() > 1;
    named.then(|| words.drain(..2).nth(1).map(PathBuf::from)).flatten()
}

/// What the user wants to hear.
fn output(request: &PipRequest) -> Output {
    Output::new(&GlobalArguments {
        quiet: request.has("quiet"),
        verbose: request.has("verbose") && !request.has("quiet"),
        color: if request.has("no-color") { ColorWhen::Never } else { ColorWhen::Auto },
    })
}

/// The folder of the venv that a place means: the folder itself, or an interpreter in it.
fn root_of(place: &Path) -> PathBuf {
    let is_venv = |path: &Path| matches!(fs::kind(&path.join("pyvenv.cfg")), Ok(Some(_)));
    let above = place.parent().and_then(Path::parent);
    match above {
        Some(above) if !is_venv(place) && is_venv(above) => above.to_path_buf(),
        _ => place.to_path_buf(),
    }
}

/// The folder of the environment that is meant, whoever made it.
fn prefix(context: &Context, place: Option<&Path>) -> Option<PathBuf> {
    match place {
        Some(place) => Some(root_of(&context.working_directory.join(place))),
        None => context.venv_even_if_moved(&VenvArgument { path: None }).ok().map(|venv| venv.root),
    }
}

/// Opens the venv that is meant, with its own store: who calls its pip knows nothing of stores.
fn open(context: &Context, place: Option<PathBuf>) -> Result<(Store, Venv), Failure> {
    let path = place.map(|place| root_of(&context.working_directory.join(place)));
    let venv = context.venv_even_if_moved(&VenvArgument { path })?;
    let store = context.host.believed_store(&venv).filter(|store| fs::metadata(store.home()).is_ok());
    Ok((store.unwrap_or_else(|| context.store.clone()), venv))
}

/// Whether a folder is a venv of virtpy's.
fn is_ours(root: &Path) -> bool {
    Venv::is_at(root)
}

impl Call<'_> {
    fn run(&self) -> Result<u8, Stop> {
        self.refuse_what_is_not_supported()?;
        match self.request.command.name {
            "install" => self.install(),
            "uninstall" => self.uninstall(),
            "list" => self.list(),
            "freeze" => self.freeze(),
            "show" => self.show(),
            "check" => self.check(),
            _ => self.inspect(),
        }
    }

    /// What is installed, as it can be told without waiting for anybody.
    fn contents(&self) -> Result<Contents, Failure> {
        contents(&self.context.host, &self.venv)
    }

    /// The requirements files that are named, read.
    fn files(&self) -> Result<RequirementsFiles, Failure> {
        let paths = |option| self.request.values(option).iter().map(PathBuf::from).collect::<Vec<_>>();
        let settings = self.context.host.index_settings(&self.index())?;
        self.context.host.requirements_files(&paths("requirement"), &paths("constraint"), &settings)
    }

    /// A line of what is told beside the answer, which `-q` leaves out.
    fn say(&self, line: impl std::fmt::Display) {
        if self.request.has("quiet") {
            self.context.output.log(line);
        } else {
            self.context.output.data(masked(&line));
        }
    }

    /// Where packages come from. What is configured takes the place of the variables, which other settings may override;
    /// what was given is above all of them.
    fn index(&self) -> IndexOptions {
        let request = self.request;
        // The files are read already.
        let mut variables = vec![("PIP_CONFIG_FILE".to_owned(), "/dev/null".to_owned())];
        for option in CONNECTION {
            if request.has(option) {
                let values = request.values(option);
                let last = values.len().saturating_sub(1);
                let counting = if option == "trusted-host" { &values[..] } else { &values[last..] };
                variables.push((variable(option), counting.join(" ")));
            }
        }
        for option in SOURCES {
            let values = request.configured(option);
            if !values.is_empty() {
                variables.push((variable(option), values.join(" ")));
            }
        }
        if !request.configured("no-index").is_empty() {
            variables.push((variable("no-index"), "1".to_owned()));
        }
        // To pip all indexes are one. Who has said otherwise is believed.
        if std::env::var_os("UV_INDEX_STRATEGY").is_none() {
            variables.push(("UV_INDEX_STRATEGY".to_owned(), "unsafe-best-match".to_owned()));
        }
        IndexOptions {
            index_url: request.given("index-url").pop(),
            extra_index_urls: request.given("extra-index-url"),
            find_links: request.given("find-links"),
            no_index: request.has("no-index"),
            offline: false,
            no_binary: request.given("no-binary"),
            only_binary: request.given("only-binary"),
            variables,
            isolated: request.has("isolated"),
        }
    }
}
