//! What holds of every journal, also of one that a stranger wrote.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::testing;

/// Paths as a stranger would choose them: out of the venv, through links, absolute, empty.
fn path() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("real"),
        Just("link"),
        Just("file"),
        Just(".."),
        Just("."),
        Just(""),
        Just("/outside")
    ];
    vec(part, 0..4).prop_map(|parts| parts.join("/"))
}

fn removed() -> impl Strategy<Value = Removed> {
    prop_oneof![
        path().prop_map(Removed::Folder),
        (path(), path()).prop_map(|(path, target)| Removed::Link(path, target.into())),
        (path(), 0..3_usize).prop_map(|(path, slot)| Removed::File(path, slot)),
    ]
}

fn journals() -> impl Strategy<Value = Journal> {
    (".{0,8}", vec(path(), 0..5), vec(removed(), 0..5)).prop_map(|(change, created, removed)| Journal {
        change,
        created,
        removed,
    })
}

proptest! {
    /// It is read as it was written.
    #[test]
    fn it_is_read_as_it_was_written(journal in journals()) {
        let text = serde_json::to_vec(&journal).unwrap();
        let read: Journal = serde_json::from_slice(&text).unwrap();
        prop_assert_eq!((read.change, read.created, read.removed), (journal.change, journal.created, journal.removed));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases / 10, ..ProptestConfig::default() })]

    /// Whatever it says, nothing outside the venv is touched because of it.
    #[test]
    fn nothing_outside_is_touched(journal in journals()) {
        let folder = testing::folder();
        let (root, outside) = (folder.path().join("v"), folder.path().join("outside"));
        let file = |path: &Path| fs::write_new(path, b"content", 0o644).unwrap();
        for path in [root.join("lib/python3.12/site-packages"), root.join("real/real"), root.join(".virtpy/trash"), outside.join("real/real")] {
            fs::create_dir_all(&path).unwrap();
        }
        for path in [root.join("file"), root.join("real/file"), outside.join("file"), outside.join("real/file"), folder.path().join("file")] {
            file(&path);
        }
        for slot in 0..3 {
            file(&root.join(format!(".virtpy/trash/{slot}")));
        }
        fs::symlink(&outside, &root.join("link")).unwrap();
        fs::symlink(Path::new("../../outside"), &root.join("real/link")).unwrap();
        let config = "home = /usr/bin\nvirtpy-id = 0123456789abcdef\nvirtpy-library = python3.12\n";
        fs::write_new(&root.join("pyvenv.cfg"), config.as_bytes(), 0o644).unwrap();
        let venv = Venv::open(&root).unwrap();
        let text = serde_json::to_vec(&journal).unwrap();
        fs::write_new(&venv.root.join(JOURNAL), &text, 0o644).unwrap();
        let _ = recover(&venv);
        let mut found = Vec::new();
        for place in [folder.path().to_path_buf(), outside.clone(), outside.join("real")] {
            found.extend(fs::read_dir_names(&place).unwrap());
        }
        found.sort_by(|one, other| one.0.cmp(&other.0));
        let names: Vec<String> = found.iter().map(|(name, kind)| format!("{} {kind:?}", name.display())).collect();
        prop_assert_eq!(names, ["file File", "file File", "file File", "outside Folder", "real Folder", "real Folder", "v Folder"]);
        for path in [outside.join("file"), outside.join("real/file"), folder.path().join("file")] {
            prop_assert_eq!(fs::read(&path).unwrap(), b"content");
        }
    }

    /// What is no journal is refused, and stays for somebody to look at.
    #[test]
    fn what_is_no_journal_is_refused(text in "\\PC{1,40}") {
        prop_assume!(serde_json::from_str::<Journal>(&text).is_err());
        let folder = testing::folder();
        let config = "home = /usr/bin\nvirtpy-id = 0123456789abcdef\nvirtpy-library = python3.12\n";
        fs::write_new(&folder.path().join("pyvenv.cfg"), config.as_bytes(), 0o644).unwrap();
        fs::create_dir_all(&folder.path().join(".virtpy")).unwrap();
        let venv = Venv::open(folder.path()).unwrap();
        fs::write_new(&venv.root.join(JOURNAL), text.as_bytes(), 0o644).unwrap();
        let refused = recover(&venv);
        prop_assert!(matches!(refused, Err(VenvError::Damaged { .. })), "{refused:?}");
        prop_assert_eq!(fs::read(&venv.root.join(JOURNAL)).unwrap(), text.as_bytes());
    }
}
