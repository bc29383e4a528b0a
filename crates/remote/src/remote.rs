//! A remote as its users know it: every call waits for its end.
//!
//! Who installs something asks it first and goes on without it: what is absent, refused or out of reach comes from elsewhere. So
//! reading says which things came, and keeps for later what is to be told. The first failure of the storage itself ends it for
//! the whole command: nobody waits for a dead one twice.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};

use futures::StreamExt as _;
use tokio::runtime::{Builder, Runtime};

use crate::build::{BuildKey, BuildRecord};
use crate::bytecode::{self, BytecodeArchive, BytecodeKey};
use crate::engine::{Engine, Failure, Meter, Patience};
use crate::signed::{self, Refusal};
use crate::{Error, RemoteSettings};

/// How many requests are under way at once.
pub(crate) const AT_ONCE: usize = 16;

/// Of how many objects is said that they were refused.
const MOST_NEWS: usize = 5;

/// A remote. Nothing is connected before something is asked of it.
#[derive(Debug)]
pub struct Remote {
    settings: RemoteSettings,
    patience: Patience,
    engine: OnceLock<Engine>,
    /// The same for what is asked for and what is sent, which is always waited for.
    patient: OnceLock<Engine>,
    runtime: OnceLock<BackgroundRuntime>,
    state: Mutex<State>,
}

/// Bytecode that has come and that nobody has looked at yet.
#[derive(Debug)]
pub struct UnreadBytecode {
    name: String,
    object: Vec<u8>,
}

/// What came of what was asked.
#[derive(Debug, Default)]
struct State {
    /// Why nothing more is asked.
    down: Option<String>,
    /// Whether somebody was told.
    is_told: bool,
    /// What was refused, for people.
    refused: Vec<String>,
}

impl Remote {
    /// One that is asked by the way: it may be out of reach, and nobody waits long for it.
    pub fn by_the_way(settings: RemoteSettings) -> Self {
        Self::with(settings, Patience::Short)
    }

    /// One that the user asks for something: it is waited for.
    pub fn asked_for(settings: RemoteSettings) -> Self {
        Self::with(settings, Patience::Long)
    }

    fn with(settings: RemoteSettings, patience: Patience) -> Self {
        Self {
            settings,
            patience,
            engine: OnceLock::new(),
            patient: OnceLock::new(),
            runtime: OnceLock::new(),
            state: Mutex::default(),
        }
    }

    /// What it was made with.
    pub fn settings(&self) -> &RemoteSettings {
        &self.settings
    }

    /// Why it is not asked any more, if it failed.
    pub fn failure(&self) -> Option<String> {
        self.state().down.clone()
    }

    /// What was refused since the last time, a sentence each.
    pub fn take_refused(&self) -> Vec<String> {
        std::mem::take(&mut self.state().refused)
    }

    /// What people have to know of it that they were not told: what was refused, and once that it is not asked any more.
    pub fn news(&self) -> Vec<String> {
        let mut state = self.state();
        let mut news = std::mem::take(&mut state.refused);
        let more = news.len().saturating_sub(MOST_NEWS);
        if more > 0 {
            news.truncate(MOST_NEWS);
            news.push(format!("{more} more objects of the remote are not used"));
        }
        if let (Some(reason), false) = (&state.down, state.is_told) {
            let address = &self.settings.address;
            news.push(format!("the remote `{address}` cannot be used, and is left out: {reason}"));
            state.is_told = true;
        }
        news
    }

    /// The records of builds that are there, in the order of the keys. What nobody trusted has signed is as if absent.
    pub fn builds(&self, keys: &[BuildKey]) -> Vec<Option<BuildRecord>> {
        let names: Vec<String> = keys.iter().map(BuildKey::name).collect();
        let mut found: Vec<Option<BuildRecord>> = names.iter().map(|_| None).collect();
        self.each_object(&names, signed::LARGEST as u64, &mut |index, object| {
            let read = BuildRecord::decode(&object, &names[index], &self.settings.trust);
            found[index] = self.believed(&names[index], read);
            true
        });
        found
    }

    /// Fetches the bytecode that is there, and hands each archive over as it comes, with the place of its key. It goes on while
    /// `arrived` says so.
    pub fn each_bytecode(
        &self,
        keys: &[BytecodeKey],
        arrived: &mut dyn FnMut(usize, UnreadBytecode) -> bool,
    ) {
        let names: Vec<String> = keys.iter().map(BytecodeKey::name).collect();
        self.each_object(&names, bytecode::LARGEST_OBJECT, &mut |index, object| {
            arrived(index, UnreadBytecode { name: names[index].clone(), object })
        });
    }

    /// Reads what has come. What nobody trusted has signed is as if absent.
    pub fn read_bytecode(&self, unread: &UnreadBytecode) -> Option<BytecodeArchive> {
        let UnreadBytecode { name, object } = unread;
        self.believed(name, BytecodeArchive::decode(object, name, &self.settings.trust))
    }

    /// What was read of an object, if it counts.
    fn believed<T>(&self, name: &str, read: Result<T, Refusal>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(Refusal::Stranger) => None,
            Err(refusal) => {
                self.note_refused(name, &refusal.to_string());
                None
            }
        }
    }

    fn each_object(&self, names: &[String], limit: u64, arrived: &mut dyn FnMut(usize, Vec<u8>) -> bool) {
        // Without a key that counts, there is nothing to believe.
        if names.is_empty() || self.settings.trust.is_empty() {
            return;
        }
        let Some((engine, runtime)) = self.ready() else { return };
        let meter = Meter::default();
        runtime.block_on(async {
            let ask = |index: usize| {
                let meter = &meter;
                async move { (index, engine.whole(&names[index], limit, meter).await) }
            };
            let mut answers = futures::stream::iter(0..names.len()).map(ask).buffer_unordered(AT_ONCE);
            while let Some((index, answer)) = answers.next().await {
                match answer {
                    Ok(object) => {
                        if !arrived(index, object) {
                            break;
                        }
                    }
                    Err(Failure::Absent | Failure::Present) => {}
                    Err(Failure::Refused(reason)) => self.note_refused(&names[index], &reason),
                    Err(Failure::Unavailable(reason)) => {
                        self.give_up(reason);
                        break;
                    }
                }
            }
        });
    }

    /// What requests are made with; `None` where it is given up.
    pub(crate) fn ready(&self) -> Option<(&Engine, &BackgroundRuntime)> {
        if self.state().down.is_some() {
            return None;
        }
        match self.open_with(&self.engine, self.patience) {
            Ok(ready) => Some(ready),
            Err(error) => {
                self.give_up(error.to_string());
                None
            }
        }
    }

    /// What requests are made with that somebody waits for.
    pub(crate) fn open(&self) -> Result<(&Engine, &BackgroundRuntime), Error> {
        self.open_with(&self.patient, Patience::Long)
    }

    /// The same, to change what is there.
    pub(crate) fn open_to_write(&self) -> Result<(&Engine, &BackgroundRuntime), Error> {
        if !self.settings.address.is_writable() {
            return Err(Error::ReadOnly { address: self.settings.address.to_string() });
        }
        self.open()
    }

    fn open_with<'a>(
        &'a self,
        engine: &'a OnceLock<Engine>,
        patience: Patience,
    ) -> Result<(&'a Engine, &'a BackgroundRuntime), Error> {
        if engine.get().is_none() {
            let _ = engine.set(Engine::new(&self.settings, patience)?);
        }
        if self.runtime.get().is_none() {
            let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Start)?;
            let _ = self.runtime.set(BackgroundRuntime(Some(runtime)));
        }
        match (engine.get(), self.runtime.get()) {
            (Some(engine), Some(runtime)) => Ok((engine, runtime)),
            _ => Err(Error::Start(std::io::Error::other("it was started twice"))),
        }
    }

    pub(crate) fn give_up(&self, reason: String) {
        self.state().down.get_or_insert(reason);
    }

    pub(crate) fn note_refused(&self, name: &str, reason: &str) {
        self.state().refused.push(format!("`{name}` of the remote is not used: {reason}"));
    }

    /// The error of a request that had to succeed.
    pub(crate) fn failed(&self, what: &'static str, failure: Failure) -> Error {
        let reason = match failure {
            Failure::Absent => "there is no such object or bucket".to_owned(),
            Failure::Present => "another one is there".to_owned(),
            Failure::Refused(reason) | Failure::Unavailable(reason) => reason,
        };
        Error::Request { address: self.settings.address.to_string(), what, reason }
    }

    /// What was found out about an object. Of one that is not there, nothing is so.
    pub(crate) fn if_there(&self, answer: Result<bool, Failure>) -> Result<bool, Error> {
        match answer {
            Err(Failure::Absent) => Ok(false),
            other => other.map_err(|failure| self.failed("does not answer", failure)),
        }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A runtime that does not wait for what is under way when it is dropped.
pub(crate) struct BackgroundRuntime(Option<Runtime>);

impl fmt::Debug for BackgroundRuntime {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("BackgroundRuntime")
    }
}

impl BackgroundRuntime {
    pub(crate) fn block_on<T>(&self, task: impl Future<Output = T>) -> T {
        match &self.0 {
            Some(runtime) => runtime.block_on(task),
            None => unreachable!("the runtime is taken out only when it is dropped"),
        }
    }
}

impl Drop for BackgroundRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}
