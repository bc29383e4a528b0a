//! What was seen of the files and directories of this machine that wheels come from, before anything was made of them: what became of
//! them is remembered only of what did not change meanwhile.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;

use virtpy_pep::WheelHash;
use virtpy_resolver::{Artifact, Resolution};
use virtpy_store::Sight;

use super::built::BuiltWheels;
use super::inputs::BuildInputs;

/// What was seen, by the index of the package in its resolution.
pub(super) struct Sights {
    files: BTreeMap<usize, Sight>,
    directories: BTreeMap<usize, DirectorySight>,
}

/// What was seen of a directory.
struct DirectorySight {
    inputs: BuildInputs,
    /// What stands for a wheel of its contents.
    contents: Option<String>,
}

impl Sights {
    /// Looks at the files and directories that some packages of a resolution come from.
    pub(super) fn of(resolution: &Resolution, wanted: &[usize]) -> Self {
        let (mut files, mut directories) = (BTreeMap::new(), BTreeMap::new());
        for index in wanted {
            match &resolution.packages[*index].file {
                Artifact::Wheel { local: Some(path), .. } => {
                    files.extend(Sight::of(path).map(|sight| (*index, sight)));
                }
                Artifact::Source { directory: Some(directory), editable, .. } => {
                    directories.extend(DirectorySight::of(directory, *editable).map(|sight| (*index, sight)));
                }
                Artifact::Wheel { .. } | Artifact::Source { .. } => {}
            }
        }
        Self { files, directories }
    }

    /// What was seen of the file of a package.
    pub(super) fn file(&self, package: usize) -> Option<&Sight> {
        self.files.get(&package)
    }

    /// Remembers which wheel came of a package's file or directory, if that is as it was before `since`.
    pub(super) fn remember(
        &self,
        package: usize,
        sha256: &WheelHash,
        built: &BuiltWheels<'_>,
        since: SystemTime,
    ) {
        if let Some(sight) = self.files.get(&package) {
            built.store().remember_file(sight, sha256);
        }
        let Some(DirectorySight { inputs, contents }) = self.directories.get(&package) else { return };
        if inputs.are_unchanged_since(since) {
            built.put(&inputs.key(), sha256);
            if let Some(contents) = contents {
                built.put(contents, sha256);
            }
            inputs.note_asked(built, since);
        }
    }
}

impl DirectorySight {
    fn of(directory: &Path, editable: bool) -> Option<Self> {
        let inputs = BuildInputs::of(directory, editable)?;
        let contents = inputs.contents_key();
        Some(Self { inputs, contents })
    }
}
