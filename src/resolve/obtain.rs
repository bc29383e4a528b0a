//! Bringing what was resolved into the store: what is there is taken, the rest is fetched or built, unpacked on
//! worker threads while the next download runs, and published as one batch.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver as Queue, Sender, channel};

use virtpy_resolver::{Artifact, ObtainedWheel, Package, Receiver, Resolution, Session, normalize_name};

use super::built::BuiltWheels;
use super::{Reporter, ResolveError};
use crate::fs;
use crate::store::{Entry, Staged, Store, WheelFile};

/// Where packages come from and go to.
pub struct Supply<'a> {
    /// The store.
    pub store: &'a Store,
    /// The indexes.
    pub session: &'a Session,
    /// What tells this interpreter's builds from another's.
    pub interpreter: &'a str,
    /// Who hears of progress.
    pub reporter: &'a dyn Reporter,
}

/// A package's entry.
#[derive(Debug, Clone)]
pub struct Obtained {
    /// The index of the package in the resolution.
    pub package: usize,
    /// Its entry.
    pub entry: Entry,
    /// How it came.
    pub way: Way,
}

/// How an entry came to be at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
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
pub fn obtain(
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
        for (package, entry) in fetch(supply, resolution, &wanted)? {
            let way = match resolution.packages[package].file {
                Artifact::Wheel { .. } => Way::Fetched,
                Artifact::Source { .. } => Way::Built,
            };
            found.insert(package, Obtained { package, entry, way });
        }
    }
    Ok(indices.iter().filter_map(|index| found.remove(index)).collect())
}

/// Whether the store has a package's wheel already, so that nothing would be downloaded or built for it.
pub fn is_at_hand(store: &Store, package: &Package) -> bool {
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
    let mut wanted = Vec::new();
    for &index in indices {
        let sha256 = match &resolution.packages[index].file {
            Artifact::Wheel { sha256, .. } => sha256.clone(),
            Artifact::Source { key, .. } => key.as_deref().and_then(|key| built.get(key)),
        };
        let entry = match &sha256 {
            Some(sha256) => supply.store.entry(sha256)?,
            None => None,
        };
        // A hash that is another package's is wrong, which the bytes will tell.
        match entry.filter(|entry| is_of(entry, &resolution.packages[index])) {
            Some(entry) => drop(found.insert(index, Obtained { package: index, entry, way: Way::Store })),
            None => wanted.push(index),
        }
    }
    let entries: Vec<&Entry> = found.values().map(|obtained| &obtained.entry).collect();
    supply.store.check_since_boot(&entries, &supply.store.checked())?;
    Ok(wanted)
}

/// Whether an entry is of this package.
fn is_of(entry: &Entry, package: &Package) -> bool {
    normalize_name(&entry.manifest.name).is_ok_and(|name| name == package.name)
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
}

type Unpacked = Result<(usize, Staged), ResolveError>;

/// Fetches and unpacks, both at once, and publishes everything together.
fn fetch(
    supply: &Supply<'_>,
    resolution: &Resolution,
    wanted: &[usize],
) -> Result<Vec<(usize, Entry)>, ResolveError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let folder = supply.store.temporary_folder()?;
    let threads = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 8);
    let (deliver, deliveries) = channel::<Delivery>();
    let (hand_back, handed_back) = channel::<Unpacked>();
    let deliveries = Mutex::new(deliveries);
    let fetched = std::thread::scope(|scope| {
        for _ in 0..threads.min(wanted.len()) {
            let hand_back = hand_back.clone();
            let deliveries = &deliveries;
            scope.spawn(move || unpack_all(supply, deliveries, &hand_back));
        }
        drop(hand_back);
        let courier = Courier { supply, resolution, deliver: Mutex::new(deliver) };
        supply.session.obtain(resolution, wanted, folder.path(), &courier)
    });
    let unpacked = handed_back.into_iter().collect::<Result<Vec<_>, _>>();
    fetched?;
    publish(supply, resolution, unpacked?)
}

fn publish(
    supply: &Supply<'_>,
    resolution: &Resolution,
    unpacked: Vec<(usize, Staged)>,
) -> Result<Vec<(usize, Entry)>, ResolveError> {
    let (packages, staged): (Vec<usize>, Vec<Staged>) = unpacked.into_iter().unzip();
    for (package, staged) in packages.iter().zip(&staged) {
        for warning in &staged.warnings {
            supply.reporter.warning(&format!("{}: {warning}", label(&resolution.packages[*package])));
        }
    }
    let entries = supply.store.publish(staged)?;
    let built = BuiltWheels::new(supply.store, supply.interpreter);
    for (package, entry) in packages.iter().zip(&entries) {
        if let Artifact::Source { key: Some(key), .. } = &resolution.packages[*package].file {
            built.put(key, &entry.manifest.sha256);
        }
    }
    Ok(packages.into_iter().zip(entries).collect())
}

/// The work of one thread: unpack whatever is delivered, until nothing more comes.
fn unpack_all(supply: &Supply<'_>, deliveries: &Mutex<Queue<Delivery>>, hand_back: &Sender<Unpacked>) {
    loop {
        let delivery = match deliveries.lock() {
            Ok(queue) => queue.recv(),
            Err(_) => return,
        };
        let Ok(delivery) = delivery else { return };
        let staged = supply
            .store
            .stage(&delivery.wheel)
            .map_err(|source| ResolveError::Unpack { package: delivery.label.clone(), source });
        if delivery.temporary {
            // The folder it lies in is removed anyway; this only gives the space back early.
            let _ = fs::remove_file(&delivery.wheel.path);
        }
        supply.reporter.finished(&delivery.label);
        if hand_back.send(staged.map(|staged| (delivery.package, staged))).is_err() {
            return;
        }
    }
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
            wheel: WheelFile {
                path: wheel.path,
                filename: wheel.filename,
                sha256: wheel.sha256,
                origin: wheel.origin,
            },
        };
        let deliver = self.deliver.lock().map_err(|_| ResolveError::Interrupted)?;
        deliver.send(delivery).map_err(|_| ResolveError::Interrupted)?;
        Ok(())
    }
}
