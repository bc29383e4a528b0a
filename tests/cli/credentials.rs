//! Passwords and tokens go to the server they are for and nowhere else: not into output, not into the store or a venv.

use crate::support::{Index, Output, TestContext, WheelBuilder};

/// What is looked for.
pub(crate) const SECRET: &str = "S3KR3T";

/// `alice:S3KR3T` as the header `Authorization` has it.
const ENCODED: &str = "YWxpY2U6UzNLUjNU";

/// Panics if the secret stands in what was printed.
#[track_caller]
pub(crate) fn lacks_secret(output: Output) -> Output {
    let shows = |text: &str| text.contains(SECRET) || text.contains(ENCODED);
    let printed = shows(&output.raw_stdout) || shows(&output.raw_stderr);
    assert!(!printed, "the secret is shown\n{}", output.dump());
    output
}

/// Panics if a file of the test, the command's home and the store included, has the secret in it or in its name.
#[track_caller]
pub(crate) fn is_nowhere(context: &TestContext) {
    let mut inside = context.command("grep");
    inside.args(["-raF", "--files-with-matches", "-e", SECRET, "-e", ENCODED]).arg(context.root());
    let found = context.run(&mut inside);
    assert_eq!(found.code, Some(1), "the secret is kept\n{}", found.dump());
    let name = format!("*{SECRET}*");
    let found = context.run(context.command("find").arg(context.root()).args(["-name", &name]));
    assert_eq!(found.raw_stdout, "", "the secret is in a name\n{}", found.dump());
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
fn signed_links_and_addresses_with_tokens_are_kept_nowhere() {
    for html in [false, true] {
        let wheel = WheelBuilder::new("demo", "1.0").build();
        let index = Index::start(std::slice::from_ref(&wheel));
        index.sign_links(&format!("sig={SECRET}"));
        if html {
            index.html_only();
        }
        let context = TestContext::new();
        context.new_venv();
        lacks_secret(context.virtpy(["add", "-v", "--index-url", &index.url(), "demo"]).success());
        lacks_secret(context.virtpy(["lock", "demo", "--index-url", &index.url()]).success());
        context.virtpy(["remove", "demo"]).success();
        let file = format!("{}?sig={SECRET}", index.file_url(&wheel.file_name));
        lacks_secret(context.virtpy(["add", "-v", "--no-index", &file]).success());
        // An index whose address is the password: nothing is there, but that is an answer too.
        let address = index.url().replace("/simple/", &format!("/{SECRET}/simple/"));
        context.virtpy(["add", "--index-url", &address, "other"]);
        is_nowhere(&context);
    }
}

#[test]
fn no_error_shows_a_token_of_a_query() {
    let index = Index::start(&[WheelBuilder::new("demo", "1.0").build()]);
    let context = TestContext::new();
    context.new_venv();
    // Nothing is there, so the address is what has to be told.
    let address = index.url().replace("/simple/", "/files/absent-1.0-py3-none-any.whl");
    let file = format!("{address}?raw=true&sig={SECRET}&token={SECRET}");
    let list = format!("{}?token={SECRET}", index.url().replace("/simple/", "/absent.txt"));
    for words in [
        ["add", &file].as_slice(),
        &["add", &format!("absent @ {file}")],
        &["add", "-r", &list],
        &["lock", &format!("absent @ {file}")],
        &["install", &format!("absent @ {file}")],
        &["run", "--with", &format!("absent @ {file}"), "python", "-c", "0"],
        &["run", &list.replace(".txt", ".py")],
        &["pip", "install", &file, "--log", "pip.log"],
    ] {
        let refused = lacks_secret(context.virtpy(words));
        assert_ne!(refused.code, Some(0), "{}", refused.dump());
    }
    let log = context.read("pip.log");
    assert!(!log.contains(SECRET) && log.contains("sig=****"), "{log}");
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
