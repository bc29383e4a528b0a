//! Making an environment: resolve, fetch, and link; or find that another request had the same answer.

use std::path::{Path, PathBuf};
use std::time::Instant;

use virtpy_pep::{Version, accepts_python};
use virtpy_resolver::{
    IndexSettings, Input, LockFormat, LockedRequest, Options, Package, Request, Resolution, Selection,
    Session,
};

use super::super::presence::{candidates, same_version};
use super::super::progress::Progress;
use super::super::{bytecode, new, tool};
use super::wish::Wish;
use crate::context::Context;
use crate::error::Failure;
use crate::fs;
use crate::interpreters::Interpreter;
use crate::lockfile::LockKind;
use crate::output::{counted, seconds};
use crate::resolve::{self, Obtained, ResolveError, Supply};
use crate::scripts::{CachedEnvironment, Environments, Metadata, Note, Source, Watched, watch};
use crate::venv::{self, Arrival, Change, Contents, Distribution, LinkMode, NewVenv, Venv};

/// The file in an environment that lets it see the packages of the venv beneath it. Files of this kind are read in the order of
/// their names; this one comes last, so that all of the environment's own goes before.
const BASE_FILE: &str = "~virtpy-base.pth";

/// What came of it.
pub(super) struct Made {
    /// The environment.
    pub(super) environment: PathBuf,
    /// What is to be remembered; nothing if it would have to be made anew each time.
    pub(super) note: Option<Note>,
}

/// Makes the environment for a wish.
///
/// # Errors
/// When the metadata make no sense, there is no such interpreter, or packages cannot be found or fetched.
pub(super) fn make(context: &Context, wish: &Wish) -> Result<Made, Failure> {
    let started = Instant::now();
    let metadata = wish.block.as_ref().map(Metadata::parse).transpose()?.unwrap_or_default();
    for key in &metadata.unknown {
        context
            .output
            .warning(format_args!("the script's metadata have `{key}`, which says nothing to virtpy"));
    }
    let interpreter = interpreter(context, wish, &metadata)?;
    let _store_lock = context.store.lock_shared(&mut context.announce())?;
    let beneath = wish.base.as_ref().map(|base| base.packages(&interpreter)).unwrap_or_default();
    let maker = Maker { context, wish, metadata: &metadata, interpreter: &interpreter, beneath };
    let set = maker.resolve()?;
    let environment = match &wish.base {
        Some(base) if set.arrivals.is_empty() => base.root.clone(),
        _ => maker.environment(&set.arrivals)?,
    };
    if context.output.shows_progress() {
        let count = counted(set.arrivals.len(), "package");
        context.output.message(format_args!("Made ready with {count} in {}", seconds(started.elapsed())));
    }
    let note = set.watched.map(|watched| Note::new(environment.clone(), watched));
    Ok(Made { environment, note })
}

/// The interpreter: the base's, the one that the user names, or one that the script works with.
fn interpreter(context: &Context, wish: &Wish, metadata: &Metadata) -> Result<Interpreter, Failure> {
    if let Some(base) = &wish.base {
        wish.check_python(context, base)?;
        return base.interpreter(context);
    }
    let downloads = !wish.settings.offline;
    let requires = metadata.requires_python.as_deref();
    if wish.python.is_none() && wish.block.is_none() && context.pin().is_some() {
        return context.wanted_interpreter(None);
    }
    let found = tool::interpreter(context, wish.python.as_deref().or(requires), downloads);
    let Some(requires) = requires else { return found };
    if wish.python.is_none() {
        return found.map_err(|failure| failure.within(format!("the script requires Python {requires}")));
    }
    let found = found?;
    let version = found.version.to_string();
    let accepts =
        version.parse::<Version>().is_ok_and(|version| accepts_python(requires, &version) == Ok(true));
    if accepts {
        return Ok(found);
    }
    Err(Failure::new(format!("the script requires Python {requires}, and `--python` chooses {version}"))
        .hinted("leave `--python` out, or name a version that the script works with"))
}

/// The packages that an environment is to have.
struct Set {
    /// They, sorted by name.
    arrivals: Vec<Arrival>,
    /// What some of them were made from, if it can be watched.
    watched: Option<Vec<Watched>>,
}

/// The making of one environment.
struct Maker<'a> {
    context: &'a Context,
    wish: &'a Wish,
    metadata: &'a Metadata,
    interpreter: &'a Interpreter,
    /// What the base has.
    beneath: Vec<Distribution>,
}

impl Maker<'_> {
    /// Finds the packages, and has their entries.
    fn resolve(&self) -> Result<Set, Failure> {
        let inputs = self.inputs();
        if inputs.is_empty() && !self.wish.files.asks_for_something() {
            return Ok(Set { arrivals: Vec::new(), watched: Some(Vec::new()) });
        }
        let settings = self.metadata.uv.applied_to(self.wish.settings.clone(), self.wish.names_index);
        let session = self.context.session(self.interpreter, settings.clone());
        let progress = Progress::new(self.context.output, "resolving");
        let mut files = self.wish.files.clone();
        files.constrain(&self.metadata.uv.constraints, "the script");
        let request = Request {
            requirements: inputs,
            files,
            installed: candidates(&self.beneath.iter().collect::<Vec<_>>(), Path::new("")),
            options: self.options(settings),
            ..Request::default()
        };
        let resolution = match &self.wish.lock {
            Some(lock) => session.resolve_locked(&LockedRequest {
                path: lock.path.clone(),
                text: lock.text.clone(),
                format: if LockKind::of(&lock.path) == LockKind::Uv {
                    LockFormat::Uv
                } else {
                    LockFormat::Pylock
                },
                selection: Selection::default(),
                options: request.options.clone(),
            }),
            None => session.resolve(&request),
        };
        let resolution = resolution.map_err(ResolveError::from)?;
        for note in &resolution.notes {
            self.context.output.detail(note);
        }
        for warning in &resolution.warnings {
            self.context.output.warning(warning);
        }
        let arrivals = self.obtain(&session, &resolution, &progress)?;
        progress.end();
        let watched = resolution.packages.iter().filter_map(source_of);
        let watched = watched.map(|(path, in_place)| watch(&path, in_place)).collect();
        Ok(Set { arrivals, watched })
    }

    fn inputs(&self) -> Vec<Input> {
        let own = self.metadata.dependencies.iter().map(|source| match source {
            Source::Requirement(text) => Input::Requirement(text.clone()),
            Source::Editable(path) => Input::Editable(path.clone()),
        });
        let specs = self.wish.specs.iter().cloned().map(Input::Requirement);
        let editables = self.wish.editables.iter().cloned().map(Input::Editable);
        own.chain(specs).chain(editables).collect()
    }

    fn options(&self, settings: IndexSettings) -> Options {
        // What the base has stays as it is; only what is asked for beside it is to be new.
        let has_base = self.wish.base.is_some();
        let upgrade_packages =
            if self.wish.refresh && has_base { tool::names_of(&self.wish.specs) } else { Vec::new() };
        Options {
            upgrade: self.wish.refresh && !has_base,
            upgrade_packages,
            prerelease: settings.prerelease,
            no_binary: settings.no_binary,
            only_binary: settings.only_binary,
            require_hashes: settings.require_hashes,
            exclude_newer: settings.exclude_newer,
            working_directory: self.wish.folder.clone(),
            ..Options::default()
        }
    }

    /// The entries of what the base does not have, in the order of their names.
    fn obtain(
        &self,
        session: &Session,
        resolution: &Resolution,
        progress: &Progress,
    ) -> Result<Vec<Arrival>, Failure> {
        let mut wanted: Vec<usize> =
            (0..resolution.packages.len()).filter(|index| !self.has(&resolution.packages[*index])).collect();
        wanted.sort_by_key(|index| &resolution.packages[*index].name);
        progress.stage("fetching");
        let supply = Supply {
            store: &self.context.store,
            session,
            interpreter: &Context::build_key(self.interpreter),
            reporter: progress,
        };
        let obtained = resolve::obtain(&supply, resolution, &wanted, &mut self.context.announce())?;
        let settings = self.context.settings()?;
        let arrival = |one: Obtained| Arrival {
            copied: settings.copies(&one.entry.manifest.name),
            requested: resolution.packages[one.package].requested,
            direct_url: one.direct_url,
            entry: one.entry,
        };
        Ok(obtained.into_iter().map(arrival).collect())
    }

    /// Whether the base has this version of a package.
    fn has(&self, package: &Package) -> bool {
        let is_it =
            |one: &Distribution| one.key == package.name && same_version(&one.version, &package.version);
        package.direct_url.is_none() && self.beneath.iter().any(is_it)
    }

    /// The environment that has exactly this.
    fn environment(&self, arrivals: &[Arrival]) -> Result<PathBuf, Failure> {
        let Interpreter { executable, version, platform, .. } = self.interpreter;
        let mut content = format!("{} {version} {platform} {:?}\n", executable.display(), self.wish.base);
        let mut wheels: Vec<String> = arrivals
            .iter()
            .map(|one| format!("{} {} {:?}\n", one.entry.manifest.sha256, one.copied, one.direct_url))
            .collect();
        wheels.sort();
        content.push_str(&wheels.concat());
        let place = Environments::new(&self.context.store).place(&content);
        let _lock = place.lock(&mut self.context.announce())?;
        if place.is_complete() {
            place.note_use();
        } else {
            place.discard()?;
            if let Err(failure) = self.fill(&place, arrivals) {
                let _ = place.discard();
                return Err(failure);
            }
        }
        Ok(place.path)
    }

    /// Makes the venv at a place where there is none. The caller holds its lock.
    fn fill(&self, place: &CachedEnvironment<'_>, arrivals: &[Arrival]) -> Result<(), Failure> {
        let (context, base) = (self.context, self.wish.base.as_ref());
        let store = &context.store;
        let wish = NewVenv {
            path: place.path.clone(),
            prompt: None,
            system_site_packages: base.is_some_and(|base| base.sees_system),
            clear: false,
            in_store: true,
            link_mode: LinkMode::default(),
            pip: None,
        };
        let root = venv::create(store, &new::base(self.interpreter), &wish, &mut context.announce())?;
        let venv = Venv::open(&root)?;
        if !arrivals.is_empty() {
            let tags = Some(self.interpreter.tags());
            let change = Change { install: arrivals.to_vec(), tags, ..Change::default() };
            let summary = venv.apply(store, &Contents::read(&venv, store)?, &change)?;
            for clash in &summary.clashes {
                context.output.warning(format_args!(
                    "`{}` is in both {} and {}; the one of {} is used",
                    clash.path, clash.loser, clash.winner, clash.winner
                ));
            }
            bytecode::after_change(context, self.interpreter, &venv, &change.install, false)?;
        }
        if let Some(base) = base {
            let line =
                format!("import site; site.addsitedir({})\n", venv::python_literal(&base.site_packages));
            fs::write_new(&venv.site_packages().join(BASE_FILE), line.as_bytes(), 0o644)?;
        }
        Ok(place.complete()?)
    }
}

/// The folder or file on this machine that a package is made from, and whether it is used in place.
fn source_of(package: &Package) -> Option<(PathBuf, bool)> {
    let direct = package.direct_url.as_ref()?;
    if direct.get("vcs_info").is_some() {
        return None;
    }
    let path = url::Url::parse(direct.get("url")?.as_str()?).ok()?.to_file_path().ok()?;
    let in_place = direct.pointer("/dir_info/editable").and_then(serde_json::Value::as_bool);
    Some((path, in_place.unwrap_or_default()))
}
