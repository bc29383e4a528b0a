//! `virtpy new`: a venv that any tool accepts, and the refusals.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::support::{Index, TestContext, Tree, WheelBuilder, python};
use crate::tools::names;

fn config(context: &TestContext, venv: &str) -> BTreeMap<String, String> {
    let text = context.read(&format!("{venv}/pyvenv.cfg"));
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
}

/// What the standard library's own `venv` module writes for the same request.
fn reference(context: &TestContext, arguments: &[&str]) -> BTreeMap<String, String> {
    let mut command = context.command(&context.interpreter().path);
    command.args(["-m", "venv", "--without-pip", "reference"]).args(arguments);
    context.run(&mut command).success();
    config(context, "reference")
}

#[test]
fn the_default_path_is_dot_venv() {
    let context = TestContext::new();
    context.virtpy(["new"]).success();
    let prefix = context.eval(".venv", "import sys; print(sys.prefix)");
    assert_eq!(prefix, context.path(".venv").to_string_lossy());
    assert_eq!(context.eval(".venv", "import sys; print(sys.prefix != sys.base_prefix)"), "True");
}

#[test]
fn pyvenv_cfg_has_the_keys_and_values_that_cpython_writes() {
    let context = TestContext::new();
    context.new_venv();
    let ours = config(&context, ".venv");
    let theirs = reference(&context, &[]);
    for key in ["home", "include-system-site-packages", "version", "executable"] {
        if let Some(expected) = theirs.get(key) {
            assert_eq!(ours.get(key), Some(expected), "pyvenv.cfg's {key}");
        }
    }
    assert!(ours.get("command").is_some_and(|command| !command.is_empty()), "{ours:?}");
    assert!(ours.get("virtpy-id").is_some_and(|id| !id.is_empty()), "{ours:?}");
    assert!(!ours.contains_key("prompt"), "no prompt was asked for: {ours:?}");
    assert!(!ours.contains_key("uv"), "another tool's key: {ours:?}");
}

#[test]
fn what_a_killed_process_left_beside_the_place_is_swept() {
    let context = TestContext::new();
    std::fs::create_dir_all(context.path(".venv.virtpy-new/lib/python3.12")).unwrap();
    std::fs::write(context.path(".venv.virtpy-new/pyvenv.cfg"), "half").unwrap();
    context.virtpy(["new"]).success();
    context.virtpy(["new", "--clear"]).success();
    assert!(!context.path(".venv.virtpy-new").exists());
    context.virtpy(["check"]).success();
    // What somebody else put there stays.
    context.write("work/precious", "x");
    std::os::unix::fs::symlink(context.path("work"), context.path(".venv.virtpy-new")).unwrap();
    context.virtpy(["new", "--clear"]).success();
    context.virtpy(["check"]).success();
    assert_eq!(context.read(".venv.virtpy-new/precious"), "x");
}

#[test]
fn the_layout_is_that_of_a_standard_venv() {
    let context = TestContext::new();
    context.new_venv();
    let tree = context.venv_tree(".venv");
    for folder in ["bin", "lib", "include", &context.interpreter().site_packages()] {
        assert!(tree.is_folder(folder), "{folder} should be a real folder: {:?}", tree.node(folder));
    }
    if cfg!(target_pointer_width = "64") {
        assert!(tree.is_link("lib64"), "{:?}", tree.node("lib64"));
    }
    let versioned = format!("bin/python{}", context.interpreter().short());
    for name in ["bin/python", "bin/python3", &versioned] {
        assert!(tree.is_link(name), "{name}: {:?}", tree.node(name));
    }
    let scripts: Vec<String> =
        tree.0.keys().filter_map(|path| path.strip_prefix("bin/")).map(str::to_lowercase).collect();
    for name in
        ["activate", "activate.fish", "activate.csh", "activate.ps1", "activate.nu", "activate_this.py"]
    {
        assert!(scripts.iter().any(|script| script == name), "bin/{name} is missing: {scripts:?}");
    }
}

#[test]
fn sysconfig_paths_equal_those_of_the_standard_venv() {
    let context = TestContext::new();
    context.new_venv();
    reference(&context, &[]);
    let code = "import sys, sysconfig; print(sorted((k, v.replace(sys.prefix, 'PREFIX')) \
                for k, v in sysconfig.get_paths().items()))";
    assert_eq!(context.eval(".venv", code), context.eval("reference", code));
    // The last item of sys.path marks the store as third-party code; nothing in it can be imported.
    let code = "import sys; print([p.replace(sys.prefix, 'PREFIX') for p in sys.path if not p.endswith('/store/w')], sys.flags)";
    assert_eq!(context.eval(".venv", code), context.eval("reference", code));
    assert_eq!(
        context.eval(".venv", "import sys; print(sys.path[-1])"),
        format!("{}/w", context.store().display())
    );
}

#[test]
fn a_prompt_is_written_as_cpython_writes_it() {
    for prompt in ["demo", "it's", "say \"hi\"", "ünïcode", "a\\b", "$(touch pwned)"] {
        let context = TestContext::new();
        context.virtpy(["new", "--prompt", prompt]).success();
        let theirs = reference(&context, &["--prompt", prompt]);
        assert_eq!(config(&context, ".venv").get("prompt"), theirs.get("prompt"), "prompt {prompt:?}");
    }
}

#[test]
fn system_site_packages_are_visible_only_if_asked_for() {
    let context = TestContext::new();
    context.virtpy(["new", "open", "--system-site-packages"]).success();
    context.virtpy(["new", "closed"]).success();
    assert_eq!(config(&context, "open")["include-system-site-packages"], "true");
    let code = "import sys; print([p for p in sys.path if p.endswith(('site-packages', 'dist-packages')) \
                and not p.startswith(sys.prefix)] != [])";
    assert_eq!(context.eval("open", code), "True");
    assert_eq!(context.eval("closed", code), "False");
}

#[test]
fn an_existing_venv_is_refused_and_left_alone() {
    let context = TestContext::new();
    context.new_venv();
    let before = Tree::of(&context.path(".venv"));
    context.virtpy(["new"]).one_error().stderr_has("hint: ").stderr_has("--clear");
    before.assert_unchanged(&Tree::of(&context.path(".venv")), "the venv");
}

#[test]
fn clear_makes_the_venv_anew() {
    let context = TestContext::new();
    context.new_venv();
    let stray = context.write(".venv/stray.txt", "left from before");
    context.virtpy(["new", "--clear"]).success();
    assert!(!stray.exists());
    assert_eq!(context.eval(".venv", "print(1)"), "1");
}

#[test]
fn a_venv_stays_if_the_lock_of_the_new_one_cannot_be_made() {
    if rustix::process::geteuid().is_root() {
        // Root may always; the hardening suite lets the calls themselves fail.
        return;
    }
    let context = TestContext::new();
    context.new_venv();
    let before = context.read(".venv/pyvenv.cfg");
    let locks = context.store().join("locks");
    let set_mode = |mode| std::fs::set_permissions(&locks, std::fs::Permissions::from_mode(mode)).unwrap();
    set_mode(0o555);
    let refused = context.virtpy(["new", "--clear"]);
    set_mode(0o755);
    refused.one_error().stderr_has("could not create the lock").stderr_has("hint: ");
    assert_eq!(context.read(".venv/pyvenv.cfg"), before);
    context.virtpy(["check"]).success();
    assert!(!context.path(".venv.virtpy-new").exists());
}

/// Tools that pack venvs write each script again, with other paths in it: two names of one file would be one of them twice.
#[test]
fn scripts_of_the_same_text_are_files_of_their_own() {
    use std::os::unix::fs::MetadataExt as _;
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    context.new_venv();
    for name in ["pip", "pip3", "activate", "activate.ps1"] {
        let names = std::fs::symlink_metadata(context.path(".venv/bin").join(name)).unwrap().nlink();
        assert_eq!(names, 1, "{name}");
    }
}

#[test]
fn a_folder_that_is_no_venv_is_refused_even_with_clear() {
    let context = TestContext::new();
    context.write("project/precious.txt", "work");
    let before = Tree::of(&context.path("project"));
    context.virtpy(["new", "project"]).one_error().stderr_has("hint: ");
    before.assert_unchanged(&Tree::of(&context.path("project")), "the folder");
    context.virtpy(["new", "project", "--clear"]).one_error();
    before.assert_unchanged(&Tree::of(&context.path("project")), "the folder");
}

#[test]
fn an_empty_folder_is_taken_and_parents_are_made() {
    let context = TestContext::new();
    std::fs::create_dir(context.path("empty")).unwrap();
    context.virtpy(["new", "empty"]).success();
    context.virtpy(["new", "one/two/three"]).success();
    assert_eq!(context.eval("one/two/three", "print(2)"), "2");
}

/// A container's volume. Needs root, to mount.
#[test]
fn a_mount_point_gets_the_content_of_a_venv_and_stays() {
    let (context, index) = (TestContext::new(), Index::start(&[WheelBuilder::new("demo", "1.0").build()]));
    std::fs::create_dir_all(context.path("volume")).unwrap();
    std::fs::create_dir_all(context.path("project/.venv")).unwrap();
    let mount = |command: &[&str]| {
        let called = Command::new(command[0]).args(&command[1..]).current_dir(context.path(".")).output();
        called.is_ok_and(|output| output.status.success())
    };
    if !mount(&["mount", "--bind", "volume", "project/.venv"]) {
        return;
    }
    let made = context.virtpy(["new", "project/.venv"]);
    let added = context.add(&index, &["--venv", "project/.venv", "demo"]);
    let seen = context.python("project/.venv", "import demo, sys; print(sys.prefix)");
    let cleared = context.virtpy(["new", "--clear", "project/.venv"]);
    assert!(mount(&["umount", "project/.venv"]));
    made.success();
    added.success();
    seen.success().stdout_has("project/.venv");
    cleared.one_error().stderr_has("is mounted at");
    assert!(names(&context.path("project/.venv")).is_empty() && !names(&context.path("volume")).is_empty());
}

#[test]
fn a_path_that_is_or_runs_through_a_file_is_refused() {
    let context = TestContext::new();
    context.write("file", "text");
    context.virtpy(["new", "file"]).one_error();
    context.virtpy(["new", "file/venv"]).one_error();
    assert_eq!(context.read("file"), "text");
}

#[test]
fn a_path_with_a_colon_or_a_newline_is_refused() {
    let context = TestContext::new();
    for name in ["a:b", "a:b/c", "line\nbreak"] {
        context.virtpy(["new", name]).one_error();
    }
    context.virtpy(["new", "--prompt", "line\nbreak"]).failure(1);
    assert!(Tree::of(&context.path(".")).0.is_empty(), "nothing should have been made");
}

#[test]
fn an_interpreter_is_chosen_by_version_by_name_and_by_path() {
    let context = TestContext::new();
    let python = context.interpreter().clone();
    let path = python.path.to_string_lossy().into_owned();
    for (number, request) in ["3", "python3", &path].iter().enumerate() {
        let venv = format!("venv{number}");
        context.virtpy(["new", &venv, "-p", request]).success();
        let version = context.eval(&venv, "import sys; print('%d.%d.%d' % sys.version_info[:3])");
        assert_eq!(version, python.full_version, "-p {request}");
    }
}

#[test]
fn an_interpreter_that_is_not_there_is_one_error_and_leaves_nothing() {
    let context = TestContext::new();
    for request in ["3.99", "python3.99", "/no/such/python", "2.7.99", "nonsense"] {
        context.virtpy(["new", "-p", request]).one_error().stderr_has(request);
        assert!(!context.path(".venv").exists());
    }
    context.write("not-python", "#!/bin/sh\necho no\n");
    let path = context.path("not-python");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    context.virtpy(["new", "-p", &path.to_string_lossy()]).one_error();
    assert!(!context.path(".venv").exists());
}

#[test]
fn a_venvs_own_interpreter_leads_to_its_base() {
    let context = TestContext::new();
    context.new_venv();
    context.virtpy(["new", "second", "-p", ".venv/bin/python"]).success();
    assert_eq!(config(&context, "second")["home"], config(&context, ".venv")["home"]);
    assert_ne!(config(&context, "second")["virtpy-id"], config(&context, ".venv")["virtpy-id"]);
}

#[test]
fn the_second_new_starts_no_python() {
    let context = TestContext::new();
    let real = python::default().path.to_string_lossy().into_owned();
    let count = context.path("count").to_string_lossy().into_owned();
    let wrapper = context.root().join("bin/python3");
    std::fs::remove_file(&wrapper).unwrap();
    std::fs::write(&wrapper, format!("#!/bin/sh\necho started >> '{count}'\nexec '{real}' \"$@\"\n"))
        .unwrap();
    std::fs::set_permissions(&wrapper, std::fs::Permissions::from_mode(0o755)).unwrap();
    let wrapper = wrapper.to_string_lossy().into_owned();
    context.virtpy(["new", "first", "-p", &wrapper]).success();
    let starts = context.read("count").lines().count();
    context.virtpy(["new", "second", "-p", &wrapper]).success();
    assert_eq!(context.read("count").lines().count(), starts, "the second `new` should use the cached facts");
    assert_eq!(config(&context, "second")["home"], config(&context, "first")["home"]);
}

#[test]
fn a_link_mode_that_does_not_exist_is_a_usage_error() {
    let context = TestContext::new();
    context.virtpy(["new", "--link-mode", "teleport"]).failure(2);
    assert!(!context.path(".venv").exists());
}

#[test]
fn nothing_is_written_outside_the_venv_and_the_store() {
    let context = TestContext::new();
    // The user's settings name the stores that were used.
    let ignored = ["work", "store", "home/.config"];
    let before = Tree::of(context.root()).without(&ignored);
    context.new_venv();
    before.assert_unchanged(&Tree::of(context.root()).without(&ignored), "the home");
    let stores = std::fs::read_to_string(context.root().join("home/.config/virtpy/stores")).unwrap();
    assert_eq!(stores, format!("{}\n", context.store().display()));
    context.assert_no_leftovers();
}

#[test]
fn messages_go_to_stderr_and_quiet_silences_them() {
    let context = TestContext::new();
    let told = context.virtpy(["new", "told"]).success();
    assert!(told.raw_stderr.contains("told"), "{}", told.dump());
    let silent = context.virtpy(["--quiet", "new", "silent"]).success();
    assert_eq!((silent.raw_stdout.as_str(), silent.raw_stderr.as_str()), ("", ""));
}
