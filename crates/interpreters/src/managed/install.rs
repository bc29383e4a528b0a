//! Installing one interpreter: complete or not at all.

use std::path::{Path, PathBuf};

use virtpy_files::{self as fs, Lock, LockMode};
use virtpy_store::{LockName, PATIENCE, Store, StoreError};

use super::record::{FILE, Installed, Record, key};
use super::unpack::{self, Unpacked};
use super::{ManagedError, links};
use crate::available::location::{self, Progress, Transferred, local_path};
use crate::available::{Build, BuildSource, Fetch, this_triple};
use crate::patch::{self, Unpatched, certificates};
use crate::{self as interpreters, Interpreter};

/// How the folders in `tmp/` begin in which interpreters are made.
const UNFINISHED: &str = "python-";

/// What the lock and the temporary names of the links have where others have a key.
const LINKS: &str = "links";

/// Installs interpreters into a store.
pub struct Installer<'a> {
    /// Where.
    pub store: &'a Store,
    /// The way to the network.
    pub fetch: &'a dyn Fetch,
    /// Whether what is there already is replaced.
    pub reinstall: bool,
    /// Whether what virtpy did not make is replaced as well.
    pub force: bool,
}

/// What became of an installation.
#[derive(Debug)]
pub struct Outcome {
    /// The interpreter.
    pub installed: Installed,
    /// Whether it was there already.
    pub was_there: bool,
    /// What the user should know.
    pub warnings: Vec<String>,
}

impl Installer<'_> {
    /// Installs a build, unless it is there. `progress` hears how the download goes, and `announce` who holds a lock that
    /// is waited for. The caller holds the store shared.
    ///
    /// # Errors
    /// When the archive does not come, is not what it should be, or what is in it does not run. Nothing is left behind
    /// then, and an interpreter that was there is untouched.
    pub fn install(
        &self,
        build: &Build,
        progress: Progress<'_>,
        announce: &mut dyn FnMut(&str),
    ) -> Result<Outcome, ManagedError> {
        unpack::check(build)?;
        let key = key(build, &this_triple())?;
        let pythons = self.store.pythons();
        fs::create_dir_all(&pythons)?;
        let pythons = fs::canonicalize(&pythons)?;
        let path = self.store.lock_file(LockName::Python(&key));
        let _lock = Lock::wait(&path, LockMode::Exclusive, PATIENCE, announce)?;
        sweep(self.store)?;
        sweep_leftovers_of(self.store, &key)?;
        let there = Installed::read(&pythons, &key);
        if let Some(installed) =
            there.filter(|one| !self.reinstall && fs::metadata(&one.executable()).is_ok())
        {
            self.refresh_links(&pythons, announce)?;
            return Ok(Outcome { installed, was_there: true, warnings: Vec::new() });
        }
        let destination = pythons.join(&key);
        let is_ours = fs::kind(&destination.join(FILE))?.is_some();
        if fs::kind(&destination)?.is_some() && !is_ours && !self.force {
            return Err(ManagedError::InTheWay(destination));
        }
        let temporary = self.store.temporary();
        fs::create_dir_all(&temporary)?;
        let stage = fs::temporary_folder_named(&temporary, &stage_prefix(&key))?;
        let (root, warnings) = self.prepare(build, stage.path(), &destination, progress)?;
        if fs::kind(&destination)?.is_some() {
            fs::exchange(&root, &destination)?;
        } else {
            fs::rename(&root, &destination)?;
        }
        self.refresh_links(&pythons, announce)?;
        // Read-only folders would otherwise stay.
        fs::remove_tree(stage.path())?;
        let installed = Installed::read(&pythons, &key).ok_or(ManagedError::InTheWay(destination))?;
        Ok(Outcome { installed, was_there: false, warnings })
    }

    /// Makes everything in the folder `stage`. Returns what is to be renamed to `destination`, and warnings.
    fn prepare(
        &self,
        build: &Build,
        stage: &Path,
        destination: &Path,
        progress: Progress<'_>,
    ) -> Result<(PathBuf, Vec<String>), ManagedError> {
        let tree = stage.join("tree");
        fs::create_dir(&tree)?;
        let transferred = self.bring(build, stage, &tree, progress)?;
        let Unpacked { root, executable } = unpack::find(build, &tree)?;
        let prefix = prefix_of(&executable);
        let unpatched = Unpatched {
            prefix: &below(&root, prefix),
            destination: &below(destination, prefix),
            build: build.build.as_deref(),
        };
        let mut warnings = patch::apply(&unpatched)?;
        let root = fs::canonicalize(&root)?;
        let inside = |path: &Path| path.strip_prefix(&root).map(Path::to_path_buf);
        // Its own name rather than that of a link to it.
        let real = inside(&fs::canonicalize(&root.join(&executable))?).unwrap_or_else(|_| executable.clone());
        let mut record = Record::of(build, transferred.sha256, real);
        write_record(&root, &record)?;
        // Everything reaches the disk while the interpreter starts.
        let interpreter = std::thread::scope(|scope| {
            let written = scope.spawn(|| fs::sync_file_system(&root));
            let interpreter = run(build, &root.join(&executable), stage);
            let written = written.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
            written.map_err(ManagedError::from).and(interpreter)
        })?;
        let Some(interpreter) = interpreter else { return Ok((root, warnings)) };
        let ensured = certificates::ensure(&interpreter)?;
        warnings.extend(ensured.warning);
        // A wrapper may have led to another one.
        let answered = inside(&interpreter.executable).unwrap_or(executable);
        let is_other = record.executable != answered;
        if is_other {
            record.executable = answered;
            write_record(&root, &record)?;
        }
        if is_other || ensured.has_changed {
            fs::sync_file_system(&root)?;
        }
        Ok((root, warnings))
    }

    /// Brings what is in the archive into the empty folder `tree`.
    fn bring(
        &self,
        build: &Build,
        stage: &Path,
        tree: &Path,
        progress: Progress<'_>,
    ) -> Result<Transferred, ManagedError> {
        let is_remote = local_path(&build.location)?.is_none();
        if let (true, Some(sha256), Some(compression)) = (is_remote, build.sha256, unpack::streamed(build)) {
            let mut unpacked = Ok(());
            let transferred = self.fetch.stream(&build.location, sha256, progress, &mut |archive| {
                unpacked = unpack::unpack_stream(archive, compression, build, tree);
            })?;
            // Whatever was wrong with another file than the expected one does not matter.
            return unpacked.map(|()| transferred);
        }
        let (archive, transferred) = self.archive(build, &stage.join("archive"), progress)?;
        unpack::unpack(&archive, build, tree)?;
        if archive.starts_with(stage) {
            // What need not be kept need not reach the disk.
            fs::remove_file(&archive)?;
        }
        Ok(transferred)
    }

    /// Brings the archive: where it is, and what is in it.
    fn archive(
        &self,
        build: &Build,
        target: &Path,
        progress: Progress<'_>,
    ) -> Result<(PathBuf, Transferred), ManagedError> {
        let Some(path) = local_path(&build.location)? else {
            let transferred = self.fetch.file(&build.location, target, build.sha256, progress)?;
            return Ok((target.to_path_buf(), transferred));
        };
        let transferred = location::hash(&path, build.sha256, progress)?;
        Ok((path, transferred))
    }

    fn refresh_links(&self, pythons: &Path, announce: &mut dyn FnMut(&str)) -> Result<(), ManagedError> {
        refresh_links(self.store, pythons, None, announce)
    }

    /// Makes the commands of an installed interpreter in `$VIRTPY_HOME/bin`: `python3.12`, and with `default` also
    /// `python3` and `python`. Returns those that could not be made because something else stands there.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn make_commands(&self, installed: &Installed, default: bool) -> Result<Vec<PathBuf>, ManagedError> {
        let Some(version) = installed.record.python_version() else { return Ok(Vec::new()) };
        let pythons = fs::canonicalize(&self.store.pythons())?;
        let own = installed.executable();
        let executable = links::through_minor(&pythons, &own);
        let threading = if installed.record.name.ends_with('t') { "t" } else { "" };
        let mut names = Vec::new();
        // An older patch release than the newest has no command of its own.
        if executable.is_some() {
            names.push(format!("python{}.{}{threading}", version.major, version.minor));
        }
        if default {
            names.extend([format!("python{}", version.major), "python".to_owned()]);
        }
        let (bin, executable) = (self.store.bin(), executable.unwrap_or(own));
        fs::create_dir_all(&bin)?;
        let mut in_the_way = Vec::new();
        for command in names.into_iter().map(|name| bin.join(name)) {
            if !links::make_command(&command, &executable, self.force)? {
                in_the_way.push(command);
            }
        }
        Ok(in_the_way)
    }
}

/// Removes what killed processes left of an interpreter whose lock the caller holds.
///
/// # Errors
/// When the folder for temporary files cannot be written.
pub(super) fn sweep_leftovers_of(store: &Store, key: &str) -> Result<(), ManagedError> {
    let prefix = stage_prefix(key);
    for name in fs::own_names(&store.temporary()) {
        if name.to_str().is_some_and(|name| name.starts_with(&prefix)) {
            fs::remove_tree(&store.temporary().join(&name))?;
        }
    }
    Ok(())
}

/// Removes what killed processes left of interpreters that nobody works on.
///
/// # Errors
/// When the folder for temporary files cannot be written.
pub(super) fn sweep(store: &Store) -> Result<(), ManagedError> {
    for name in fs::own_names(&store.temporary()) {
        let key = name.to_str().and_then(|name| name.strip_prefix(UNFINISHED)?.rsplit_once('!'));
        let Some((key, _)) = key else { continue };
        let lock = store.lock_file(LockName::Python(key));
        if let Some(_free) = Lock::try_now(&lock, LockMode::Exclusive)? {
            fs::remove_tree(&store.temporary().join(&name))?;
        }
    }
    Ok(())
}

/// How the temporary folders of one interpreter begin. No name of an interpreter has an exclamation mark.
pub(super) fn stage_prefix(key: &str) -> String {
    format!("{UNFINISHED}{key}!")
}

/// Leads the links of minor versions to what is installed now, without what is `going`.
pub(super) fn refresh_links(
    store: &Store,
    pythons: &Path,
    going: Option<&str>,
    announce: &mut dyn FnMut(&str),
) -> Result<(), ManagedError> {
    let lock = store.lock_file(LockName::Python(LINKS));
    let _lock = Lock::wait(&lock, LockMode::Exclusive, PATIENCE, announce)?;
    let temporary = store.temporary();
    fs::create_dir_all(&temporary)?;
    // A name of its own: a collection may be removing what it found here before.
    let name = format!("{}{}", stage_prefix(LINKS), std::process::id());
    links::refresh(pythons, &temporary.join(name), going)?;
    links::sweep_commands(&store.bin())?;
    Ok(())
}

/// Writes down what an unpacked interpreter is.
fn write_record(root: &Path, record: &Record) -> Result<(), ManagedError> {
    let text = serde_json::to_vec_pretty(record)
        .map_err(|error| StoreError::Damaged { id: record.name.clone(), reason: error.to_string() })?;
    fs::remove_tree(&root.join(FILE))?;
    Ok(fs::write_new(&root.join(FILE), &text, 0o644)?)
}

/// A path below a folder, or the folder itself: without the slash that joining nothing leaves.
fn below(folder: &Path, inside: &Path) -> PathBuf {
    if inside.as_os_str().is_empty() { folder.to_path_buf() } else { folder.join(inside) }
}

/// The prefix of an interpreter: the folder that its `bin` is in.
fn prefix_of(executable: &Path) -> &Path {
    let folder = executable.parent().unwrap_or(Path::new(""));
    if folder.file_name().is_some_and(|name| name == "bin") {
        folder.parent().unwrap_or(Path::new(""))
    } else {
        folder
    }
}

/// Runs what was unpacked. Its answer is not kept: it will be another one in its place. A standalone build with the expected
/// hash is what it is, so it only has to show that it runs here, unless this system's certificates are not where such builds
/// look.
fn run(build: &Build, executable: &Path, stage: &Path) -> Result<Option<Interpreter>, ManagedError> {
    let does_not_run =
        |source| ManagedError::DoesNotRun { name: build.name.clone(), source: Box::new(source) };
    let is_custom = build.source == BuildSource::Custom;
    let is_known = !is_custom && build.sha256.is_some() && certificates::are_found_by_standalone_builds();
    let (interpreter, version, free_threaded) = if is_known {
        let (version, free_threaded) = interpreters::probe_version(executable).map_err(does_not_run)?;
        (None, version, free_threaded)
    } else {
        let answer = interpreters::query(executable, &stage.join("cache")).map_err(does_not_run)?;
        let (version, free_threaded) = (answer.version.clone(), answer.free_threaded);
        (Some(answer), version, free_threaded)
    };
    let expected = build.version.parse::<interpreters::PythonVersion>().ok();
    let is_other =
        expected.is_some_and(|expected| expected != version) || build.free_threaded != free_threaded;
    if is_other && !is_custom {
        let threading = if free_threaded { "t" } else { "" };
        return Err(ManagedError::OtherVersion {
            name: build.name.clone(),
            found: format!("{version}{threading}"),
        });
    }
    Ok(interpreter)
}
