//! What an interrupted command had done is not done again, and what it left is shown and swept.

use std::time::{Duration, Instant};

use crate::support::{Fault, Index, TestContext, WheelBuilder};

/// What killed commands left, as the statistics say.
fn left(context: &TestContext) -> u64 {
    let stats = context.virtpy(["store", "stats", "--json"]).success().stdout();
    let stats: serde_json::Value = serde_json::from_str(&stats).unwrap();
    stats["abandoned_bytes"].as_u64().unwrap()
}

#[test]
fn an_interrupted_command_says_that_nothing_was_changed_and_keeps_what_came() {
    let (small, large) =
        (WheelBuilder::new("small", "1.0").build(), WheelBuilder::new("large", "1.0").build());
    let names = [small.file_name.clone(), large.file_name.clone()];
    let index = Index::start(&[small, large]);
    index.fault(&names[1], Fault::Slow(Duration::from_secs(2)));
    let context = TestContext::new();
    context.new_venv();
    let before = context.venv_tree(".venv");
    let child = context.spawn(["add", "--index-url", &index.url(), "small", "large"]);
    let begun = Instant::now();
    while context.store_entries().is_empty() {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing was unpacked");
        std::thread::sleep(Duration::from_millis(20));
    }
    let process = child.id().to_string();
    context.run(context.command("kill").args(["-INT", &process])).success();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("Interrupted: nothing was changed"), "{told}");
    assert_eq!(context.venv_tree(".venv"), before);
    index.fault(&names[1], Fault::Status(200, 0));
    context.add(&index, &["small", "large"]).success();
    assert_eq!((index.downloads(&names[0]), index.downloads(&names[1])), (1, 2));
    // What was half downloaded is nobody's any more.
    let stats = context.virtpy(["store", "stats"]).success();
    assert_eq!(stats.stdout().contains("left by interrupted commands"), left(&context) > 0);
    context.virtpy(["store", "gc", "--remove"]).success();
    assert_eq!(left(&context), 0);
    context.assert_no_leftovers();
}

#[test]
fn a_complete_download_is_taken_by_the_next_command_if_it_is_what_it_should_be() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let (name, sha256) = (wheel.file_name.clone(), wheel.sha256());
    let index = Index::start(std::slice::from_ref(&wheel));
    for (content, downloads) in [(wheel.bytes.clone(), 0), (b"half".to_vec(), 1)] {
        let context = TestContext::new();
        context.new_venv();
        let kept = context.store().join("cache/wheels");
        std::fs::create_dir_all(&kept).unwrap();
        std::fs::write(kept.join(&sha256), content).unwrap();
        index.forget_requests();
        context.add(&index, &["demo"]).success();
        assert_eq!(index.downloads(&name), downloads);
        assert!(std::fs::read_dir(&kept).unwrap().next().is_none(), "nobody needs it any more");
        context.virtpy(["store", "verify"]).success();
        context.virtpy(["check"]).success();
    }
}

#[test]
fn what_killed_commands_left_is_shown_and_swept() {
    let context = TestContext::new();
    context.new_venv();
    assert_eq!(left(&context), 0);
    for path in [
        "tmp/.tmpabc/site/x.py",
        "cache/wheels/0123",
        "cache/resolver/builds-v0/.tmpabc/x",
        "cache/resolver/.tmpx",
    ] {
        let path = context.store().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, [0; 1000]).unwrap();
    }
    std::fs::create_dir_all(context.store().join("cache/resolver/simple-v24/kept")).unwrap();
    let size = left(&context);
    assert!(size >= 4000, "{size}");
    context.virtpy(["store", "stats"]).success().stdout_has("left by interrupted commands");
    context.virtpy(["store", "gc"]).success();
    assert_eq!(left(&context), size);
    context.virtpy(["store", "gc", "--remove"]).success();
    assert_eq!(left(&context), 0);
    assert!(context.store().join("cache/resolver/simple-v24/kept").exists());
    context.assert_no_leftovers();
    let stats = context.virtpy(["store", "stats"]).success().stdout();
    assert!(!stats.contains("left by interrupted commands"), "{stats}");
}

#[test]
fn a_build_ends_with_the_command_that_wanted_it() {
    let context = TestContext::new();
    context.new_venv();
    let system = "[build-system]\nrequires = []\nbuild-backend = \"backend\"\nbackend-path = [\".\"]\n";
    context.write("slow/pyproject.toml", &format!("{system}[project]\nname = \"slow\"\nversion = \"1\"\n"));
    let backend = "import os, time\nopen('number', 'w').write('%d ' % os.getpid())\ntime.sleep(120)\n";
    context.write("slow/backend.py", backend);
    let child = context.spawn(["add", "./slow"]);
    let begun = Instant::now();
    let number = loop {
        assert!(begun.elapsed() < Duration::from_mins(1), "nothing was built");
        match std::fs::read_to_string(context.path("slow/number")) {
            Ok(text) if text.ends_with(' ') => break text.trim().to_owned(),
            _ => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    context.run(context.command("kill").args(["-TERM", &child.id().to_string()])).success();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(143));
    let runs = || std::path::Path::new("/proc").join(&number).exists();
    while runs() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the build goes on");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_pipe_in_the_place_of_a_note_of_the_store_keeps_nobody_waiting() {
    let context = TestContext::new();
    let index =
        Index::start(&[WheelBuilder::new("demo", "1.0").build(), WheelBuilder::new("other", "1.0").build()]);
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let notes = ["digests", "durable"].map(|name| context.store().join(name));
    for note in &notes {
        let _ = std::fs::remove_file(note);
        assert!(std::process::Command::new("mkfifo").arg(note).status().unwrap().success());
    }
    let program = context.virtpy_command(["x"]).get_program().to_owned();
    let mut add = context.command("timeout");
    add.arg("60").arg(&program).args(["add", "other", "--index-url", &index.url()]);
    context.run(&mut add).success();
    assert!(notes[0].symlink_metadata().unwrap().is_file());
    assert_eq!(context.eval(".venv", "import other; print(other.__version__)"), "1.0");
}
