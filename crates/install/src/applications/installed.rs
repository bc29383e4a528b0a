//! What can be said of installed applications: whether they work, what they have, whether they are what somebody asks for, and
//! whether there is something newer.

use std::collections::BTreeMap;

use virtpy_pep::{NamedVersion, PackageName, Requirement, Version};

use crate::tools::{Manifest, Origin, Tool, Toolbox};
use crate::{Error, Host, IndexOptions, Result, demand_stores, described};
use virtpy_files as fs;
use virtpy_interpreters::Interpreter;
use virtpy_resolver::Sought;
use virtpy_venv::{Contents, Distribution, Venv};

/// Applications that are looked up together: they have the same interpreter and come from the same indexes.
struct Group<'a> {
    interpreter: Interpreter,
    origin: &'a Origin,
    tools: Vec<&'a Tool>,
}

impl Host {
    /// Opens an application, whose name may be spelled in any way.
    ///
    /// # Errors
    /// When it is not installed, or its manifest cannot be read.
    pub fn tool(&self, name: &str) -> Result<Tool> {
        let toolbox = Toolbox::new(&self.store);
        if let Some(tool) = toolbox.open(name)? {
            return Ok(tool);
        }
        if let Ok(key) = name.parse::<PackageName>()
            && let Some(tool) = toolbox.open(&key)?
        {
            return Ok(tool);
        }
        Err(Error::new(format!("the application `{name}` is not installed"))
            .hinted("`virtpy tool list` shows what is installed"))
    }

    /// What is wrong with an application, if anything is.
    pub fn tool_problem(&self, tool: &Tool) -> Option<String> {
        let venv = match Venv::open(&tool.venv) {
            Ok(venv) => venv,
            Err(error) => return Some(error.to_string()),
        };
        if let Err(error) = fs::metadata(&venv.python()) {
            if !error.is_not_found() {
                return Some(format!("its interpreter cannot be read: {}", error.source));
            }
            let interpreter = venv.config.get("executable").unwrap_or("its interpreter").to_owned();
            return Some(format!("its interpreter `{interpreter}` is gone"));
        }
        match Contents::read(&venv, &self.store) {
            Err(error) => Some(error.to_string()),
            Ok(Contents { dangling, .. }) if dangling.is_empty() => None,
            Ok(Contents { dangling, .. }) => Some(match demand_stores(self, &dangling) {
                Ok(()) => format!("the store no longer has {}", described(&dangling)),
                Err(error) => error.to_string(),
            }),
        }
    }

    /// Names and versions of what an application has.
    ///
    /// # Errors
    /// When its venv cannot be read.
    pub fn tool_versions(&self, tool: &Tool) -> Result<Vec<NamedVersion>> {
        let contents = Contents::read(&Venv::open(&tool.venv)?, &self.store)?;
        let named = |one: Distribution| NamedVersion::new(one.package, one.version);
        Ok(contents.distributions.into_iter().map(named).collect())
    }

    /// The application that is there already, works, and has what is asked for. What a URL leads to may be another thing now.
    pub fn satisfying_tool(&self, wanted: &Manifest) -> Option<Tool> {
        let requirement = wanted.request.parse::<Requirement>().ok().filter(|one| one.url().is_none())?;
        // One that cannot be read is installed again.
        let tool = Toolbox::new(&self.store).open(&named(&requirement, wanted)).ok()??;
        let known = &tool.manifest;
        let version: Option<Version> = known.version.parse().ok();
        let installed: Option<Requirement> = known.request.parse().ok();
        let extras = installed.map(|requirement| requirement.extras()).unwrap_or_default();
        let is_enough = version.is_some_and(|version| requirement.accepts(&version))
            && requirement.extras().iter().all(|extra| extras.contains(extra))
            && wanted.with.iter().all(|spec| known.with.contains(spec))
            && wanted.with_apps.iter().all(|name| known.with_apps.contains(name))
            && (known.include_deps || !wanted.include_deps)
            && (wanted.python.is_none() || wanted.python == known.python);
        (is_enough && self.tool_problem(&tool).is_none()).then_some(tool)
    }

    /// An application that is pinned stays at its version.
    ///
    /// # Errors
    /// When what is wanted would change one.
    pub fn refuse_pinned_tool(&self, wanted: &Manifest) -> Result<()> {
        let Ok(requirement) = wanted.request.parse::<Requirement>() else { return Ok(()) };
        let name = named(&requirement, wanted);
        match Toolbox::new(&self.store).open(&name) {
            Ok(Some(tool)) if tool.manifest.pinned => Err(Error::new(format!(
                "{name} is pinned at {}, and `{}` would change it",
                tool.manifest.version, wanted.request
            ))
            .hinted(format!("`virtpy unpin {name}` lets it be changed; `--force` replaces it all the same"))),
            _ => Ok(()),
        }
    }

    /// The newer versions that the indexes have of applications, by the applications' names.
    ///
    /// # Errors
    /// When an index does not answer.
    pub fn newer_tools(&self, tools: &[Tool], index: &IndexOptions) -> Result<BTreeMap<String, String>> {
        let mut newer = BTreeMap::new();
        for group in self.groups(tools) {
            let index = IndexOptions::of(group.origin).overridden(index);
            let by_name: Vec<(PackageName, &Tool)> = group
                .tools
                .iter()
                .filter_map(|tool| Some((tool.manifest.package.parse().ok()?, *tool)))
                .collect();
            let sought = by_name.iter().map(|(name, tool)| Sought {
                package: name.clone(),
                installed: tool.manifest.version.parse().ok(),
            });
            let sought: Vec<Sought> = sought.collect();
            let newest = self.newest(&group.interpreter, &index, &sought, group.origin.pre, None)?;
            for (name, tool) in by_name {
                if let Some(latest) = newest.beyond(&name, &tool.manifest.version) {
                    newer.insert(tool.name.clone(), latest.version.to_string());
                }
            }
        }
        Ok(newer)
    }

    /// What has to be asked for these applications. An index knows nothing of what came from a path or a URL.
    fn groups<'a>(&self, tools: &'a [Tool]) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'_>> = Vec::new();
        for tool in tools {
            let Manifest { request, editable, origin, .. } = &tool.manifest;
            let is_from_index = request.parse::<Requirement>().is_ok_and(|one| one.url().is_none());
            if !is_from_index || *editable {
                continue;
            }
            // One that lost its interpreter is told anyway.
            let Some(interpreter) = Venv::open(&tool.venv).ok().and_then(|venv| self.interpreter(&venv).ok())
            else {
                continue;
            };
            let is_same = |known: &&mut Group<'_>| {
                known.interpreter.executable == interpreter.executable && known.origin == origin
            };
            match groups.iter_mut().find(is_same) {
                Some(known) => known.tools.push(tool),
                None => groups.push(Group { interpreter, origin, tools: vec![tool] }),
            }
        }
        groups
    }
}

/// The name that the application of a request has.
fn named(requirement: &Requirement, wanted: &Manifest) -> String {
    format!("{}{}", requirement.name(), wanted.suffix)
}
