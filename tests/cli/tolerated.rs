//! Wheels that are not made quite as the standards say, and mean one thing all the same: they are installed, as pip does.

use crate::support::{Defect, Output, TestContext, WheelBuilder};

fn add(context: &TestContext, wheel: &WheelBuilder) -> Output {
    if !context.path(".venv").exists() {
        context.new_venv();
    }
    let path = wheel.build().write_to(&context.path("wheels"));
    context.virtpy(["add", "--no-index", &path.to_string_lossy()]).success()
}

/// The paths that the standard library finds in the distribution's RECORD; all of them are there.
fn recorded(context: &TestContext) -> String {
    context.eval(
        ".venv",
        "import importlib.metadata as m; d = m.distribution('demo'); assert all(f.locate().exists() for f in d.files); \
         print(sorted(str(f) for f in d.files if 'dist-info' not in str(f)))",
    )
}

#[test]
fn what_record_does_not_list_is_installed_listed_and_removed() {
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0")
        .file("demo/more.py", "MORE = 1\n")
        .data("scripts", "tool", "#!python\nprint('tool')\n")
        .defect(Defect::Unlisted("demo/more.py".to_owned()))
        .defect(Defect::Unlisted("demo-1.0.data/scripts/tool".to_owned()));
    add(&context, &wheel).stderr_has("warning: demo 1.0: RECORD does not list");
    assert_eq!(context.eval(".venv", "import demo.more as m; print(m.MORE)"), "1");
    let listed = recorded(&context);
    assert!(listed.contains("demo/more.py") && listed.contains("bin/tool"), "{listed}");
    context.virtpy(["check"]).success();
    context.virtpy(["store", "verify"]).success();
    context.virtpy(["remove", "demo"]).success();
    assert!(!context.path(".venv/bin/tool").exists());
}

#[test]
fn scripts_may_lie_in_folders() {
    let context = TestContext::new();
    let wheel = WheelBuilder::new("demo", "1.0")
        .data("scripts", "sub/deep/tool", "#!python\nimport sys; print(sys.prefix)\n")
        .data("scripts", "sub/data.txt", "text\n");
    let before = {
        context.new_venv();
        context.venv_tree(".venv")
    };
    add(&context, &wheel);
    let printed = context.run(&mut context.command(context.path(".venv/bin/sub/deep/tool"))).success();
    assert_eq!(printed.raw_stdout.trim(), context.path(".venv").to_string_lossy());
    assert!(recorded(&context).contains("bin/sub/deep/tool"));
    let other = WheelBuilder::new("other", "1.0").data("scripts", "sub/second", "#!python\n");
    add(&context, &other);
    assert!(context.path(".venv/bin/sub/second").exists());
    context.virtpy(["check"]).success();
    let blocked = WheelBuilder::new("blocked", "1.0").console_script("sub");
    let path = blocked.build().write_to(&context.path("wheels"));
    context.virtpy(["add", "--no-index", &path.to_string_lossy()]).one_error().stderr_has("bin/sub");
    context.virtpy(["remove", "demo", "other"]).success();
    before
        .without(&[".virtpy"])
        .assert_unchanged(&context.venv_tree(".venv").without(&[".virtpy"]), "the venv");
}

#[test]
fn names_with_a_colon_are_names() {
    let context = TestContext::new();
    add(
        &context,
        &WheelBuilder::new("demo", "1.0").file("demo/c:x.txt", "1\n").file("demo/10:30.txt", "2\n"),
    );
    let listed = recorded(&context);
    assert!(listed.contains("demo/c:x.txt") && listed.contains("demo/10:30.txt"), "{listed}");
}
