//! That nothing outside an open directory is reached from it, whatever stands on the way and whoever changes that meanwhile.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;

use super::*;
use crate::{File, FileKind};

/// A folder `inside`, and one beside it in which everything is precious.
struct Scene {
    root: tempfile::TempDir,
}

impl Scene {
    fn new() -> Self {
        let scene = Self { root: tempfile::tempdir().unwrap() };
        for folder in ["inside/real/deep", "outside/deep/trash", "outside/empty"] {
            std::fs::create_dir_all(scene.path(folder)).unwrap();
        }
        for file in
            ["inside/real/file", "inside/top", "outside/file", "outside/deep/file", "outside/deep/trash/0"]
        {
            std::fs::write(scene.path(file), file).unwrap();
        }
        scene
    }

    fn path(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(path)
    }

    /// The directory, in both ways of reaching folders.
    fn directories(&self) -> [Directory; 4] {
        let plain = Directory::open(&self.path("inside")).unwrap();
        let steps = Directory { only_steps: true, ..plain.clone() };
        [plain.for_many_changes(), steps.for_many_changes(), plain, steps]
    }

    /// All that is outside: what it is, its mode, and its content.
    fn outside(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        let mut found = BTreeMap::new();
        let mut waiting = vec![self.path("outside")];
        while let Some(path) = waiting.pop() {
            use std::os::unix::fs::MetadataExt as _;
            let facts = std::fs::symlink_metadata(&path).unwrap();
            let content = if facts.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
            if facts.is_dir() {
                waiting.extend(std::fs::read_dir(&path).unwrap().map(|item| item.unwrap().path()));
            }
            found.insert(path, (facts.mode(), content));
        }
        found
    }
}

/// Tries everything that changes the disk at a path and the names below it.
fn try_all(directory: &Directory, path: &str) -> Vec<Result<(), PathError>> {
    let at = |name: &str| format!("{path}/{name}");
    let source = || File::open("/dev/null").unwrap();
    vec![
        directory.create_new(at("new"), 0o644).map(drop),
        directory.write_new(at("new"), b"evil", 0o644),
        directory.copy_new(source(), at("new"), 0o644),
        directory.replace("unfinished", at("file"), b"evil", 0o644),
        directory.replace(at("unfinished"), "top", b"evil", 0o644),
        directory.symlink(Path::new("/etc"), at("new")),
        directory.replace_by_link("unfinished", Path::new("/etc"), at("file")),
        directory.hard_link_from(&directory.path().join("top"), at("new")),
        directory.hard_link("top", at("new")),
        directory.hard_link(at("file"), "stolen"),
        directory.create_dir(at("new")),
        directory.create_dir_all(at("new/newer")),
        directory.rename(at("file"), "stolen"),
        directory.rename("top", at("file")),
        directory.exchange("top", at("file")),
        directory.remove_file(at("file")),
        directory.remove_dir(at("empty")),
        directory.remove_tree(at("deep")),
    ]
}

#[test]
fn works_in_its_own_folders() {
    let scene = Scene::new();
    let before = scene.outside();
    for (number, directory) in scene.directories().iter().enumerate() {
        let at = |name: &str| format!("{number}/{name}");
        directory.create_dir_all(at("a/b")).unwrap();
        directory.write_new(at("a/b/file"), b"content", 0o600).unwrap();
        assert!(directory.write_new(at("a/b/file"), b"", 0o600).unwrap_err().already_exists());
        directory.hard_link(at("a/b/file"), at("a/second")).unwrap();
        assert_eq!(directory.facts(at("a/second")).unwrap(), directory.facts(at("a/b/file")).unwrap());
        directory.replace(at("by"), at("a/second"), b"other", 0o644).unwrap();
        assert_eq!(directory.read_own(at("a/b/file"), 4).unwrap(), b"content");
        assert_eq!(directory.read_to_string(at("a/second")).unwrap(), "other");
        assert!(directory.read_bounded(at("a/second"), 4).is_err());
        directory.symlink(Path::new("second"), at("a/link")).unwrap();
        directory.replace_by_link(at("by"), Path::new("b/file"), at("a/link")).unwrap();
        assert_eq!(directory.read_link(at("a/link")).unwrap(), Path::new("b/file"));
        assert!(directory.read(at("a/link")).unwrap_err().to_string().contains("could not read"));
        assert_eq!(directory.read_bounded_through(at("a/link"), 9).unwrap(), b"content");
        directory.copy_new(directory.open_file(at("a/second")).unwrap(), at("copy"), 0o755).unwrap();
        assert_eq!(directory.facts(at("copy")).unwrap().unwrap().mode, 0o755);
        directory.exchange(at("copy"), at("a/b/file")).unwrap();
        assert_eq!(directory.read(at("copy")).unwrap(), b"content");
        let mut names = directory.folder(at("a")).unwrap().names("").unwrap();
        names.sort();
        assert_eq!(names, ["b", "link", "second"]);
        // What was open is not taken for what stands there now.
        directory.rename(at("a"), at("c")).unwrap();
        assert_eq!(directory.kind(at("a/b")).unwrap(), None);
        directory.create_dir(at("a")).unwrap();
        directory.write_new(at("a/new"), b"", 0o644).unwrap();
        assert_eq!(directory.kind(at("c/b/file")).unwrap(), Some(FileKind::File));
        directory.remove_file(at("a/new")).unwrap();
        directory.remove_dir(at("a")).unwrap();
        directory.remove_tree(at("c")).unwrap();
        directory.remove_tree(at("c")).unwrap();
        directory.remove_tree("absent/absent").unwrap();
        assert_eq!(directory.names(number.to_string()).unwrap(), ["copy"]);
        assert!(!directory.has_folder("absent").unwrap());
        assert!(!directory.has_folder("top").unwrap());
    }
    assert_eq!(scene.outside(), before);
}

#[test]
fn nothing_leads_outside() {
    let scene = Scene::new();
    symlink(scene.path("outside"), scene.path("inside/link")).unwrap();
    symlink("../outside", scene.path("inside/real/climbing")).unwrap();
    symlink("real", scene.path("inside/near")).unwrap();
    let before = scene.outside();
    for directory in scene.directories() {
        let absolute = scene.path("outside");
        for path in
            ["link", "real/climbing", "near", "../outside", "real/../../outside", absolute.to_str().unwrap()]
        {
            for (number, tried) in try_all(&directory, path).into_iter().enumerate() {
                assert!(tried.is_err(), "{path}: {number}");
                assert_eq!(scene.outside(), before, "{path}: {number}");
            }
            assert!(directory.read(format!("{path}/file")).is_err());
            assert!(directory.names(path).is_err() && directory.folder(path).is_err());
        }
        // What is behind a link is not there, and what climbs is refused.
        assert_eq!(directory.kind("link/file").unwrap(), None);
        assert_eq!(directory.kind("link").unwrap(), Some(FileKind::Link));
        assert!(directory.kind("../outside/file").is_err() && directory.kind("..").is_err());
        assert!(directory.names("..").is_err() && directory.remove_tree("real/..").is_err());
        assert_eq!(std::fs::read(scene.path("inside/top")).unwrap(), b"inside/top");
        assert_eq!(std::fs::read(scene.path("inside/real/file")).unwrap(), b"inside/real/file");
    }
    assert!(Directory::open(&scene.path("inside/link")).is_err());
    #[cfg(target_os = "linux")]
    assert!(Directory::open(&scene.path("inside/link/deep")).is_err());
}

#[test]
fn a_link_goes_and_what_it_leads_to_stays() {
    let scene = Scene::new();
    let before = scene.outside();
    for directory in scene.directories() {
        symlink(scene.path("outside"), scene.path("inside/real/link")).unwrap();
        directory.create_dir_all("tree/deep").unwrap();
        directory.rename("real/link", "tree/deep/link").unwrap();
        std::fs::set_permissions(
            scene.path("inside/tree/deep"),
            std::os::unix::fs::PermissionsExt::from_mode(0o500),
        )
        .unwrap();
        directory.remove_tree("tree").unwrap();
        assert_eq!(directory.kind("tree").unwrap(), None);
        assert_eq!(scene.outside(), before);
    }
}

/// Somebody exchanges a folder and a link, as fast as he can.
#[test]
#[cfg(target_os = "linux")]
fn a_folder_that_is_swapped_leads_nowhere() {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let scene = Scene::new();
    symlink(scene.path("outside"), scene.path("inside/link")).unwrap();
    let (real, link) = (scene.path("inside/real"), scene.path("inside/link"));
    let before = scene.outside();
    let (done, swaps) = (AtomicBool::new(false), AtomicUsize::new(0));
    let succeeded = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                renameat_with(CWD, &real, CWD, &link, RenameFlags::EXCHANGE).unwrap();
                swaps.fetch_add(1, Ordering::Relaxed);
            }
        });
        let mut succeeded = 0;
        for directory in scene.directories() {
            for _ in 0..300 {
                for path in ["real", "real/deep"] {
                    succeeded += try_all(&directory, path).iter().filter(|tried| tried.is_ok()).count();
                }
                for left in ["real/new", "real/deep/new", "stolen"] {
                    let _ = directory.remove_tree(left);
                }
                let _ = directory.replace("unfinished", "top", b"inside/top", 0o644);
            }
        }
        done.store(true, Ordering::Relaxed);
        succeeded
    });
    assert_eq!(scene.outside(), before);
    let swaps = swaps.into_inner();
    assert!(succeeded > 100 && swaps > 100, "{succeeded} changes and {swaps} swaps show nothing");
}

#[test]
fn few_folders_are_kept_open() {
    let scene = Scene::new();
    let [directory, ..] = scene.directories();
    for number in 0..100 {
        let folder = format!("many/{number}");
        directory.create_dir_all(&folder).unwrap();
        directory.write_new(format!("{folder}/file"), b"", 0o644).unwrap();
    }
    let recent = directory.recent.as_ref().unwrap().lock().unwrap();
    assert_eq!(recent.len(), MOST_OPEN);
    assert_eq!(recent.last().unwrap().path, Path::new("many/99"));
}
