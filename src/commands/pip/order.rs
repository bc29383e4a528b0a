//! Who requires what of what `pip install` brings, and in which order pip would have installed it.

use std::collections::BTreeMap;

use virtpy_pep::{NamedVersion, PackageName, Requirement};

use super::call::Call;
use super::requirements::{name_of, spelled};
use crate::error::Failure;
use crate::install::Changelog;
use crate::venv::Contents;

/// A requirement, and the distribution that has it; none for what the user asked for.
#[derive(Clone)]
pub(super) struct RequiredBy {
    pub(super) text: String,
    pub(super) name: PackageName,
    pub(super) from: Option<String>,
}

impl Call<'_> {
    /// What each distribution that is there or came requires.
    pub(super) fn requirements(
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
        let markers = self.markers()?;
        for distribution in after.as_ref().unwrap_or(before).visible() {
            let extras = log.arriving.iter().find(|package| package.name == distribution.package);
            let extras = extras.map(|package| package.extras.as_slice()).unwrap_or_default();
            let required_by = |(requirement, text): (Requirement, &str)| {
                let is_plain = requirement.applies(&markers, &[]);
                let extras = if is_plain { String::new() } else { format!("[{}]", extras.join(",")) };
                RequiredBy {
                    text: text.split(';').next().unwrap_or(text).trim().to_owned(),
                    name: requirement.name().clone(),
                    from: Some(format!("{}{extras}", distribution.name)),
                }
            };
            let all = distribution.requirements(&markers, extras).map(required_by).collect();
            requires.insert(distribution.package.clone(), all);
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

/// The names of what came, as pip would install them: the farther from what was asked for, the earlier.
pub(super) fn in_order(
    came: &BTreeMap<PackageName, &NamedVersion>,
    requires: &BTreeMap<PackageName, Vec<RequiredBy>>,
    asked: &[String],
) -> Vec<String> {
    let mut depths: BTreeMap<&str, usize> = came.keys().map(|key| (key.as_str(), 0)).collect();
    for name in asked.iter().filter_map(|text| name_of(text)) {
        if let Some((key, _)) = came.get_key_value(&name) {
            depths.insert(key, 1);
        }
    }
    // Rings end after as many rounds as there are packages.
    for _ in 0..depths.len() {
        let mut changed = false;
        for key in came.keys() {
            let depth = depths[key.as_str()] + 1;
            for needed in requires.get(key).into_iter().flatten() {
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
    let mut keys: Vec<&str> = came.keys().map(PackageName::as_str).collect();
    keys.sort_by(|one, other| (depths[other], other).cmp(&(depths[one], one)));
    // As whoever asked for it first spells it.
    let wishes = requires.values().flatten().map(|wish| (wish.name.as_str(), wish.text.as_str()));
    let asked: Vec<(PackageName, &str)> =
        asked.iter().filter_map(|text| Some((name_of(text)?, text.as_str()))).collect();
    let asked = asked.iter().map(|(name, text)| (name.as_str(), *text));
    let first: Vec<(&str, &str)> = asked.chain(wishes).collect();
    let shown = |key: &str| {
        let wish = first.iter().find(|(name, _)| *name == key).map(|(_, text)| spelled(text));
        let is_name = |text: &&str| text.parse::<PackageName>().is_ok_and(|name| name == *key);
        wish.filter(is_name).map_or_else(|| came[key].name.clone(), str::to_owned)
    };
    keys.into_iter().map(shown).collect()
}
