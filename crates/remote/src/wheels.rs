//! Fetching wheels: several at a time, each hashed while it comes, and gone on with where a connection breaks.

use std::fs::File;
use std::path::PathBuf;

use futures::StreamExt as _;
use virtpy_files as fs;
use virtpy_files::digest::Sha256;
use virtpy_pep::WheelHash;

use crate::engine::{Engine, Failure, Meter};
use crate::remote::AT_ONCE;
use crate::{Remote, names};

/// How often a transfer is gone on with.
const RESUMPTIONS: usize = 2;

/// A wheel that is wanted.
#[derive(Debug, Clone)]
pub struct WantedWheel {
    /// Its SHA-256.
    pub sha256: WheelHash,
    /// Its size in bytes, if it is known.
    pub size: Option<u64>,
    /// The most bytes that it may have.
    pub limit: u64,
    /// The file that it is written to, which must not exist yet.
    pub path: PathBuf,
}

/// Who hears of wheels that come. What is meant is the place in the list of what is wanted.
pub trait WheelReceiver {
    /// One has begun to come.
    fn started(&self, index: usize, bytes: u64);
    /// So many bytes of it are there.
    fn progress(&self, index: usize, bytes: u64);
    /// It is there, and its hash is right. Returns whether the others are still wanted.
    fn finished(&self, index: usize, bytes: u64) -> bool;
}

impl Remote {
    /// Fetches the wheels that are there. Returns the places of those that did not come. What has another hash is not kept.
    pub fn fetch_wheels(&self, wanted: &[WantedWheel], receiver: &dyn WheelReceiver) -> Vec<usize> {
        let mut absent: Vec<usize> = (0..wanted.len()).collect();
        let Some((engine, runtime)) = self.ready().filter(|_| !wanted.is_empty()) else { return absent };
        let meter = Meter::default();
        runtime.block_on(async {
            let fetch = |index: usize| {
                let transfer = Transfer { engine, index, wanted: &wanted[index], receiver, meter: &meter };
                async move { (index, transfer.run().await) }
            };
            let mut answers = futures::stream::iter(0..wanted.len()).map(fetch).buffer_unordered(AT_ONCE);
            while let Some((index, answer)) = answers.next().await {
                match answer {
                    Ok(size) => {
                        absent.retain(|other| *other != index);
                        if !receiver.finished(index, size) {
                            break;
                        }
                    }
                    Err(Failure::Absent | Failure::Present) => {}
                    Err(Failure::Refused(reason)) => {
                        let _ = fs::remove_file(&wanted[index].path);
                        self.note_refused(&names::wheel(&wanted[index].sha256), &reason);
                    }
                    Err(Failure::Unavailable(reason)) => {
                        self.give_up(reason);
                        break;
                    }
                }
            }
        });
        absent
    }
}

/// One wheel on its way.
struct Transfer<'a> {
    engine: &'a Engine,
    index: usize,
    wanted: &'a WantedWheel,
    receiver: &'a dyn WheelReceiver,
    meter: &'a Meter,
}

/// What came so far.
struct Received {
    file: Option<File>,
    hash: Sha256,
    size: u64,
}

impl Transfer<'_> {
    async fn run(&self) -> Result<u64, Failure> {
        let mut received = Received { file: None, hash: Sha256::new(), size: 0 };
        let mut resumptions = 0;
        while let Err(failure) = self.receive(&mut received).await {
            let is_broken = matches!(failure, Failure::Unavailable(_)) && received.size > 0;
            if !is_broken || self.meter.is_slow() || resumptions == RESUMPTIONS {
                return Err(failure);
            }
            resumptions += 1;
        }
        if WheelHash::from(received.hash.finish()) == self.wanted.sha256 {
            return Ok(received.size);
        }
        Err(Failure::Refused("it has another hash than its name says".to_owned()))
    }

    /// Reads what is missing.
    async fn receive(&self, received: &mut Received) -> Result<(), Failure> {
        let WantedWheel { sha256, size, limit, path } = self.wanted;
        let (announced, mut stream) = self.engine.read(&names::wheel(sha256), received.size).await?;
        if announced > *limit || size.is_some_and(|size| size != announced) {
            return Err(Failure::Refused(format!("it has {announced} bytes")));
        }
        self.receiver.started(self.index, announced);
        let unwritable = |error: fs::PathError| Failure::Refused(error.to_string());
        let file = match &mut received.file {
            Some(file) => file,
            None => received.file.insert(fs::create_new(path, 0o600).map_err(unwritable)?),
        };
        while let Some(piece) = self.engine.next(&mut stream, self.meter).await? {
            received.size += piece.len() as u64;
            if received.size > announced {
                return Err(Failure::Refused("more of it came than was announced".to_owned()));
            }
            received.hash.update(&piece);
            fs::write_all(file, path, &piece).map_err(unwritable)?;
            self.receiver.progress(self.index, received.size);
        }
        if received.size < announced {
            return Err(Failure::Unavailable(format!(
                "it ended after {} of {announced} bytes",
                received.size
            )));
        }
        Ok(())
    }
}
