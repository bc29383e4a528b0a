//! Bringing what was resolved into the store: what is there is taken, the rest is fetched or built, unpacked on
//! worker threads while the next download runs, and published as soon as it may be.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::SystemTime;

use virtpy_resolver::{Artifact, ObtainedWheel, Package, Receiver, Resolution, Session};

use super::built::BuiltWheels;
use super::inputs::BuildInputs;
use super::kept;
use super::publication::PublicationOrder;
use super::remote::{self, Arrival, ArrivalReceiver, Made, RemoteSupply};
use super::sights::Sights;
use super::unpacking::{Deliveries, Delivery, Taken, Unpacked, Unpacking, check_metadata, label};
use super::{Reporter, ResolveError};
use virtpy_pep::{Sha256Digest, WheelHash};
use virtpy_store::{Entry, EntryId, Store, WheelFile};

/// Where packages come from and go to.
pub(crate) struct FetchContext<'a> {
    /// The store.
    pub store: &'a Store,
    /// The indexes, and what builds; without it, what neither the store nor the remote has does not come.
    pub session: Option<&'a Session>,
    /// What tells this interpreter's builds from another's.
    pub interpreter: &'a str,
    /// When the resolver was asked.
    pub since: SystemTime,
    /// Who hears of progress.
    pub reporter: &'a dyn Reporter,
    /// What is asked before indexes are, and before anything is built.
    pub remote: Option<RemoteSupply<'a>>,
}

/// A package's entry.
#[derive(Debug, Clone)]
pub(crate) struct Obtained {
    /// The index of the package in the resolution.
    pub package: usize,
    /// Its entry.
    pub entry: Entry,
    /// How it came.
    pub origin: Origin,
    /// The text of its `direct_url.json` (PEP 610), if it did not come from an index.
    pub direct_url: Option<String>,
}

/// How an entry came to be at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The store had it.
    Store,
    /// Its wheel was downloaded, or taken from where it lay on this machine.
    Downloaded,
    /// Its wheel was built from source.
    Built,
}

/// Returns the entries of the packages at `indices`, in their order: of all of them, if indexes may be asked.
///
/// # Errors
/// When one cannot be fetched, built, verified or unpacked; the store then holds complete entries only.
pub(crate) fn obtain(
    supply: &FetchContext<'_>,
    resolution: &Resolution,
    indices: &[usize],
    announce: &mut dyn FnMut(&str),
) -> Result<Vec<Obtained>, ResolveError> {
    let mut found = BTreeMap::new();
    let mut wanted = look_up(supply, resolution, indices, &mut found)?;
    if !wanted.is_empty() {
        let ids = wanted.iter().map(|index| lock_id(&resolution.packages[*index])).collect();
        let _locks = supply.store.lock_entries(ids, announce)?;
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
    package.file.sha256().is_some_and(|sha256| matches!(store.entry(&sha256), Ok(Some(_))))
}

/// Takes what the store has; returns the indices of the rest.
fn look_up(
    supply: &FetchContext<'_>,
    resolution: &Resolution,
    indices: &[usize],
    found: &mut BTreeMap<usize, Obtained>,
) -> Result<Vec<usize>, ResolveError> {
    let built = BuiltWheels::new(supply.store, supply.interpreter);
    let known = |index: &usize| known_sha256(supply, &built, resolution, *index);
    let known: Vec<Option<WheelHash>> = indices.iter().map(known).collect();
    let entries = supply.store.usable(&known)?;
    let mut wanted = Vec::new();
    for (&index, entry) in indices.iter().zip(entries) {
        // A hash that is another package's is wrong, which the bytes will tell.
        match entry.filter(|entry| entry.package == resolution.packages[index].name) {
            Some(entry) => {
                check_metadata(resolution, index, &entry.manifest.metadata_in(&entry.path))?;
                let direct_url = direct_url(&resolution.packages[index], &entry, None);
                found.insert(index, Obtained { package: index, entry, origin: Origin::Store, direct_url });
            }
            None => wanted.push(index),
        }
    }
    Ok(wanted)
}

/// The SHA-256 of a package's wheel, as far as it is known before anything is fetched, built or hashed.
fn known_sha256(
    supply: &FetchContext<'_>,
    built: &BuiltWheels<'_>,
    resolution: &Resolution,
    index: usize,
) -> Option<WheelHash> {
    match &resolution.packages[index].file {
        Artifact::Wheel { sha256: Some(sha256), .. } => Some(*sha256),
        Artifact::Wheel { local: Some(path), .. } if resolution.takes_any_file(index) => {
            supply.store.sha256_of_known(path)
        }
        Artifact::Source { key: Some(key), .. } => built.get(key),
        Artifact::Source { directory: Some(directory), editable, .. } => {
            let inputs = BuildInputs::of(directory, *editable)?;
            let sha256 = inputs.known_wheel(built)?;
            inputs.note_asked(built, supply.since);
            Some(sha256)
        }
        Artifact::Wheel { .. } | Artifact::Source { .. } => None,
    }
}

/// The text of a package's `direct_url.json`: a wheel that came from a URL or a path is the archive itself.
fn direct_url(package: &Package, entry: &Entry, archive: Option<Sha256Digest>) -> Option<String> {
    let archive = if package.file.is_source() { archive } else { Some(entry.manifest.sha256.into()) };
    package.direct_url_with(archive).map(|value| value.to_string())
}

/// What stands for a package's future entry among processes.
fn lock_id(package: &Package) -> EntryId {
    match &package.file {
        Artifact::Wheel { sha256: Some(sha256), .. } => EntryId::of(sha256),
        Artifact::Wheel { location, .. } => EntryId::of_text(location),
        Artifact::Source { key: Some(key), .. } => EntryId::of_text(key),
        Artifact::Source { description, .. } => EntryId::of_text(description),
    }
}

/// Fetches and unpacks, both at once, the largest first. Each wheel is published as soon as it is unpacked and something that was
/// read requires it, so that an interrupted command has not worked in vain.
fn fetch(
    supply: &FetchContext<'_>,
    resolution: &Resolution,
    wanted: &[usize],
) -> Result<Vec<Obtained>, ResolveError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let folder = supply.store.temporary_folder()?;
    let sights = Sights::of(resolution, wanted);
    let threads = virtpy_files::processors().clamp(2, 8);
    let (deliver, deliveries) = channel::<Delivery>();
    let (hand_back, handed_back) = channel::<Result<Unpacked, ResolveError>>();
    let deliveries = Mutex::new(Deliveries::new(deliveries));
    let FetchContext { store, remote, reporter, .. } = *supply;
    let order = Mutex::new(PublicationOrder::new(&resolution.packages, wanted));
    let unpacking = Unpacking { store, remote, reporter, resolution, sights: &sights, order };
    let fetched: Result<(), ResolveError> = std::thread::scope(|scope| {
        for _ in 0..threads.min(wanted.len()) {
            let (unpacking, hand_back, deliveries) = (&unpacking, hand_back.clone(), &deliveries);
            scope.spawn(move || unpacking.unpack_all(deliveries, &hand_back));
        }
        drop(hand_back);
        let receiver = WheelReceiver { supply, resolution, deliver: Mutex::new(deliver) };
        let mut absent = receiver.bring_kept(wanted)?;
        if absent.is_empty() {
            return Ok(());
        }
        supply.reporter.expect(absent.len());
        absent = receiver.bring_from_remote(absent, folder.path());
        absent.sort_by_key(|index| Reverse(resolution.packages[*index].file.size()));
        match supply.session {
            Some(session) => Ok(session.obtain(resolution, &absent, folder.path(), &receiver)?),
            None => Ok(()),
        }
    });
    let unpacked = handed_back.into_iter().collect::<Result<Vec<_>, _>>();
    fetched?;
    let mut unpacked = unpacked?;
    unpacked.extend(unpacking.publish_rest()?);
    if let Some(remote) = supply.remote {
        let made: Vec<Made> = unpacked.iter_mut().filter_map(|one| one.made.take()).collect();
        if let Some(trouble) = remote::see_off(remote, supply.store, resolution, &made) {
            supply.reporter.warning(&format!("what is new was not pushed: {trouble}"));
        }
    }
    let obtained: Vec<Obtained> = unpacked.into_iter().map(|one| obtained(supply, resolution, one)).collect();
    let built = BuiltWheels::new(supply.store, supply.interpreter);
    for one in &obtained {
        sights.remember(one.package, &one.entry.manifest.sha256, &built, supply.since);
    }
    Ok(obtained)
}

/// Tells what there is to tell of a package that came, and remembers what was built.
fn obtained(supply: &FetchContext<'_>, resolution: &Resolution, unpacked: Unpacked) -> Obtained {
    let Unpacked { package, taken: Taken { entry, was_stored, warnings }, archive, from_remote, .. } =
        unpacked;
    let described = &resolution.packages[package];
    for warning in &warnings {
        supply.reporter.warning(&format!("{}: {warning}", label(described)));
    }
    let origin = match &described.file {
        Artifact::Source { key, .. } => {
            if let Some(key) = key {
                BuiltWheels::new(supply.store, supply.interpreter).put(key, &entry.manifest.sha256);
            }
            if from_remote { Origin::Downloaded } else { Origin::Built }
        }
        Artifact::Wheel { .. } if was_stored => Origin::Store,
        Artifact::Wheel { .. } => Origin::Downloaded,
    };
    let direct_url = direct_url(described, &entry, archive);
    Obtained { package, entry, origin, direct_url }
}

/// Carries finished wheels from the facade to the unpacking threads, and tells the reporter.
struct WheelReceiver<'a> {
    supply: &'a FetchContext<'a>,
    resolution: &'a Resolution,
    deliver: Mutex<Sender<Delivery>>,
}

impl WheelReceiver<'_> {
    fn label(&self, index: usize) -> String {
        label(&self.resolution.packages[index])
    }

    fn deliver(&self, delivery: Delivery) -> Result<(), ResolveError> {
        let deliver = self.deliver.lock().map_err(|_| ResolveError::Interrupted)?;
        deliver.send(delivery).map_err(|_| ResolveError::Interrupted)
    }

    /// Delivers what a killed command had downloaded; returns the indices of the rest.
    fn bring_kept(&self, wanted: &[usize]) -> Result<Vec<usize>, ResolveError> {
        let mut absent = Vec::new();
        for &package in wanted {
            let described = &self.resolution.packages[package];
            match kept::take(self.supply.store, described) {
                Some(wheel) => {
                    let size = described.file.size().unwrap_or_default();
                    let from_remote = false;
                    self.deliver(Delivery {
                        package,
                        size,
                        wheel,
                        temporary: true,
                        archive: None,
                        from_remote,
                    })?;
                }
                None => absent.push(package),
            }
        }
        Ok(absent)
    }

    /// Delivers what the remote has; returns the indices of the rest.
    fn bring_from_remote(&self, wanted: Vec<usize>, folder: &Path) -> Vec<usize> {
        let Some(supply) = self.supply.remote else { return wanted };
        let take = |arrival: Arrival| {
            let Arrival { package, size, wheel, archive } = arrival;
            self.deliver(Delivery { package, size, wheel, temporary: true, archive, from_remote: true })
                .is_ok()
        };
        let receiver = ArrivalReceiver { reporter: self.supply.reporter, take: &take };
        let absent = remote::bring(supply, self.resolution, &wanted, folder, receiver);
        for news in supply.remote.news() {
            self.supply.reporter.warning(&news);
        }
        absent
    }
}

impl Receiver for WheelReceiver<'_> {
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
        let package = &self.resolution.packages[index];
        let path =
            if wheel.temporary { kept::keep(self.supply.store, package, wheel.path) } else { wheel.path };
        self.deliver(Delivery {
            package: index,
            size: wheel.size,
            temporary: wheel.temporary,
            archive: wheel.archive_sha256,
            from_remote: false,
            wheel: WheelFile {
                path,
                filename: wheel.filename,
                sha256: wheel.sha256,
                origin: wheel.origin,
                indexes: package.indexes.clone(),
            },
        })?;
        Ok(())
    }
}
