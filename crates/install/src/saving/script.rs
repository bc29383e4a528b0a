//! Recording what a script needs in the script itself (PEP 723): the comment is edited, and the script's lock made again if it has one.

use std::path::{Path, PathBuf};

use virtpy_pep::{PackageName, Requirement};

use super::bound::{Bound, bounded};
use super::manifest::{Manifest, RequirementList};
use crate::locking::{Locked, Locking};
use crate::resolved::interrupt;
use crate::scripts::{self, Metadata};
use crate::unfinished::{self, UnfinishedFile};
use crate::{Error, Host, Result};
use virtpy_files as fs;

/// A script that is changed. Unless it is [kept](Self::keep), it and its lock are put back.
#[derive(Debug)]
pub struct SavingScript<'a> {
    host: &'a Host,
    script: UnfinishedFile,
    lock: Option<UnfinishedFile>,
}

impl<'a> SavingScript<'a> {
    /// Looks at a script.
    ///
    /// # Errors
    /// When it is not there, is no text, or uv locks it.
    pub fn begin(host: &'a Host, script: &Path) -> Result<Self> {
        interrupt::watch(host);
        let path = fs::canonicalize(&host.working_directory.join(script))?;
        let of_uv = PathBuf::from(format!("{}.lock", path.display()));
        if fs::metadata(&of_uv).is_ok() {
            let lock = host.shown(&of_uv);
            return Err(Error::new(format!("the script is locked by `{lock}`; nothing was changed"))
                .hinted(format!("use `uv add --script {}`", script.display())));
        }
        let lock = scripts::lock_name(&path).filter(|lock| fs::metadata(lock).is_ok());
        let lock = lock.map(UnfinishedFile::read).transpose()?;
        Ok(Self { host, script: UnfinishedFile::read(path)?, lock })
    }

    /// Records requirements. Returns the lock, if there is one, and the requirements as they were recorded.
    ///
    /// # Errors
    /// When they cannot be recorded or resolved.
    pub fn add(
        &mut self,
        specs: &[String],
        bound: Bound,
        locking: &Locking,
    ) -> Result<(Option<Locked>, Vec<String>)> {
        let (text, begin) = self.block()?;
        let mut manifest = self.manifest(&text)?;
        let mut recorded = Vec::with_capacity(specs.len());
        for spec in specs {
            let list = &RequirementList::Dependencies;
            let merged = manifest.merged(list, spec.trim(), bound != Bound::Exact);
            let merged = merged.map_err(|reason| self.unusable(&reason))?;
            manifest.add(list, &merged).map_err(|reason| self.unusable(&reason))?;
            recorded.push(merged);
        }
        let chosen = self.chosen(&mut manifest, locking)?;
        for text in &mut recorded {
            if let Some(bounded) = bounded(text, bound, &chosen) {
                manifest
                    .add(&RequirementList::Dependencies, &bounded)
                    .map_err(|reason| self.unusable(&reason))?;
                *text = bounded;
            }
        }
        Ok((self.write(&manifest.text(), begin, locking)?, recorded))
    }

    /// Takes requirements out.
    ///
    /// # Errors
    /// When one of them is not recorded, or the script cannot be locked without them.
    pub fn remove(&mut self, names: &[PackageName], locking: &Locking) -> Result<Option<Locked>> {
        let (text, begin) = self.block()?;
        let mut manifest = self.manifest(&text)?;
        for name in names {
            let found = manifest.remove(&RequirementList::Dependencies, name);
            if !found.map_err(|reason| self.unusable(&reason))? {
                let shown = self.host.shown(&self.script.path);
                return Err(Error::new(format!(
                    "`{name}` is not in the dependencies of `{shown}`; nothing was changed"
                )));
            }
        }
        self.write(&manifest.text(), begin, locking)
    }

    /// The lock as a user sees it.
    pub fn shown_lock(&self) -> Option<String> {
        self.lock.as_ref().map(|lock| self.host.shown(&lock.path))
    }

    /// Leaves the files as they are now.
    pub fn keep(mut self) {
        self.script.written = None;
        self.lock = None;
    }

    fn manifest(&self, block: &str) -> Result<Manifest> {
        Manifest::of_script(block).map_err(|reason| self.unusable(&reason))
    }

    /// The versions that would be chosen.
    fn chosen(&self, manifest: &mut Manifest, locking: &Locking) -> Result<String> {
        let required = manifest.requirements().into_iter();
        let required = required.filter(|(list, _)| *list == RequirementList::Dependencies);
        let inputs: Vec<String> =
            required.map(|(_, requirement): (_, Requirement)| requirement.to_string()).collect();
        let block = scripts::Block { text: manifest.text(), line: 1 };
        let requires_python = Metadata::parse(&block)?.requires_python;
        let output = Some(PathBuf::from("-"));
        let draft = Locking { inputs, output, requires_python, universal: true, ..locking.clone() };
        Ok(draft.run(self.host)?.text)
    }

    /// The document that the script has, and the line that it begins in; a new one where it has none.
    fn block(&self) -> Result<(String, Option<usize>)> {
        let text = self.script.before.as_deref().unwrap_or_default();
        if let Some(block) = scripts::block(text.as_bytes())? {
            return Ok((block.text, Some(block.line)));
        }
        let version = self.host.wanted_interpreter(None)?.version;
        let (major, minor) = (version.major, version.minor);
        Ok((format!("requires-python = \">={major}.{minor}\"\ndependencies = [\n]\n"), None))
    }

    /// Writes the document into the script, and makes its lock again if it has one.
    fn write(&mut self, document: &str, begin: Option<usize>, locking: &Locking) -> Result<Option<Locked>> {
        let before = self.script.before.clone().unwrap_or_default();
        let comment = |line: &str| if line.is_empty() { "#".to_owned() } else { format!("# {line}") };
        let mut comments: Vec<String> = document.lines().map(comment).collect();
        let end = if before.contains("\r\n") { "\r\n" } else { "\n" };
        let mut lines: Vec<String> =
            before.split('\n').map(|line| line.trim_end_matches('\r').to_owned()).collect();
        let old = scripts::block(before.as_bytes())?.map_or(0, |block| block.text.lines().count());
        let place =
            begin.map_or_else(|| lines.iter().take_while(|line| is_first(line)).count(), |line| line - 1);
        if begin.is_none() {
            comments.insert(0, "# /// script".to_owned());
            comments.extend(["# ///".to_owned(), String::new()]);
        }
        lines.splice(place..place + old, comments);
        self.script.write_unchanged(lines.join(end))?;
        let Some(lock) = &mut self.lock else { return Ok(None) };
        unfinished::hold().push(lock.clone());
        let inputs = vec![self.script.path.display().to_string()];
        let locked = Locking { inputs, universal: true, hashes: true, ..locking.clone() }.run(self.host)?;
        lock.written = Some(locked.text.clone());
        Ok(Some(locked))
    }

    fn unusable(&self, reason: &str) -> Error {
        let shown = self.host.shown(&self.script.path);
        Error::new(format!("nothing can be recorded in `{shown}`: {reason}"))
    }
}

/// Whether a line has to stay before everything else in a script: it says what runs it, or how it is encoded.
fn is_first(line: &str) -> bool {
    line.starts_with("#!") || line.starts_with('#') && line.contains("coding")
}

impl Drop for SavingScript<'_> {
    fn drop(&mut self) {
        unfinished::put_back(self.host, std::iter::once(&self.script).chain(&self.lock));
    }
}
