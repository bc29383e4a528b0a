//! Changing the key of a remote: what the old one signed is signed by the new one, replaced or removed.

use crate::remote::{Team, assert_right, install};
use crate::support::TestContext;

/// Another key: its file, and the public one.
fn another(team: &Team) -> (std::path::PathBuf, String) {
    let path = team.folder.path().join("new.key");
    let made = TestContext::new().virtpy(["remote", "key", &path.to_string_lossy()]).success();
    (path, made.raw_stdout.trim().to_owned())
}

fn builds(team: &Team, machine: &TestContext) -> String {
    team.index.forget_requests();
    let told = install(machine).success().raw_stderr;
    assert_right(machine);
    told
}

#[test]
fn what_the_old_key_signed_is_signed_by_the_new_one() {
    let team = Team::new();
    install(&team.builder()).success();
    let (key, public) = another(&team);
    let mut machine = team.machine();
    machine.set("VIRTPY_REMOTE_KEY_FILE", &key);
    // Nobody signs what a stranger has signed.
    machine.set("VIRTPY_REMOTE_TRUST", &public);
    let signed = machine.virtpy(["remote", "push", "--sign-again"]).success();
    let unlisted = format!("lists the key {public}, which this machine does not");
    assert!(!signed.raw_stderr.contains(&unlisted), "{}", signed.dump());
    signed.stderr_has("Signed 0 objects");
    machine.set("VIRTPY_REMOTE_TRUST", format!("{},{public}", team.public_key));
    let signed = machine.virtpy(["remote", "push", "--sign-again"]).success();
    signed.stderr_has("Signed 2 objects with ed25519:");
    machine.virtpy(["remote", "push", "--sign-again"]).success().stderr_has("Signed 0 objects");
    machine.virtpy(["remote", "verify"]).success().stderr_has("0 damaged");
    // A machine that will not believe its own key is told.
    machine.set("VIRTPY_REMOTE_TRUST", &team.public_key);
    for command in [&["remote", "push", "--all"][..], &["remote", "push", "--sign-again"]] {
        let told = machine.virtpy(command).success().raw_stderr;
        assert_eq!(told.matches(&unlisted).count(), 1, "{told}");
    }
    // Who trusts the new one alone has everything.
    let mut reader = team.machine();
    reader.set("VIRTPY_REMOTE_TRUST", &public);
    reader.set("VIRTPY_BYTECODE", "eager");
    let told = builds(&team, &reader);
    assert!(!told.contains("built") && !told.contains("warning"), "{told}");
    assert_eq!(team.index.all_downloads(), 0, "{:?}", team.index.requests());
    reader.virtpy(["store", "compile"]).success().stderr_has("Compiled 0 modules");
    reader.virtpy(["remote", "gc", "--untrusted"]).success().stderr_has("nothing to remove");
    // Who trusts the old one alone has the wheels of the index.
    assert!(builds(&team, &team.machine()).contains("built"));
}

#[test]
fn what_nobody_trusts_any_more_makes_way() {
    let team = Team::new();
    let mut first = team.builder();
    install(&first).success();
    let (key, public) = another(&team);
    for trust in ["", team.public_key.as_str()] {
        first.set("VIRTPY_REMOTE_TRUST", trust);
        first.set("VIRTPY_REMOTE_KEY_FILE", &key);
        // With no key that is trusted, or while the old one counts, its bytecode stays.
        first.virtpy(["remote", "push"]).success().stderr_has("nothing new");
    }
    first.virtpy(["remote", "gc", "--untrusted"]).success().stderr_has("nothing to remove");
    first.set("VIRTPY_REMOTE_TRUST", "");
    first.virtpy(["remote", "gc", "--untrusted"]).one_error().stderr_has("no key is trusted");
    first.virtpy(["remote", "gc"]).failure(2);

    first.set("VIRTPY_REMOTE_TRUST", &public);
    let old = team.objects().len();
    first
        .virtpy(["remote", "push"])
        .success()
        .stderr_has("Pushed 0 wheels, 0 records of builds and 1 archive");
    first.virtpy(["remote", "push"]).success().stderr_has("nothing new");
    assert_eq!(team.objects().len(), old);
    let left = first.virtpy(["remote", "gc", "--untrusted"]).success();
    left.stdout_has("v1/builds/").stderr_has("Would remove 1 object of 4");
    first
        .virtpy(["remote", "gc", "--untrusted", "--max-age", "1d"])
        .success()
        .stderr_has("nothing to remove");
    first.virtpy(["remote", "gc", "--untrusted", "--remove"]).success().stderr_has("Removed 1 object");
    assert_eq!(team.objects().len(), old - 1);
    first.virtpy(["remote", "verify"]).success();
    // The next machine builds, and puts its record there.
    let mut second = team.builder();
    second.set("VIRTPY_REMOTE_TRUST", &public);
    second.set("VIRTPY_REMOTE_KEY_FILE", &key);
    assert!(builds(&team, &second).contains("built"));
    let mut third = team.machine();
    third.set("VIRTPY_REMOTE_TRUST", &public);
    assert!(!builds(&team, &third).contains("built"));
}
