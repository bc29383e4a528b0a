//! `pip` in a venv of virtpy's answers as pip does: lines, exit codes, JSON.

use serde_json::{Value, json};

use crate::pip_shim::scene as empty_scene;
use crate::support::{Index, Output, SdistBuilder, TestContext, Tree, WheelBuilder};

fn scene() -> (TestContext, Index) {
    let index = Index::start(&[
        WheelBuilder::new("Demo.Name", "1.0")
            .requires("helper<2")
            .requires("extra-one ; extra == 'more'")
            .build(),
        WheelBuilder::new("helper", "1.0").build(),
        WheelBuilder::new("helper", "1.5").build(),
        WheelBuilder::new("helper", "2.5").build(),
        WheelBuilder::new("alone", "3.0").metadata_line("Author-email: A <a@example.org>").build(),
    ]);
    let mut context = empty_scene();
    context.set("PIP_INDEX_URL", index.url());
    (context, index)
}

fn pip(context: &TestContext, line: &str) -> Output {
    let words: Vec<&str> = line.split_whitespace().collect();
    context.script(".venv", "pip", &words)
}

fn stdout(context: &TestContext, line: &str) -> String {
    pip(context, line).success().stdout()
}

#[test]
fn install_tells_what_it_did() {
    let (context, index) = scene();
    let site = context.site_packages(".venv");
    let install = |line: &str| {
        let told = stdout(&context, &format!("install {line}"));
        let (first, rest) = told.split_once('\n').unwrap_or_default();
        assert!(first.starts_with("Looking in indexes: http://127.0.0.1:"), "{told}");
        rest.to_owned()
    };
    assert_eq!(
        install("demo-name"),
        "Collecting demo-name\nCollecting helper<2 (from Demo.Name)\nInstalling collected packages: helper, demo-name\n\
         Successfully installed Demo.Name-1.0 helper-1.5\n"
    );
    assert_eq!(
        install("demo-name"),
        format!(
            "Requirement already satisfied: demo-name in [WORK]/{site} (1.0)\n\
             Requirement already satisfied: helper<2 in [WORK]/{site} (from Demo.Name) (1.5)\n"
        )
    );
    assert_eq!(
        install("helper==1.0"),
        "Collecting helper==1.0\nInstalling collected packages: helper\n  Attempting uninstall: helper\n    \
         Found existing installation: helper 1.5\n    Uninstalling helper-1.5:\n      \
         Successfully uninstalled helper-1.5\nSuccessfully installed helper-1.0\n"
    );
    assert_eq!(stdout(&context, "install -q alone"), "");
    assert_eq!(install("--dry-run -U helper<2"), "Collecting helper<2\nWould install helper-1.5\n");
    index.forget_requests();
    let again = stdout(&context, "install --force-reinstall --no-deps alone");
    assert!(again.ends_with("Successfully installed alone-3.0\n"), "{again}");
    assert_eq!(index.all_downloads(), 0, "what the store has is not fetched again");
}

#[test]
fn an_upgrade_leaves_dependencies_that_still_do() {
    let (context, _index) = scene();
    stdout(&context, "install helper==1.0 alone");
    let upgraded = stdout(&context, "install -U demo-name");
    assert!(upgraded.contains("Successfully installed Demo.Name-1.0\n"), "{upgraded}");
    let eager = stdout(&context, "install -U --upgrade-strategy eager demo-name");
    assert!(eager.contains("Successfully installed helper-1.5\n"), "{eager}");
}

#[test]
fn uninstall_tells_what_it_did() {
    let (context, _index) = scene();
    stdout(&context, "install demo-name alone");
    let output = pip(&context, "uninstall -y helper absent").success();
    assert_eq!(
        output.raw_stdout,
        "Found existing installation: helper 1.5\nUninstalling helper-1.5:\n  Successfully uninstalled helper-1.5\n"
    );
    assert_eq!(output.raw_stderr, "WARNING: Skipping absent as it is not installed.\n");
    let hash = "0".repeat(64);
    context.write("gone.txt", &format!("# these\nDemo_Name==1.0 --hash=sha256:{hash}\nalone\n"));
    stdout(&context, "uninstall -y -r gone.txt");
    assert_eq!(stdout(&context, "freeze"), "");
    pip(&context, "uninstall -y")
        .failure(1)
        .stderr_has("ERROR: You must give at least one requirement to uninstall");
}

#[test]
fn uninstall_asks_before_it_acts() {
    let (context, _index) = scene();
    stdout(&context, "install alone");
    pip(&context, "uninstall alone").failure(1).stderr_has("nobody answered");
    for (answer, left) in [("n\n", "alone==3.0\n"), ("y\n", "")] {
        let file = context.write("answer", answer);
        let mut command = context.command(context.path(".venv/bin/pip"));
        command.args(["uninstall", "alone"]).stdin(std::fs::File::open(file).unwrap());
        let output = context.run(&mut command).success();
        assert!(output.raw_stdout.contains("Proceed (Y/n)? "), "{}", output.dump());
        assert_eq!(stdout(&context, "freeze"), left);
    }
}

#[test]
fn list_in_every_form() {
    let (context, _index) = scene();
    stdout(&context, "install demo-name alone");
    assert_eq!(
        stdout(&context, "list"),
        "Package   Version\n--------- -----------\nalone     3.0\nDemo.Name 1.0\nhelper    1.5\npip       26.3+virtpy\n"
    );
    assert_eq!(
        stdout(&context, "list --format json --exclude pip"),
        "[{\"name\": \"alone\", \"version\": \"3.0\"}, {\"name\": \"Demo.Name\", \"version\": \"1.0\"}, \
         {\"name\": \"helper\", \"version\": \"1.5\"}]\n"
    );
    assert_eq!(
        stdout(&context, "list --format=freeze --not-required"),
        "alone==3.0\nDemo.Name==1.0\npip==26.3+virtpy\n"
    );
    let rows: Value = serde_json::from_str(&stdout(&context, "list --outdated --format=json")).unwrap();
    assert_eq!(
        rows,
        json!([{"name": "helper", "version": "1.5", "latest_version": "2.5", "latest_filetype": "wheel"}])
    );
    assert_eq!(
        stdout(&context, "list -o"),
        "Package Version Latest Type\n------- ------- ------ -----\nhelper  1.5     2.5    wheel\n"
    );
    let rows: Value = serde_json::from_str(&stdout(&context, "list -v --format=json")).unwrap();
    assert_eq!(rows[0]["installer"], "virtpy");
    assert_eq!(rows[0]["location"], format!("[WORK]/{}", context.site_packages(".venv")));
    pip(&context, "list --format=xml").failure(2).stderr_has("option --format: invalid choice: 'xml'");
    pip(&context, "list -o --format=freeze")
        .failure(1)
        .stderr_has("ERROR: List format 'freeze' cannot be used");
}

#[test]
fn editables_and_files_are_told_as_such() {
    let (context, _index) = scene();
    let sdist = SdistBuilder::new("project", "1.0");
    sdist.write_folder(&context.path("project"));
    let local = WheelBuilder::new("local", "2.0").build();
    let wheel = local.write_to(&context.path("wheels"));
    stdout(&context, "install --no-build-isolation -e ./project");
    stdout(&context, &format!("install {}", wheel.display()));
    assert_eq!(
        stdout(&context, "freeze"),
        format!(
            "local @ file://[WORK]/wheels/local-2.0-py3-none-any.whl#sha256={}\n\
             # Editable install with no version control (project==1.0)\n-e [WORK]/project\n",
            local.sha256()
        )
    );
    assert_eq!(
        stdout(&context, "list -e --format=json"),
        "[{\"name\": \"project\", \"version\": \"1.0\", \"editable_project_location\": \"[WORK]/project\"}]\n"
    );
    assert_eq!(stdout(&context, "list --exclude-editable --format=freeze --exclude pip"), "local==2.0\n");
}

#[test]
fn freeze_follows_a_file() {
    let (context, _index) = scene();
    stdout(&context, "install demo-name alone");
    context.write("order.txt", "# first\nhelper>=1  # why\n\n--pre\nabsent\n");
    let output = pip(&context, "freeze -r order.txt").success();
    assert_eq!(
        output.raw_stdout,
        "# first\nhelper==1.5\n\n--pre\n## The following requirements were added by pip freeze:\nalone==3.0\nDemo.Name==1.0\n"
    );
    assert!(output.raw_stderr.contains("absent"), "{}", output.dump());
    let all = stdout(&context, "freeze --all");
    assert_eq!(all.lines().filter(|line| line.starts_with("pip==")).count(), 1, "{all}");
}

#[test]
fn freeze_keeps_a_version_that_pep_440_does_not_know() {
    let (context, _index) = scene();
    let file = format!("{}/odd-2010i.dist-info/METADATA", context.site_packages(".venv"));
    context.write(&file, "Metadata-Version: 2.1\nName: odd\nVersion: 2010i\n");
    assert_eq!(stdout(&context, "freeze"), "odd===2010i\n");
}

#[test]
fn show_and_check() {
    let (context, _index) = scene();
    stdout(&context, "install demo-name alone");
    let site = context.site_packages(".venv");
    assert_eq!(
        stdout(&context, "show alone"),
        format!(
            "Name: alone\nVersion: 3.0\nSummary: A distribution made for a test\nHome-page: \nAuthor: \n\
             Author-email: A <a@example.org>\nLicense: MIT\nLocation: [WORK]/{site}\nRequires: \nRequired-by: \n"
        )
    );
    let shown = stdout(&context, "show -f helper");
    assert!(shown.contains("\nRequired-by: Demo.Name\nFiles:\n  helper-1.5.dist-info/"), "{shown}");
    let output = pip(&context, "show absent alone").success();
    assert_eq!(output.raw_stderr, "WARNING: Package(s) not found: absent\n");
    pip(&context, "show absent").failure(1).stderr_has("WARNING: Package(s) not found: absent");
    assert_eq!(stdout(&context, "check"), "No broken requirements found.\n");
    stdout(&context, "install helper==2.5");
    let output = pip(&context, "check").failure(1);
    assert_eq!(output.raw_stdout, "demo-name 1.0 has requirement helper<2, but you have helper 2.5.\n");
    stdout(&context, "uninstall -y helper");
    let output = pip(&context, "check").failure(1);
    assert_eq!(output.raw_stdout, "demo-name 1.0 requires helper, which is not installed.\n");
}

#[test]
fn reports_for_programs() {
    let (context, _index) = scene();
    let before = Tree::of(&context.path(".venv"));
    stdout(&context, "install --dry-run --quiet --report report.json demo-name");
    before.assert_unchanged(&Tree::of(&context.path(".venv")), "the venv");
    let report: Value = serde_json::from_str(&context.read("report.json")).unwrap();
    assert_eq!((&report["version"], &report["pip_version"]), (&json!("1"), &json!("26.3+virtpy")));
    let install = report["install"].as_array().unwrap();
    let names: Vec<&str> = install.iter().filter_map(|item| item["metadata"]["name"].as_str()).collect();
    assert_eq!(names, ["Demo.Name", "helper"]);
    assert_eq!((&install[0]["requested"], &install[1]["requested"]), (&json!(true), &json!(false)));
    assert_eq!(install[0]["metadata"]["requires_dist"][0], "helper<2");
    let info = &install[1]["download_info"];
    assert!(info["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{info}");
    assert_eq!(info["archive_info"]["hashes"]["sha256"].as_str().unwrap().len(), 64);
    assert!(report["environment"]["python_version"].is_string());
    stdout(&context, "install alone");
    let inspected: Value = serde_json::from_str(&stdout(&context, "inspect")).unwrap();
    let alone = &inspected["installed"][0];
    assert_eq!((&alone["metadata"]["name"], &alone["requested"]), (&json!("alone"), &json!(true)));
    assert_eq!(alone["installer"], "virtpy");
}

#[test]
fn mistakes_are_told_in_pips_words() {
    let (context, _index) = scene();
    let before = Tree::of(&context.path(".venv"));
    for (line, code, message) in [
        ("install --nosuch six", 2, "\nno such option: --nosuch\n"),
        ("install -r", 2, "\n-r option requires 1 argument\n"),
        ("instal x", 1, "ERROR: unknown command \"instal\" - maybe you meant \"install\"\n"),
        ("install", 1, "ERROR: You must give at least one requirement to install"),
        (
            "install --user alone",
            1,
            "ERROR: Can not perform a '--user' install. User site-packages are not visible",
        ),
        ("install absent-package", 1, "ERROR: "),
        ("install -r absent.txt", 1, "ERROR: "),
    ] {
        let output = pip(&context, line).failure(code);
        assert!(output.raw_stderr.contains(message), "{line}: {}", output.dump());
        let told = output.raw_stdout.lines().find(|line| !line.starts_with("Looking in indexes: "));
        assert_eq!(told, None, "{line}");
    }
    before.assert_unchanged(&Tree::of(&context.path(".venv")), "the venv");
}

#[test]
fn variables_and_files_configure_it() {
    let (mut context, index) = scene();
    context.unset("PIP_INDEX_URL");
    std::fs::create_dir_all(context.home().join(".config/pip")).unwrap();
    std::fs::write(
        context.home().join(".config/pip/pip.conf"),
        format!("[global]\nindex-url = {}\n", index.url()),
    )
    .unwrap();
    context.set("PIP_NO_DEPS", "1");
    context.set("PIP_REQUIRE_VIRTUALENV", "true");
    context.set("PIP_NO_INPUT", "1");
    stdout(&context, "install demo-name");
    assert_eq!(stdout(&context, "freeze"), "Demo.Name==1.0\n");
    context.set("PIP_FORMAT", "json");
    assert!(stdout(&context, "list").starts_with("[{"));
    // Isolated: neither the variables nor the user's file.
    pip(&context, "--isolated list --format=columns").success().stdout_has("Package");
    context.set("PIP_INDEX_URL", index.url());
    let output =
        pip(&context, &format!("install --isolated --index-url {} helper==1.0", index.url())).success();
    assert!(output.raw_stdout.contains("helper-1.0"), "{}", output.dump());
    context.set("PIP_DRY_RUN", "perhaps");
    pip(&context, "install alone").failure(2).stderr_has("perhaps is not a valid value for dry-run option");
}

#[test]
fn the_calls_of_older_poetry() {
    let (context, _index) = scene();
    let venv = context.path(".venv");
    let prefix = venv.to_str().unwrap();
    let old = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("artifacts"));
    let new = WheelBuilder::new("demo", "2.0").build().write_to(&context.path("artifacts"));
    let python = |arguments: &[&str]| {
        let mut command = context.command(context.path(".venv/bin/python"));
        command.args(["-m", "pip"]).args(arguments);
        context.run(&mut command)
    };
    let install = ["install", "--disable-pip-version-check", "--isolated", "--no-input", "--prefix", prefix];
    python(&[&install[..], &["--no-deps", old.to_str().unwrap()]].concat()).success();
    // It takes away the note that says where the file was.
    let site = context.path(&context.site_packages(".venv"));
    std::fs::remove_file(site.join("demo-1.0.dist-info/direct_url.json")).unwrap();
    assert_eq!(stdout(&context, "freeze"), "demo==1.0\n");
    context.virtpy(["check"]).success();
    python(&[&install[..], &["--upgrade", "--no-deps", new.to_str().unwrap()]].concat()).success();
    // For what comes from a repository it writes another one.
    std::fs::write(
        site.join("demo-2.0.dist-info/direct_url.json"),
        r#"{"url": "https://example.org/x.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}"#,
    )
    .unwrap();
    assert_eq!(stdout(&context, "freeze"), "demo @ git+https://example.org/x.git@abc\n");
    python(&["uninstall", "demo", "-y"]).success();
    python(&["uninstall", "demo", "-y"]).success();
    assert_eq!(stdout(&context, "freeze"), "");
    let sdist = SdistBuilder::new("project", "1.0");
    sdist.write_folder(&context.path("project"));
    let project = context.path("project");
    let built = [
        "install",
        "--use-pep517",
        "--disable-pip-version-check",
        "--isolated",
        "--no-input",
        "--prefix",
        prefix,
    ];
    let own_backend = ["--no-build-isolation", "--upgrade", "--no-deps", project.to_str().unwrap()];
    python(&[&built[..], &own_backend].concat()).success();
    context.eval(".venv", "import project");
}

#[test]
fn many_at_once_and_many_in_a_row() {
    let (context, _index) = scene();
    let wheels: Vec<_> = (0..16)
        .map(|number| {
            WheelBuilder::new(&format!("many{number}"), "1.0").build().write_to(&context.path("wheels"))
        })
        .collect();
    let venv = context.path(".venv");
    let children: Vec<_> = wheels
        .iter()
        .map(|wheel| {
            let mut command = context.command(context.path(".venv/bin/python"));
            command.args(["-m", "pip", "install", "--no-deps", "--prefix"]).arg(&venv).arg(wheel);
            command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    for child in children {
        context.output_of("pip install", &child.wait_with_output().unwrap()).success();
    }
    assert_eq!(stdout(&context, "freeze").lines().count(), 16);
    for number in 0..100 {
        let name = format!("many{}", number % 16);
        stdout(&context, &format!("uninstall -y {name}"));
        stdout(&context, &format!("install --no-deps {}", wheels[number % 16].display()));
    }
    assert_eq!(stdout(&context, "freeze").lines().count(), 16);
    context.virtpy(["check"]).success();
    context.virtpy(["store", "verify"]).success();
    context.assert_no_leftovers();
}

#[test]
fn virtpy_pip_works_without_the_shim() {
    let context = TestContext::new();
    context.new_venv();
    let wheel = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    context.virtpy(["pip", "install", wheel.to_str().unwrap()]).success();
    context.virtpy(["pip", "list", "--format=freeze"]).success().stdout_is("demo==1.0\n");
    context.virtpy(["pip", "--venv", ".venv", "-q", "uninstall", "-y", "demo"]).success().stdout_is("");
    context.virtpy(["pip", "--version"]).success().stdout_has("pip 26.3+virtpy from [WORK]/.venv/");
}

#[test]
fn the_rest_is_done_by_a_real_pip_that_stays_out_of_the_venv() {
    let (context, _index) = scene();
    let code = "import ensurepip, os, sys; sys.exit(not os.path.isdir(os.path.join(os.path.dirname(ensurepip.__file__), '_bundled')))";
    if context.python(".venv", code).code != Some(0) {
        return crate::support::skip("the interpreter carries no pip of its own");
    }
    // The index has no pip, so the interpreter's is taken.
    let wheel = WheelBuilder::new("demo", "1.0").build().write_to(&context.path("wheels"));
    let wheel = wheel.to_str().unwrap();
    let before = Tree::of(&context.path(".venv"));
    pip(&context, &format!("hash {wheel}")).success().stdout_has("--hash=sha256:");
    pip(&context, &format!("install --no-deps --target elsewhere {wheel}")).success();
    assert!(context.path("elsewhere/demo/__init__.py").is_file());
    pip(&context, "download --no-index absent").failure(1);
    for option in ["--target .venv/inside", "--root=.venv", "--prefix .venv/deeper/still"] {
        let output = pip(&context, &format!("install --no-deps {option} {wheel}")).failure(1);
        assert!(output.raw_stderr.contains("in a venv of virtpy's"), "{option}: {}", output.dump());
    }
    before.assert_unchanged(&Tree::of(&context.path(".venv")), "the venv");
    context.virtpy(["list-all"]).success().stdout_is("[WORK]/.venv\n");
    // The user's own folder, where it is visible.
    context.virtpy(["new", "open", "--system-site-packages"]).success();
    context.script("open", "pip", &["install", "--no-index", "--user", wheel]).success();
    let found = context
        .eval("open", "import demo, site; print(demo.__file__.startswith(site.getusersitepackages()))");
    assert_eq!(found, "True");
    // An environment that virtpy did not make.
    context
        .run(context.command(context.path(".venv/bin/python")).args(["-m", "venv", "--without-pip", "plain"]))
        .success();
    pip(&context, &format!("--python plain install --no-deps {wheel}")).success();
    context.python("plain", "import demo").success();
    context.python(".venv", "import demo").failure(1);
}

#[test]
fn all_settings_are_shown_without_their_passwords_and_one_as_it_is() {
    let (context, _index) = scene();
    let code = "import ensurepip, os, sys; sys.exit(not os.path.isdir(os.path.join(os.path.dirname(ensurepip.__file__), '_bundled')))";
    if context.python(".venv", code).code != Some(0) {
        return crate::support::skip("the interpreter carries no pip of its own");
    }
    let address = "https://alice:S3KR3T@index.example/simple/";
    let file = context.home().join(".config/pip/pip.conf");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, format!("[global]\nextra-index-url = {address}\nno-index = true\n")).unwrap();
    for words in ["config list", "config debug", "--no-color config list", "debug"] {
        let output = pip(&context, words).success();
        assert!(!output.dump().contains("S3KR3T"), "{words}: {}", output.dump());
    }
    pip(&context, "config list").success().stdout_has("https://****@index.example/simple/");
    pip(&context, "config --user get global.extra-index-url").success().stdout_has(address);
}

#[test]
fn wrong_settings_for_builds_are_told() {
    let (context, _index) = scene();
    SdistBuilder::new("project", "1.0").write_folder(&context.path("project"));
    let output = pip(&context, "install --config-settings nonsense ./project").failure(1);
    assert!(output.raw_stderr.contains("nonsense"), "{}", output.dump());
    stdout(&context, "install -C key=value ./project");
    context.eval(".venv", "import project");
}
