//! The files that virtpy writes into a dist-info folder (PEP 376, PEP 610, PEP 627).
//!
//! RECORD lists the folded folders first, as rows of their own without hash and size. Real pip, uv and Poetry
//! then unlink them when they uninstall or upgrade, and find nothing left to delete or overwrite below; without
//! these rows they would go through the link into the store.

use super::Layout;
use super::plan::Member;
use crate::store::FileRow;
use crate::wheel;

/// What stands in `INSTALLER`.
pub(super) const INSTALLER: &str = "virtpy\n";

/// What stands in `REQUESTED`: that it is there says it all.
pub(super) const REQUESTED: &str = "";

/// What the plan found out about one distribution, for its RECORD.
#[derive(Debug, Clone, Default)]
pub(super) struct Footprint {
    /// Its folded folders, relative to the venv's root.
    pub(super) links: Vec<String>,
    /// Finished rows of its generated and rewritten scripts.
    pub(super) rows: String,
}

/// The names and contents of the dist-info files that virtpy writes for each distribution anew.
pub(super) fn own_files(
    layout: &Layout,
    member: &Member<'_>,
    footprint: &Footprint,
) -> Vec<(&'static str, Vec<u8>)> {
    let mut files = Vec::new();
    if let Some(text) = member.direct_url {
        files.push(("direct_url.json", text.as_bytes().to_vec()));
    }
    let mut record = String::with_capacity(member.manifest.record.len() + 1024);
    for link in &footprint.links {
        record.push_str(&wheel::record_row(&layout.in_record(link), None));
    }
    push_site(&mut record, layout, member, footprint);
    record.push_str(&footprint.rows);
    for row in &member.manifest.data {
        push_file(&mut record, &layout.in_record(&row.path), row);
    }
    for row in &member.manifest.headers {
        let path = format!("{}/{}/{}", layout.headers, member.manifest.name, row.path);
        push_file(&mut record, &layout.in_record(&path), row);
    }
    for script in member.manifest.scripts.iter().filter(|script| !script.python) {
        let path = format!("{}/{}", layout.scripts, script.file.path);
        push_file(&mut record, &layout.in_record(&path), &script.file);
    }
    let mut push_shared = |name: &str, content: &str| {
        let path = format!("{}/{name}", member.manifest.dist_info);
        record.push_str(&wheel::record_row(&path, Some(content.as_bytes())));
    };
    push_shared("INSTALLER", INSTALLER);
    if member.requested {
        push_shared("REQUESTED", REQUESTED);
    }
    for (name, content) in &files {
        let path = format!("{}/{name}", member.manifest.dist_info);
        record.push_str(&wheel::record_row(&path, Some(content)));
    }
    record.push_str(&wheel::record_row(&format!("{}/RECORD", member.manifest.dist_info), None));
    files.push(("RECORD", record.into_bytes()));
    files
}

/// The rows of the files in `site-packages`. Those below a folded folder go without hash and size, which may be
/// left empty (PEP 627): the entry's manifest has them, the store is what is verified, and RECORD is most of what a
/// venv takes on the disk.
fn push_site(record: &mut String, layout: &Layout, member: &Member<'_>, footprint: &Footprint) {
    let mut links: Vec<String> =
        footprint.links.iter().map(|link| format!("{}/", layout.in_record(link))).collect();
    links.sort();
    // The rows are sorted, so those of a folder follow each other.
    let mut folded: Option<&String> = None;
    for row in member.manifest.record.lines() {
        if !folded.is_some_and(|link| row.starts_with(link.as_str())) {
            folded = links.iter().find(|link| row.starts_with(link.as_str()));
        }
        match (folded, row.rsplit_once(",sha256=")) {
            (Some(_), Some((path, _))) => record.extend([path, ",,\n"]),
            _ => record.extend([row, "\n"]),
        }
    }
}

fn push_file(record: &mut String, path: &str, row: &FileRow) {
    record.push_str(&wheel::known_record_row(path, &row.sha256, row.size));
}
