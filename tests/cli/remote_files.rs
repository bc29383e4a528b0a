//! What a requirements or lock file asks for is pushed from the store, and taken from the remote, without a venv.

use crate::remote::{Team, assert_right, install, package};
use crate::support::{Defect, Index, TestContext, WheelBuilder, skip};

/// A machine that has installed the lock's packages, with bytecode, and pushed nothing.
fn filled(team: &Team) -> TestContext {
    let mut machine = team.builder();
    machine.set("VIRTPY_REMOTE_PUSH", "0");
    install(&machine).success();
    assert!(team.objects().is_empty());
    machine
}

#[test]
fn what_a_lock_names_is_pushed_and_taken_without_a_venv() {
    let team = Team::new();
    // What the store does not have is named, and nothing is fetched for it.
    let mut bare = team.machine();
    bare.set("VIRTPY_REMOTE_KEY_FILE", team.folder.path().join("team.key"));
    let pushed = bare.virtpy(["remote", "push", "pylock.toml"]).success();
    pushed
        .stderr_has("of what `pylock.toml` asks for with Python")
        .stderr_has("the store has no made 2.0, whole 1.0")
        .stderr_has("nothing new");
    assert_eq!(team.index.all_downloads(), 0, "{:?}", team.index.requests());
    // Nor does a remote that has nothing let anything be asked for elsewhere.
    let pulled = bare.virtpy(["remote", "pull", "pylock.toml"]).success();
    pulled.stderr_has("the remote has no made 2.0, whole 1.0").stderr_has("Took 0 wheels");
    assert_eq!(team.index.all_downloads(), 0, "{:?}", team.index.requests());

    let first = filled(&team);
    let pushed = first.virtpy(["remote", "push", "pylock.toml"]).success();
    pushed.stderr_has("Pushed 2 wheels, 1 record of a build and 1 archive");
    first.virtpy(["remote", "push", "pylock.toml"]).success().stderr_has("nothing new");
    team.index.forget_requests();

    let second = team.machine();
    let pulled = second.virtpy(["remote", "pull", "pylock.toml"]).success();
    pulled.stderr_has("Took 2 wheels and 2 compiled modules");
    assert!(!second.path(".venv").exists());
    assert_eq!(second.store_entries().len(), 2);
    second.virtpy(["remote", "pull", "pylock.toml"]).success().stderr_has("Took 0 wheels and 0 compiled");
    assert_eq!(team.index.all_downloads(), 0, "{:?}", team.index.requests());
    second.virtpy(["store", "verify"]).success();
    // Then the network is not needed.
    second.virtpy(["new", "--from", "pylock.toml", "--offline"]).success();
    assert_right(&second);
    second.virtpy(["remote", "pull", "absent.toml"]).one_error().stderr_has("absent.toml");
    let wheel = package().build().write_to(&second.path("dist"));
    second.virtpy(["remote", "pull", &wheel.to_string_lossy()]).one_error().stderr_has("is a wheel");
    second.virtpy(["remote", "pull", "--python", "3"]).failure(2);
}

#[test]
fn what_is_no_file_in_a_remote_that_is_a_directory_keeps_nobody_waiting() {
    let team = Team::new();
    install(&team.builder()).success();
    let objects = team.objects();
    for object in &objects {
        std::fs::remove_file(object).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(object).status().unwrap().success());
    }
    let machine = team.machine();
    let program = machine.virtpy_command(["x"]).get_program().to_owned();
    let mut pull = machine.command("timeout");
    pull.arg("60").arg(&program).args(["remote", "pull", "pylock.toml"]);
    machine
        .run(&mut pull)
        .success()
        .stderr_has("it is not a file but a named pipe")
        .stderr_has("Took 0 wheels");
    // Who looks after the remote is told of each.
    let verify = |more: &[&str]| {
        let mut verify = machine.command("timeout");
        verify.arg("60").arg(&program).args(["remote", "verify"]).args(more);
        machine.run(&mut verify)
    };
    let verified = verify(&[]).failure(1);
    verified
        .stderr_has(&format!("{} damaged", objects.len()))
        .stdout_has("it is not a file but a named pipe");
    verify(&["--remove"]).failure(1);
    assert!(team.objects().is_empty());
    verify(&[]).success();
    install(&machine).success();
    assert_right(&machine);
}

#[test]
fn requirements_with_hashes_and_a_lock_of_uv_say_the_same() {
    let team = Team::new();
    let first = filled(&team);
    let (sha256, url) = (package().build().sha256(), team.index.url());
    let requirement = format!("whole==1.0 --hash=sha256:{sha256}\n");
    let lock = format!(
        "version = 1\nrequires-python = \">=3.8\"\n\n[[package]]\nname = \"app\"\nversion = \"1\"\n\
         source = {{ virtual = \".\" }}\ndependencies = [{{ name = \"whole\" }}]\n\n[[package]]\nname = \"whole\"\n\
         version = \"1.0\"\nsource = {{ registry = \"{url}\" }}\nwheels = [{{ url = \"http://127.0.0.1:{}/files/\
         whole-1.0-py3-none-any.whl\", hash = \"sha256:{sha256}\" }}]\n",
        team.index.port()
    );
    for (file, text) in [("requirements.txt", &requirement), ("uv.lock", &lock)] {
        first.write(file, text);
        let project = "[project]\nname = \"app\"\nversion = \"1\"\ndependencies = [\"whole\"]\n";
        first.write("pyproject.toml", project);
        let pushed = first.virtpy(["remote", "push", file, "--index-url", &url]).success();
        pushed.stderr_has("Pushed 1 wheel, 0 records of builds and 1 archive");
        let second = team.machine();
        second.write(file, text);
        second.write("pyproject.toml", project);
        team.index.forget_requests();
        let pulled = second.virtpy(["remote", "pull", file, "--index-url", &url]).success();
        pulled.stderr_has("Took 1 wheel and 2 compiled modules");
        assert_eq!(team.index.all_downloads(), 0, "{:?}", team.index.requests());
        assert_eq!(second.store_entries().len(), 1);
        first.virtpy(["remote", "gc", "--max-age", "0", "--remove"]).success();
        for object in team.objects() {
            std::fs::remove_file(object).unwrap();
        }
    }
}

#[test]
fn a_lock_of_poetry_is_read_with_its_project() {
    let team = Team::new();
    let (mut first, index) = crate::poetry_install::shop();
    let mut second = TestContext::new();
    for file in ["pyproject.toml", "poetry.lock"] {
        second.write(file, &first.read(file));
    }
    for machine in [&mut first, &mut second] {
        machine.set("VIRTPY_REMOTE", format!("file://{}", team.storage().display()));
        machine.set("VIRTPY_REMOTE_TRUST", &team.public_key);
        machine.set("VIRTPY_REMOTE_KEY_FILE", team.folder.path().join("team.key"));
    }
    let url = index.url();
    first.virtpy(["sync", "poetry.lock", "--index-url", &url]).success();
    let pushed = first.virtpy(["remote", "push", "poetry.lock", "--index-url", &url]).success();
    assert!(!pushed.raw_stderr.contains("shop"), "{}", pushed.raw_stderr);
    pushed.stderr_has("Pushed ");
    index.forget_requests();
    let pulled = second.virtpy(["remote", "pull", "poetry.lock", "--index-url", &url]).success();
    assert!(!pulled.raw_stderr.contains("has no"), "{}", pulled.raw_stderr);
    assert_eq!(index.all_downloads(), 0, "{:?}", index.requests());
    assert!(second.store_entries().len() >= 2);
}

#[test]
fn progress_is_one_line_on_a_terminal_and_none_in_a_pipe() {
    if !std::path::Path::new("/usr/bin/script").exists() {
        skip("there is no script");
        return;
    }
    let team = Team::new();
    let first = filled(&team);
    let program = first.virtpy_command(["x"]).get_program().to_owned();
    let mut command = first.command("script");
    let line = format!("{} remote push --all", program.to_string_lossy());
    let shown =
        first.run(command.env("TERM", "xterm").args(["-qec", &line, "/dev/null"])).success().raw_stdout;
    assert!(shown.contains("pushing") && shown.contains("2/2"), "{shown:?}");
    let piped = first.virtpy(["remote", "push", "--all"]).success();
    assert_eq!(piped.raw_stderr.lines().count(), 1, "{}", piped.dump());
}

#[test]
fn the_disk_is_waited_for_once_for_many_packages() {
    if !std::path::Path::new("/usr/bin/strace").exists() {
        skip("there is no strace");
        return;
    }
    let team = Team::new();
    let names: Vec<String> = (0..12).map(|number| format!("package{number}")).collect();
    let wheels = names.iter().map(|name| WheelBuilder::new(name, "1.0").build());
    let index = Index::start(&wheels.collect::<Vec<_>>());
    let pins: String = names.iter().flat_map(|name| [name, "==1.0\n"]).collect();
    let first = team.builder();
    let mut second = team.machine();
    second.set("VIRTPY_BYTECODE", "eager");
    for machine in [&first, &second] {
        machine.new_venv();
        machine.write("pins.txt", &pins);
    }
    let url = index.url();
    let add = ["add", "-v", "--index-url", &url, "-r", "pins.txt"];
    first.virtpy(add).success();
    let program = second.virtpy_command(["x"]).get_program().to_owned();
    let (log, mut command) = (second.path("trace"), second.command("strace"));
    command.args(["-f", "-qq", "-e", "trace=syncfs", "-o"]).arg(&log).arg(program).args(add);
    second
        .run(&mut command)
        .success()
        .stderr_has("took 12 compiled modules")
        .stderr_has("compiled 0 modules");
    let waited = std::fs::read_to_string(&log).unwrap().matches("syncfs(").count();
    assert!((1..6).contains(&waited), "{waited} times");
    second.virtpy(["store", "verify"]).success();
}

#[test]
fn a_wheel_is_pushed_only_if_it_can_be_installed_and_its_record_is_right() {
    let team = Team::new();
    let machine = team.machine();
    let whole = package().build();
    let broken =
        |defect: Defect, folder: &str| package().defect(defect).build().write_to(&machine.path(folder));
    let misnamed = machine.path("whole.whl");
    std::fs::write(&misnamed, &whole.bytes).unwrap();
    let all = [
        broken(Defect::NotAnArchive, "garbage"),
        broken(Defect::Truncated, "cut"),
        broken(Defect::WrongRecordHash("whole/part.py".to_owned()), "other"),
        broken(Defect::Unlisted("whole/part.py".to_owned()), "more"),
        misnamed,
    ];
    let good = whole.write_to(&machine.path("dist"));
    for broken in &all {
        // Nothing is pushed, not even what is right.
        let pushed = machine.virtpy(["remote", "push", &good.to_string_lossy(), &broken.to_string_lossy()]);
        pushed.one_error().stderr_has("is not a usable wheel");
        assert!(team.objects().is_empty());
    }
    machine.virtpy(["remote", "push", &good.to_string_lossy()]).success().stderr_has("Pushed 1 wheel");
    assert_eq!(std::fs::read_dir(machine.store().join("tmp")).map_or(0, Iterator::count), 0);
}
