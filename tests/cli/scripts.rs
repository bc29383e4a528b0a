//! Console scripts, gui scripts and `.data/scripts`, with interpreter paths that a `#!` line cannot hold.

use crate::support::{Index, Node, TestContext, WheelBuilder};

fn wheel() -> WheelBuilder {
    WheelBuilder::new("demo", "1.0")
        .console_script("demo-tool")
        .file("demo/gui.py", "def main():\n    print('gui')\n    return 3\n")
        .entry_point("gui_scripts", "demo-gui = demo.gui:main")
}

#[test]
fn entry_points_run_with_the_venvs_interpreter() {
    let index = Index::start(&[wheel().build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let output = context.script(".venv", "demo-tool", &["a b", "c"]).success();
    let venv = context.path(".venv");
    assert_eq!(output.raw_stdout.trim(), format!("ran ['a b', 'c'] {}", venv.display()));
    let output = context.script(".venv", "demo-gui", &[]).failure(3);
    assert_eq!(output.raw_stdout.trim(), "gui");
    let first_line = context.read(".venv/bin/demo-tool").lines().next().unwrap().to_owned();
    assert!(first_line.starts_with(&format!("#!{}/bin/python", venv.display())), "{first_line}");
}

#[test]
fn entry_points_may_name_attributes_and_extras() {
    let demo = WheelBuilder::new("demo", "1.0")
        .file("demo/cli.py", "class App:\n    @staticmethod\n    def run():\n        print('method')\n")
        .extra("cli", &["helper"])
        .entry_point("console_scripts", "demo-method = demo.cli:App.run")
        .entry_point("console_scripts", "demo-extra = demo.cli:App.run [cli]")
        .entry_point("console_scripts", "demo.dotted_name-1=demo.cli:App.run")
        .entry_point("demo.plugins", "one = demo.cli");
    let index = Index::start(&[demo.build(), WheelBuilder::new("helper", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo[cli]"]).success();
    for name in ["demo-method", "demo-extra", "demo.dotted_name-1"] {
        assert_eq!(context.script(".venv", name, &[]).success().raw_stdout, "method\n", "{name}");
    }
    assert!(!context.path(".venv/bin/one").exists(), "other groups are no scripts");
}

#[test]
fn scripts_of_data_get_the_venvs_interpreter_and_the_executable_bit() {
    let demo = WheelBuilder::new("demo", "1.0")
        .data("scripts", "with-python", "#!python\nimport sys\nprint(sys.prefix)\n")
        .data("scripts", "with-pythonw", "#!pythonw\nimport sys\nprint(sys.prefix)\n")
        .data("scripts", "with-flags", "#!python -E\nimport sys\nprint(sys.flags.ignore_environment)\n")
        .data("scripts", "with-shell", "#!/bin/sh\necho shell\n")
        .data("scripts", "no-line", "just text\n");
    let index = Index::start(&[demo.build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    let venv = context.path(".venv").to_string_lossy().into_owned();
    assert_eq!(context.script(".venv", "with-python", &[]).success().raw_stdout.trim(), venv);
    assert_eq!(context.script(".venv", "with-pythonw", &[]).success().raw_stdout.trim(), venv);
    assert_eq!(context.script(".venv", "with-flags", &[]).success().raw_stdout.trim(), "1");
    assert_eq!(context.script(".venv", "with-shell", &[]).success().raw_stdout.trim(), "shell");
    assert_eq!(context.read(".venv/bin/no-line"), "just text\n");
    let executable = "import os, sys; print(os.access(sys.prefix + '/bin/no-line', os.X_OK))";
    assert_eq!(context.eval(".venv", executable), "True");
}

#[test]
fn scripts_work_in_folders_that_a_hash_bang_line_cannot_name() {
    let long = "long-".repeat(40);
    let data = "#!python\nimport sys\nprint(sys.prefix)\n";
    let index = Index::start(&[wheel().data("scripts", "data-tool", data).build()]);
    let context = TestContext::new();
    for venv in [long.as_str(), "with blank", "it's", "say \"hi\" $HOME", "ünï-蛇", "back\\slash"] {
        context.new_named_venv(venv);
        context.add(&index, &["--venv", venv, "demo"]).success();
        let expected = context.path(venv).to_string_lossy().into_owned();
        let output = context.script(venv, "demo-tool", &["a b"]).success();
        assert_eq!(output.raw_stdout.trim(), format!("ran ['a b'] {expected}"), "{venv}");
        assert_eq!(context.script(venv, "data-tool", &[]).success().raw_stdout.trim(), expected, "{venv}");
        context.virtpy(["remove", "--venv", venv, "demo"]).success();
        assert!(!context.path(venv).join("bin/demo-tool").exists(), "{venv}");
    }
}

#[test]
fn removal_takes_the_scripts_away_and_only_them() {
    let index = Index::start(&[wheel().build()]);
    let context = TestContext::new();
    context.new_venv();
    let before = context.venv_content(".venv");
    context.add(&index, &["demo"]).success();
    context.virtpy(["remove", "demo"]).success();
    before.assert_unchanged(&context.venv_content(".venv"), "the venv");
}

#[test]
fn scripts_are_real_files_that_are_executable_for_all() {
    let index = Index::start(&[wheel().build()]);
    let context = TestContext::new();
    context.new_venv();
    context.add(&index, &["demo"]).success();
    for name in ["bin/demo-tool", "bin/demo-gui"] {
        match context.venv_tree(".venv").node(name) {
            Some(Node::File(mode, _)) => assert_eq!(mode & 0o555, 0o555, "{name} {mode:o}"),
            other => panic!("{name} should be a real file: {other:?}"),
        }
    }
}

#[test]
fn pip_gets_the_name_with_the_version_too() {
    let context = TestContext::new();
    let line = |name: &str| format!("{name} = pip:main");
    let wheel = WheelBuilder::empty("pip", "26.0").file("pip/__init__.py", "def main():\n    print('pip')\n");
    let wheel =
        wheel.entry_point("console_scripts", &line("pip")).entry_point("console_scripts", &line("pip3"));
    let index = Index::start(&[wheel.build()]);
    context.new_venv();
    context.add(&index, &["pip"]).success();
    let name = format!("pip{}", context.interpreter().short());
    for script in ["pip", "pip3", &name] {
        assert_eq!(context.script(".venv", script, &[]).success().raw_stdout, "pip\n", "{script}");
    }
    context.virtpy(["check"]).success();
    context.virtpy(["remove", "pip"]).success();
    assert!(!context.path(&format!(".venv/bin/{name}")).exists());
}
