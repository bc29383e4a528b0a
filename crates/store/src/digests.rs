//! `digests`: the SHA-256 of every manifest, outside of its entry. What is in an entry vouches for itself otherwise: a file, its
//! row and the manifest could be changed together and would still agree.

use std::collections::HashMap;
use std::path::PathBuf;

use virtpy_files as fs;
use virtpy_files::digest::sha256;
use virtpy_pep::Sha256Digest;

use super::manifest::MANIFEST;
use super::{EntryId, Staged, Store};

/// The digests that were noted, by the handles of the entries. There may be several of one: it was published again.
#[derive(Debug, Default)]
pub(super) struct Digests(HashMap<String, Vec<Sha256Digest>>);

impl Digests {
    /// Whether an entry's manifest is one that was published; one of an earlier version of virtpy has no note.
    pub(super) fn vouch_for(&self, id: &EntryId, manifest: &[u8]) -> bool {
        self.0.get(id.as_str()).is_none_or(|known| known.contains(&sha256(manifest).into()))
    }
}

impl Store {
    fn digests_path(&self) -> PathBuf {
        self.home().join("digests")
    }

    /// What is written there; nothing where something else stands in its place.
    fn digests_content(&self) -> Vec<u8> {
        fs::read_own_with_facts(&self.digests_path(), 64 * 1024)
            .map(|(content, _)| content)
            .unwrap_or_default()
    }

    /// Reads all digests.
    pub(super) fn digests(&self) -> Digests {
        let content = self.digests_content();
        let mut known: HashMap<String, Vec<Sha256Digest>> = HashMap::new();
        for line in String::from_utf8_lossy(&content).lines() {
            // A power cut may have cut one off, or left zeros in its place.
            if let Some((id, digest)) = line.split_once(' ')
                && let Ok(digest) = digest.parse()
            {
                known.entry(id.to_owned()).or_default().push(digest);
            }
        }
        Digests(known)
    }

    /// Notes the digests of entries that are about to be published: before, so that no entry is there without. An entry whose
    /// note cannot be written is not told from one of an earlier version.
    pub(super) fn note_digests(&self, batch: &[Staged]) {
        self.append_digests(batch.iter().map(|staged| (staged.id(), staged.manifest_sha256())));
    }

    /// Notes the digest of an entry that was found sound and has lost its note in a power cut.
    pub(super) fn note_digest_again(&self, id: &EntryId, digests: &Digests) {
        let manifest = fs::read_own(&self.entry_path(id).join(MANIFEST), 16 * 1024);
        if let Ok(manifest) = manifest.map(|content| sha256(content).into())
            && !digests.0.contains_key(id.as_str())
        {
            self.append_digests([(id, manifest)].into_iter());
        }
    }

    fn append_digests<'a>(&self, digests: impl Iterator<Item = (&'a EntryId, Sha256Digest)>) {
        let lines = digests.map(|(id, digest)| format!("{id} {digest}"));
        // A line of its own, whatever a power cut left at the end.
        let text: String = lines.flat_map(|line| ["\n".to_owned(), line]).chain(["\n".to_owned()]).collect();
        let path = self.digests_path();
        if fs::append_own(&path, text.as_bytes()).is_err() {
            // It may be the file of somebody else who has used the store once, or none at all.
            let known = self.digests_content();
            let _ = fs::write_atomic(&path, &[known.as_slice(), text.as_bytes()].concat());
        }
    }

    /// Writes the notes again for the entries that are still there. Nobody publishes meanwhile.
    pub(super) fn compact_digests(&self, keep: impl Fn(&str) -> bool) {
        let digests = self.digests();
        if digests.0.keys().all(|id| keep(id)) {
            return;
        }
        let mut lines: Vec<String> = Vec::new();
        for (id, known) in digests.0.iter().filter(|(id, _)| keep(id)) {
            lines.extend(known.iter().map(|digest| format!("{id} {digest}\n")));
        }
        lines.sort();
        lines.dedup();
        let _ = fs::write_atomic(&self.digests_path(), lines.concat().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manifest_is_told_from_another() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path().to_owned());
        let (one, other) = (EntryId::of_text("one"), EntryId::of_text("other"));
        assert!(store.digests().vouch_for(&one, b"anything"));
        let line = |id: &EntryId, text: &[u8]| format!("{id} {}\n", Sha256Digest::from(sha256(text)));
        for text in [line(&one, b"first"), line(&other, b"x"), line(&one, b"second")] {
            fs::append_own(&store.digests_path(), text.as_bytes()).unwrap();
        }
        let check = || {
            let digests = store.digests();
            assert!(digests.vouch_for(&one, b"first") && digests.vouch_for(&one, b"second"));
            assert!(!digests.vouch_for(&one, b"x"));
            digests.vouch_for(&other, b"anything")
        };
        assert!(!check());
        store.compact_digests(|id| id == one.as_str());
        assert!(check());
    }
}
