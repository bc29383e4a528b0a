//! Which distributions `list`, `freeze` and `inspect` are about, and which of them have newer versions.

use std::collections::BTreeSet;

use virtpy_pep::PackageName;
use virtpy_resolver::Sought;

use super::call::Call;
use crate::error::Failure;
use crate::install::{IndexOptions, NewestVersions, sought};
use crate::venv::{Contents, Distribution, editable_location};

impl Call<'_> {
    /// What is installed and neither excluded nor somewhere else.
    pub(super) fn selection<'c>(&self, contents: &'c Contents) -> Result<Vec<&'c Distribution>, Failure> {
        let request = self.request;
        if request.has("user") {
            return Ok(Vec::new());
        }
        let mut excluded = BTreeSet::new();
        for name in request.values("exclude") {
            excluded.insert(name.parse::<PackageName>().map_err(|error| Failure::new(error.to_string()))?);
        }
        let is_left_out = |one: &Distribution| {
            let is_editable = || one.direct_url().and_then(editable_location).is_some();
            excluded.contains(&one.package) || request.has("exclude-editable") && is_editable()
        };
        let mut chosen = contents.visible();
        chosen.retain(|one| !is_left_out(one) && (!request.has("local") || !one.is_of_system()));
        Ok(chosen)
    }

    /// The names of what these require, without any extra.
    pub(super) fn required(&self, distributions: &[&Distribution]) -> Result<BTreeSet<PackageName>, Failure> {
        let markers = self.markers()?;
        let requirements = distributions.iter().flat_map(|one| one.requirements(&markers, &[]));
        Ok(requirements.map(|(requirement, _)| requirement.name().clone()).collect())
    }

    /// Whether pre-releases of a package count: of two options that concern it, the one that names it.
    fn admits_pre_releases(&self, name: &str) -> bool {
        let request = self.request;
        let mentions = |option: &str, wanted: &str| {
            let values = request.values(option);
            let mut names = values.iter().flat_map(|value| value.split(','));
            names.any(|text| text == wanted || text.parse::<PackageName>().is_ok_and(|text| text == *wanted))
        };
        if mentions("only-final", name) {
            return false;
        }
        let all = request.has("pre") || mentions("all-releases", ":all:");
        mentions("all-releases", name) || all && !mentions("only-final", ":all:")
    }

    /// The newest versions that the indexes have.
    pub(super) fn newest(&self, distributions: &[&Distribution]) -> Result<NewestVersions, Failure> {
        let host = &self.context.host;
        let interpreter = host.interpreter(&self.venv)?;
        let asked = distributions.iter().filter(|one| !one.is_pip_shim()).map(|one| sought(one));
        let (pre, last): (Vec<Sought>, Vec<Sought>) =
            asked.partition(|one| self.admits_pre_releases(&one.package));
        let mut found = NewestVersions::default();
        for (mut asked, pre) in [(pre, true), (last, false)] {
            if self.request.has("prefer-binary") && !asked.is_empty() {
                let only_binary = vec![":all:".to_owned()];
                let index = IndexOptions { only_binary, ..self.index() };
                found.add(host.newest(&interpreter, &index, &asked, pre, None)?);
                asked.retain(|one| !found.has(&one.package));
            }
            if !asked.is_empty() {
                found.add(host.newest(&interpreter, &self.index(), &asked, pre, None)?);
            }
        }
        Ok(found)
    }
}
