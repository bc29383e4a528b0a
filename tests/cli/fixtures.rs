//! The fixtures are what they claim to be: real pip takes them from the same index.

use crate::support::{Index, Output, SdistBuilder, TestContext, WheelBuilder, skip};

fn pip(context: &TestContext, arguments: &[&str]) -> Output {
    let mut command = context.command(context.path("real/bin/python"));
    command.args(["-m", "pip", "--disable-pip-version-check", "install", "--quiet"]).args(arguments);
    context.run(&mut command)
}

#[test]
fn real_pip_installs_the_fixtures_and_checks_their_hashes() {
    let context = TestContext::new();
    let mut command = context.command(&context.interpreter().path);
    let made = context.run(command.args(["-m", "venv", "real"]));
    if made.code != Some(0) {
        skip("this machine's Python brings no pip");
        return;
    }
    let demo = WheelBuilder::new("demo", "1.0")
        .requires("from-source")
        .console_script("demo-tool")
        .data("data", "share/demo.txt", "data\n")
        .executable("demo-1.0.data/scripts/demo-script", "#!python\nprint('script')\n");
    let index = Index::start(&[demo.build(), SdistBuilder::new("from-source", "2.0").build()]);
    pip(&context, &["--index-url", &index.url(), "demo"]).success();
    let code = "import demo, from_source; print(demo.__version__, from_source.__version__)";
    assert_eq!(context.eval("real", code), "1.0 2.0");
    assert!(context.script("real", "demo-tool", &["x"]).success().raw_stdout.starts_with("ran ['x']"));
    assert_eq!(context.script("real", "demo-script", &[]).success().raw_stdout, "script\n");
    assert_eq!(context.read("real/share/demo.txt"), "data\n");

    index.add(&WheelBuilder::new("lying", "1.0").build());
    index.state_sha256("lying-1.0-py3-none-any.whl", Some(&"0".repeat(64)));
    index.html_only();
    let refused = pip(&context, &["--index-url", &index.url(), "lying"]);
    assert_ne!(refused.code, Some(0), "{}", refused.dump());
    assert!(index.downloads("demo-1.0-py3-none-any.whl") == 1, "{:?}", index.requests());
}
