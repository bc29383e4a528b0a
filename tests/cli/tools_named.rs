//! How applications are asked for, and where their commands are.

use std::path::Path;

use super::tools::{command, index, install, names, tool};
use crate::support::{Index, TestContext, WheelBuilder};

#[test]
fn a_version_may_stand_behind_an_at_sign() {
    let (context, index) = (TestContext::new(), index());
    index.add(&tool("2.0"));
    install(&context, &index, &["demo@1.0"]).success().stderr_has("demo 1.0");
    install(&context, &index, &["demo"]).success().stderr_has("1.0 is installed already");
    install(&context, &index, &["demo@latest"]).success().stderr_has("2.0");
    let run = ["tool", "run", "--index-url", &index.url(), "demo@1.0"];
    let ran = context.virtpy(run).success();
    let venv = ran.raw_stdout.split_whitespace().last().unwrap();
    context.virtpy(["list", "--venv", venv]).success().stdout_has("demo    1.0");
    context.virtpy(["pin", "demo"]).success();
    install(&context, &index, &["demo@1.0"]).failure(1).one_error().stderr_has("demo is pinned at 2.0");
}

#[test]
fn commands_may_have_another_directory() {
    let (mut context, index) = (TestContext::new(), index());
    install(&context, &index, &["demo"]).success();
    let usual = command(&context, "demo");
    assert!(usual.exists());
    let bin = context.home().join("own/bin");
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(bin.join("other"), "somebody's own").unwrap();
    std::fs::create_dir_all(context.home().join(".config/virtpy")).unwrap();
    std::fs::write(context.home().join(".config/virtpy/config.toml"), "[tool]\nbin-dir = \"~/own/bin\"\n")
        .unwrap();
    let shown = context.virtpy(["tool", "dir", "--bin"]).success();
    assert_eq!(Path::new(shown.raw_stdout.trim()), bin);
    let tools = context.virtpy(["tool", "dir"]).success();
    assert_eq!(Path::new(tools.raw_stdout.trim()), context.store().join("tools"));
    context.virtpy(["reinstall", "demo"]).success();
    assert!(bin.join("demo").exists() && !usual.exists());
    let rival = Index::start(&[WheelBuilder::new("rival", "1.0").console_script("other").build()]);
    install(&context, &rival, &["rival"]).failure(1).one_error().stderr_has("other");
    assert_eq!(std::fs::read_to_string(bin.join("other")).unwrap(), "somebody's own");
    context.virtpy(["uninstall", "demo"]).success();
    assert_eq!(names(&bin), ["other"]);
    context.set("VIRTPY_TOOL_BIN_DIR", "relative");
    context.virtpy(["tool", "list"]).failure(1).one_error().stderr_has("`relative` is not an absolute path");
}
