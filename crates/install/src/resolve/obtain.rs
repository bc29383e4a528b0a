//! Bringing what was resolved into the store: what is there is taken, the rest is fetched or built, unpacked on
//! worker threads while the next download runs, and published as one batch.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver as Queue, Sender, channel};
use std::time::SystemTime;

use virtpy_resolver::{Artifact, ObtainedWheel, Package, Receiver, Resolution, Session};

use super::built::BuiltWheels;
use super::inputs::BuildInputs;
use super::{Reporter, ResolveError};
use virtpy_files as fs;
use virtpy_files::digest::{hex, sha256};
use virtpy_store::{Entry, Sight, Staged, Store, WheelFile};

/// Where packages come from and go to.
pub(crate) struct Supply<'a> {
    /// The store.
    pub store: &'a Store,
    /// The indexes.
    pub session: &'a Session,
    /// What tells this interpreter's builds from another's.
    pub interpreter: &'a str,
    /// When the resolver was asked.
    pub since: SystemTime,
    /// Who hears of progress.
    pub reporter: &'a dyn Reporter,
}

/// A package's entry.
#[derive(Debug, Clone)]
pub(crate) struct Obtained {
    /// The index of the package in the resolution.
    pub package: usize,
    /// Its entry.
    pub entry: Entry,
    /// How it came.
    pub way: Way,
    /// The text of its `direct_url.json` (PEP 610), if it did not come from an index.
    pub direct_url: Option<String>,
}

/// How an entry came to be at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// The store had it.
    Store,
    /// Its wheel was downloaded, or taken from where it lay on this machine.
    Fetched,
    /// Its wheel was built from source.
    Built,
}

/// Returns the entries of the packages at `indices`, in their order.
///
/// # Errors
/// When one cannot be fetched, built, verified or unpacked; the store then holds complete entries only.
pub(crate) fn obtain(
    supply: &Supply<'_>,
    resolution: &Resolution,
    indices: &[usize],
    announce: &mut dyn FnMut(&str),
) -> Result<Vec<Obtained>, ResolveError> {
    let mut found = BTreeMap::new();
    let mut wanted = look_up(supply, resolution, indices, &mut found)?;
    if !wanted.is_empty() {
        let keys = wanted.iter().map(|index| lock_key(&resolution.packages[*index])).collect();
        let _locks = supply.store.lock_entries(keys, announce)?;
        // Another process may have brought them while this one waited.
        wanted = look_up(supply, resolution, &wanted, &mut found)?;
        for obtained in fetch(supply, resolution, &wanted)? {
            found.insert(obtained.package, obtained);
        }
    }
    Ok(indices.iter().filter_map(|index| found.remove(index)).collect())
}

/// Whether the store has a package's wheel already, so that nothing would be downloaded or built for it.
pub(crate) fn is_at_hand(store: &Store, package: &Package) -> bool {
    package.file.sha256().is_some_and(|sha256| matches!(store.entry(sha256), Ok(Some(_))))
}

/// Takes what the store has; returns the indices of the rest.
fn look_up(
    supply: &Supply<'_>,
    resolution: &Resolution,
    indices: &[usize],
    found: &mut BTreeMap<usize, Obtained>,
) -> Result<Vec<usize>, ResolveError> {
    let built = BuiltWheels::new(supply.store, supply.interpreter);
    let known = |index: &usize| known_sha256(supply, &built, resolution, *index);
    let known: Vec<Option<String>> = indices.iter().map(known).collect();
    let entries = supply.store.usable(&known.iter().map(Option::as_deref).collect::<Vec<_>>())?;
    let mut wanted = Vec::new();
    for (&index, entry) in indices.iter().zip(entries) {
        // A hash that is another package's is wrong, which the bytes will tell.
        match entry.filter(|entry| is_of(entry, &resolution.packages[index])) {
            Some(entry) => {
                check_metadata(resolution, index, &entry.manifest.metadata_in(&entry.path))?;
                let direct_url = direct_url(&resolution.packages[index], &entry, None);
                found.insert(index, Obtained { package: index, entry, way: Way::Store, direct_url });
            }
            None => wanted.push(index),
        }
    }
    Ok(wanted)
}

/// The SHA-256 of a package's wheel, as far as it is known before anything is fetched, built or hashed.
fn known_sha256(
    supply: &Supply<'_>,
    built: &BuiltWheels<'_>,
    resolution: &Resolution,
    index: usize,
) -> Option<String> {
    match &resolution.packages[index].file {
        Artifact::Wheel { sha256: Some(sha256), .. } => Some(sha256.clone()),
        Artifact::Wheel { local: Some(path), .. } if resolution.takes_any_file(index) => {
            supply.store.sha256_of_known(path)
        }
        Artifact::Wheel { .. } => None,
        Artifact::Source { key: Some(key), .. } => built.get(key),
        Artifact::Source { directory: Some(directory), editable, .. } => {
            let inputs = BuildInputs::of(directory, *editable)?;
            let sha256 = built.get(&inputs.key())?;
            inputs.note_asked(built, supply.since);
            Some(sha256)
        }
        Artifact::Source { .. } => None,
    }
}

/// Compares a wheel's own METADATA with what its package was chosen by. The hash tells without reading it where the index gave
/// one.
fn check_metadata(resolution: &Resolution, package: usize, path: &Path) -> Result<(), ResolveError> {
    if resolution.packages[package].file.is_source() {
        return Ok(());
    }
    let content = fs::read(path)?;
    let expected = resolution.metadata_sha256(package);
    if expected.is_some_and(|expected| hex(&sha256(&content)) == expected) {
        return Ok(());
    }
    Ok(resolution.check_metadata(package, &content)?)
}

/// The text of a package's `direct_url.json`: a wheel that came from a URL or a path is the archive itself.
fn direct_url(package: &Package, entry: &Entry, archive: Option<&str>) -> Option<String> {
    let archive = if package.file.is_source() { archive } else { Some(entry.manifest.sha256.as_str()) };
    package.direct_url_with(archive).map(|value| value.to_string())
}

/// Whether an entry is of this package.
fn is_of(entry: &Entry, package: &Package) -> bool {
    entry.package_name().is_ok_and(|name| name == package.name)
}

/// What stands for a package's future entry among processes.
fn lock_key(package: &Package) -> String {
    match &package.file {
        Artifact::Wheel { sha256: Some(sha256), .. } => sha256.clone(),
        Artifact::Wheel { location, .. } => location.clone(),
        Artifact::Source { key: Some(key), .. } => key.clone(),
        Artifact::Source { description, .. } => description.clone(),
    }
}

fn label(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// A wheel on its way to the unpacking threads.
struct Delivery {
    package: usize,
    label: String,
    wheel: WheelFile,
    temporary: bool,
    archive: Option<String>,
}

/// A package whose wheel is in the store, or lies unpacked beside it.
struct Unpacked {
    package: usize,
    content: Content,
    /// The SHA-256 of the archive that the wheel was built from.
    archive: Option<String>,
}

/// Where a wheel's content is.
enum Content {
    /// In the store already, as its hash has shown.
    Stored(Box<Entry>),
    Staged(Staged),
}

/// What was seen of the files and directories of this machine that wheels come from, before anything was made of them.
struct Sights {
    files: BTreeMap<usize, Sight>,
    directories: BTreeMap<usize, BuildInputs>,
}

impl Sights {
    fn of(resolution: &Resolution, wanted: &[usize]) -> Self {
        let (mut files, mut directories) = (BTreeMap::new(), BTreeMap::new());
        for index in wanted {
            match &resolution.packages[*index].file {
                Artifact::Wheel { local: Some(path), .. } => {
                    files.extend(Sight::of(path).map(|sight| (*index, sight)));
                }
                Artifact::Source { directory: Some(directory), editable, .. } => {
                    directories.extend(BuildInputs::of(directory, *editable).map(|inputs| (*index, inputs)));
                }
                Artifact::Wheel { .. } | Artifact::Source { .. } => {}
            }
        }
        Self { files, directories }
    }

    /// Remembers what came of them, where they did not change meanwhile.
    fn remember(&self, supply: &Supply<'_>, obtained: &[Obtained]) {
        let built = BuiltWheels::new(supply.store, supply.interpreter);
        for one in obtained {
            let sha256 = &one.entry.manifest.sha256;
            if let Some(sight) = self.files.get(&one.package) {
                supply.store.remember_file(sight, sha256);
            }
            let inputs = self.directories.get(&one.package);
            if let Some(inputs) = inputs.filter(|inputs| inputs.are_unchanged_since(supply.since)) {
                built.put(&inputs.key(), sha256);
                inputs.note_asked(&built, supply.since);
            }
        }
    }
}

/// Fetches and unpacks, both at once, and publishes everything together.
fn fetch(
    supply: &Supply<'_>,
    resolution: &Resolution,
    wanted: &[usize],
) -> Result<Vec<Obtained>, ResolveError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let folder = supply.store.temporary_folder()?;
    let sights = Sights::of(resolution, wanted);
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let (deliver, deliveries) = channel::<Delivery>();
    let (hand_back, handed_back) = channel::<Result<Unpacked, ResolveError>>();
    let deliveries = Mutex::new(deliveries);
    let fetched = std::thread::scope(|scope| {
        for _ in 0..threads.min(wanted.len()) {
            let hand_back = hand_back.clone();
            let (deliveries, sights) = (&deliveries, &sights);
            scope.spawn(move || unpack_all(supply, sights, deliveries, &hand_back));
        }
        drop(hand_back);
        let courier = Courier { supply, resolution, deliver: Mutex::new(deliver) };
        supply.session.obtain(resolution, wanted, folder.path(), &courier)
    });
    let unpacked = handed_back.into_iter().collect::<Result<Vec<_>, _>>();
    fetched?;
    let obtained = publish(supply, resolution, unpacked?)?;
    sights.remember(supply, &obtained);
    Ok(obtained)
}

fn publish(
    supply: &Supply<'_>,
    resolution: &Resolution,
    unpacked: Vec<Unpacked>,
) -> Result<Vec<Obtained>, ResolveError> {
    let (mut batch, mut of_batch, mut obtained) =
        (Vec::new(), Vec::new(), Vec::with_capacity(unpacked.len()));
    for Unpacked { package, content, archive } in unpacked {
        match content {
            Content::Stored(entry) => {
                check_metadata(resolution, package, &entry.manifest.metadata_in(&entry.path))?;
                let way = if resolution.packages[package].file.is_source() { Way::Built } else { Way::Store };
                let direct_url = direct_url(&resolution.packages[package], &entry, archive.as_deref());
                obtained.push(Obtained { package, entry: *entry, way, direct_url });
            }
            Content::Staged(staged) => {
                check_metadata(resolution, package, &staged.metadata_path())?;
                for warning in &staged.warnings {
                    supply.reporter.warning(&format!("{}: {warning}", label(&resolution.packages[package])));
                }
                batch.push(staged);
                of_batch.push((package, archive));
            }
        }
    }
    let entries = supply.store.publish(batch)?;
    obtained.extend(of_batch.into_iter().zip(entries).map(|((package, archive), entry)| {
        let described = &resolution.packages[package];
        let way = if described.file.is_source() { Way::Built } else { Way::Fetched };
        let direct_url = direct_url(described, &entry, archive.as_deref());
        Obtained { package, entry, way, direct_url }
    }));
    let built = BuiltWheels::new(supply.store, supply.interpreter);
    for one in &obtained {
        if let Artifact::Source { key: Some(key), .. } = &resolution.packages[one.package].file {
            built.put(key, &one.entry.manifest.sha256);
        }
    }
    Ok(obtained)
}

/// The work of one thread: unpack whatever is delivered, until nothing more comes.
fn unpack_all(
    supply: &Supply<'_>,
    sights: &Sights,
    deliveries: &Mutex<Queue<Delivery>>,
    hand_back: &Sender<Result<Unpacked, ResolveError>>,
) {
    loop {
        let delivery = match deliveries.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(delivery) = delivery else { return };
        let content = content_of(supply.store, &delivery, sights.files.get(&delivery.package));
        if delivery.temporary {
            // The folder it lies in is removed anyway; this only gives the space back early.
            let _ = fs::remove_file(&delivery.wheel.path);
        }
        supply.reporter.finished(&delivery.label);
        let Delivery { package, archive, .. } = delivery;
        if hand_back.send(content.map(|content| Unpacked { package, content, archive })).is_err() {
            return;
        }
    }
}

/// Takes a wheel whose hash is known by now from the store, or else unpacks it.
fn content_of(store: &Store, delivery: &Delivery, sight: Option<&Sight>) -> Result<Content, ResolveError> {
    let sha256 = delivery.wheel.sha256.as_str();
    let stored = store.has(sha256).then(|| store.usable(&[Some(sha256)]).unwrap_or_default());
    if let Some(entry) = stored.into_iter().flatten().flatten().next() {
        return Ok(Content::Stored(Box::new(entry)));
    }
    let staged = store
        .stage(&delivery.wheel)
        .map_err(|source| ResolveError::Unpack { package: delivery.label.clone(), source })?;
    // It was hashed first and unpacked then: what was unpacked has to be what was hashed.
    if sight.is_some_and(|sight| !sight.is_current()) {
        return Err(ResolveError::Exchanged { path: delivery.wheel.path.clone() });
    }
    Ok(Content::Staged(staged))
}

/// Carries finished wheels from the facade to the unpacking threads, and tells the reporter.
struct Courier<'a> {
    supply: &'a Supply<'a>,
    resolution: &'a Resolution,
    deliver: Mutex<Sender<Delivery>>,
}

impl Courier<'_> {
    fn label(&self, index: usize) -> String {
        label(&self.resolution.packages[index])
    }
}

impl Receiver for Courier<'_> {
    fn started(&self, index: usize, bytes: Option<u64>) {
        self.supply.reporter.download_started(&self.label(index), bytes);
    }

    fn progress(&self, index: usize, bytes: u64) {
        self.supply.reporter.downloaded(&self.label(index), bytes);
    }

    fn building(&self, index: usize) {
        self.supply.reporter.build_started(&self.label(index));
    }

    fn finished(
        &self,
        index: usize,
        wheel: ObtainedWheel,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let delivery = Delivery {
            package: index,
            label: self.label(index),
            temporary: wheel.temporary,
            archive: wheel.archive_sha256,
            wheel: WheelFile {
                path: wheel.path,
                filename: wheel.filename,
                sha256: wheel.sha256,
                origin: wheel.origin,
                indexes: self.resolution.packages[index].indexes.clone(),
            },
        };
        let deliver = self.deliver.lock().map_err(|_| ResolveError::Interrupted)?;
        deliver.send(delivery).map_err(|_| ResolveError::Interrupted)?;
        Ok(())
    }
}
