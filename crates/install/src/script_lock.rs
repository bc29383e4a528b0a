//! The lock file beside a script, and whether it is made again before it is followed.

use std::path::{Path, PathBuf};

use serde::Serialize;
use virtpy_resolver::relative_to;

use crate::lockfile::{self, LockKind, Origin};
use crate::locking::{Locked, Locking};
use crate::{Error, Host, IndexOptions, LockTrust, Result, scripts};
use virtpy_files as fs;

/// A script's lock file.
#[derive(Debug, Clone, Serialize)]
pub struct ScriptLock {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl ScriptLock {
    /// The lock file beside a script, if there is one.
    ///
    /// # Errors
    /// When it cannot be read, or has to be there and is not.
    pub fn beside(host: &Host, script: &Path, trust: LockTrust) -> Result<Option<Self>> {
        match scripts::lock_beside(script) {
            Some(path) => Ok(Some(Self { text: fs::read_to_string(&path)?, path })),
            None if trust == LockTrust::Renewed => Ok(None),
            None => {
                let shown = host.shown(script);
                Err(Error::new(format!("there is no lock file beside `{shown}`"))
                    .hinted(format!("make it with `virtpy lock {shown}`")))
            }
        }
    }

    /// Sees to it that it is as current as it has to be: it is made again where the script asks for something else than when virtpy
    /// made it of that. uv's own lock is only told of.
    ///
    /// # Errors
    /// When it is out of date and must not be made again, or the script cannot be locked.
    pub fn renew(
        &mut self,
        host: &Host,
        script: &Path,
        trust: LockTrust,
        (index, refresh): (IndexOptions, bool),
    ) -> Result<Option<Locked>> {
        if trust == LockTrust::Frozen || !self.is_stale(script) {
            return Ok(None);
        }
        let (name, lock) = (host.shown(script), host.shown(&self.path));
        let is_uvs = LockKind::of(&self.path) == LockKind::Uv;
        let command = if is_uvs { "uv lock --script" } else { "virtpy lock" };
        if trust == LockTrust::Current {
            return Err(Error::new(format!("`{name}` asks for something else than `{lock}` has"))
                .hinted(format!("update it with `{command} {name}`, or follow it as it is: `--frozen`")));
        }
        if is_uvs {
            host.warning(format_args!(
                "`{name}` asks for something else than `{lock}` has, which is followed as it is; `{command} {name}` updates it"
            ));
            return Ok(None);
        }
        let locked = Locking { refresh, index, ..Locking::of_file(script) }.run(host);
        let locked = locked.map_err(|error| error.hinted_if_not("`--frozen` follows the lock as it is"))?;
        self.text.clone_from(&locked.text);
        Ok(Some(locked))
    }

    /// Whether the script asks for something else than when the lock was made of it.
    fn is_stale(&self, script: &Path) -> bool {
        let folder = self.path.parent().unwrap_or(Path::new("/"));
        match LockKind::of(&self.path) {
            LockKind::Uv => lockfile::is_of_another_script(&self.text, script),
            _ => Origin::read(&self.text).is_some_and(|origin| {
                origin.inputs == [relative_to(script, folder)] && !origin.changed(folder).is_empty()
            }),
        }
    }
}
