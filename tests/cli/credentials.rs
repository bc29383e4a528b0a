//! Passwords and tokens go to the server they are for and nowhere else: not into output, not into the store or a venv.

use crate::support::{Index, Output, TestContext, WheelBuilder};

const SECRET: &str = "S3KR3T";

/// Panics if the secret stands in what was printed.
#[track_caller]
fn lacks_secret(output: Output) -> Output {
    let printed = output.raw_stdout.contains(SECRET) || output.raw_stderr.contains(SECRET);
    assert!(!printed, "the secret is shown\n{}", output.dump());
    output
}

/// Panics if a file of the test, the command's own home aside, has the secret in it.
#[track_caller]
fn is_nowhere(context: &TestContext) {
    let found = context.run(context.command("grep").args(["-rlF", SECRET]).arg(context.root()));
    assert_eq!(found.code, Some(1), "the secret is kept\n{}", found.dump());
}

#[test]
fn nothing_of_a_successful_install_has_the_password() {
    let wheel = WheelBuilder::new("demo", "1.0").build();
    let index = Index::start(std::slice::from_ref(&wheel));
    index.require_credentials(&format!("alice:{SECRET}"));
    let context = TestContext::new();
    let address = index.url_with_credentials(&format!("alice:{SECRET}"));
    let file = address.replace("/simple/", &format!("/files/{}", wheel.file_name));
    let flat = address.replace("/simple/", "/flat/");
    for (venv, arguments) in [
        ("one", vec!["--index-url", &address, "demo"]),
        ("two", vec!["--no-index", "--find-links", &flat, "demo"]),
        ("three", vec!["--no-index", &format!("demo @ {file}")]),
    ] {
        context.new_named_venv(venv);
        let mut all = vec!["add", "--verbose", "--venv", venv];
        all.extend(arguments);
        lacks_secret(context.virtpy(all).success());
        for command in ["freeze", "list"] {
            lacks_secret(context.virtpy([command, "--venv", venv]).success());
        }
    }
    is_nowhere(&context);
}

#[test]
fn no_error_shows_the_password() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    index.require_credentials("alice:another");
    let context = TestContext::new();
    context.new_venv();
    let refused = index.url_with_credentials(&format!("alice:{SECRET}"));
    let token = index.url_with_credentials(SECRET);
    let unreachable = format!("http://alice:{SECRET}@127.0.0.1:1/");
    let malformed = format!("http://alice:{SECRET}@bad host/");
    let reference = format!("demo @ {refused}demo-1.0-py3-none-any.whl");
    let git = format!("demo @ git+{refused}demo.git");
    let path = format!("demo @@ {refused}demo.whl");
    for arguments in [
        ["--index-url", refused.as_str(), "demo"],
        ["--index-url", &token, "demo"],
        ["--index-url", &unreachable, "demo"],
        ["--index-url", &malformed, "demo"],
        ["--no-index", "--verbose", &reference],
        ["--no-index", "--verbose", &git],
        ["--no-index", "--verbose", &path],
        ["--no-index", "-r", &refused],
    ] {
        let mut all = vec!["add"];
        all.extend(arguments);
        lacks_secret(context.virtpy(all).one_error());
    }
    is_nowhere(&context);
}
