//! What `pip install` says of what it did, in pip's lines and in pip's order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use virtpy_pep::{NamedVersion, PackageName};

use super::call::Call;
use super::order::{RequiredBy, in_order};
use super::requirements::name_of;
use crate::error::Failure;
use crate::install::Changelog;
use crate::venv::Contents;

/// What is told, and what it is told of.
struct Telling<'a> {
    call: &'a Call<'a>,
    before: &'a Contents,
    /// What came or would come, by name.
    came: BTreeMap<PackageName, &'a NamedVersion>,
    /// What each distribution requires here, by name.
    requires: BTreeMap<PackageName, Vec<RequiredBy>>,
}

impl Call<'_> {
    /// Says which requirements were there already, what came for which, and what went.
    pub(super) fn tell(&self, before: &Contents, log: &Changelog, asked: &[String]) -> Result<(), Failure> {
        let came = log.summary.added.iter().filter_map(|one| Some((one.name.parse().ok()?, one))).collect();
        let requires = self.requirements(before, log)?;
        let telling = Telling { call: self, before, came, requires };
        telling.collecting(asked, log);
        telling.result(asked, log);
        Ok(())
    }
}

impl Telling<'_> {
    /// A line for each requirement: that it is met already, or what comes for it.
    fn collecting(&self, asked: &[String], log: &Changelog) {
        let mut told = BTreeSet::new();
        for package in log.arriving.iter().filter(|package| package.requested) {
            let Some(direct_url) = package.direct_url.as_ref() else { continue };
            let address = &direct_url.url;
            if direct_url.is_editable() {
                self.call.say(format_args!("Obtaining {address}"));
            } else if let Some(path) = address.strip_prefix("file://") {
                self.call.say(format_args!("Processing {path}"));
            } else {
                self.call.say(format_args!("Collecting {address}"));
            }
            told.insert(package.name.clone());
        }
        let wish = |text: &String| Some(RequiredBy { text: text.clone(), name: name_of(text)?, from: None });
        let mut waiting: VecDeque<RequiredBy> = asked.iter().filter_map(wish).collect();
        let roots: Vec<PackageName> =
            told.iter().cloned().chain(waiting.iter().map(|one| one.name.clone())).collect();
        let mut seen = BTreeSet::new();
        let mut follow = |name: &PackageName, waiting: &mut VecDeque<RequiredBy>| {
            if seen.insert(name.clone()) {
                waiting.extend(self.requires.get(name).into_iter().flatten().cloned());
            }
        };
        for root in roots {
            follow(&root, &mut waiting);
        }
        while let Some(one) = waiting.pop_front() {
            let from = one.from.as_ref().map(|name| format!(" (from {name})")).unwrap_or_default();
            if self.came.contains_key(&one.name) {
                if told.insert(one.name.clone()) {
                    let arriving = log.arriving.iter().find(|package| package.name == one.name);
                    match arriving.and_then(|package| package.file.local_path()) {
                        Some(path) => self.call.say(format_args!("Processing {path}{from}")),
                        None => self.call.say(format_args!("Collecting {}{from}", one.text)),
                    }
                }
            } else if let Some(there) = self.before.find_visible(&one.name) {
                let site_packages = self.call.venv.site_packages();
                self.call.say(format_args!(
                    "Requirement already satisfied: {} in {}{from} ({})",
                    one.text,
                    there.packages(&site_packages).display(),
                    there.version
                ));
            }
            follow(&one.name, &mut waiting);
        }
    }

    /// What was built, what went and what came.
    fn result(&self, asked: &[String], log: &Changelog) {
        let call = self.call;
        if log.summary.added.is_empty() {
            return;
        }
        for name in &log.built {
            call.say(format_args!("Building wheel for {name} (pyproject.toml): finished with status 'done'"));
        }
        if !log.built.is_empty() {
            call.say(format_args!("Successfully built {}", log.built.join(" ")));
        }
        let mut labels: Vec<String> =
            self.came.values().map(|NamedVersion { name, version }| format!("{name}-{version}")).collect();
        labels.sort_by_key(|label| label.to_lowercase());
        if call.request.has("dry-run") {
            call.say(format_args!("Would install {}", labels.join(" ")));
            return;
        }
        let names = in_order(&self.came, &self.requires, asked);
        call.say(format_args!("Installing collected packages: {}", names.join(", ")));
        for NamedVersion { name, version } in &log.summary.removed {
            call.say(format_args!("  Attempting uninstall: {name}"));
            call.say(format_args!("    Found existing installation: {name} {version}"));
            call.say(format_args!("    Uninstalling {name}-{version}:"));
            call.say(format_args!("      Successfully uninstalled {name}-{version}"));
        }
        call.say(format_args!("Successfully installed {}", labels.join(" ")));
    }
}
