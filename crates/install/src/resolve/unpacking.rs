//! The threads that unpack what is delivered, compare it with what it was chosen by, and publish it.

use std::path::Path;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver as Queue, Sender};

use virtpy_files as fs;
use virtpy_files::digest::sha256;
use virtpy_pep::Sha256Digest;
use virtpy_resolver::{Package, Resolution};
use virtpy_store::{Entry, Staged, Store, WheelFile};

use super::publication::PublicationOrder;
use super::remote::{self, Made, RemoteSupply};
use super::sights::Sights;
use super::{Reporter, ResolveError, kept};

/// A wheel on its way to the unpacking threads.
pub(super) struct Delivery {
    pub package: usize,
    pub size: u64,
    pub wheel: WheelFile,
    pub temporary: bool,
    pub archive: Option<Sha256Digest>,
    pub from_remote: bool,
}

/// A package whose wheel is in the store by now.
pub(super) struct Unpacked {
    pub package: usize,
    pub taken: Taken,
    /// The SHA-256 of the archive that the wheel was built from.
    pub archive: Option<Sha256Digest>,
    pub from_remote: bool,
    /// The wheel, where its file is still wanted.
    pub made: Option<Made>,
}

/// What was made of a delivery.
pub(super) struct Taken {
    pub entry: Entry,
    /// Whether the store had it already, as its hash has shown.
    pub was_stored: bool,
    /// What the wheel does that people should know.
    pub warnings: Vec<String>,
}

/// A delivery whose wheel says what the index has said of it.
pub(super) struct Verified {
    delivery: Delivery,
    content: Content,
}

/// Where the content of a wheel is.
enum Content {
    /// The store had it already.
    Stored(Entry),
    /// It is ready to be published.
    Staged(Staged),
}

/// What was delivered.
pub(super) struct Deliveries {
    queue: Queue<Delivery>,
    /// What came out of the queue and nobody has taken yet.
    waiting: Vec<Delivery>,
}

impl Deliveries {
    /// What comes out of a queue.
    pub(super) fn new(queue: Queue<Delivery>) -> Self {
        Self { queue, waiting: Vec::new() }
    }

    /// The largest of what is there, for which is waited; `None` when nothing comes any more. So no large wheel is unpacked alone at
    /// the end.
    fn next(&mut self) -> Option<Delivery> {
        if self.waiting.is_empty() {
            self.waiting.push(self.queue.recv().ok()?);
        }
        self.waiting.extend(self.queue.try_iter());
        let largest = (0..self.waiting.len()).max_by_key(|place| self.waiting[*place].size)?;
        Some(self.waiting.swap_remove(largest))
    }
}

/// What the unpacking threads share.
pub(super) struct Unpacking<'a> {
    pub store: &'a Store,
    /// What may want the wheels' files.
    pub remote: Option<RemoteSupply<'a>>,
    pub reporter: &'a dyn Reporter,
    pub resolution: &'a Resolution,
    /// What was seen of files before they were hashed.
    pub sights: &'a Sights,
    /// When what is unpacked may be published.
    pub order: Mutex<PublicationOrder<Verified>>,
}

impl Unpacking<'_> {
    /// Publishes what has waited to the end, once everything was delivered and nothing has failed.
    pub(super) fn publish_rest(&self) -> Result<Vec<Unpacked>, ResolveError> {
        let rest = self.order.lock().map_err(|_| ResolveError::Interrupted)?.rest();
        rest.into_iter().map(|verified| self.publish(verified)).collect()
    }

    /// The work of one thread: unpack whatever is delivered and publish what may be, until nothing more comes.
    pub(super) fn unpack_all(
        &self,
        deliveries: &Mutex<Deliveries>,
        hand_back: &Sender<Result<Unpacked, ResolveError>>,
    ) {
        loop {
            let delivery = match deliveries.lock() {
                Ok(mut deliveries) => deliveries.next(),
                Err(_) => return,
            };
            let Some(delivery) = delivery else { return };
            let package = delivery.package;
            let verified = self.verify(delivery);
            self.reporter.finished(&label(&self.resolution.packages[package]));
            let ready = verified.and_then(|verified| {
                let mut order = self.order.lock().map_err(|_| ResolveError::Interrupted)?;
                Ok(order.read(package, verified))
            });
            let published: Vec<_> = match ready {
                Ok(ready) => ready.into_iter().map(|one| self.publish(one)).collect(),
                Err(error) => vec![Err(error)],
            };
            for unpacked in published {
                if hand_back.send(unpacked).is_err() {
                    return;
                }
            }
        }
    }

    /// Takes a wheel whose hash is known by now from the store, or else unpacks it, and reads its metadata.
    fn verify(&self, delivery: Delivery) -> Result<Verified, ResolveError> {
        match self.content(&delivery) {
            Ok(content) => Ok(Verified { delivery, content }),
            Err(error) => {
                if delivery.temporary {
                    kept::discard(&delivery.wheel.path);
                }
                Err(error)
            }
        }
    }

    fn content(&self, delivery: &Delivery) -> Result<Content, ResolveError> {
        let (store, package) = (self.store, delivery.package);
        let sha256 = delivery.wheel.sha256;
        let stored = store.has(&sha256).then(|| store.usable(&[Some(sha256)]).unwrap_or_default());
        if let Some(entry) = stored.into_iter().flatten().flatten().next() {
            check_metadata(self.resolution, package, &entry.manifest.metadata_in(&entry.path))?;
            return Ok(Content::Stored(entry));
        }
        let staged = store.stage(&delivery.wheel);
        let staged = staged.map_err(|source| ResolveError::Unpack {
            package: label(&self.resolution.packages[package]),
            source,
        })?;
        // It was hashed first and unpacked then: what was unpacked has to be what was hashed.
        if self.sights.file(package).is_some_and(|sight| !sight.is_current()) {
            return Err(ResolveError::Exchanged { path: delivery.wheel.path.clone() });
        }
        check_metadata(self.resolution, package, &staged.metadata_path())?;
        Ok(Content::Staged(staged))
    }

    /// Publishes a wheel, and removes its file unless the remote wants it.
    fn publish(&self, verified: Verified) -> Result<Unpacked, ResolveError> {
        let Verified {
            delivery: Delivery { package, archive, from_remote, size, wheel, temporary },
            content,
        } = verified;
        let taken = match content {
            Content::Stored(entry) => Ok(Taken { entry, was_stored: true, warnings: Vec::new() }),
            Content::Staged(staged) => {
                let warnings = staged.warnings.clone();
                let published = self.store.publish(vec![staged]).map_err(ResolveError::from);
                published.and_then(|mut published| {
                    let entry = published.pop().ok_or(ResolveError::Interrupted)?;
                    Ok(Taken { entry, was_stored: false, warnings })
                })
            }
        };
        let is_wanted = |remote| remote::is_wanted(remote, &self.resolution.packages[package]);
        let is_wanted = temporary && !from_remote && taken.is_ok() && self.remote.is_some_and(is_wanted);
        if temporary && !is_wanted {
            kept::discard(&wheel.path);
        }
        let made = is_wanted.then_some(Made { package, size, wheel });
        Ok(Unpacked { package, taken: taken?, archive, from_remote, made })
    }
}

/// Compares a wheel's own METADATA with what its package was chosen by. The hash tells without reading it where the index gave
/// one.
pub(super) fn check_metadata(
    resolution: &Resolution,
    package: usize,
    path: &Path,
) -> Result<(), ResolveError> {
    if resolution.packages[package].file.is_source() {
        return Ok(());
    }
    let content = fs::read(path)?;
    let expected = resolution.metadata_sha256(package);
    if expected == Some(sha256(&content).into()) {
        return Ok(());
    }
    Ok(resolution.check_metadata(package, &content)?)
}

/// The name and the version, as progress shows them.
pub(super) fn label(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}
