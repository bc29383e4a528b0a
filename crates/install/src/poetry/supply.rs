//! What the resolver is asked for locked packages: exact pins and hashes, so that nothing is left for it to decide but which
//! file fits.

use virtpy_resolver::{Error, IndexSettings, Options, Request, RequirementsFiles, Surroundings};

use super::Project;
use super::wanted::{Ask, Wanted};

/// The settings with the indexes that the packages name. Files are told by their hashes, wherever they come from.
pub fn with_indexes(mut settings: IndexSettings, wanted: &[Wanted]) -> IndexSettings {
    let mut urls: Vec<String> = Vec::new();
    for url in wanted.iter().filter_map(|wanted| wanted.index.clone()) {
        if !urls.contains(&url) {
            urls.push(url);
        }
    }
    let is_default_asked =
        wanted.iter().any(|wanted| matches!(wanted.ask, Ask::Line(_)) && wanted.index.is_none());
    if !is_default_asked && settings.index_url.is_none() && !urls.is_empty() {
        settings.index_url = urls.pop();
    }
    settings.extra_index_urls.splice(0..0, urls);
    settings.best_match = true;
    settings
}

/// What is to be asked for these packages.
///
/// # Errors
/// When what the lock file says of one makes no sense.
pub fn request(project: &Project, wanted: &[&Wanted]) -> Result<Request, Error> {
    let (mut lines, mut requirements) = (Vec::new(), Vec::new());
    for wanted in wanted {
        match &wanted.ask {
            Ask::Line(line) => lines.push(line.as_str()),
            Ask::Input(input) => requirements.push(input.clone()),
        }
    }
    let files = pins(project, &lines)?;
    let options = Options { no_deps: true, working_directory: project.root.clone(), ..Options::default() };
    Ok(Request { requirements, files, options, ..Request::default() })
}

/// What the lock file pins, as requirements with hashes. Nothing in it is looked up elsewhere.
fn pins(project: &Project, lines: &[&str]) -> Result<RequirementsFiles, Error> {
    let from = Surroundings {
        folder: &project.root,
        environment: &|_| None,
        fetch: &|url, _| Err(Error::Offline { what: format!("`{url}`") }),
        pipes: true,
    };
    RequirementsFiles::of_text(&project.root.join("poetry.lock"), lines.join("\n"), from)
}
