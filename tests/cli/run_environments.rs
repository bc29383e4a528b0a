//! The environments in the cache that `virtpy run` makes: complete, one for many at once, and kept for as long as they are used.

use std::process::Stdio;
use std::time::Duration;

use super::run::{SCRIPT, age, context, demo, environments, index, notes};

#[test]
fn an_environment_is_complete_or_made_anew() {
    let index = index();
    let context = context(&index);
    context.write("work.py", SCRIPT);
    context.virtpy(["run", "work.py"]).success();
    let [environment] = environments(&context).try_into().unwrap();
    // As a killed process leaves it.
    let site = environment.join(context.interpreter().site_packages());
    std::fs::remove_file(environment.join(".virtpy/complete")).unwrap();
    std::fs::remove_file(site.join("demo")).unwrap();
    context.virtpy(["run", "work.py"]).success();
    assert!(site.join("demo").exists() && environment.join(".virtpy/complete").exists());
    // Its interpreter is gone.
    std::fs::remove_file(environment.join("bin/python")).unwrap();
    context.virtpy(["run", "work.py"]).success();
    // The whole cache is gone: nothing of it is missed.
    std::fs::remove_dir_all(context.store().join("cache")).unwrap();
    context.virtpy(["run", "work.py"]).success();
    assert!(context.virtpy(["store", "verify"]).success().raw_stdout.is_empty());
    context.assert_no_leftovers();
}

#[test]
fn several_at_once_make_one_environment() {
    let index = index();
    let context = context(&index);
    context.write("work.py", SCRIPT);
    let children: Vec<_> = (0..6).map(|_| context.spawn(["run", "work.py"])).collect();
    for child in children {
        let output = child.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(text, "1.0 1.0 ['work.py']\n", "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(environments(&context).len(), 1);
    context.assert_no_leftovers();
}

#[test]
fn killed_at_any_time_the_next_one_works() {
    let index = index();
    let context = context(&index);
    context.write("work.py", SCRIPT);
    for step in 0..12 {
        let _ = std::fs::remove_dir_all(context.store().join("cache/environments"));
        let _ = std::fs::remove_dir_all(context.store().join("cache/runs"));
        let mut child = context.spawn(["run", "work.py"]);
        std::thread::sleep(Duration::from_millis(step * 25));
        child.kill().unwrap();
        child.wait().unwrap();
        context.virtpy(["run", "work.py"]).success().stdout_is("1.0 1.0 ['work.py']\n");
    }
}

#[test]
fn the_store_keeps_what_is_used_and_gives_up_what_was_not_used_for_long() {
    let index = index();
    let context = context(&index);
    context.write("old.py", SCRIPT);
    context.virtpy(["run", "old.py"]).success();
    let gc = ["store", "gc", "--remove", "--grace", "0s"];
    context.virtpy(gc).success();
    context.virtpy(["run", "--offline", "old.py"]).success();
    let [environment] = environments(&context).try_into().unwrap();
    let mark = environment.join(".virtpy/complete");
    // A use is noted once a day.
    age(&mark, 2);
    context.virtpy(["run", "old.py"]).success();
    let used = std::fs::metadata(&mark).unwrap().modified().unwrap();
    assert!(used.elapsed().unwrap() < Duration::from_hours(1));
    age(&mark, 13);
    context.virtpy(gc).success();
    assert!(mark.exists());
    // A server that was started long ago.
    context.write("wait.py", &format!("{SCRIPT}print('ready', flush=True)\nsys.stdin.read()\n"));
    let mut command = context.virtpy_command(["run", "wait.py"]);
    let mut server = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = std::io::BufRead::lines(std::io::BufReader::new(server.stdout.take().unwrap()));
    assert!(lines.any(|line| line.unwrap() == "ready"));
    age(&mark, 15);
    context.virtpy(gc).success();
    assert!(mark.exists() || cfg!(not(target_os = "linux")));
    drop(server.stdin.take());
    server.wait().unwrap();
    age(&mark, 15);
    context.virtpy(gc).success();
    assert!(environments(&context).is_empty());
    assert!(context.store_entries().is_empty(), "{:?}", context.store_entries());
    context.virtpy(["run", "old.py"]).success();
}

#[test]
fn after_two_weeks_newer_versions_are_looked_for() {
    let index = index();
    let context = context(&index);
    context.write("work.py", SCRIPT);
    context.virtpy(["run", "work.py"]).success();
    index.add(&demo("2.0"));
    let [note] = notes(&context).try_into().unwrap();
    let text = std::fs::read_to_string(&note).unwrap();
    let made: u64 = serde_json::from_str::<serde_json::Value>(&text).unwrap()["made"].as_u64().unwrap();
    let set = |days: u64| {
        let earlier = made - days * 24 * 3600;
        std::fs::write(&note, text.replace(&made.to_string(), &earlier.to_string())).unwrap();
    };
    set(13);
    context.virtpy(["run", "work.py"]).success().stdout_is("1.0 1.0 ['work.py']\n");
    set(15);
    std::fs::remove_dir_all(context.store().join("cache/resolver")).unwrap();
    context.virtpy(["run", "work.py"]).success().stdout_is("2.0 1.0 ['work.py']\n");
}

#[test]
fn what_is_in_the_cache_is_nobodys_to_change() {
    let index = index();
    let context = context(&index);
    let virtpy = env!("CARGO_BIN_EXE_virtpy");
    context
        .virtpy(["run", "--with", "demo", virtpy, "add", "other"])
        .failure(1)
        .one_error()
        .stderr_has("--with");
    let listed = context.virtpy(["list-all"]).success();
    assert_eq!(listed.raw_stdout, "", "what virtpy keeps for itself is nobody's venv");
}
