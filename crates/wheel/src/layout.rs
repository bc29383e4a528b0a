//! Where a wheel's members belong.

use std::collections::HashSet;

use virtpy_pep::{Version, WheelName};

use super::script_name::is_reserved_script;
use super::{EntryPoint, Error, Metadata, RecordRow, WheelInfo, entry_points, parse_record};
use crate::archive::{Archive, Member};

/// The folders that a wheel's files go to, as an installer knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tree {
    /// site-packages: purelib and platlib, which are one folder in a venv.
    Site,
    /// The venv's own folder (`share/…`, `etc/…`).
    Data,
    /// The folder for the headers of this distribution.
    Headers,
    /// The scripts folder.
    Scripts,
}

impl Tree {
    /// The name of the folder that the files are unpacked to.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Data => "data",
            Self::Headers => "headers",
            Self::Scripts => "scripts",
        }
    }

    fn of_scheme(scheme: &str) -> Option<Self> {
        match scheme {
            "purelib" | "platlib" => Some(Self::Site),
            "data" => Some(Self::Data),
            "headers" => Some(Self::Headers),
            "scripts" => Some(Self::Scripts),
            _ => None,
        }
    }
}

/// A file of a wheel and where it belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The index among the archive's members.
    pub member: usize,
    /// The folder it goes to.
    pub tree: Tree,
    /// Its path in there.
    pub path: String,
    /// Whether it can be executed. Scripts always can.
    pub executable: bool,
}

/// Everything that a wheel tells about itself, before anything of it is unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelContents {
    /// The name of the dist-info folder.
    pub dist_info: String,
    /// METADATA.
    pub metadata: Metadata,
    /// WHEEL; its tags, where it has none, are those of the file name.
    pub wheel: WheelInfo,
    /// RECORD.
    pub record: Vec<RecordRow>,
    /// The scripts of `entry_points.txt`.
    pub entry_points: Vec<EntryPoint>,
    /// The files to install, sorted by tree and path. What the installer itself writes is left out.
    pub items: Vec<Item>,
}

/// Files of the dist-info folder that belong to whoever installs: RECORD is written again (and so is not covered by
/// its signatures), the others tell about an installation (PEP 376, PEP 610).
pub(super) const INSTALLERS_OWN: [&str; 6] =
    ["RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json"];

/// Reads what a wheel tells about itself and decides where each file belongs.
///
/// # Errors
/// When its names and versions contradict each other, a file is missing or malformed, or it would install what a
/// wheel may not.
pub fn read(archive: &mut Archive, filename: &str) -> Result<WheelContents, Error> {
    let name = WheelName::parse(filename)?;
    let dist_info = dist_info(archive.members(), &name)?;
    let mut file = |path: &str| -> Result<Option<Vec<u8>>, Error> {
        let path = format!("{dist_info}/{path}");
        let index = archive.members().iter().position(|member| !member.is_folder && member.name == path);
        Ok(index.map(|index| archive.read(index)).transpose()?)
    };
    let missing = |path: &str| Error::Missing(format!("{dist_info}/{path}"));
    let metadata = Metadata::parse(&file("METADATA")?.ok_or_else(|| missing("METADATA"))?)?;
    metadata.check_requirements()?;
    let mut wheel = WheelInfo::parse(&file("WHEEL")?.ok_or_else(|| missing("WHEEL"))?)?;
    let record = file("RECORD")?.ok_or_else(|| missing("RECORD"))?;
    let record = parse_record(&String::from_utf8_lossy(&record))?;
    let entry_points =
        file("entry_points.txt")?.map_or_else(|| Ok(Vec::new()), |text| entry_points::parse(&text))?;
    check_identity(&metadata, &name)?;
    if wheel.tags.is_empty() {
        wheel.tags.clone_from(&name.tags);
    }
    let mut items = Vec::with_capacity(archive.members().len());
    for (index, member) in archive.members().iter().enumerate() {
        items.extend(item(index, member, &dist_info, &name)?);
    }
    items.sort_by(|left, right| (left.tree, &left.path).cmp(&(right.tree, &right.path)));
    check_collisions(&items)?;
    Ok(WheelContents { dist_info, metadata, wheel, record, entry_points, items })
}

/// Finds the one dist-info folder.
fn dist_info(members: &[Member], name: &WheelName) -> Result<String, Error> {
    let mut found: Option<&str> = None;
    for member in members {
        let Some((top, _)) = top_folder(member) else {
            continue;
        };
        let Some(stem) = top.strip_suffix(".dist-info") else {
            refuse_disguise(top)?;
            continue;
        };
        let wrong = |reason| Error::Folder { folder: top.to_owned(), reason };
        if found.is_some_and(|other| other != top) {
            return Err(wrong("which is its second dist-info folder"));
        }
        if !name.is_named_by(stem) {
            return Err(wrong("which is not named after the wheel's name and version"));
        }
        found = Some(top);
    }
    found.map(str::to_owned).ok_or_else(|| Error::Missing("*.dist-info".to_owned()))
}

/// Whether a folder's name is a data folder's, in lower case.
fn is_data_folder(name: &str) -> bool {
    name.strip_suffix(".data").is_some()
}

/// Refuses a folder that is a dist-info or data folder only to file systems that ignore case.
fn refuse_disguise(top: &str) -> Result<(), Error> {
    let folded = fold(top);
    if folded.ends_with(".dist-info") || is_data_folder(&folded) && !is_data_folder(top) {
        let reason = "which is a dist-info or data folder where case does not matter";
        return Err(Error::Folder { folder: top.to_owned(), reason });
    }
    Ok(())
}

/// A name as file systems see it that ignore case.
fn fold(name: &str) -> String {
    name.to_uppercase().to_lowercase()
}

/// The first part of a member's path and the rest, which is empty for that folder itself.
fn top_folder(member: &Member) -> Option<(&str, &str)> {
    match member.name.split_once('/') {
        None if member.is_folder => Some((&member.name, "")),
        other => other,
    }
}

pub(super) fn check_identity(metadata: &Metadata, name: &WheelName) -> Result<(), Error> {
    let mismatch = |field, metadata: &str, filename: &str| Error::Mismatch {
        field,
        metadata: metadata.to_owned(),
        filename: filename.to_owned(),
    };
    if !name.name.is_spelled(&metadata.name) {
        return Err(mismatch("name", &metadata.name, &name.spelled_name));
    }
    if let Err(error) = metadata.version.parse::<Version>() {
        return Err(Error::Metadata { file: "METADATA", reason: format!("has an illegal version: {error}") });
    }
    if !name.has_version(&metadata.version) {
        return Err(mismatch("version", &metadata.version, &name.version));
    }
    Ok(())
}

/// Where a member belongs; `None` for folders and for what the installer writes itself.
fn item(index: usize, member: &Member, dist_info: &str, name: &WheelName) -> Result<Option<Item>, Error> {
    let place = |tree, path: &str| Item {
        member: index,
        tree,
        path: path.to_owned(),
        executable: tree == Tree::Scripts || member.executable,
    };
    let forbidden = |reason| Error::Forbidden { path: member.name.clone(), reason };
    if member.name.split('/').any(|part| fold(part) == ".virtpy") {
        return Err(forbidden(ENVIRONMENT));
    }
    // Compiled code can be made to differ from its source, and is made again anyway.
    if member.name.split('/').rev().skip(1).any(|part| part == super::BYTECODE_FOLDER) {
        return Ok(None);
    }
    let Some((top, rest)) = top_folder(member) else {
        return Ok(Some(place(Tree::Site, &member.name)));
    };
    if top == dist_info {
        let skip = member.is_folder || INSTALLERS_OWN.contains(&rest);
        return Ok((!skip).then(|| place(Tree::Site, &member.name)));
    }
    let Some(stem) = top.strip_suffix(".data") else {
        return Ok((!member.is_folder).then(|| place(Tree::Site, &member.name)));
    };
    if !name.is_named_by(stem) {
        let reason = "which is not named after the wheel's name and version";
        return Err(Error::Folder { folder: top.to_owned(), reason });
    }
    let (scheme, path) = rest.split_once('/').unwrap_or((rest, ""));
    if member.is_folder && path.is_empty() {
        return Ok(None);
    }
    let tree = Tree::of_scheme(scheme).ok_or_else(|| forbidden("and virtpy does not know where to"))?;
    if path.is_empty() {
        return Err(forbidden("and virtpy does not know where to"));
    }
    if member.is_folder {
        return Ok(None);
    }
    check_place(tree, path).map_err(forbidden)?;
    Ok(Some(place(tree, path)))
}

const ENVIRONMENT: &str = "which belongs to the environment itself";

/// Refuses paths under which a file of the data folder would take over the environment.
pub(super) fn check_place(tree: Tree, path: &str) -> Result<(), &'static str> {
    // File systems may ignore the case.
    let folded = fold(path);
    let parts: Vec<&str> = folded.split('/').collect();
    let refuse = match (tree, parts.as_slice()) {
        (Tree::Site, [first, ..]) if first.ends_with(".dist-info") => return Err("into a dist-info folder"),
        // Whatever the version of Python, and whoever the folder belongs to.
        (Tree::Data, ["lib" | "lib64", _, "site-packages", first, ..]) if first.ends_with(".dist-info") => {
            return Err("into a dist-info folder");
        }
        (Tree::Scripts, [name, ..]) | (Tree::Data, ["bin" | "scripts", name, ..]) => is_reserved_script(name),
        (Tree::Data, [name]) => {
            matches!(*name, "pyvenv.cfg" | "bin" | "scripts" | "lib" | "lib64" | "include")
        }
        _ => false,
    };
    if refuse { Err(ENVIRONMENT) } else { Ok(()) }
}

/// Checks that merging the trees makes no two members one file, nor a file a folder.
pub(super) fn check_collisions(sorted: &[Item]) -> Result<(), Error> {
    let mut files = HashSet::with_capacity(sorted.len());
    if let Some(twice) = sorted.iter().find(|item| !files.insert((item.tree, item.path.as_str()))) {
        return Err(Error::Collision(twice.path.clone()));
    }
    for item in sorted {
        let parents = item.path.match_indices('/').map(|(place, _)| &item.path[..place]);
        for parent in parents {
            if files.contains(&(item.tree, parent)) {
                return Err(Error::Collision(parent.to_owned()));
            }
        }
    }
    Ok(())
}
