//! Repositories of git's behind a password: it is kept nowhere, and git is not given it as an argument, which everybody on the
//! machine could read.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::credentials::{SECRET, is_nowhere, lacks_secret};
use crate::support::{Index, SdistBuilder, TestContext, skip};

/// A server with a repository that asks for a password.
struct Scene {
    context: TestContext,
    index: Index,
    /// The requirement, with the credentials.
    requirement: String,
}

/// `None` where there is no git.
fn scene() -> Option<Scene> {
    if Command::new("git").arg("--version").output().is_err() {
        skip("this machine has no git");
        return None;
    }
    let context = TestContext::new();
    SdistBuilder::new("demo", "1.0").write_folder(&context.path("repository"));
    let git = |arguments: &[&str]| {
        let mut command = context.command("git");
        command.args(["-c", "user.name=A", "-c", "user.email=a@example.com"]).args(arguments);
        context.run(command.current_dir(context.path("repository"))).success()
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    let bare = context.path("served/demo.git");
    git(&["clone", "--quiet", "--bare", ".", bare.to_str().unwrap()]);
    // What a server without git's own protocol needs.
    context.run(context.command("git").arg("update-server-info").current_dir(&bare)).success();
    let index = Index::start(&[]);
    index.serve_folder(&context.path("served"));
    index.require_credentials(&format!("alice:{SECRET}"));
    // The first folder on the PATH of what is run.
    let before = "/usr/local/bin:/usr/bin:/bin";
    let script = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\nPATH={before} exec git \"$@\"\n",
        context.path("calls").display()
    );
    let program = context.root().join("bin/git");
    fs::write(&program, script).unwrap();
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).unwrap();
    context.new_venv();
    let address = index.url_with_credentials(&format!("alice:{SECRET}"));
    let requirement = format!("demo @ git+{}", address.replace("/simple/", "/folder/demo.git"));
    Some(Scene { context, index, requirement })
}

impl Scene {
    /// Checks that git was called, and never with the password.
    fn no_call_has_the_secret(&self) {
        let calls = self.context.read("calls");
        assert!(calls.contains("fetch") || calls.contains("clone"), "{calls}");
        assert!(!calls.contains(SECRET), "{calls}");
    }
}

#[test]
fn a_repository_behind_a_password_is_built_and_the_password_kept_nowhere() {
    let Some(scene) = scene() else { return };
    let Scene { context, index, requirement, .. } = &scene;
    lacks_secret(context.virtpy(["add", "-v", "--no-index", requirement]).success());
    for command in ["freeze", "list", "tree", "check"] {
        lacks_secret(context.virtpy([command]).success());
    }
    let frozen = context.virtpy(["freeze"]).success();
    frozen.stdout_has(&format!("demo @ git+http://127.0.0.1:{}/folder/demo.git@", index.port()));
    is_nowhere(context);
    let wrong = requirement.replace("demo.git", "absent.git");
    lacks_secret(context.virtpy(["add", "-v", "--no-index", &wrong]).one_error());
    is_nowhere(context);
    scene.no_call_has_the_secret();
}

#[test]
fn a_file_of_requirements_and_pip_itself_keep_it_from_git_too() {
    let Some(scene) = scene() else { return };
    let Scene { context, requirement, .. } = &scene;
    lacks_secret(context.virtpy(["pip", "install", "--no-index", requirement]).success());
    lacks_secret(context.virtpy(["remove", "demo"]).success());
    lacks_secret(
        context.virtpy(["pip", "install", "--no-index", "--no-build-isolation", "-e", requirement]).success(),
    );
    is_nowhere(context);
    context.new_named_venv("other");
    context.write("wanted.txt", &format!("{requirement}\n"));
    lacks_secret(context.virtpy(["add", "--venv", "other", "--no-index", "-r", "wanted.txt"]).success());
    scene.no_call_has_the_secret();
}

#[test]
fn what_is_run_does_not_find_it_in_its_environment() {
    let Some(scene) = scene() else { return };
    let Scene { context, requirement, .. } = &scene;
    let code = "import os; print([name for name in os.environ if 'GIT_CONFIG' in name])";
    let ran = context.virtpy(["run", "--no-index", "--with", requirement, "python", "-c", code]).success();
    assert_eq!(ran.raw_stdout, "[]\n");
    scene.no_call_has_the_secret();
}

#[test]
fn the_standard_input_is_read_once_and_all_of_it_counts() {
    let Some(scene) = scene() else { return };
    let Scene { context, requirement, .. } = &scene;
    let input = File::open(context.write("wanted.txt", &format!("{requirement}\n"))).unwrap();
    let mut command = context.virtpy_command(["add", "--no-index", "-r", "-"]);
    lacks_secret(context.run(command.stdin(input)).success());
    assert_eq!(context.eval(".venv", "import demo; print(demo.__version__)"), "1.0");
}

/// What a project and its lock say is no business of other users either.
#[test]
fn a_project_and_a_lock_file_keep_it_from_git_too() {
    let Some(scene) = scene() else { return };
    let Scene { context, requirement, .. } = &scene;
    let url = requirement.strip_prefix("demo @ git+").unwrap();
    let project = "[project]\nname = 'app'\nversion = '1'\nrequires-python = '>=3.8'\n";
    let sources = format!("dependencies = ['demo']\n[tool.uv.sources]\ndemo = {{ git = '{url}' }}\n");
    for more in [format!("dependencies = ['{requirement}']\n"), sources] {
        context.write("pyproject.toml", &format!("{project}{more}"));
        lacks_secret(context.virtpy(["lock", "--no-index"]).success());
        scene.no_call_has_the_secret();
        lacks_secret(context.virtpy(["sync", "--no-index"]).success());
        scene.no_call_has_the_secret();
    }
    let lock = context.read("pylock.toml");
    let public = lock.lines().find_map(|line| line.split_once("http://")?.1.split('"').next()).unwrap();
    context.write("pylock.other.toml", &lock.replace(&format!("http://{public}"), url));
    assert!(context.read("pylock.other.toml").contains(SECRET));
    context.virtpy(["new", "other"]).success();
    lacks_secret(context.virtpy(["sync", "--venv", "other", "--no-index", "pylock.other.toml"]).success());
    scene.no_call_has_the_secret();
}
