//! The RECORD of an installed distribution, as a venv has it (PEP 376, PEP 627).
//!
//! It lists the folded folders first, as rows of their own without hash and size. Real pip, uv and Poetry then unlink them
//! when they uninstall or upgrade, and find nothing left to delete or overwrite below; without these rows they would go
//! through the link into the store.

use super::{RECORD, record_row};

/// What stands in `INSTALLER`.
pub const INSTALLER: &str = "virtpy\n";

/// What stands in `REQUESTED`: that it is there says it all.
const REQUESTED: &str = "";

/// The files that an installer writes into every dist-info folder, and one more into that of a distribution that somebody asked
/// for by its name: their names and contents.
pub fn installer_files(requested: bool) -> &'static [(&'static str, &'static str)] {
    let all = const { &[("INSTALLER", INSTALLER), ("REQUESTED", REQUESTED)] };
    if requested { all } else { &all[..1] }
}

/// What an entry calls the RECORD that venvs have of it, where that is the same in all of them but for being asked for by name.
pub fn ready_record(requested: bool) -> &'static str {
    if requested { "RECORD.requested" } else { RECORD }
}

/// What a distribution has in a venv beside the files that its wheel has for `site-packages`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordAdditions {
    /// Its folded folders, relative to `site-packages`, in the order of their paths.
    pub links: Vec<String>,
    /// Finished rows of what is elsewhere: its scripts, its data, its headers.
    pub rows: String,
}

/// Writes a RECORD. `site` are the rows of the files in `site-packages`, and `own` the names and contents of the files that
/// the installer writes into the dist-info folder.
pub fn installed_record(
    site: &str,
    dist_info: &str,
    footprint: &RecordAdditions,
    own: &[(&str, &str)],
) -> String {
    let mut record = String::with_capacity(site.len() + footprint.rows.len() + 1024);
    for link in &footprint.links {
        record.push_str(&record_row(link, None));
    }
    push_site(&mut record, site, footprint);
    record.push_str(&footprint.rows);
    for (name, content) in own {
        record.push_str(&record_row(&format!("{dist_info}/{name}"), Some(content.as_bytes())));
    }
    record.push_str(&record_row(&format!("{dist_info}/RECORD"), None));
    record
}

/// The rows of the files in `site-packages`. Those below a folded folder go without hash and size, which may be
/// left empty (PEP 627): the entry's manifest has them, the store is what is verified, and RECORD is most of what a
/// venv takes on the disk.
fn push_site(record: &mut String, site: &str, footprint: &RecordAdditions) {
    let mut links: Vec<String> = footprint.links.iter().map(|link| format!("{link}/")).collect();
    links.sort();
    // The rows are sorted, so those of a folder follow each other.
    let mut folded: Option<&String> = None;
    for row in site.lines() {
        if !folded.is_some_and(|link| row.starts_with(link.as_str())) {
            folded = links.iter().find(|link| row.starts_with(link.as_str()));
        }
        match (folded, row.rsplit_once(",sha256=")) {
            (Some(_), Some((path, _))) => record.extend([path, ",,\n"]),
            _ => record.extend([row, "\n"]),
        }
    }
}
