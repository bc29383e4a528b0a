//! Changing installed applications: each is made again from what is known of it.

use std::path::Path;

use super::install_tool;
use crate::tools::{Manifest, Origin, Tool, Toolbox};
use crate::{Error, Host, IndexOptions, Result, ToolOutcome, ToolSpec};

/// What came of upgrading an application.
pub enum Upgrade {
    /// It is pinned, and stays as it is.
    Pinned(Box<Tool>),
    /// It was looked at.
    Done(Box<ToolOutcome>),
}

/// A manifest with the interpreter that is named now, if one is.
fn with_python(manifest: Manifest, python: Option<&String>) -> Manifest {
    Manifest { python: python.cloned().or(manifest.python), ..manifest }
}

impl Host {
    /// Where the indexes' options say that packages come from, so that it means the same from everywhere.
    pub fn origin(&self, index: &IndexOptions, pre: bool) -> Origin {
        let absolute = |link: &String| {
            let is_url = link.contains("://");
            if is_url { link.clone() } else { self.working_directory.join(link).display().to_string() }
        };
        let origin = index.origin(pre);
        Origin { find_links: origin.find_links.iter().map(absolute).collect(), ..origin }
    }

    /// Upgrades an application.
    ///
    /// # Errors
    /// When it is not installed, or what it needs cannot be had; it is as before then.
    pub fn upgrade_tool(&self, name: &str, python: Option<&String>, index: &IndexOptions) -> Result<Upgrade> {
        let old = self.tool(name)?;
        if old.manifest.pinned {
            return Ok(Upgrade::Pinned(Box::new(old)));
        }
        let spec = ToolSpec::of(with_python(old.manifest, python)).asking(index);
        let outcome = install_tool(self, ToolSpec { upgrade: true, keep_same: true, ..spec })?;
        Ok(Upgrade::Done(Box::new(outcome)))
    }

    /// Installs an application again as it was asked for; one that is pinned in its versions.
    ///
    /// # Errors
    /// As with [`Self::upgrade_tool`].
    pub fn reinstall_tool(&self, name: &str, python: Option<&String>) -> Result<ToolOutcome> {
        let old = self.tool(name)?;
        let preferred = if old.manifest.pinned { self.tool_versions(&old)? } else { Vec::new() };
        install_tool(self, ToolSpec { preferred, ..ToolSpec::of(with_python(old.manifest, python)) })
    }

    /// Adds packages to an application, and their commands if those are wanted. Paths in `specs` are absolute.
    ///
    /// # Errors
    /// As with [`Self::upgrade_tool`].
    pub fn inject(
        &self,
        name: &str,
        specs: &[String],
        with_apps: bool,
        index: &IndexOptions,
    ) -> Result<ToolOutcome> {
        let old = self.tool(name)?;
        let preferred = self.tool_versions(&old)?;
        let mut manifest = old.manifest;
        manifest.inject(specs, with_apps, self.origin(index, false));
        // Where the packages come from is said of them, how they are had of everything.
        let how = IndexOptions {
            offline: index.offline,
            no_binary: index.no_binary.clone(),
            only_binary: index.only_binary.clone(),
            ..IndexOptions::default()
        };
        let spec = ToolSpec::of(manifest).asking(&how);
        install_tool(self, ToolSpec { preferred, keep_same: true, ..spec })
    }

    /// Takes packages out of an application that were added to it.
    ///
    /// # Errors
    /// When one was not added; otherwise as with [`Self::upgrade_tool`].
    pub fn uninject(&self, name: &str, packages: &[String]) -> Result<ToolOutcome> {
        let old = self.tool(name)?;
        let preferred = self.tool_versions(&old)?;
        let mut manifest = old.manifest;
        if let Some(package) = packages.iter().find(|package| !manifest.uninject(package)) {
            return Err(Error::new(format!("`{package}` was not injected into {}", old.name))
                .hinted("`virtpy tool list` shows what was"));
        }
        install_tool(self, ToolSpec { preferred, ..ToolSpec::of(manifest) })
    }

    /// Makes an application again in the same versions, where something is wrong with it or another interpreter is named; `None`
    /// where there is nothing to do.
    ///
    /// # Errors
    /// As with [`Self::upgrade_tool`].
    pub fn repair_tool(&self, name: &str, named: Option<&String>) -> Result<Option<ToolOutcome>> {
        let tool = self.tool(name)?;
        if named.is_none() && self.tool_problem(&tool).is_none() {
            return Ok(None);
        }
        let locked = self.tool_versions(&tool)?;
        let constraints = locked.iter().map(|one| format!("{}=={}", one.name, one.version)).collect();
        // An interpreter that was named by its path may be what is gone.
        let is_there = |text: &String| !text.contains('/') || Path::new(text).exists();
        let python = named.cloned().or_else(|| tool.manifest.python.clone().filter(is_there));
        let spec = ToolSpec { constraints, ..ToolSpec::of(Manifest { python, ..tool.manifest }) };
        install_tool(self, spec).map(Some)
    }

    /// Lets upgrades pass an application over, or no longer. Returns it as it is then.
    ///
    /// # Errors
    /// When it is not installed, or its manifest cannot be written.
    pub fn pin_tool(&self, name: &str, pinned: bool) -> Result<Tool> {
        let found = self.tool(name)?;
        let _lock = Toolbox::new(&self.store).lock(&found.name, &mut self.announce())?;
        // Read again: another process may just have upgraded it.
        let mut tool = self.tool(&found.name)?;
        tool.manifest.pinned = pinned;
        tool.manifest.write(&tool.venv)?;
        Ok(tool)
    }
}
