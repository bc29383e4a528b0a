//! Obtains wheels: several at a time are fetched or built, while threads of their own hand the complete
//! ones over.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use futures::{FutureExt, StreamExt};
use uv_distribution_types::{BuiltDist, Dist};
use uv_redacted::DisplaySafeUrl;

use crate::build::{self, report};
use crate::download::{self, Expected, Progress};
use crate::error::Error;
use crate::public::public;
use crate::request::{ObtainedWheel, Receiver};
use crate::runtime::Runtime;
use crate::solution::{Chosen, Plan, Resolution};
use crate::url::{file_url, local_path, published_name};

/// How many packages are fetched or built at once.
const AT_ONCE: usize = 16;

/// How many threads hand complete wheels over at most.
const MAX_THREADS: usize = 8;

/// See [`Session::obtain`](crate::Session::obtain).
pub(crate) fn obtain(
    runtime: &Runtime,
    resolution: &Resolution,
    wanted: &[usize],
    folder: &Path,
    receiver: &dyn Receiver,
) -> Result<(), Error> {
    let plan = &resolution.plan;
    let handover = Handover { receiver, plan, failed: AtomicBool::new(false), error: Mutex::new(None) };
    let (sender, queue) = mpsc::channel();
    let queue = Mutex::new(queue);
    let threads = thread::available_parallelism().map_or(1, usize::from).min(wanted.len()).min(MAX_THREADS);
    let fetched = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
                    // The sender is gone: all have been fetched.
                    let Ok((index, wheel)) = next else { break };
                    handover.finish(index, wheel);
                }
            });
        }
        let workshop = Fetcher { plan, folder, handover: &handover };
        runtime.run(move || fetch_all(workshop, wanted, sender))
    });
    let refused = handover.error.into_inner().unwrap_or_else(PoisonError::into_inner);
    refused.map_or(fetched, Err)
}

/// Where complete wheels go.
struct Handover<'a> {
    receiver: &'a dyn Receiver,
    plan: &'a Plan,
    failed: AtomicBool,
    error: Mutex<Option<Error>>,
}

impl Handover<'_> {
    fn finish(&self, index: usize, wheel: ObtainedWheel) {
        if self.failed.load(Ordering::Relaxed) {
            return;
        }
        if let Err(source) = self.receiver.finished(index, wheel) {
            self.failed.store(true, Ordering::Relaxed);
            let package = self.plan.chosen.get(index).map_or_else(String::new, |chosen| chosen.label.clone());
            let mut slot = self.error.lock().unwrap_or_else(PoisonError::into_inner);
            slot.get_or_insert(Error::Receiver { package, source });
        }
    }
}

/// What fetching works with.
struct Fetcher<'a> {
    plan: &'a Plan,
    folder: &'a Path,
    handover: &'a Handover<'a>,
}

async fn fetch_all(
    workshop: Fetcher<'_>,
    wanted: &[usize],
    sender: Sender<(usize, ObtainedWheel)>,
) -> Result<(), Error> {
    tokio::fs::create_dir_all(workshop.folder).await.map_err(|source| Error::File {
        action: "create the folder",
        path: workshop.folder.to_owned(),
        source,
    })?;
    let workshop = &workshop;
    let known = wanted.iter().filter_map(|index| Some((*index, workshop.plan.chosen.get(*index)?)));
    let mut fetched = futures::stream::iter(known)
        .map(|(index, chosen)| {
            async move { Ok::<_, Error>((index, workshop.fetch(index, chosen).await?)) }.boxed_local()
        })
        .buffer_unordered(AT_ONCE);
    while let Some(wheel) = fetched.next().await {
        // Fails only if the threads are gone, which end after this.
        let _ = sender.send(wheel?);
        if workshop.handover.failed.load(Ordering::Relaxed) {
            break;
        }
    }
    Ok(())
}

impl Fetcher<'_> {
    async fn fetch(&self, index: usize, chosen: &Chosen) -> Result<ObtainedWheel, Error> {
        let context = &self.plan.context;
        let demanded = context.demanded(chosen.dist.as_ref());
        let expected = Expected { label: &chosen.label, listed: &[], demanded, size: None };
        let filename = match chosen.dist.as_ref() {
            Dist::Built(built) => published_name(built, &chosen.label)?,
            // Only its backend knows the name of its wheel.
            Dist::Source(_) => String::new(),
        };
        context.wheels.check(&filename)?;
        match chosen.dist.as_ref() {
            Dist::Built(BuiltDist::Registry(registry)) => {
                let wheel = registry.best_wheel();
                let url = file_url(wheel, &chosen.label)?;
                let expected =
                    Expected { listed: wheel.file.hashes.as_slice(), size: wheel.file.size, ..expected };
                self.wheel(index, &url, filename, &expected).await
            }
            Dist::Built(BuiltDist::DirectUrl(direct)) => {
                let expected = Expected { size: direct.size, ..expected };
                self.wheel(index, &direct.location, filename, &expected).await
            }
            Dist::Built(BuiltDist::Path(path)) => {
                self.local(index, &path.install_path, filename, &expected).await
            }
            Dist::Built(BuiltDist::GitPath(git)) => {
                let checkout = build::checkout(context, &git.git, &chosen.label).await?;
                let path = checkout.join(&git.install_path);
                self.local(index, &path, filename, &expected).await
            }
            Dist::Source(source) => {
                let job = build::Job { index, chosen, folder: self.folder, receiver: self.handover.receiver };
                build::build(context, source, &job).await
            }
        }
    }

    async fn wheel(
        &self,
        index: usize,
        url: &DisplaySafeUrl,
        filename: String,
        expected: &Expected<'_>,
    ) -> Result<ObtainedWheel, Error> {
        if let Some(path) = local_path(url) {
            return self.local(index, &path, filename, expected).await;
        }
        let path = self.folder.join(format!("{index}-{filename}"));
        let client = &self.plan.context.client;
        let report = |progress| self.report(index, &progress);
        let fetched = download::fetch(client, url, &path, expected, &report).await?;
        Ok(ObtainedWheel {
            path,
            filename,
            sha256: fetched.sha256.into(),
            size: fetched.size,
            origin: public(url),
            temporary: true,
            archive_sha256: None,
        })
    }

    async fn local(
        &self,
        index: usize,
        path: &Path,
        filename: String,
        expected: &Expected<'_>,
    ) -> Result<ObtainedWheel, Error> {
        self.handover.receiver.started(index, None);
        let checked = download::check_local(path, expected).await?;
        Ok(ObtainedWheel {
            path: PathBuf::from(path),
            filename,
            sha256: checked.sha256.into(),
            size: checked.size,
            origin: path.display().to_string(),
            temporary: false,
            archive_sha256: None,
        })
    }

    fn report(&self, index: usize, progress: &Progress) {
        report(self.handover.receiver, index, progress);
    }
}
