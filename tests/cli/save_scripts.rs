//! `add --script` and `remove --script`: what a script says about itself (PEP 723), and its lock.

use crate::support::{Index, TestContext, WheelBuilder};

fn context() -> (Index, TestContext) {
    let index = Index::start(&[
        WheelBuilder::new("one", "1.5").build(),
        WheelBuilder::new("two", "2.0").requires("one").build(),
        WheelBuilder::new("broken", "1.0").requires("absent>=9").build(),
    ]);
    let mut context = TestContext::new();
    context.set("PIP_INDEX_URL", index.url());
    (index, context)
}

#[test]
fn a_script_gets_a_block_and_loses_what_it_no_longer_needs() {
    let (_index, context) = context();
    context.write("tool.py", "#!/usr/bin/env python\n\"\"\"Does it.\"\"\"\nimport two, one\n");
    context
        .virtpy(["add", "--script", "tool.py", "two"])
        .success()
        .stderr_has("Recorded `two>=2.0` in `tool.py`");
    let text = context.read("tool.py");
    let (block, rest) = text.split_once("# ///\n\n").unwrap();
    assert!(block.starts_with("#!/usr/bin/env python\n# /// script\n# requires-python = \">=3."), "{text}");
    assert!(block.ends_with("\n# dependencies = [\n#     \"two>=2.0\",\n# ]\n"), "{text}");
    assert_eq!(rest, "\"\"\"Does it.\"\"\"\nimport two, one\n");
    context.virtpy(["run", "tool.py"]).success();
    context.virtpy(["add", "--script", "tool.py", "--exact", "one"]).success();
    assert!(
        context
            .read("tool.py")
            .contains("[\n#     \"one==1.5\",\n#     \"two>=2.0\",\n# ]\n# ///\n\n\"\"\"Does")
    );
    assert!(!context.path("pylock.tool.toml").exists() && !context.path(".venv").exists());
    context
        .virtpy(["remove", "--script", "tool.py", "One"])
        .success()
        .stderr_has("Took `One` out of `tool.py`");
    assert_eq!(context.read("tool.py"), text);
    context
        .virtpy(["remove", "--script", "tool.py", "one"])
        .failure(1)
        .one_error()
        .stderr_has("is not in the");
}

#[test]
fn a_scripts_lock_follows_and_a_failure_leaves_both() {
    let (_index, context) = context();
    let script = "# /// script\r\n# requires-python = \">=3.8\"\r\n# # Of it.\r\n# dependencies = [\"one\"]\r\n# ///\r\nx = 1\r\n";
    context.write("tool.py", script);
    context.virtpy(["lock", "tool.py"]).success();
    let lock = context.read("pylock.tool.toml");
    for arguments in [["add", "--script", "tool.py", "broken"], ["add", "--script", "tool.py", "absent"]] {
        context.virtpy(arguments).failure(1);
        assert_eq!(
            (context.read("tool.py"), context.read("pylock.tool.toml")),
            (script.to_owned(), lock.clone())
        );
    }
    context.virtpy(["add", "--script", "tool.py", "two"]).success().stderr_has("in `pylock.tool.toml`");
    assert_eq!(context.read("tool.py"), script.replace("\"one\"", "\"one\", \"two>=2.0\""));
    assert!(context.read("pylock.tool.toml").contains("name = \"two\""));
    context.virtpy(["run", "--locked", "tool.py"]).success();
    context.virtpy(["remove", "--script", "tool.py", "two"]).success();
    assert_eq!((context.read("tool.py"), context.read("pylock.tool.toml")), (script.to_owned(), lock));
    context.write("tool.py.lock", "");
    context.virtpy(["add", "--script", "tool.py", "two"]).failure(1).stderr_has("`uv add --script tool.py`");
}
