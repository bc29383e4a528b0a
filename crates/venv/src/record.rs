//! The files that virtpy writes into a dist-info folder (PEP 376, PEP 610, PEP 627).

use virtpy_files::PathError;
use virtpy_store::FileRow;
use virtpy_wheel::{self as wheel, RecordAdditions};

use super::Layout;
use super::node::{Node, PlannedDistribution};

/// The names of the files that virtpy puts into a distribution's dist-info folder, and what they are. `folds` says whether
/// what is the same in many venvs comes from the store.
pub(super) fn own_files(
    layout: &Layout,
    member: &PlannedDistribution<'_>,
    footprint: RecordAdditions,
    folds: bool,
) -> Result<Vec<(&'static str, Node)>, PathError> {
    let (manifest, ready) = (member.manifest, wheel::ready_record(member.requested));
    let usual = wheel::installer_files(member.requested);
    let mut files: Vec<_> = usual.iter().map(|(name, content)| (*name, Node::SharedText(content))).collect();
    let is_usual = folds
        && member.direct_url.is_none()
        && manifest.texts.iter().any(|text| text.path == ready)
        && manifest.usual_footprint().as_ref() == Some(&footprint);
    if let Some(text) = member.direct_url {
        files.push(("direct_url.json", text_node(text.to_owned())));
    }
    let record = if is_usual {
        Node::HardlinkOrCopy(member.entry.join(ready))
    } else {
        let own: Vec<_> =
            usual.iter().copied().chain(member.direct_url.map(|text| ("direct_url.json", text))).collect();
        let footprint = with_trees(layout, member, footprint);
        text_node(wheel::installed_record(manifest.site_rows()?, &manifest.dist_info, &footprint, &own))
    };
    files.push((wheel::RECORD, record));
    Ok(files)
}

fn text_node(text: String) -> Node {
    Node::Text { content: text.into_bytes(), executable: false }
}

/// Adds the rows of the files that a wheel has for other places than `site-packages`.
fn with_trees(
    layout: &Layout,
    member: &PlannedDistribution<'_>,
    mut footprint: RecordAdditions,
) -> RecordAdditions {
    let manifest = member.manifest;
    let mut push = |path: &str, row: &FileRow| {
        footprint.rows.push_str(&wheel::known_record_row(&layout.in_record(path), &row.sha256, row.size));
    };
    for row in &manifest.data {
        push(&row.path, row);
    }
    for row in &manifest.headers {
        push(&format!("{}/{}/{}", layout.headers, manifest.name, row.path), row);
    }
    for script in manifest.scripts.iter().filter(|script| !script.python) {
        push(&format!("{}/{}", layout.scripts, script.file.path), &script.file);
    }
    footprint
}
