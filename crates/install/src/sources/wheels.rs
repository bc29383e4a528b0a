//! Wheels that lie on this machine as what is wanted of an environment, as one run of Poetry collects them. A wheel that is
//! refused is named in the changelog, and all others are installed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde::Deserialize;
use virtpy_pep::{NamedVersion, PackageName, WheelHash, WheelName};

use crate::installed::package;
use crate::plan::{Goal, InstallOptions, InstallPlan, Source, Supply};
use crate::resolved::AtHand;
use crate::{Changelog, Environment, Host, Refusal, Result};
use virtpy_files as fs;
use virtpy_remote::Remote;
use virtpy_store::{EntryId, Staged, StoreError, WheelFile};
use virtpy_venv::PackageToInstall;
use virtpy_wheel as wheel;

/// Wheels that come, and names of what goes.
#[derive(Debug, Default, Deserialize)]
pub struct WheelSource {
    /// What comes.
    pub install: Vec<LocalWheel>,
    /// Names; those that are not installed are passed over.
    pub remove: Vec<String>,
}

/// A wheel that lies on this machine.
#[derive(Debug, Clone, Deserialize)]
pub struct LocalWheel {
    /// Where it lies.
    pub wheel: PathBuf,
    /// Where it was downloaded from.
    pub origin: Option<String>,
    /// The text of its `direct_url.json`.
    pub direct_url: Option<String>,
}

impl LocalWheel {
    /// The wheel's file name.
    fn filename(&self) -> String {
        self.wheel.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// Wheels that are to become entries.
pub(super) struct LocalSupply(Vec<LocalWheel>);

impl Source for WheelSource {
    fn plan(&self, environment: &Environment<'_>, goal: &Goal<'_>) -> Result<InstallPlan> {
        let remove: BTreeSet<PackageName> = self
            .remove
            .iter()
            .filter_map(|name| environment.contents.find(&name.parse().ok()?))
            .map(|found| found.package.clone())
            .collect();
        let supply = LocalSupply(self.install.clone());
        let mut names = supply.names().map(|name| name.name).chain(remove.iter().cloned());
        let pip_stays = names.any(|name| environment.is_own_pip(&name));
        drop(names);
        Ok(InstallPlan { remove, pip_stays, ..InstallPlan::new(supply, goal.options) })
    }
}

impl LocalSupply {
    fn names(&self) -> impl Iterator<Item = WheelName> {
        self.0.iter().filter_map(|one| WheelName::parse(&one.filename()).ok())
    }

    /// The SHA-256 of each.
    fn digests(&self) -> Result<Vec<WheelHash>> {
        let digests = fs::map_ordered(&self.0, fs::processors(), |one| {
            wheel::file_sha256(&one.wheel).map(WheelHash::from)
        });
        Ok(digests.into_iter().collect::<Result<Vec<_>, _>>()?)
    }
}

impl Supply for LocalSupply {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn preview(&self, _: &Environment<'_>, log: &mut Changelog) {
        log.summary.added = self.names().map(|wheel| NamedVersion::new(wheel.name, wheel.version)).collect();
    }

    fn at_hand(&self, environment: &Environment<'_>, _: Option<&Remote>) -> Result<AtHand> {
        let digests = self.digests()?;
        let known: Vec<Option<WheelHash>> = digests.iter().copied().map(Some).collect();
        let mut at_hand = AtHand::default();
        for (one, entry) in self.0.iter().zip(environment.host.store.usable(&known)?) {
            match entry {
                Some(entry) => at_hand.entries.push(entry),
                None => at_hand.lacking.push(one.filename()),
            }
        }
        Ok(at_hand)
    }

    /// Brings the wheels into the store, those that it lacks on several threads.
    fn fetch(
        self: Box<Self>,
        environment: &Environment<'_>,
        _: InstallOptions,
        log: &mut Changelog,
    ) -> Result<Vec<PackageToInstall>> {
        let (host, tags) = (environment.host, environment.interpreter()?.tags());
        let store = &host.store;
        let digests = self.digests()?;
        let known: Vec<Option<WheelHash>> = digests.iter().copied().map(Some).collect();
        let present = store.usable(&known)?;
        let absent = digests.iter().zip(present).filter(|(_, entry)| entry.is_none());
        let absent = absent.map(|(sha256, _)| EntryId::of(sha256)).collect();
        let _locks = store.lock_entries(absent, &mut host.announce())?;
        // Only now: another process may have brought them while this one waited.
        let mut entries = store.usable(&known)?;

        let mut missing = Vec::new();
        for (place, one) in self.0.iter().enumerate() {
            if let Err(error) = tags.check(&one.filename()) {
                entries[place] = None;
                log.refused.push(Refusal { wheel: one.wheel.clone(), reason: error.to_string() });
            } else if entries[place].is_none() {
                missing.push(place);
            }
        }
        let staged = fs::map_ordered(&missing, fs::processors(), |place| {
            stage(host, &self.0[*place], digests[*place])
        });
        let (mut batch, mut places) = (Vec::new(), BTreeMap::new());
        for (place, staged) in missing.into_iter().zip(staged) {
            match staged {
                Ok(staged) => {
                    places.insert(batch.len(), place);
                    batch.push(staged);
                }
                Err(StoreError::Path(error)) => return Err(error.into()),
                Err(error) => {
                    let reason = crate::Error::from(error).told().join(": ");
                    log.refused.push(Refusal { wheel: self.0[place].wheel.clone(), reason });
                }
            }
        }
        for (number, entry) in store.publish(batch)?.into_iter().enumerate() {
            entries[places[&number]] = Some(entry);
        }
        let accepted = self.0.into_iter().zip(entries).filter_map(|(one, entry)| Some((one, entry?)));
        accepted
            .map(|(one, entry)| package(host, &environment.contents, entry, false, one.direct_url))
            .collect()
    }
}

fn stage(host: &Host, wanted: &LocalWheel, sha256: WheelHash) -> Result<Staged, StoreError> {
    host.store.stage(&WheelFile {
        path: wanted.wheel.clone(),
        filename: wanted.filename(),
        sha256,
        origin: wanted.origin.clone().unwrap_or_else(|| wanted.wheel.display().to_string()),
        indexes: Vec::new(),
    })
}
