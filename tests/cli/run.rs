//! `virtpy run`: scripts, modules and commands, and the environments that are made for them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use super::python_install::Mirror;
use crate::support::{Artifact, Index, Output, SdistBuilder, Site, TestContext, WheelBuilder};

/// A package whose module says its version, with a command and a dependency.
pub(crate) fn demo(version: &str) -> Artifact {
    WheelBuilder::empty("demo", version)
        .file("demo/__init__.py", &format!("VERSION = '{version}'\n"))
        .file("demo/__main__.py", "import sys\nprint('main', sys.argv[1:])\n")
        .console_script("demo-run")
        .requires("helper")
        .build()
}

fn helper(version: &str) -> Artifact {
    WheelBuilder::empty("helper", version)
        .file("helper/__init__.py", &format!("VERSION = '{version}'\n"))
        .build()
}

fn other() -> Artifact {
    WheelBuilder::empty("other", "1.0")
        .file("other/__init__.py", "VERSION = '1.0'\n")
        .requires("helper")
        .build()
}

pub(crate) fn index() -> Index {
    Index::start(&[demo("1.0"), helper("1.0"), other()])
}

/// A context whose programs use the index without being told.
pub(crate) fn context(index: &Index) -> TestContext {
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    context
}

pub(crate) const SCRIPT: &str = "# /// script\n# dependencies = ['demo']\n# ///\nimport demo, helper, sys\n\
                      print(demo.VERSION, helper.VERSION, sys.argv)\n";

pub(crate) fn environments(context: &TestContext) -> Vec<PathBuf> {
    let folder = context.store().join("cache/environments");
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder).into_iter().flatten().flatten().map(|item| item.path()).collect();
    paths.sort();
    paths
}

/// Makes a file look as if it had been written so many days ago.
pub(crate) fn age(path: &Path, days: u64) {
    let time = SystemTime::now() - Duration::from_hours(24 * days);
    std::fs::File::options().append(true).open(path).unwrap().set_modified(time).unwrap();
}

pub(crate) fn notes(context: &TestContext) -> Vec<PathBuf> {
    let folder = context.store().join("cache/runs");
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|item| item.path()).collect()
}

fn run_input(context: &TestContext, arguments: &[&str], input: &str) -> Output {
    let mut command = context.virtpy_command(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    context.output_of("virtpy run", &child.wait_with_output().unwrap())
}

#[test]
fn a_script_gets_what_it_asks_for_and_nothing_is_asked_the_second_time() {
    let index = index();
    let context = context(&index);
    context.new_venv();
    context.write("work.py", SCRIPT);
    let before = context.venv_tree(".venv");
    let first = context.virtpy(["run", "work.py", "-v", "--with", "x"]).success();
    assert_eq!(first.raw_stdout, "1.0 1.0 ['work.py', '-v', '--with', 'x']\n");
    assert_eq!(first.raw_stderr, "", "what is run has the terminal to itself");
    assert_eq!(before, context.venv_tree(".venv"), "the project's venv is not the script's");
    index.forget_requests();
    index.add(&demo("2.0"));
    context.virtpy(["run", "work.py"]).success().stdout_is("1.0 1.0 ['work.py']\n");
    assert_eq!(index.requests(), Vec::<String>::new());
    // Without interpreters' facts, indexes and locks: the note is enough.
    std::fs::remove_dir_all(context.store().join("locks")).unwrap();
    context.virtpy(["run", "--offline", "work.py"]).success();
    assert!(!context.store().join("locks").exists(), "a known request takes no lock");
    assert_eq!(environments(&context).len(), 1);
    context.virtpy(["run", "--refresh", "work.py"]).success().stdout_is("2.0 1.0 ['work.py']\n");
    context.virtpy(["run", "work.py"]).success().stdout_is("2.0 1.0 ['work.py']\n");
    context.assert_no_leftovers();
}

#[test]
fn requests_with_one_answer_share_an_environment() {
    let index = index();
    let context = context(&index);
    context.write("one.py", SCRIPT);
    context.write("two.py", &SCRIPT.replace("'demo'", "'demo>=1', 'helper'"));
    context.virtpy(["run", "one.py"]).success();
    context.virtpy(["run", "two.py"]).success();
    context.virtpy(["run", "--with", "demo", "python", "-c", "import demo"]).success();
    assert_eq!((environments(&context).len(), notes(&context).len()), (1, 3));
    let verbose = context.virtpy(["run", "-v", "one.py"]).success();
    let shown = format!("environment: {}", environments(&context)[0].display());
    assert!(verbose.raw_stderr.contains(&shown), "{}", verbose.raw_stderr);
    context.virtpy(["run", "--with", "other", "one.py"]).success();
    assert_eq!(environments(&context).len(), 2);
}

#[test]
fn the_program_takes_the_place_of_virtpy() {
    let context = TestContext::new();
    context.write("code.py", "import os, sys\nprint(os.getpid(), flush=True)\nsys.exit(7)\n");
    context.write("die.py", "import os, signal\nos.kill(os.getpid(), signal.SIGTERM)\n");
    let child = context.spawn(["run", "code.py"]);
    let pid = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), pid.to_string());
    let status = context.spawn(["run", "die.py"]).wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(15));
}

#[test]
fn a_program_finds_itself_in_its_environment() {
    let index = index();
    let mut context = context(&index);
    context.set("PYTHONHOME", "/nowhere");
    let code = "import os, sys; print(os.environ['VIRTUAL_ENV'] == sys.prefix, \
                os.environ['PATH'].split(':')[0] == sys.prefix + '/bin', 'PYTHONHOME' in os.environ)";
    let run = context.virtpy(["run", "--with", "demo", "python", "-c", code]).success();
    assert_eq!(run.raw_stdout, "True True False\n");
    context.virtpy(["run", "--with", "demo", "demo-run", "a"]).success().stdout_has("ran ['a']");
    context
        .virtpy(["run", "--with", "demo", "-m", "demo", "-v", "b"])
        .success()
        .stdout_is("main ['-v', 'b']\n");
    // What is in no environment is taken from PATH.
    context.virtpy(["run", "sh", "-c", "echo here"]).success().stdout_is("here\n");
}

#[test]
fn without_metadata_the_projects_venv_is_used() {
    let index = index();
    let context = context(&index);
    context.new_venv();
    context.add(&index, &["demo"]).success();
    context.write("sub/plain.py", "import demo, sys\nprint(demo.VERSION, sys.prefix)\n");
    let venv = context.path(".venv");
    let run = context.virtpy(["run", "sub/plain.py"]).success();
    assert_eq!(run.raw_stdout, format!("1.0 {}\n", venv.display()));
    context.run(context.virtpy_command(["run", "plain.py"]).current_dir(context.path("sub"))).success();
    context.virtpy(["run", "demo-run", "x"]).success().stdout_has("ran ['x']");
    context.virtpy(["run", "-m", "demo"]).success().stdout_is("main []\n");
    assert!(environments(&context).is_empty() && notes(&context).is_empty());
    for option in ["--isolated", "--no-project"] {
        context.virtpy(["run", option, "sub/plain.py"]).failure(1).stderr_has("No module named 'demo'");
    }
    let minor = context.interpreter().short();
    context.virtpy(["run", "-p", &minor, "sub/plain.py"]).success();
    context
        .virtpy(["run", "-p", "3.99", "sub/plain.py"])
        .failure(1)
        .one_error()
        .stderr_has("not 3.99")
        .stderr_has("--isolated");
}

#[test]
fn any_active_venv_will_do() {
    let mut context = TestContext::new();
    let python = context.interpreter().path.clone();
    let venv = context.path("foreign");
    context.run(context.command(python).args(["-m", "venv", "--without-pip"]).arg(&venv)).success();
    context.set("VIRTUAL_ENV", &venv);
    let run = context.virtpy(["run", "python", "-c", "import sys; print(sys.prefix)"]).success();
    assert_eq!(run.raw_stdout.trim(), venv.to_str().unwrap());
    context.set("VIRTUAL_ENV", context.path("gone"));
    context.virtpy(["run", "python", "-V"]).failure(1).one_error().stderr_has("--isolated");
    context.virtpy(["run", "--isolated", "python", "-V"]).success();
}

#[test]
fn with_adds_to_what_the_project_has_and_changes_nothing_of_it() {
    let index = index();
    let context = context(&index);
    context.new_venv();
    let source = SdistBuilder::new("local", "1.0").source("VERSION = 'in place'\n");
    source.write_folder(&context.path("sources/local"));
    index.add(&helper("2.0"));
    context.add(&index, &["helper==1.0", "-e", "sources/local"]).success();
    let before = context.venv_tree(".venv");
    let code = "import other, helper, local, sys; print(other.VERSION, helper.VERSION, local.VERSION)";
    let with = |more: &[&str]| {
        context.virtpy(["run", "--with", "other"].iter().chain(more).copied().chain(["python", "-c", code]))
    };
    with(&[]).success().stdout_is("1.0 1.0 in place\n");
    index.forget_requests();
    with(&[]).success().stdout_is("1.0 1.0 in place\n");
    assert!(index.requests().is_empty());
    // What the project has does not stand in the way of what is asked for.
    with(&["--with", "helper>=2"]).success().stdout_is("1.0 2.0 in place\n");
    with(&["--isolated"]).failure(1).stderr_has("No module named 'local'");
    assert_eq!(before, context.venv_tree(".venv"));
    // Commands of both are found; a change of the project is seen.
    context.add(&index, &["demo"]).success();
    let run = context.virtpy(["run", "--with", "other", "demo-run"]).success();
    assert!(run.raw_stdout.contains(".venv"), "{}", run.raw_stdout);
    let both = "import other, demo; print(demo.VERSION)";
    context.virtpy(["run", "--with", "other", "python", "-c", both]).success().stdout_is("1.0\n");
}

#[test]
fn what_the_project_has_already_needs_no_environment() {
    let index = index();
    let context = context(&index);
    context.new_venv();
    context.add(&index, &["demo"]).success();
    for _ in 0..2 {
        let run = context.virtpy(["run", "--with", "demo", "python", "-c", "import sys; print(sys.prefix)"]);
        assert_eq!(run.success().raw_stdout.trim(), context.path(".venv").to_str().unwrap());
    }
    assert!(environments(&context).is_empty());
}

#[test]
fn a_file_without_a_name_for_it_is_a_script_by_its_first_line() {
    use std::os::unix::fs::PermissionsExt as _;
    let index = index();
    let mut context = context(&index);
    let folder = Path::new(env!("CARGO_BIN_EXE_virtpy")).parent().unwrap().display().to_string();
    context.set("PATH", format!("{}:{folder}:/usr/bin:/bin", context.root().join("bin").display()));
    for (name, line, body) in [
        ("plain", "#!/usr/bin/env -S virtpy run", SCRIPT),
        (
            "with",
            "#!/usr/bin/env -S virtpy run --with demo",
            "import demo, sys\nprint('with', sys.argv[1:])\n",
        ),
    ] {
        let path = context.write(name, &format!("{line}\n{body}"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let run = context.run(context.command(&path).args(["a", "-v"])).success();
        assert!(run.raw_stdout.contains("'a', '-v'"), "{}", run.raw_stdout);
    }
}

#[test]
fn a_script_comes_from_the_standard_input() {
    let index = index();
    let context = context(&index);
    run_input(&context, &["run", "-", "a"], SCRIPT).success().stdout_is("1.0 1.0 ['-', 'a']\n");
    run_input(&context, &["run", "-"], "print('plain')").success().stdout_is("plain\n");
    run_input(&context, &["run", "-"], "# /// script\n")
        .failure(1)
        .one_error()
        .stderr_has("begin in line 1 and do not end");
    context.assert_no_leftovers();
}

#[test]
fn a_script_comes_from_a_url() {
    let (index, site) = (index(), Site::start());
    let context = context(&index);
    site.put("/tools/work.py", SCRIPT);
    let url = site.url("/tools/work.py");
    let run = context.virtpy(["run", &url, "a"]).success();
    assert!(run.raw_stdout.ends_with("/work.py', 'a']\n"), "{}", run.raw_stdout);
    site.put("/tools/work.py", "print('changed')");
    context.virtpy(["run", "--isolated", &url]).success().stdout_is("changed\n");
    let asked = site.count("/tools/work.py");
    context.virtpy(["run", "--offline", &url]).success().stdout_is("changed\n");
    assert_eq!(site.count("/tools/work.py"), asked);
    context.virtpy(["run", &site.url("/gone.py")]).failure(1).one_error().stderr_has("404");
    context.virtpy(["run", "--offline", &site.url("/gone.py")]).failure(1).one_error().stderr_has("offline");
}

#[test]
fn folders_and_archives_run_as_python_runs_them() {
    let context = TestContext::new();
    context.write("app/__main__.py", "import sys\nprint('app', sys.argv[1:])\n");
    let python = context.interpreter().path.clone();
    context
        .run(context.command(&python).args(["-m", "zipapp", "app", "-p", "/usr/bin/env python3"]))
        .success();
    context.run(context.command(python).args(["-m", "zipapp", "app", "-o", "plain.zip"])).success();
    for word in ["./app", "app", "app.pyz", "plain.zip"] {
        context.virtpy(["run", word, "x"]).success().stdout_is("app ['x']\n");
    }
    context.write("empty/code.py", "");
    context.virtpy(["run", "./empty"]).failure(1).one_error().stderr_has("no `__main__.py`");
}

#[test]
fn mistakes_are_named() {
    let index = index();
    let context = context(&index);
    let run = |text: &str| {
        context.write("wrong.py", text);
        context.virtpy(["run", "wrong.py"]).failure(1).one_error()
    };
    run("# /// script\n# dependencies = ['demo'\n# ///\n").stderr_has("make no sense: line ");
    run("# /// script\n#\n# dependencies = ['demo', 'a b']\n# ///\n").stderr_has("line 3: ");
    run("# /// script\n# dependencies = []\n").stderr_has("line 3 is neither");
    run("# /// script\n# ///\n\n# /// script\n# ///\n").stderr_has("in line 1 and again in line 4");
    run("# /// script\n# dependencies = ['nowhere']\n# ///\n").stderr_has("nowhere");
    context.write(
        "uv.py",
        "# /// script\n# dependencies = ['demo']\n# [tool.uv.sources]\n# demo = { index = 'x' }\n# ///\n",
    );
    context
        .virtpy(["run", "uv.py"])
        .failure(1)
        .stderr_has("`tool.uv.sources.demo.index`")
        .stderr_has("NAME @ URL");
    context
        .virtpy(["run", "missing.py"])
        .failure(1)
        .one_error()
        .stderr_has("there is no script `missing.py`");
    context
        .virtpy(["run", "no-such-command"])
        .failure(1)
        .one_error()
        .stderr_has("no command or script `no-such-command`")
        .stderr_has("--with PACKAGE");
    context.virtpy(["run"]).failure(2);
    context.virtpy(["run", "--wiht", "demo", "x.py"]).failure(2);
    context.write("offline.py", "# /// script\n# dependencies = ['demo']\n# ///\n");
    context.virtpy(["run", "--offline", "offline.py"]).failure(1).one_error();
    // The one without packages, in which the command was looked for.
    assert_eq!(environments(&context).len(), 1);
    context.assert_no_leftovers();
}

#[test]
fn the_tables_of_other_tools_are_read_as_far_as_they_say_where_packages_are() {
    let (index, context) = (index(), TestContext::new());
    let script = format!(
        "# /// script\n# dependencies = ['demo', 'local']\n# extra = 1\n# [tool.uv]\n# constraint-dependencies = ['demo<2']\n\
         # [[tool.uv.index]]\n# url = '{}'\n# default = true\n# [tool.uv.sources]\n# local = {{ path = 'local' }}\n# ///\n\
         import demo, local\nprint(demo.VERSION, local.VERSION)\n",
        index.url()
    );
    index.add(&demo("2.0"));
    context.write("sub/work.py", &script);
    SdistBuilder::new("local", "1.0").source("VERSION = 'beside'\n").write_folder(&context.path("sub/local"));
    context
        .virtpy(["run", "sub/work.py"])
        .success()
        .stdout_is("1.0 beside\n")
        .stderr_has("`extra`, which says nothing to virtpy");
    context.virtpy(["run", "sub/work.py"]).success().stdout_is("1.0 beside\n").stderr_lacks("warning");
}

#[test]
fn folders_are_looked_at_each_time() {
    let context = TestContext::new();
    let write = |text: &str, version: &str| {
        let builder = SdistBuilder::new("local", version).source(&format!("VERSION = '{text}'\n"));
        builder.write_folder(&context.path("local"));
    };
    let code = "import local, importlib.metadata as m; print(local.VERSION, m.version('local'))";
    let run = |option: &str| context.virtpy(["run", "--isolated", option, "./local", "python", "-c", code]);
    write("one", "1.0");
    run("--with").success().stdout_is("one 1.0\n");
    run("--with-editable").success().stdout_is("one 1.0\n");
    write("another", "1.0");
    run("--with").success().stdout_is("another 1.0\n");
    run("--with-editable").success().stdout_is("another 1.0\n");
    context.write("local/pyproject.toml", &format!("{}\n# new\n", context.read("local/pyproject.toml")));
    write_version(&context, "2.0");
    run("--with").success().stdout_is("another 2.0\n");
    run("--with-editable").success().stdout_is("another 2.0\n");
}

/// Gives the folder's package another version, where its backend reads it.
fn write_version(context: &TestContext, version: &str) {
    let text = context.read("local/settings.txt").replace("version=1.0", &format!("version={version}"));
    context.write("local/settings.txt", &text);
    let project = context.read("local/pyproject.toml");
    context.write("local/pyproject.toml", &project.replace("\"1.0\"", &format!("\"{version}\"")));
}

#[test]
fn requirements_files_count_with_those_that_they_name() {
    let index = index();
    let context = context(&index);
    context.write("all.txt", "-r more/some.txt\n");
    context.write("more/some.txt", "demo==1.0\n");
    let code = "import demo; print(demo.VERSION)";
    let run = || context.virtpy(["run", "--with-requirements", "all.txt", "python", "-c", code]);
    run().success().stdout_is("1.0\n");
    index.add(&demo("2.0"));
    // What the index said is kept for a while.
    std::fs::remove_dir_all(context.store().join("cache/resolver")).unwrap();
    context.write("more/some.txt", "demo==2.0\n");
    run().success().stdout_is("2.0\n");
    context
        .virtpy(["run", "--with-requirements", "none.txt", "python"])
        .failure(1)
        .one_error()
        .stderr_has("none.txt");
}

#[test]
fn a_script_chooses_its_interpreter() {
    let mut context = TestContext::new();
    let mut mirror = Mirror::new(&mut context);
    context.write("new.py", "# /// script\n# requires-python = '>=3.99'\n# ///\nprint('new')\n");
    context.virtpy(["run", "new.py"]).failure(1).one_error().stderr_has("the script requires Python >=3.99");
    let version = mirror.offer_pretender(&context, 98);
    let text = format!(
        "# /// script\n# requires-python = '=={version}'\n# ///\nimport os\nprint(os.readlink(os.environ['VIRTUAL_ENV'] + '/bin/python'))\n"
    );
    context.write("exact.py", &text);
    context.virtpy(["run", "exact.py"]).success().stdout_has("[STORE]/pythons/3.11");
    context.virtpy(["run", "exact.py"]).success().stdout_has("[STORE]/pythons/3.11");
    let own = context.interpreter().full_version.clone();
    context
        .virtpy(["run", "-p", &own, "exact.py"])
        .failure(1)
        .one_error()
        .stderr_has(&format!("`--python` chooses {own}"));
    // A pin is the project's; a script with metadata is none of it.
    context.write(".python-version", "2.7\n");
    context.write("plain.py", "# /// script\n# ///\nprint('plain')\n");
    context.virtpy(["run", "plain.py"]).success().stdout_is("plain\n");
    context.virtpy(["run", "python", "-V"]).failure(1).one_error().stderr_has(".python-version");
}

#[test]
fn variables_of_files_are_set_unless_they_are_set_already() {
    let context = TestContext::new();
    context.write(".env", "# Of all.\nONE=1\nexport TWO='2 # two'\nSET=file\n");
    context.write("more.env", "ONE=one\nTHREE=\"$TWO $SET\"\n");
    let print =
        "import os; print(*(os.environ.get(name) for name in ('ONE', 'TWO', 'SET', 'THREE')), sep='|')";
    let run = |files: &[&str]| {
        let files = files.iter().flat_map(|file| ["--env-file", file]);
        let arguments: Vec<&str> = ["run"].into_iter().chain(files).chain(["python", "-c", print]).collect();
        context.run(context.virtpy_command(arguments).env("SET", "before"))
    };
    run(&[]).success().stdout_is("None|None|before|None\n");
    run(&[".env"]).success().stdout_is("1|2 # two|before|None\n");
    run(&[".env", "more.env"]).success().stdout_is("one|2 # two|before|2 # two before\n");
    run(&["absent.env"]).failure(1).one_error().stderr_has("absent.env");
    context.write("more.env", "ONE=1\nno variable\n");
    run(&["more.env"]).failure(1).one_error().stderr_has("line 2 of `more.env` is no variable");
}
