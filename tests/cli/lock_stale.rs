//! Locks of scripts and requirements that ask for something else than when they were made.

use super::run::{context, index};
use crate::support::{Output, TestContext, WheelBuilder};

fn script(dependencies: &str) -> String {
    format!(
        "# /// script\n# requires-python = \">=3.8\"\n# dependencies = [{dependencies}]\n# ///\n\
         import importlib.util as u; print(*(n for n in ('helper', 'other') if u.find_spec(n)))\n"
    )
}

fn run(context: &TestContext, options: &[&str]) -> Output {
    context.virtpy([&["run"], options, &["job.py"]].concat())
}

#[test]
fn what_requirements_include_counts() {
    let index = index();
    let context = context(&index);
    context.write("requirements.in", "-r parts/base.txt\n-c parts/limits.txt\n");
    context.write("parts/base.txt", "helper\n");
    context.write("parts/limits.txt", "helper<9\n");
    context.virtpy(["lock"]).success();
    context.virtpy(["sync", "--locked"]).success();
    for (name, text) in [("parts/base.txt", "helper\nother\n"), ("parts/limits.txt", "helper<8\n")] {
        let before = context.read(name);
        context.write(name, text);
        context
            .virtpy(["sync"])
            .success()
            .stderr_has("`requirements.in` changed since `pylock.toml` was made");
        context.virtpy(["sync", "--locked"]).failure(1).stderr_has("nothing was changed");
        context.write(name, &before);
        let again = context.virtpy(["sync", "--locked"]).success();
        assert!(!again.raw_stderr.contains("changed since"), "{}", again.raw_stderr);
    }
}

#[test]
fn a_scripts_lock_is_made_again_where_its_metadata_changed() {
    let index = index();
    let context = context(&index);
    context.write("job.py", &script("\"helper\""));
    run(&context, &["--locked"]).failure(1).one_error().stderr_has("make it with `virtpy lock job.py`");
    context.virtpy(["lock", "job.py"]).success();
    // Its code is not what was locked.
    context.write("job.py", &(script("\"helper\"") + "print('more')\n"));
    run(&context, &["--locked"]).success().stdout_is("helper\nmore\n");

    context.write("job.py", &script("\"other\""));
    let before = context.read("pylock.job.toml");
    run(&context, &["--locked"]).failure(1).one_error().stderr_has("asks for something else than");
    run(&context, &["--frozen"]).success().stdout_is("helper\n");
    assert_eq!(context.read("pylock.job.toml"), before);
    run(&context, &[])
        .success()
        .stdout_is("helper other\n")
        .stderr_has("Locked 2 packages in `pylock.job.toml`");
    run(&context, &["--locked"]).success().stdout_is("helper other\n");
    context.write("job.py", &script("\"helper\""));
    run(&context, &[]).success().stdout_is("helper\n");
    assert_eq!(context.read("pylock.job.toml"), before);
}

#[test]
fn uvs_lock_of_a_script_is_followed_and_told_of() {
    let index = index();
    let context = context(&index);
    context.write("job.py", &script("\"other\""));
    context.write("job.py.lock", "version = 1\nrequires-python = \">=3.8\"\n");
    run(&context, &[]).success().stdout_is("\n").stderr_has("`uv lock --script job.py` updates it");
    run(&context, &["--locked"]).failure(1).stderr_has("`uv lock --script job.py`");
    context.write("job.py", &script(""));
    let quiet = run(&context, &["--locked"]).success();
    assert!(!quiet.raw_stderr.contains("something else"), "{}", quiet.raw_stderr);
}

#[test]
fn an_error_names_the_options_that_were_given() {
    let index = index();
    let context = context(&index);
    context.write("job.py", &script("\"helper\""));
    run(&context, &["--group", "x"]).failure(2).stderr_has("the script says itself what it needs");
    let choice = |options: &[&str]| context.virtpy([&["run"], options, &["true"]].concat()).failure(2);
    choice(&["--isolated", "--locked"]).stderr_has("`--isolated` leaves it aside");
    choice(&["--no-sync", "--group", "x"]).stderr_has("`--no-sync` runs in the venv as it is");
    let nowhere = choice(&["--locked"]).stderr_has("there is none here that virtpy follows");
    assert!(!nowhere.raw_stderr.contains("--isolated"), "{}", nowhere.raw_stderr);
}

#[test]
fn what_a_merge_left_in_a_lock_is_told() {
    let index = index();
    let context = context(&index);
    context
        .write("pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\ndependencies = [\"helper\"]\n");
    context.virtpy(["lock"]).success();
    let whole = context.read("pylock.toml");
    context.write("pylock.toml", &whole.replace("[[packages]]", "<<<<<<< HEAD\n[[packages]]"));
    context.virtpy(["run", "true"]).failure(1).one_error().stderr_has("`virtpy lock`");
    let again = context.virtpy(["lock"]).success();
    again.stderr_has("the versions of packages that are whole in it stay").stderr_has("Locked 1 package");
    assert_eq!(context.read("pylock.toml"), whole);

    // What both sides agree on keeps its version.
    index.add(&WheelBuilder::new("helper", "2.0").build());
    let merged = format!("{whole}<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n");
    context.write("pylock.toml", &merged);
    context.virtpy(["lock"]).success();
    assert_eq!(context.read("pylock.toml"), whole);
}

#[test]
fn a_venv_of_another_tool_is_told_where_virtpy_locks() {
    let index = index();
    let context = context(&index);
    context
        .write("pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\ndependencies = [\"helper\"]\n");
    let python = &context.interpreter().path;
    context.run(context.command(python).args(["-m", "venv", "--without-pip", ".venv"])).success();
    let before = context.virtpy(["run", "true"]).success();
    assert_eq!(before.raw_stderr, "", "nobody locks here by virtpy");
    context.virtpy(["lock"]).success();
    context.virtpy(["run", "true"]).success().stderr_has("`virtpy adopt .venv` lets it follow the lock");
}

#[test]
fn a_lock_without_a_project_is_followed() {
    let index = index();
    let context = context(&index);
    context.write("requirements.in", "helper\n");
    context.virtpy(["lock"]).success();
    let seen = |options: &[&str]| {
        let code = "import importlib.util as u; print(*(n for n in ('helper', 'other') if u.find_spec(n)))";
        context.virtpy([&["run"], options, &["python", "-c", code]].concat())
    };
    seen(&["--locked"]).success().stdout_is("helper\n");
    assert!(context.path(".venv").exists());
    context.write("requirements.in", "other\n");
    seen(&["--locked"])
        .failure(1)
        .one_error()
        .stderr_has("`requirements.in` changed since `pylock.toml` was made");
    seen(&[]).success().stdout_is("helper\n").stderr_has("`virtpy lock` updates it");
    context.virtpy(["lock"]).success();
    seen(&[]).success().stdout_is("helper other\n");
}

#[test]
fn extras_that_conflict_are_not_laid_to_the_python() {
    let index = index();
    let context = context(&index);
    let project = "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.8\"\ndependencies = []\n\
                   [project.optional-dependencies]\na = [\"helper<1\"]\nb = [\"helper>=1\"]\n";
    context.write("pyproject.toml", project);
    let excluded = context.virtpy(["lock"]).failure(1).one_error().stderr_has("exclude each other");
    let excluded = excluded.stderr_has("extra `a`").stderr_has("locked together");
    assert!(!excluded.raw_stderr.contains("--no-group"), "there is no group\n{}", excluded.raw_stderr);
    let conflicts = "version = 1\nrequires-python = \">=3.8\"\nconflicts = [[\n    { package = \"app\", extra = \"a\" },\n    \
                     { package = \"app\", extra = \"b\" },\n]]\n";
    let own = "[[package]]\nname = \"app\"\nversion = \"1\"\nsource = { virtual = \".\" }\n\
               [package.optional-dependencies]\na = []\nb = []\n\
               [package.metadata]\nprovides-extras = [\"a\", \"b\"]\n";
    context.write("uv.lock", &format!("{conflicts}{own}"));
    context
        .virtpy(["sync", "--frozen", "--extra", "a", "--extra", "b"])
        .failure(1)
        .stderr_has("not all that is chosen goes together")
        .stderr_has("leave one of these out");
}
