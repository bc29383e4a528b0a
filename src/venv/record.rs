//! The files that virtpy writes into a dist-info folder (PEP 376, PEP 610, PEP 627).

use super::Layout;
use super::plan::{Member, Node};
use crate::fs::PathError;
use crate::store::FileRow;
use crate::wheel::{self, Footprint, INSTALLER, REQUESTED};

/// The names of the files that virtpy puts into a distribution's dist-info folder, and what they are. `folds` says whether
/// what is the same in many venvs comes from the store.
pub(super) fn own_files<'a>(
    layout: &Layout,
    member: &'a Member<'_>,
    footprint: Footprint,
    folds: bool,
) -> Result<Vec<(&'static str, Node)>, PathError> {
    let mut files = vec![("INSTALLER", Node::Shared(INSTALLER))];
    let mut own: Vec<(&'static str, &'a [u8])> = vec![("INSTALLER", INSTALLER.as_bytes())];
    if member.requested {
        files.push(("REQUESTED", Node::Shared(REQUESTED)));
        own.push(("REQUESTED", REQUESTED.as_bytes()));
    }
    if let Some(text) = member.direct_url {
        files.push(("direct_url.json", text_node(text.to_owned())));
        own.push(("direct_url.json", text.as_bytes()));
    }
    let is_usual = folds && own.len() == 1 && member.manifest.usual_footprint().as_ref() == Some(&footprint);
    let record = if is_usual {
        Node::Real(member.entry.join(wheel::RECORD))
    } else {
        let footprint = with_trees(layout, member, footprint);
        let site = member.manifest.site_rows()?;
        text_node(wheel::installed_record(site, &member.manifest.dist_info, &footprint, &own))
    };
    files.push((wheel::RECORD, record));
    Ok(files)
}

fn text_node(text: String) -> Node {
    Node::Text { content: text.into_bytes(), executable: false }
}

/// Adds the rows of the files that a wheel has for other places than `site-packages`.
fn with_trees(layout: &Layout, member: &Member<'_>, mut footprint: Footprint) -> Footprint {
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
