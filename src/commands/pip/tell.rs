//! What `pip install` says of what it did, in pip's lines and in pip's order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use virtpy_pep::{PackageName, Requirement};
use virtpy_resolver::{Artifact, Package};

use super::Call;
use super::requirements::{name_of, spelled};
use crate::error::Failure;
use crate::install::{self, Changelog};
use crate::venv::Contents;

/// A requirement, and the distribution that has it; none for what the user asked for.
struct RequiredBy {
    text: String,
    name: PackageName,
    from: Option<String>,
}

/// What is told, and what it is told of.
struct Telling<'a> {
    call: &'a Call<'a>,
    before: &'a Contents,
    /// What came or would come: the name and the version as they are spelled, by name.
    came: BTreeMap<PackageName, (&'a str, &'a str)>,
    /// What each distribution requires here, by name.
    requires: BTreeMap<PackageName, Vec<RequiredBy>>,
}

impl Call<'_> {
    /// Says where packages are looked for, if the user said so.
    pub(super) fn tell_sources(&self) {
        let request = self.request;
        let mut indexes: Vec<&str> = request.value("index-url").into_iter().collect();
        let extra = request.values("extra-index-url");
        indexes.extend(extra.iter().map(String::as_str));
        if !indexes.is_empty() && !request.has("no-index") {
            self.say(format_args!("Looking in indexes: {}", without_credentials(&indexes)));
        }
        let links = request.values("find-links");
        if !links.is_empty() {
            let links: Vec<&str> = links.iter().map(String::as_str).collect();
            self.say(format_args!("Looking in links: {}", without_credentials(&links)));
        }
    }

    /// Says which requirements were there already, what came for which, and what went.
    pub(super) fn tell(&self, before: &Contents, log: &Changelog, asked: &[String]) -> Result<(), Failure> {
        let mut came = BTreeMap::new();
        for (name, version) in &log.summary.added {
            came.extend(name.parse().ok().map(|key| (key, (name.as_str(), version.as_str()))));
        }
        let requires = self.requirements(before, log)?;
        let telling = Telling { call: self, before, came, requires };
        telling.collecting(asked, log);
        telling.result(asked, log);
        Ok(())
    }

    /// What each distribution that is there or came requires.
    fn requirements(
        &self,
        before: &Contents,
        log: &Changelog,
    ) -> Result<BTreeMap<PackageName, Vec<RequiredBy>>, Failure> {
        let mut requires = BTreeMap::new();
        if self.request.has("no-deps") {
            return Ok(requires);
        }
        let changed = !log.summary.added.is_empty() && !self.request.has("dry-run");
        let after = if changed { Some(self.contents()?) } else { None };
        let markers = install::markers(&self.context.host.interpreter(&self.venv)?)?;
        for distribution in after.as_ref().unwrap_or(before).visible() {
            let extras = log.arriving.iter().find(|package| package.name == distribution.key);
            let extras = extras.map(|package| package.extras.as_slice()).unwrap_or_default();
            let wishes = distribution.requires_dist().iter().filter_map(|text| {
                let requirement: Requirement = text.parse().ok()?;
                let from = if requirement.applies(&markers, &[]) {
                    distribution.name.clone()
                } else if requirement.applies(&markers, extras) {
                    format!("{}[{}]", distribution.name, extras.join(","))
                } else {
                    return None;
                };
                let text = text.split(';').next().unwrap_or(text).trim().to_owned();
                Some(RequiredBy { text, name: requirement.name().clone(), from: Some(from) })
            });
            requires.insert(distribution.key.clone(), wishes.collect());
        }
        // What would come is not there to be read.
        for package in log.arriving.iter().filter(|_| !changed) {
            let wish = |name: &PackageName| RequiredBy {
                text: name.to_string(),
                name: name.clone(),
                from: Some(package.name.to_string()),
            };
            requires.insert(package.name.clone(), package.dependencies.iter().map(wish).collect());
        }
        Ok(requires)
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
        for root in roots {
            self.push_requirements(&root, &mut seen, &mut waiting);
        }
        while let Some(one) = waiting.pop_front() {
            let from = one.from.as_ref().map(|name| format!(" (from {name})")).unwrap_or_default();
            if self.came.contains_key(&one.name) {
                if told.insert(one.name.clone()) {
                    match log.arriving.iter().find(|package| package.name == one.name).and_then(local_file) {
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
            self.push_requirements(&one.name, &mut seen, &mut waiting);
        }
    }

    fn push_requirements(
        &self,
        name: &PackageName,
        seen: &mut BTreeSet<PackageName>,
        waiting: &mut VecDeque<RequiredBy>,
    ) {
        if !seen.insert(name.clone()) {
            return;
        }
        for wish in self.requires.get(name).into_iter().flatten() {
            let RequiredBy { text, name, from } = wish;
            waiting.push_back(RequiredBy { text: text.clone(), name: name.clone(), from: from.clone() });
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
            self.came.values().map(|(name, version)| format!("{name}-{version}")).collect();
        labels.sort_by_key(|label| label.to_lowercase());
        if call.request.has("dry-run") {
            call.say(format_args!("Would install {}", labels.join(" ")));
            return;
        }
        call.say(format_args!("Installing collected packages: {}", self.in_order(asked).join(", ")));
        for (name, version) in &log.summary.removed {
            call.say(format_args!("  Attempting uninstall: {name}"));
            call.say(format_args!("    Found existing installation: {name} {version}"));
            call.say(format_args!("    Uninstalling {name}-{version}:"));
            call.say(format_args!("      Successfully uninstalled {name}-{version}"));
        }
        call.say(format_args!("Successfully installed {}", labels.join(" ")));
    }

    /// The names of what came, as pip would install them: the farther from what was asked for, the earlier.
    fn in_order(&self, asked: &[String]) -> Vec<String> {
        let mut depths: BTreeMap<&str, usize> = self.came.keys().map(|key| (key.as_str(), 0)).collect();
        for name in asked.iter().filter_map(|text| name_of(text)) {
            if let Some((key, _)) = self.came.get_key_value(&name) {
                depths.insert(key, 1);
            }
        }
        // Rings end after as many rounds as there are packages.
        for _ in 0..depths.len() {
            let mut changed = false;
            for key in self.came.keys() {
                let depth = depths[key.as_str()] + 1;
                for needed in self.requires.get(key).into_iter().flatten() {
                    if let Some(known) = depths.get_mut(needed.name.as_str())
                        && *known < depth
                    {
                        *known = depth;
                        changed = true;
                    }
                }
            }
            if !changed {
                break;
            }
        }
        let mut keys: Vec<&str> = self.came.keys().map(PackageName::as_str).collect();
        keys.sort_by(|one, other| (depths[other], other).cmp(&(depths[one], one)));
        // As whoever asked for it first spells it.
        let wishes = self.requires.values().flatten().map(|wish| (wish.name.as_str(), wish.text.as_str()));
        let asked: Vec<(PackageName, &str)> =
            asked.iter().filter_map(|text| Some((name_of(text)?, text.as_str()))).collect();
        let asked = asked.iter().map(|(name, text)| (name.as_str(), *text));
        let first: Vec<(&str, &str)> = asked.chain(wishes).collect();
        let shown = |key: &str| {
            let wish = first.iter().find(|(name, _)| *name == key).map(|(_, text)| spelled(text));
            let is_name = |text: &&str| text.parse::<PackageName>().is_ok_and(|name| name == *key);
            wish.filter(is_name).map_or_else(|| self.came[key].0.to_owned(), str::to_owned)
        };
        keys.into_iter().map(shown).collect()
    }
}

/// The file of this machine that a package comes from.
fn local_file(package: &Package) -> Option<&str> {
    let place = match &package.file {
        Artifact::Wheel { local: Some(path), .. } => path.to_str()?,
        Artifact::Source { description, editable: false, .. } => description,
        _ => return None,
    };
    let path = place.strip_prefix("file://").unwrap_or(place);
    path.starts_with('/').then_some(path)
}

/// Addresses with the password in them hidden, as pip shows them.
fn without_credentials(addresses: &[&str]) -> String {
    let shown: Vec<String> = addresses
        .iter()
        .map(|address| match url::Url::parse(address) {
            Ok(mut url) if url.password().is_some() => {
                let _ = url.set_password(Some("****"));
                url.to_string()
            }
            Ok(mut url) if !url.username().is_empty() && url.has_host() => {
                let _ = url.set_username("****");
                url.to_string()
            }
            _ => (*address).to_owned(),
        })
        .collect();
    shown.join(", ")
}
