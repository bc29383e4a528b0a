//! Making an index from a project's pages of releases, as people see them in a browser: no API, no token.
//!
//! The list of releases has pages (`?page=2`). Each release on them has a fragment that a browser fetches when it is
//! unfolded (`expanded_assets`), with links to the release's files; where the list does not show it, the release's own
//! page does. Of the archives that are of use, the newest build of each version, target and variant is chosen, and its
//! SHA-256 is read from the file `SHA256SUMS` of its release. Requests are made one at a time, with pauses, and only
//! below the given address.

mod choice;
mod page;

use std::collections::BTreeSet;
use std::time::Duration;

use url::Url;

pub use choice::{flat_document, rich_document};

use self::choice::Choice;
use self::page::Page;
pub use super::index::Entry;
use super::{AvailableError, Fetch, FetchProblem, location};

/// Where python-build-standalone lists its releases.
pub const DEFAULT_PAGE: &str = "https://github.com/astral-sh/python-build-standalone/releases";

/// No real page is larger, in bytes.
const LARGEST_PAGE: u64 = 16 << 20;
/// No real file of checksums is larger, in bytes.
const LARGEST_SUMS: u64 = 8 << 20;
/// No real list has more pages.
const MOST_PAGES: u32 = 500;
/// How long to wait between two requests.
const PAUSE: Duration = Duration::from_millis(100);

/// What is to be read.
pub struct Releases<'a> {
    /// The address of the list of releases.
    pub address: &'a str,
    /// The target triples of interest; all but those for newer processors only where none is named.
    pub triples: &'a [String],
    /// How many pages of the list are read at most.
    pub pages: Option<u32>,
    /// The way to the network.
    pub fetch: &'a dyn Fetch,
    /// Hears what is being done.
    pub report: &'a dyn Fn(&str),
}

/// What was read.
#[derive(Debug, Default)]
pub struct Found {
    /// The chosen builds, the newest first.
    pub entries: Vec<Entry>,
    /// How many releases there are.
    pub releases: usize,
    /// The names of chosen archives whose SHA-256 no release states.
    pub unverified: Vec<String>,
}

impl Releases<'_> {
    /// Reads the pages, and chooses.
    ///
    /// # Errors
    /// When a page does not come or is none, or there is nothing of use.
    pub fn read(&self) -> Result<Found, AvailableError> {
        let site = self.site()?;
        let mut choice = Choice::new(self.triples);
        let mut seen = BTreeSet::new();
        for number in 1..=self.pages.unwrap_or(MOST_PAGES).min(MOST_PAGES) {
            let mut address = site.clone();
            address.set_query(Some(&format!("page={number}")));
            let list = match self.page(&address, &site) {
                // Past the last page some sites have nothing at all.
                Err(error) if number > 1 && is_not_found(&error) => break,
                other => other?,
            };
            let before = seen.len();
            let tags = tags(&list);
            for tag in tags.iter().filter(|tag| seen.insert((*tag).clone())) {
                choice.extend(self.files(&list, tag, &site)?);
            }
            (self.report)(&format!(
                "page {number}: {} releases, {} files of use",
                seen.len() - before,
                choice.count()
            ));
            // Past the last page others show an empty one, or the last again.
            if seen.len() == before {
                break;
            }
        }
        let nothing = |reason: &str| AvailableError::Page {
            address: location::public(self.address),
            reason: reason.to_owned(),
        };
        if seen.is_empty() {
            return Err(nothing("it links to no release"));
        }
        if choice.count() == 0 {
            return Err(nothing("its releases have no interpreters of the kind that is wanted"));
        }
        self.verified(&mut choice)?;
        let (entries, unverified) = choice.finish();
        Ok(Found { entries, releases: seen.len(), unverified })
    }

    /// The address without what follows the path.
    fn site(&self) -> Result<Url, AvailableError> {
        let refused =
            |reason: String| AvailableError::Location { location: location::public(self.address), reason };
        let mut site = Url::parse(self.address).map_err(|error| refused(error.to_string()))?;
        if !matches!(site.scheme(), "http" | "https") || !site.has_host() {
            return Err(refused("only http and https pages can be read".to_owned()));
        }
        site.set_query(None);
        site.set_fragment(None);
        let path = site.path().trim_end_matches('/').to_owned();
        site.set_path(&path);
        Ok(site)
    }

    /// The files of a release: from its fragment on the list, or from the release's own page and the fragment there.
    fn files(&self, list: &Page, tag: &str, site: &Url) -> Result<Vec<Url>, AvailableError> {
        if let Some(fragment) = fragment(list, tag) {
            return Ok(self.page(fragment, site)?.links);
        }
        let own = list.links.iter().find(|link| tag_of(link, "tag").as_deref() == Some(tag));
        let Some(own) = own else { return Ok(Vec::new()) };
        let page = self.page(own, site)?;
        match fragment(&page, tag) {
            Some(fragment) => Ok(self.page(fragment, site)?.links),
            None => Ok(page.links),
        }
    }

    /// Asks the releases of what was chosen for the SHA-256.
    fn verified(&self, choice: &mut Choice) -> Result<(), AvailableError> {
        for sums in choice.sums() {
            (self.report)(&format!("checksums: {}", location::public(sums.as_str())));
            match self.get(&sums, LARGEST_SUMS) {
                Ok(content) => choice.verify(&sums, &String::from_utf8_lossy(&content)),
                Err(error) if is_not_found(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn page(&self, address: &Url, site: &Url) -> Result<Page, AvailableError> {
        Ok(Page::parse(&self.get(address, LARGEST_PAGE)?, address, site))
    }

    fn get(&self, address: &Url, limit: u64) -> Result<Vec<u8>, AvailableError> {
        std::thread::sleep(PAUSE);
        self.fetch.text(address.as_str(), limit)
    }
}

/// The tags of the releases that a page of the list is about, in its order.
fn tags(list: &Page) -> Vec<String> {
    let linked = list.links.iter().filter_map(|link| tag_of(link, "tag"));
    let unfolded = list.fragments.iter().filter_map(|fragment| tag_of(fragment, "expanded_assets"));
    let mut seen = BTreeSet::new();
    linked.chain(unfolded).filter(|tag| seen.insert(tag.clone())).collect()
}

fn fragment<'a>(page: &'a Page, tag: &str) -> Option<&'a Url> {
    page.fragments.iter().find(|fragment| tag_of(fragment, "expanded_assets").as_deref() == Some(tag))
}

/// The tag at the end of an address, after `kind`.
fn tag_of(address: &Url, kind: &str) -> Option<String> {
    let (before, tag) = address.path().rsplit_once('/')?;
    (before.rsplit('/').next() == Some(kind) && !tag.is_empty()).then(|| tag.to_owned())
}

fn is_not_found(error: &AvailableError) -> bool {
    matches!(error, AvailableError::Network(error) if error.kind == FetchProblem::NotFound)
}
