//! What a remote has of what would be fetched from an index or built, and what goes there of what was.
//!
//! The remote is asked first and never waited for long: what it lacks or what is refused comes from the index, or is built, as
//! without it. A wheel of an index is taken by the hash that the index or a lock file gave; a build by a record that somebody
//! trusted has signed.

use std::cmp::Reverse;
use std::path::Path;

use virtpy_pep::{Sha256Digest, WheelName};
use virtpy_remote::{BuildKey, BuildRecord, NewObject, Remote, WantedWheel, WheelReceiver};
use virtpy_resolver::{Artifact, KnownWheel, ObtainedWheel, Package, Resolution};

use super::Reporter;
use super::unpushed::Unpushed;
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_store::{Store, WheelFile};

/// The most bytes of a wheel that the store had, and of which only the hash is known.
const LARGEST_KNOWN: u64 = 10_000_000_000;

/// A remote, as far as fetching is concerned.
#[derive(Clone, Copy)]
pub(crate) struct RemoteSupply<'a> {
    /// The remote.
    pub remote: &'a Remote,
    /// For whom is built.
    pub target: &'a BuildTarget,
    /// The most bytes of a wheel.
    pub limit: u64,
}

/// What tells builds for one interpreter on one kind of machine from others.
#[derive(Debug, Clone)]
pub(crate) struct BuildTarget {
    interpreter: String,
    platform: String,
}

impl BuildTarget {
    pub(crate) fn of(interpreter: &Interpreter) -> Self {
        let abi = interpreter.soabi.as_deref().unwrap_or(&interpreter.abi_flags);
        let libc = match (&interpreter.libc, interpreter.macos) {
            (Some(libc), _) => format!("{}-{}.{}", libc.family, libc.major, libc.minor),
            (None, Some((major, minor))) => format!("macos-{major}.{minor}"),
            (None, None) => "unknown".to_owned(),
        };
        Self {
            interpreter: format!("{} {} {abi}", interpreter.implementation, interpreter.tag()),
            // What is compiled on a newer C library does not run on an older one.
            platform: format!("{} {libc}", interpreter.platform),
        }
    }

    /// The key of a package's build; `None` for what is not built as everybody builds it, or may be another one the next time.
    fn key(&self, package: &Package) -> Option<BuildKey> {
        match &package.file {
            Artifact::Source { key: Some(source), editable: false, .. } => Some(BuildKey {
                source: source.clone(),
                interpreter: self.interpreter.clone(),
                platform: self.platform.clone(),
            }),
            _ => None,
        }
    }
}

/// A wheel that came from the remote.
pub(super) struct Arrival {
    /// The place of its package in the resolution.
    pub package: usize,
    /// Its size in bytes.
    pub size: u64,
    /// The wheel.
    pub wheel: WheelFile,
    /// The SHA-256 of the archive that it was built from.
    pub archive: Option<Sha256Digest>,
}

/// Who hears of what comes from the remote, and takes it.
#[derive(Clone, Copy)]
pub(super) struct ArrivalReceiver<'a> {
    /// Hears of progress.
    pub reporter: &'a dyn Reporter,
    /// Takes a wheel, and says whether the others are still wanted.
    pub take: &'a dyn Fn(Arrival) -> bool,
}

/// What is asked of the remote, and for which package.
struct Offer {
    package: usize,
    filename: String,
    wanted: WantedWheel,
}

/// Fetches what the remote has, and hands it over as it comes; returns the indices of the rest.
pub(super) fn bring(
    supply: RemoteSupply<'_>,
    resolution: &Resolution,
    wanted: &[usize],
    folder: &Path,
    receiver: ArrivalReceiver<'_>,
) -> Vec<usize> {
    let mut offers = by_hash(supply, resolution, wanted, folder);
    offers.extend(by_record(supply, resolution, wanted, folder));
    // As from an index: no large one may come alone at the end.
    offers.sort_by_key(|offer| Reverse(offer.wanted.size));
    let wheels: Vec<WantedWheel> = offers.iter().map(|offer| offer.wanted.clone()).collect();
    let absent = supply.remote.fetch_wheels(&wheels, &Listening { offers: &offers, resolution, receiver });
    let came = offers.iter().enumerate().filter(|(index, _)| !absent.contains(index));
    let came: Vec<usize> = came.map(|(_, offer)| offer.package).collect();
    wanted.iter().copied().filter(|index| !came.contains(index)).collect()
}

/// The wheels whose hashes are known.
fn by_hash(supply: RemoteSupply<'_>, resolution: &Resolution, wanted: &[usize], folder: &Path) -> Vec<Offer> {
    let offer = |package: &usize| match &resolution.packages[*package].file {
        Artifact::Wheel { sha256: Some(sha256), local: None, filename, size, .. } => Some(Offer {
            package: *package,
            filename: filename.clone(),
            wanted: WantedWheel {
                sha256: *sha256,
                size: *size,
                limit: supply.limit,
                path: folder.join(format!("remote-{package}")),
            },
        }),
        _ => None,
    };
    wanted.iter().filter_map(offer).collect()
}

/// The wheels that sources gave before.
fn by_record(
    supply: RemoteSupply<'_>,
    resolution: &Resolution,
    wanted: &[usize],
    folder: &Path,
) -> Vec<Offer> {
    let key = |index: &usize| Some((*index, supply.target.key(&resolution.packages[*index])?));
    let (places, keys): (Vec<usize>, Vec<BuildKey>) = wanted.iter().filter_map(key).unzip();
    let records = supply.remote.builds(&keys);
    let offer = |(package, record): (usize, Option<BuildRecord>)| {
        let record = record.filter(|record| is_of(record, &resolution.packages[package]))?;
        Some(Offer {
            package,
            wanted: WantedWheel {
                sha256: record.wheel_sha256,
                size: Some(record.size),
                limit: supply.limit,
                path: folder.join(format!("remote-{package}")),
            },
            filename: record.filename,
        })
    };
    places.into_iter().zip(records).filter_map(offer).collect()
}

/// Whether a record tells of a wheel of this very package.
fn is_of(record: &BuildRecord, package: &Package) -> bool {
    let name = WheelName::parse(&record.filename);
    name.is_ok_and(|name| name.name == package.name && name.has_version(&package.version))
}

/// Hands on what comes.
struct Listening<'a> {
    offers: &'a [Offer],
    resolution: &'a Resolution,
    receiver: ArrivalReceiver<'a>,
}

impl Listening<'_> {
    fn label(&self, index: usize) -> String {
        let package = &self.resolution.packages[self.offers[index].package];
        format!("{} {}", package.name, package.version)
    }
}

impl WheelReceiver for Listening<'_> {
    fn started(&self, index: usize, bytes: u64) {
        self.receiver.reporter.download_started(&self.label(index), Some(bytes));
    }

    fn progress(&self, index: usize, bytes: u64) {
        self.receiver.reporter.downloaded(&self.label(index), bytes);
    }

    fn finished(&self, index: usize, bytes: u64) -> bool {
        let Offer { package, filename, wanted } = &self.offers[index];
        let described = &self.resolution.packages[*package];
        let archive = match &described.file {
            Artifact::Source { key: Some(key), .. } => archive_of(key),
            _ => None,
        };
        (self.receiver.take)(Arrival {
            package: *package,
            size: bytes,
            archive,
            wheel: WheelFile {
                path: wanted.path.clone(),
                filename: filename.clone(),
                sha256: wanted.sha256,
                origin: described.file.origin().to_owned(),
                indexes: described.indexes.clone(),
            },
        })
    }
}

/// Fetches a wheel that was had before. What was built is nowhere else.
pub(super) fn fetch_known(remote: &Remote, wheel: &KnownWheel, folder: &Path) -> Option<ObtainedWheel> {
    let path = folder.join(format!("remote-{}", wheel.sha256));
    let wanted = WantedWheel { sha256: wheel.sha256, size: None, limit: LARGEST_KNOWN, path: path.clone() };
    remote.fetch_wheels(&[wanted], &Silent).is_empty().then(|| ObtainedWheel {
        size: fs::metadata(&path).map_or(0, |facts| facts.len()),
        path,
        filename: wheel.filename.clone(),
        sha256: wheel.sha256,
        origin: wheel.origin.clone(),
        temporary: true,
        archive_sha256: None,
    })
}

/// Hears nothing.
struct Silent;

impl WheelReceiver for Silent {
    fn started(&self, _index: usize, _bytes: u64) {}

    fn progress(&self, _index: usize, _bytes: u64) {}

    fn finished(&self, _index: usize, _bytes: u64) -> bool {
        true
    }
}

/// The SHA-256 of the archive that a source's key names.
fn archive_of(key: &str) -> Option<Sha256Digest> {
    key.strip_prefix("sha256:")?.split('#').next()?.parse().ok()
}

/// A wheel that was fetched or built, and is in the store by now.
pub(super) struct Made {
    /// The place of its package in the resolution.
    pub package: usize,
    /// Its size in bytes.
    pub size: u64,
    /// The wheel, whose file is still there.
    pub wheel: WheelFile,
}

/// Whether the file of a wheel is wanted after it was unpacked: to go to the remote, now or when somebody says so.
pub(super) fn is_wanted(supply: RemoteSupply<'_>, package: &Package) -> bool {
    let settings = supply.remote.settings();
    let pushes = settings.push && package.file.sha256().is_some();
    // Only who has a key may ever push what was built.
    let is_kept = || supply.target.key(package).is_some() && settings.private_key().is_ok();
    settings.address.is_writable() && (pushes || is_kept())
}

/// Lets go what was made: to the remote if it goes there by itself. Builds that do not go there are kept until somebody pushes
/// them. Returns what is to be told.
pub(super) fn see_off(
    supply: RemoteSupply<'_>,
    store: &Store,
    resolution: &Resolution,
    made: &[Made],
) -> Option<String> {
    if made.is_empty() {
        return None;
    }
    let record = |one: &Made| {
        Some(BuildRecord {
            key: supply.target.key(&resolution.packages[one.package])?,
            wheel_sha256: one.wheel.sha256,
            filename: one.wheel.filename.clone(),
            size: one.size,
        })
    };
    let mut trouble = None;
    let pushes = supply.remote.settings().push && supply.remote.failure().is_none();
    if pushes {
        trouble = push(supply.remote, made, &record).err().map(|error| error.to_string());
    }
    let is_there = pushes && trouble.is_none();
    for one in made {
        match record(one).filter(|_| !is_there) {
            Some(record) => Unpushed::new(store).keep(&record, &one.wheel.path),
            None => drop(fs::remove_file(&one.wheel.path)),
        }
    }
    trouble
}

fn push(
    remote: &Remote,
    made: &[Made],
    record: &dyn Fn(&Made) -> Option<BuildRecord>,
) -> Result<(), virtpy_remote::Error> {
    let wheel = |one: &Made| NewObject::Wheel { sha256: one.wheel.sha256, path: one.wheel.path.clone() };
    let mut objects: Vec<NewObject> = made.iter().map(wheel).collect();
    objects.extend(made.iter().filter_map(record).map(NewObject::Build));
    let has_records = objects.len() > made.len();
    let key = if has_records { Some(remote.settings().private_key()?) } else { None };
    remote.push(&objects, key.as_ref(), &|_, _| {})
}
