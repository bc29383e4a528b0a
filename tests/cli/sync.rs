//! `virtpy sync`: the venv holds exactly what a lock file says, whichever tool wrote it.

use crate::support::{Artifact, Index, SdistBuilder, TestContext, WheelBuilder};

/// The wheels that the locks are about.
struct Wheels {
    index: Index,
    all: Vec<Artifact>,
}

impl Wheels {
    fn serve() -> Self {
        let all = vec![
            WheelBuilder::new("attrs", "24.2.0").build(),
            WheelBuilder::new("cattrs", "24.1.0").requires("attrs").build(),
            WheelBuilder::new("numpy", "2.1.0").build(),
            WheelBuilder::new("pytest", "8.3.0").requires("pluggy").build(),
            WheelBuilder::new("pluggy", "1.5.0").build(),
            WheelBuilder::new("colour", "1.0").build(),
            WheelBuilder::new("extra", "3.0").build(),
        ];
        Self { index: Index::start(&all), all }
    }

    fn of(&self, project: &str) -> &Artifact {
        self.all.iter().find(|artifact| artifact.project == project).unwrap()
    }

    /// The lines of a `[[packages.wheels]]` table.
    fn wheel(&self, project: &str) -> String {
        let artifact = self.of(project);
        format!(
            "[[packages.wheels]]\nname = \"{0}\"\nurl = \"{1}\"\nhashes = {{sha256 = \"{2}\"}}\n",
            artifact.file_name,
            self.index.file_url(&artifact.file_name),
            artifact.sha256()
        )
    }
}

/// The example that PEP 751 gives, with the packages of the index here, an extra and a group.
fn pylock(wheels: &Wheels) -> String {
    format!(
        "lock-version = \"1.0\"\n\
         environments = [\"sys_platform == 'win32'\", \"sys_platform != 'win32'\"]\n\
         requires-python = \">=3.8\"\n\
         created-by = \"mousebender\"\n\
         extras = [\"numbers\"]\n\
         dependency-groups = [\"dev\", \"ci\"]\n\
         default-groups = [\"ci\"]\n\n\
         [[packages]]\nname = \"attrs\"\nversion = \"24.2.0\"\nrequires-python = \">=3.7\"\n{}\
         [[packages.attestation-identities]]\nkind = \"GitHub\"\nrepository = \"python-attrs/attrs\"\n\n\
         [[packages]]\nname = \"cattrs\"\nversion = \"24.1.0\"\ndependencies = [{{name = \"attrs\"}}]\n{}\n\
         [[packages]]\nname = \"colour\"\nversion = \"1.0\"\nmarker = \"sys_platform == 'win32'\"\n{}\n\
         [[packages]]\nname = \"numpy\"\nversion = \"2.1.0\"\nmarker = \"'numbers' in extras\"\n{}\n\
         [[packages]]\nname = \"pytest\"\nversion = \"8.3.0\"\nmarker = \"'dev' in dependency_groups\"\n{}\n\
         [[packages]]\nname = \"pluggy\"\nversion = \"1.5.0\"\nmarker = \"'ci' in dependency_groups or 'dev' in dependency_groups\"\n{}\
         [packages.tool.mousebender]\nanything = 1\n\n\
         [tool.mousebender]\ncommand = [\".\", \"lock\"]\n",
        wheels.wheel("attrs"),
        wheels.wheel("cattrs"),
        wheels.wheel("colour"),
        wheels.wheel("numpy"),
        wheels.wheel("pytest"),
        wheels.wheel("pluggy"),
    )
}

/// What is installed, as `NAME VERSION` in order.
#[track_caller]
fn installed(context: &TestContext) -> Vec<String> {
    let list = context.virtpy(["list", "--json"]).success().json();
    let packages = list.as_array().unwrap();
    let text = |value: &serde_json::Value, key: &str| value[key].as_str().unwrap().to_owned();
    packages.iter().map(|one| format!("{} {}", text(one, "name"), text(one, "version"))).collect()
}

#[test]
fn a_pylock_is_followed_exactly() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    context.write("pylock.toml", &pylock(&wheels));
    context.new_venv();
    context.add(&wheels.index, &["extra", "attrs"]).success();
    wheels.index.forget_requests();

    context.virtpy(["sync"]).success().stdout_has(" - extra 3.0").stdout_has(" + cattrs 24.1.0");
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0", "pluggy 1.5.0"]);
    // Files only: the lock answers everything that an index would be asked.
    assert!(
        wheels.index.requests().iter().all(|request| request.contains(".whl")),
        "{:?}",
        wheels.index.requests()
    );

    context.virtpy(["sync"]).success().stderr_has("Nothing to do");
    context.virtpy(["sync", "--extra", "numbers", "--group", "dev"]).success();
    assert_eq!(
        installed(&context),
        ["attrs 24.2.0", "cattrs 24.1.0", "numpy 2.1.0", "pluggy 1.5.0", "pytest 8.3.0"]
    );
    context.virtpy(["sync", "--no-default-groups"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0"]);
    context.virtpy(["check"]).success();
}

#[test]
fn the_second_venv_needs_neither_the_index_nor_the_resolver() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    context.write("pylock.toml", &pylock(&wheels));
    context.virtpy(["sync", "--venv", "one"]).success().stderr_has("Made `one`").stderr_has("3 downloaded");
    wheels.index.forget_requests();
    context
        .virtpy(["sync", "--venv", "two", "--offline"])
        .success()
        .stderr_has("3 from the store, 0 downloaded");
    assert_eq!(wheels.index.requests(), Vec::<String>::new());
    assert_eq!(context.eval("two", "import cattrs; print(cattrs.__version__)"), "24.1.0");
    // The facade was not even started: its cache is gone and does not come back.
    std::fs::remove_dir_all(context.store().join("cache/resolver")).unwrap();
    context.virtpy(["new", "three", "--from", "pylock.toml"]).success();
    assert!(!context.store().join("cache/resolver").exists());
}

#[test]
fn what_is_kept_is_kept() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    context.write("pylock.toml", &pylock(&wheels));
    context.new_venv();
    context.add(&wheels.index, &["extra"]).success();
    context.virtpy(["sync", "--inexact"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0", "extra 3.0", "pluggy 1.5.0"]);
    context.virtpy(["sync", "--inexact"]).success().stderr_has("Nothing to do");
    context
        .virtpy(["sync", "--dry-run"])
        .success()
        .stdout_has(" - extra 3.0")
        .stderr_has("nothing was changed");
    assert_eq!(installed(&context).len(), 4);
    let report = context.virtpy(["sync", "--json"]).success().json();
    assert_eq!(report["removed"][0]["name"], "extra");
    assert_eq!(report["unchanged"], 3);
    assert_eq!(report["file"], "pylock.toml");
}

#[test]
fn what_others_did_is_seen_though_the_lock_is_the_same() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    context.write("pylock.toml", &pylock(&wheels));
    context.virtpy(["sync"]).success();
    context.virtpy(["sync"]).success().stderr_has("Nothing to do");
    let site = context.path(&context.site_packages(".venv"));
    for name in ["cattrs", "cattrs-24.1.0.dist-info"] {
        let path = site.join(name);
        std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path)).unwrap();
    }
    context.virtpy(["sync"]).success().stdout_has(" + cattrs 24.1.0");
    context.virtpy(["check"]).success();

    let stray = site.join("stray-1.0.dist-info");
    std::fs::create_dir(&stray).unwrap();
    std::fs::write(stray.join("METADATA"), "Metadata-Version: 2.1\nName: stray\nVersion: 1.0\n").unwrap();
    std::fs::write(stray.join("RECORD"), "stray-1.0.dist-info/METADATA,,\nstray-1.0.dist-info/RECORD,,\n")
        .unwrap();
    context.virtpy(["sync"]).success().stdout_has(" - stray 1.0");
    context.virtpy(["sync"]).success().stderr_has("Nothing to do");

    // Python's own folder makes the look a longer one, and nothing else.
    std::fs::create_dir(site.join("__pycache__")).unwrap();
    context.virtpy(["sync"]).success().stderr_has("Nothing to do");
}

#[test]
fn another_wheel_of_the_same_version_is_replaced() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    context.write("pylock.toml", &pylock(&wheels));
    let other = WheelBuilder::new("attrs", "24.2.0").file("attrs/own.py", "own = True\n").build();
    let path = other.write_to(&context.path("wheels"));
    context.new_venv();
    context.virtpy(["add", "--no-index", "-f", "wheels", "attrs"]).success();
    assert!(path.exists() && context.python(".venv", "import attrs.own").success().code == Some(0));
    context.virtpy(["sync"]).success();
    context.python(".venv", "import attrs.own").failure(1);
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    context.new_venv();
    context.add(&wheels.index, &["extra"]).success();
    let good = pylock(&wheels);
    let cases = [
        (good.replace(">=3.8", ">=3.99"), "is for Python >=3.99"),
        (
            good.replace("sys_platform != 'win32'", "sys_platform == 'plan9'"),
            "was made for other environments",
        ),
        (good.replace("lock-version = \"1.0\"", "lock-version = \"2.0\""), "cannot read the lock file"),
        (good.replace("hashes = {sha256", "hashes = {} #"), "gives no hash"),
        (good.replace("py3-none-any.whl\"\nurl", "cp27-none-any.whl\"\nurl"), "cannot be installed here"),
        (good.replace("[[packages]]", "[[packages"), "cannot read the lock file"),
    ];
    for (text, message) in cases {
        context.write("pylock.toml", &text);
        context.virtpy(["sync"]).failure(1).one_error().stderr_has(message);
        assert_eq!(installed(&context), ["extra 3.0"], "{message}");
    }
    context.write("pylock.toml", &good);
    context
        .virtpy(["sync", "--extra", "letters"])
        .failure(1)
        .stderr_has("has no extra `letters`")
        .stderr_has("numbers");
    context.virtpy(["sync", "--group", "qa"]).failure(1).stderr_has("has no dependency group `qa`");
    context.virtpy(["sync", "absent.lock"]).failure(1).one_error();
    // A wrong hash: the bytes are another file's.
    context.write("pylock.toml", &good.replace(&wheels.of("cattrs").sha256(), &wheels.of("extra").sha256()));
    context.virtpy(["sync"]).failure(1).one_error().stderr_has("hash");
    assert_eq!(installed(&context), ["extra 3.0"]);
}

#[test]
fn a_venv_that_cannot_be_filled_is_not_left_behind() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    context.write("pylock.toml", &pylock(&wheels).replace(&wheels.of("cattrs").sha256(), &"0".repeat(64)));
    context.virtpy(["sync"]).failure(1).one_error();
    assert!(!context.path(".venv").exists());
    context.virtpy(["new", "--from", "pylock.toml"]).failure(1);
    assert!(!context.path(".venv").exists());
    context.virtpy(["new", "--from", "absent.toml"]).failure(1).one_error();
    assert!(!context.path(".venv").exists());
}

#[test]
fn requirements_are_taken_as_they_stand() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    let pin =
        |name: &str, version: &str| format!("{name}=={version} --hash=sha256:{}\n", wheels.of(name).sha256());
    context.write("requirements.txt", &(pin("cattrs", "24.1.0") + &pin("attrs", "24.2.0")));
    let url = wheels.index.url();
    context.virtpy(["sync", "-i", &url]).success().stderr_has("Made `.venv`");
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0"]);
    context.virtpy(["sync", "-i", &url]).success().stderr_has("Nothing to do");
    context.write("more.txt", "pluggy==1.5.0\n");
    context.virtpy(["sync", "-i", &url, "requirements.txt", "more.txt"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0", "pluggy 1.5.0"]);
    context.virtpy(["sync", "-i", &url, "--require-hashes", "more.txt"]).failure(1).one_error();
    context.virtpy(["sync", "-i", &url, "more.txt", "--group", "dev"]).failure(2);
    context.virtpy(["sync", "-i", &url, "more.txt"]).success();
    assert_eq!(installed(&context), ["pluggy 1.5.0"]);
}

#[test]
fn uvs_lock_brings_its_default_group_and_what_is_chosen() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    let package = |name: &str, version: &str, requires: &str| {
        let artifact = wheels.of(name);
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = {{ registry = \"{}\" }}\n{requires}wheels = [\n    \
             {{ url = \"{}\", hash = \"sha256:{}\", size = {} }},\n]\n\n",
            wheels.index.url(),
            wheels.index.file_url(&artifact.file_name),
            artifact.sha256(),
            artifact.bytes.len(),
        )
    };
    let lock = String::from("version = 1\nrevision = 3\nrequires-python = \">=3.8\"\n\n")
        + &package("attrs", "24.2.0", "")
        + &package("cattrs", "24.1.0", "dependencies = [\n    { name = \"attrs\" },\n]\n")
        + &package("numpy", "2.1.0", "")
        + &package("pluggy", "1.5.0", "")
        + &package("pytest", "8.3.0", "dependencies = [\n    { name = \"pluggy\" },\n]\n")
        + "[[package]]\nname = \"shop\"\nversion = \"1.0\"\nsource = { virtual = \".\" }\n\
           dependencies = [\n    { name = \"cattrs\" },\n]\n\n\
           [package.optional-dependencies]\nmath = [\n    { name = \"numpy\" },\n]\n\n\
           [package.dev-dependencies]\ndev = [\n    { name = \"pytest\" },\n]\n\n\
           [package.metadata]\nrequires-dist = [\n    { name = \"cattrs\" },\n    { name = \"numpy\", marker = \"extra == 'math'\" },\n]\n\
           provides-extras = [\"math\"]\n\n\
           [package.metadata.requires-dev]\ndev = [{ name = \"pytest\" }]\n";
    context.write("uv.lock", &lock);
    context.write(
        "pyproject.toml",
        "[project]\nname = \"shop\"\nversion = \"1.0\"\ndependencies = [\"cattrs\"]\n",
    );
    context.virtpy(["sync"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0", "pluggy 1.5.0", "pytest 8.3.0"]);
    context.virtpy(["sync", "--no-group", "dev", "--extra", "math"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0", "numpy 2.1.0"]);
    context.virtpy(["sync", "--only-group", "dev"]).success();
    assert_eq!(installed(&context), ["pluggy 1.5.0", "pytest 8.3.0"]);
    context
        .virtpy(["sync", "--extra", "meth"])
        .failure(1)
        .stderr_has("has no extra `meth`")
        .stderr_has("math");
    context.virtpy(["sync", "--group", "dve"]).failure(1).stderr_has("has no dependency group `dve`");
}

#[test]
fn pipenvs_lock_brings_its_own_index() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    let url = wheels.index.url();
    let hash = |name: &str| wheels.of(name).sha256();
    context.write(
        "Pipfile.lock",
        &format!(
            "{{\"_meta\": {{\"sources\": [{{\"name\": \"own\", \"url\": \"{url}\", \"verify_ssl\": true}}]}},\n\
             \"default\": {{\"attrs\": {{\"hashes\": [\"sha256:{}\"], \"index\": \"own\", \"version\": \"==24.2.0\"}},\n\
             \"colour\": {{\"markers\": \"sys_platform == 'win32'\", \"version\": \"==1.0\"}}}},\n\
             \"develop\": {{\"pluggy\": {{\"hashes\": [\"sha256:{}\"], \"version\": \"==1.5.0\"}}}}}}",
            hash("attrs"),
            hash("pluggy"),
        ),
    );
    context.virtpy(["sync"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0"]);
    context.virtpy(["sync", "--group", "dev"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "pluggy 1.5.0"]);
    context.virtpy(["sync", "--only-group", "develop"]).success();
    assert_eq!(installed(&context), ["pluggy 1.5.0"]);
    context.virtpy(["sync", "--group", "docs"]).failure(1).stderr_has("has no group `docs`");
}

#[test]
fn a_project_is_installed_without_a_lock() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    context.write(
        "pyproject.toml",
        "[project]\nname = \"shop\"\nversion = \"1.0\"\ndependencies = [\"cattrs>=24\"]\n\
         [project.optional-dependencies]\nmath = [\"numpy\"]\nall = [\"shop[math]\"]\n\
         [dependency-groups]\ntest = [\"pytest\"]\ndev = [{include-group = \"test\"}, \"extra\"]\n",
    );
    let url = wheels.index.url();
    context.virtpy(["sync", "-i", &url]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0"]);
    context.virtpy(["sync", "-i", &url]).success().stderr_has("Nothing to do");
    context.virtpy(["sync", "-i", &url, "--project", "--group", "dev", "--extra", "all"]).success();
    assert_eq!(
        installed(&context),
        ["attrs 24.2.0", "cattrs 24.1.0", "extra 3.0", "numpy 2.1.0", "pluggy 1.5.0", "pytest 8.3.0"]
    );
    context.virtpy(["sync", "-i", &url, "--only-group", "test"]).success();
    assert_eq!(installed(&context), ["pluggy 1.5.0", "pytest 8.3.0"]);
    context
        .virtpy(["sync", "-i", &url, "--group", "docs"])
        .failure(1)
        .stderr_has("has no dependency group `docs`");
    context.write(
        "pyproject.toml",
        "[dependency-groups]\na = [{include-group = \"b\"}]\nb = [{include-group = \"a\"}]\n",
    );
    context.virtpy(["sync", "-i", &url, "--group", "a"]).failure(1).one_error().stderr_has("ycle");
}

#[test]
fn a_project_that_can_be_built_comes_editable() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    let folder = SdistBuilder::new("shop", "1.0").requires("cattrs").write_folder(&context.path("."));
    let url = wheels.index.url();
    context.virtpy(["sync", "-i", &url, "--project"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0", "shop 1.0"]);
    let origin = context.eval(".venv", "import shop; print(shop.__file__)");
    assert!(std::path::Path::new(&origin).starts_with(folder.canonicalize().unwrap()), "{origin}");
    // Without the table `[project]` nobody but the backend knows what it needs.
    context.virtpy(["sync", "-i", &url, "--project", "--no-install-project"]).failure(1).one_error();
    let table = "[project]\nname = \"shop\"\nversion = \"1.0\"\ndependencies = [\"cattrs\"]\n";
    context.write("pyproject.toml", &(context.read("pyproject.toml") + table));
    context.virtpy(["sync", "-i", &url, "--project", "--no-install-project"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "cattrs 24.1.0"]);
}

#[test]
fn every_source_of_a_pylock_is_installed() {
    let wheels = Wheels::serve();
    let context = TestContext::new();
    let sdist = SdistBuilder::new("source", "2.0").build();
    let path = sdist.write_to(&context.path("archives"));
    SdistBuilder::new("folder", "0.1").write_folder(&context.path("projects/folder"));
    let wheel = wheels.of("attrs").write_to(&context.path("archives"));
    let lock = format!(
        "lock-version = \"1.0\"\ncreated-by = \"test\"\n\
         [[packages]]\nname = \"source\"\nversion = \"2.0\"\nsdist = {{path = \"archives/{}\", hashes = {{sha256 = \"{}\"}}}}\n\
         [[packages]]\nname = \"folder\"\ndirectory = {{path = \"projects/folder\", editable = true}}\n\
         [[packages]]\nname = \"attrs\"\nversion = \"24.2.0\"\narchive = {{path = \"archives/{}\", hashes = {{sha256 = \"{}\"}}}}\n",
        path.file_name().unwrap().to_str().unwrap(),
        sdist.sha256(),
        wheel.file_name().unwrap().to_str().unwrap(),
        wheels.of("attrs").sha256(),
    );
    context.write("pylock.toml", &lock);
    context.virtpy(["sync"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "folder 0.1", "source 2.0"]);
    // What stands in a folder may have changed; what did not is not made again.
    context.virtpy(["sync"]).success();
    assert_eq!(installed(&context), ["attrs 24.2.0", "folder 0.1", "source 2.0"]);
    context.virtpy(["check"]).success();
}

#[test]
fn another_pip_in_a_lock_is_told_and_left() {
    let mut context = TestContext::new();
    context.unset("VIRTPY_PIP_SHIM");
    context.new_venv();
    let wheels = [WheelBuilder::new("pip", "24.0").build(), WheelBuilder::new("demo", "1.0").build()];
    let index = Index::start(&wheels);
    context.write("requirements.txt", "pip==24.0\ndemo==1.0\n");
    let synced = context.virtpy(["sync", "requirements.txt", "--index-url", &index.url()]).success();
    synced.stderr_has("pip is virtpy's own here");
    context.script(".venv", "pip", &["--version"]).success().stdout_has("+virtpy from");
}

#[test]
fn all_groups_may_come_unasked() {
    let index = Index::start(&["base", "linter", "docs"].map(|name| WheelBuilder::new(name, "1.0").build()));
    let context = TestContext::new();
    let project = |groups: &str| {
        format!(
            "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.8'\ndependencies = ['base']\n\
             [dependency-groups]\ndev = ['linter']\ndocs = ['docs']\n[tool.uv]\ndefault-groups = {groups}\n"
        )
    };
    for (groups, expected) in
        [("'all'", &["base 1.0", "docs 1.0", "linter 1.0"][..]), ("['docs']", &["base 1.0", "docs 1.0"])]
    {
        context.write("pyproject.toml", &project(groups));
        context.virtpy(["sync", "-i", &index.url()]).success();
        assert_eq!(installed(&context), expected);
    }
}
