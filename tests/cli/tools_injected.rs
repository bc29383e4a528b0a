//! Packages that are injected into an application from places of their own come from there again.

use crate::support::{Artifact, Index, TestContext, WheelBuilder};
use crate::tools::{index, install, tool};

/// A package of this name, that says whose it is.
fn side(version: &str, whose: &str) -> Artifact {
    WheelBuilder::new("side", version).file("side/who.py", &format!("who = '{whose} {version}'\n")).build()
}

fn who(context: &TestContext) -> String {
    let venv = context.store().join("tools/demo/current");
    context.eval(venv.to_str().unwrap(), "import side.who; print(side.who.who)")
}

#[test]
fn what_came_from_an_index_of_its_own_stays_with_it() {
    let (context, public) = (TestContext::new(), index());
    public.add(&side("9.0", "stranger"));
    let private = Index::start(&[side("1.0", "own")]);
    install(&context, &public, &["demo"]).success();
    // The private index has nothing else: the application stays as it is.
    context.virtpy(["inject", "demo", "side", "--index-url", &private.url()]).success();
    assert_eq!(who(&context), "own 1.0");
    private.add(&side("1.1", "own"));
    public.add(&tool("2.0"));
    context.virtpy(["upgrade", "demo"]).success().stderr_has("Upgraded 1.0 to");
    assert_eq!(who(&context), "own 1.1");
    context.virtpy(["reinstall", "demo"]).success();
    assert_eq!(who(&context), "own 1.1");
    // Said again without a place, it still comes from there.
    context.virtpy(["inject", "demo", "side<1.1"]).success();
    assert_eq!(who(&context), "own 1.0");
    context.virtpy(["tool", "export", "tools.toml"]).success();
    context.virtpy(["uninstall", "demo"]).success();
    context.virtpy(["tool", "sync", "tools.toml"]).success();
    assert_eq!(who(&context), "own 1.0");
    context.virtpy(["uninject", "demo", "side"]).success();
    let manifest = context.store().join("tools/demo/current/.virtpy/tool.json");
    assert!(!std::fs::read_to_string(manifest).unwrap().contains(&private.url()));
}

#[test]
fn a_directory_of_wheels_is_remembered_from_everywhere() {
    let (context, public) = (TestContext::new(), index());
    std::fs::create_dir_all(context.path("wheels")).unwrap();
    side("1.0", "own").write_to(&context.path("wheels"));
    install(&context, &public, &["demo"]).success();
    context.virtpy(["inject", "demo", "side", "--find-links", "wheels"]).success();
    std::fs::create_dir(context.path("elsewhere")).unwrap();
    let mut again = context.virtpy_command(["reinstall", "demo"]);
    context.run(again.current_dir(context.path("elsewhere"))).success();
    assert_eq!(who(&context), "own 1.0");
}

#[test]
fn what_the_application_needs_is_not_taken_away_by_what_is_injected() {
    let (context, public) = (TestContext::new(), index());
    let private = Index::start(&[
        WheelBuilder::new("side", "1.0").requires("helper>=2").build(),
        crate::tools::helper("2.0"),
    ]);
    public.add(&WheelBuilder::new("strict", "1.0").console_script("strict").requires("helper<2").build());
    install(&context, &public, &["strict"]).success();
    context.virtpy(["inject", "strict", "side", "-i", &private.url()]).failure(1).one_error();
    let venv = context.store().join("tools/strict/current");
    let frozen = context.virtpy(["freeze", "--venv", venv.to_str().unwrap()]).success();
    assert_eq!(frozen.lines(), ["helper==1.0", "strict==1.0"]);
}

#[test]
fn installing_again_keeps_what_was_injected() {
    let (context, public) = (TestContext::new(), index());
    public.add(&side("1.0", "public"));
    public.add(&side("1.1", "public"));
    let private = Index::start(&[WheelBuilder::new("own", "1.0").console_script("own").build()]);
    install(&context, &public, &["demo"]).success();
    context.virtpy(["inject", "demo", "side<1.1", "--index-url", &public.url()]).success();
    context.virtpy(["inject", "demo", "own", "--with-apps", "--index-url", &private.url()]).success();
    let with = ["demo 1.0", "    with side<1.1, own", "    demo", "    demo-extra", "    own"];
    install(&context, &public, &["--force", "demo"]).success();
    assert_eq!(context.virtpy(["tool", "list"]).success().lines(), with);
    assert_eq!(who(&context), "public 1.0");
    public.add(&tool("2.0"));
    install(&context, &public, &["demo@latest"]).success().stderr_has("Replaced 1.0 by");
    let list = context.virtpy(["tool", "list"]).success();
    assert_eq!(list.lines()[..2], ["demo 2.0", "    with side<1.1, own"]);
    // What is said of one now goes before what was said of it.
    install(&context, &public, &["--force", "demo", "--with", "side>=1.1"]).success();
    assert_eq!(who(&context), "public 1.1");
    let list = context.virtpy(["tool", "list"]).success();
    assert_eq!(list.lines()[1], "    with side>=1.1, own");
    context.virtpy(["uninject", "demo", "own", "side"]).success();
    install(&context, &public, &["--force", "demo"]).success();
    assert_eq!(context.virtpy(["tool", "list"]).success().lines()[1], "    demo");
}
