//! Object storage that machines share: a second machine takes what the first one built, and nobody who can write there decides
//! what is installed.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::support::{Index, Output, SdistBuilder, TestContext, WheelBuilder};

/// Several machines, an index, and a storage that is a directory.
pub(crate) struct Team {
    pub(crate) index: Index,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) lock: String,
    pub(crate) public_key: String,
}

pub(crate) fn package() -> WheelBuilder {
    WheelBuilder::new("whole", "1.0").file("whole/part.py", "y = 2\n")
}

impl Team {
    /// With a lock file that names a wheel and a source distribution, and a key to sign with.
    pub(crate) fn new() -> Self {
        let index =
            Index::start(&[package().build(), SdistBuilder::new("made", "2.0").source("z = 3\n").build()]);
        let folder = crate::support::place::folder();
        std::fs::create_dir(folder.path().join("remote")).unwrap();
        let project = "[project]\nname = \"demo\"\nversion = \"1\"\ndependencies = [\"whole\", \"made\"]\n";
        let author = TestContext::new();
        author.write("pyproject.toml", project);
        author.virtpy(["lock", "--index-url", &index.url()]).success();
        let key = folder.path().join("team.key");
        let public_key = author.virtpy(["remote", "key", &key.to_string_lossy()]).success().raw_stdout;
        let team = Self {
            index,
            lock: author.read("pylock.toml"),
            folder,
            public_key: public_key.trim().to_owned(),
        };
        team.index.forget_requests();
        team
    }

    pub(crate) fn storage(&self) -> PathBuf {
        self.folder.path().join("remote")
    }

    /// A machine that uses the remote and believes the team's key.
    pub(crate) fn machine(&self) -> TestContext {
        let mut machine = TestContext::new();
        machine.write("pylock.toml", &self.lock);
        machine.set("VIRTPY_REMOTE", format!("file://{}", self.storage().display()));
        machine.set("VIRTPY_REMOTE_TRUST", &self.public_key);
        machine
    }

    /// One that besides puts there by itself what is new.
    pub(crate) fn builder(&self) -> TestContext {
        let mut machine = self.machine();
        machine.set("VIRTPY_REMOTE_PUSH", "1");
        machine.set("VIRTPY_REMOTE_KEY_FILE", self.folder.path().join("team.key"));
        machine.set("VIRTPY_BYTECODE", "eager");
        machine
    }

    pub(crate) fn objects(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        list(&self.storage(), &mut found);
        found.sort();
        found
    }
}

fn list(folder: &Path, found: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(folder).unwrap().flatten() {
        let path = item.path();
        if path.is_dir() { list(&path, found) } else { found.push(path) }
    }
}

pub(crate) fn install(machine: &TestContext) -> Output {
    machine.virtpy(["new", "--from", "pylock.toml"])
}

/// What is imported is what the index has, whatever lies on the remote.
#[track_caller]
pub(crate) fn assert_right(machine: &TestContext) {
    assert_eq!(machine.eval(".venv", "import whole.part, made; print(whole.part.y, made.z)"), "2 3");
    machine.virtpy(["store", "verify"]).success();
}

#[test]
fn a_second_machine_takes_what_the_first_one_built() {
    let team = Team::new();
    let first = team.builder();
    install(&first).success();
    assert_right(&first);
    // Two wheels, a record of a build, and bytecode of the package that has folders.
    let kinds: Vec<String> = team
        .objects()
        .iter()
        .map(|path| {
            path.strip_prefix(team.storage().join("v1"))
                .unwrap()
                .iter()
                .next()
                .unwrap()
                .to_string_lossy()
                .into()
        })
        .collect();
    assert_eq!(kinds, ["builds", "bytecode", "wheels", "wheels"]);
    assert_eq!(team.index.all_downloads(), 2);
    team.index.forget_requests();

    let mut second = team.machine();
    let installed = install(&second).success();
    assert_eq!(team.index.all_downloads(), 0, "{:?}", team.index.requests());
    assert!(!installed.raw_stderr.contains("built"), "{}", installed.raw_stderr);
    assert_right(&second);
    // Its store is the same, bit by bit, and bytecode comes from there too: Python compiles nothing.
    let entries = |machine: &TestContext| machine.store_entries();
    assert_eq!(entries(&first), entries(&second));
    second.virtpy(["remote", "pull"]).success().stderr_has("Took 2 compiled modules");
    second.virtpy(["remote", "pull"]).success().stderr_has("Took 0 compiled modules");
    second.virtpy(["store", "compile"]).success().stderr_has("Compiled 0 modules");
    second.unset("PYTHONDONTWRITEBYTECODE");
    let cached =
        "import whole.part as p; print(p.__cached__, p.__spec__.loader.get_code('whole.part') is not None)";
    assert!(second.eval(".venv", cached).contains("__pycache__/part."));
    second.virtpy(["store", "verify"]).success();
    // A direct look: it is there before anything is compiled, with `eager`.
    let mut third = team.machine();
    third.set("VIRTPY_BYTECODE", "eager");
    let told = third.virtpy(["-v", "new", "--from", "pylock.toml"]).success().raw_stderr;
    assert!(told.contains("took 2 compiled modules") && told.contains("compiled 0 modules"), "{told}");
    assert_right(&third);
}

#[test]
fn without_a_trusted_key_builds_are_made_here() {
    let team = Team::new();
    install(&team.builder()).success();
    team.index.forget_requests();
    let stranger = TestContext::new();
    let other = stranger.virtpy(["remote", "key", "other.key"]).success().raw_stdout;
    for trust in ["", other.trim()] {
        let mut machine = team.machine();
        machine.set("VIRTPY_REMOTE_TRUST", trust);
        machine.set("VIRTPY_BYTECODE", "eager");
        let installed = install(&machine).success();
        // The wheel is known by its hash; what was built is not.
        assert_eq!(team.index.all_downloads(), 1, "{:?}", team.index.requests());
        assert!(!installed.raw_stderr.contains("warning"), "{}", installed.raw_stderr);
        assert_right(&machine);
        team.index.forget_requests();
    }
}

#[test]
fn whatever_is_done_to_the_objects_the_right_thing_is_installed() {
    let team = Team::new();
    install(&team.builder()).success();
    let sound: BTreeMap<PathBuf, Vec<u8>> =
        team.objects().into_iter().map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
    let contents: Vec<&Vec<u8>> = sound.values().collect();
    for (number, (path, content)) in sound.iter().enumerate() {
        let mut flipped = content.clone();
        flipped[content.len() / 2 + number] ^= 0x10;
        let truncated = content[..content.len() - 1].to_vec();
        let swapped = contents[(number + 1) % contents.len()].clone();
        let appended = [content.as_slice(), b"x"].concat();
        for (what, bad) in
            [("flipped", flipped), ("truncated", truncated), ("swapped", swapped), ("longer", appended)]
        {
            std::fs::write(path, bad).unwrap();
            let mut machine = team.machine();
            machine.set("VIRTPY_BYTECODE", "eager");
            let installed = install(&machine).success();
            assert!(
                installed.raw_stderr.contains("of the remote is not used"),
                "{what} {}: {}",
                path.display(),
                installed.raw_stderr
            );
            assert_right(&machine);
        }
        std::fs::write(path, content).unwrap();
    }
    let machine = team.machine();
    machine.virtpy(["remote", "verify"]).success().stderr_has("0 damaged");
}

#[test]
fn a_plain_server_is_read_and_nothing_more() {
    let team = Team::new();
    install(&team.builder()).success();
    team.index.serve_folder(&team.storage());
    team.index.forget_requests();
    let mut machine = team.machine();
    machine.set("VIRTPY_REMOTE", format!("http://127.0.0.1:{}/folder", team.index.port()));
    install(&machine).success();
    assert_eq!(team.index.all_downloads(), 0, "{:?}", team.index.requests());
    assert_right(&machine);
    machine.virtpy(["remote", "pull"]).success().stderr_has("Took 2 compiled modules");
    machine.virtpy(["remote", "status"]).success().stdout_has("can only be read");
    machine.virtpy(["remote", "push"]).failure(1).stderr_has("can only be read");
}

#[test]
fn one_that_does_not_answer_costs_a_moment_and_a_warning() {
    let team = Team::new();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut machine = team.machine();
    machine.set("VIRTPY_REMOTE", format!("http://127.0.0.1:{port}/"));
    machine.set("VIRTPY_BYTECODE", "eager");
    let begun = Instant::now();
    let installed = install(&machine).success();
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!(installed.raw_stderr.matches("cannot be used").count(), 1, "{}", installed.raw_stderr);
    assert_right(&machine);
    // A directory that is not there is one that does not answer.
    let mut machine = team.machine();
    machine.set("VIRTPY_REMOTE", "file:///nowhere/at/all");
    install(&machine).success().stderr_has("cannot be used");
    machine.virtpy(["remote", "pull"]).failure(1);
    // Nobody asks it who may not use the network.
    let mut machine = TestContext::new();
    machine.set("VIRTPY_REMOTE", format!("http://127.0.0.1:{port}/"));
    let wheel = package().build().write_to(&machine.path("dist"));
    let offline = machine.virtpy(["add", "--offline", &wheel.to_string_lossy()]);
    assert!(!offline.raw_stderr.contains("cannot be used"), "{}", offline.raw_stderr);
}

#[test]
fn what_was_built_is_pushed_when_somebody_says_so() {
    let team = Team::new();
    let mut machine = team.machine();
    machine.set("VIRTPY_REMOTE_KEY_FILE", team.folder.path().join("team.key"));
    machine.set("VIRTPY_BYTECODE", "eager");
    install(&machine).success();
    assert!(team.objects().is_empty(), "nothing goes there unasked");
    machine
        .virtpy(["remote", "push"])
        .success()
        .stderr_has("Pushed 2 wheels, 1 record of a build and 1 archive");
    machine.virtpy(["remote", "push"]).success().stderr_has("There is nothing new");
    machine.virtpy(["remote", "push", "--all"]).success().stderr_has("There is nothing new");
    machine.virtpy(["remote", "verify"]).success();
    team.index.forget_requests();
    let second = team.machine();
    install(&second).success();
    assert_eq!(team.index.all_downloads(), 0);
    assert_right(&second);
    // What was built is nowhere else: damage is mended from there.
    let entry = second.store_entries().into_iter().map(|id| second.store().join("w").join(id));
    let source = entry.map(|entry| entry.join("site/made.py")).find(|path| path.exists()).unwrap();
    std::fs::set_permissions(&source, std::fs::Permissions::from_mode(0o644)).unwrap();
    std::fs::write(&source, "z = 66\n").unwrap();
    second.virtpy(["store", "repair"]).success().stdout_has("made 2.0").stdout_has("fetched again");
    assert_right(&second);
    // A wheel of somebody's own.
    let own = WheelBuilder::new("own", "1.0").build().write_to(&second.path("dist"));
    second.virtpy(["remote", "push", &own.to_string_lossy()]).success().stderr_has("Pushed 1 wheel ");
    second.virtpy(["remote", "push", &own.to_string_lossy()]).success().stderr_has("Pushed 0 wheels");
    second.write("text.txt", "no wheel");
    second.virtpy(["remote", "push", "text.txt"]).one_error().stderr_has("text.txt");
}

#[test]
fn what_was_built_before_there_was_a_remote_is_said_to_be_missing() {
    let team = Team::new();
    let mut machine = team.machine();
    machine.unset("VIRTPY_REMOTE");
    install(&machine).success();
    machine.set("VIRTPY_REMOTE", format!("file://{}", team.storage().display()));
    machine.set("VIRTPY_REMOTE_KEY_FILE", team.folder.path().join("absent.key"));
    let pushed = machine.virtpy(["remote", "push"]).success();
    pushed
        .stderr_has("made 2.0 is not pushed")
        .stderr_has("only wheels are pushed")
        .stderr_has("Pushed 1 wheel,");
}

#[test]
fn a_remote_is_looked_after() {
    let team = Team::new();
    let machine = team.builder();
    install(&machine).success();
    let status = machine.virtpy(["remote", "status"]).success();
    status
        .stdout_has("wheels: 2 (")
        .stdout_has("builds: 1 (")
        .stdout_has("bytecode: 1 (")
        .stdout_has(&team.public_key);
    let json: serde_json::Value =
        serde_json::from_str(&machine.virtpy(["remote", "status", "--json"]).success().raw_stdout).unwrap();
    assert_eq!((&json["objects"]["wheels"]["count"], &json["push"]), (&2.into(), &true.into()));
    let wheel = team.objects().pop().unwrap();
    std::fs::write(&wheel, "another").unwrap();
    std::fs::write(team.storage().join("v1/notes.txt"), "of somebody").unwrap();
    machine.virtpy(["remote", "verify"]).failure(1).stdout_has("another hash").stdout_has("v1/notes.txt");
    machine.virtpy(["remote", "verify", "--remove"]).failure(1).stderr_has("Removed 1 object");
    assert!(!wheel.exists() && team.storage().join("v1/notes.txt").exists(), "what is not virtpy's stays");
    machine.virtpy(["remote", "gc", "--max-age", "1d"]).success().stderr_has("nothing to remove");
    std::thread::sleep(Duration::from_millis(1100));
    machine.virtpy(["remote", "gc", "--max-age", "0"]).success().stderr_has("Would remove 3 objects");
    assert_eq!(team.objects().len(), 4);
    machine.virtpy(["remote", "gc", "--max-age", "0", "--remove"]).success().stderr_has("Removed 3 objects");
    assert_eq!(team.objects(), [team.storage().join("v1/notes.txt")]);
}

#[test]
fn keys_are_made_once_and_settings_that_make_no_sense_are_named() {
    let mut context = TestContext::new();
    let made = context.virtpy(["remote", "key"]).success();
    let path = context.home().join(".config/virtpy/remote.key");
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(made.raw_stdout.starts_with("ed25519:"), "{}", made.raw_stdout);
    let secret = std::fs::read_to_string(&path).unwrap();
    let again = context.virtpy(["remote", "key"]).success();
    assert_eq!(
        (again.raw_stdout, std::fs::read_to_string(&path).unwrap()),
        (made.raw_stdout, secret.clone())
    );
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    context.virtpy(["remote", "key"]).failure(1).stderr_has("others can read it");
    context.virtpy(["remote", "status"]).failure(1).stderr_has("no remote is set up");
    context.new_venv();
    for (name, value, reason) in [
        ("VIRTPY_REMOTE", "http://h.example/x", "of this machine only"),
        ("VIRTPY_REMOTE", "https://user:word@h.example/", "no user and no password"),
        ("VIRTPY_REMOTE", "ftp://h.example/", "none of `s3://`"),
        ("VIRTPY_REMOTE_TRUST", "AAAA", "is not a public key"),
        ("VIRTPY_REMOTE_TRUST", secret.trim(), "private key"),
        ("VIRTPY_REMOTE_PUSH", "maybe", "neither 1 nor 0"),
    ] {
        context.set("VIRTPY_REMOTE", "file:///srv/remote");
        context.set(name, value);
        let refused = context.virtpy(["add", "demo"]).failure(1).stderr_has(reason);
        assert!(
            !refused.raw_stderr.contains(secret.trim().split(':').nth(1).unwrap()),
            "{}",
            refused.raw_stderr
        );
        context.unset(name);
    }
    context.set("VIRTPY_REMOTE", "off");
    context.virtpy(["remote", "status"]).failure(1).stderr_has("no remote is set up");
}
