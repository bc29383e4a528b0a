//! `virtpy kernel`: a venv is registered with Jupyter, and nobody's kernel is touched.

use crate::support::{Index, TestContext, Tree, WheelBuilder};

#[test]
fn a_venv_is_registered_and_taken_back() {
    let context = TestContext::new();
    context.new_named_venv("My Project/.venv");
    let venv = context.path("My Project/.venv").to_string_lossy().into_owned();
    context
        .virtpy(["kernel", "install", "--venv", &venv])
        .failure(1)
        .stderr_has("virtpy add ipykernel")
        .one_error();
    let index = Index::start(&[WheelBuilder::new("ipykernel", "6.0").build()]);
    context.virtpy(["add", "ipykernel", "--venv", &venv, "--index-url", &index.url()]).success();
    let before = Tree::of(&context.home());
    context.virtpy(["kernel", "install", "--venv", &venv]).success().stderr_has("My Project (Python");
    let folder = context.home().join(".local/share/jupyter/kernels/my-project");
    let spec = std::fs::read_to_string(folder.join("kernel.json")).unwrap();
    let spec: serde_json::Value = serde_json::from_str(&spec).unwrap();
    assert_eq!(spec["argv"][0], format!("{venv}/bin/python"));
    assert_eq!(
        (spec["argv"][4].as_str(), spec["language"].as_str()),
        (Some("{connection_file}"), Some("python"))
    );
    // Once more, with another text.
    let words = ["kernel", "install", "--venv", &venv, "--display-name", "Mine"];
    context.virtpy(words).success();
    let listed = context.virtpy(["kernel", "list", "--json"]).success().json();
    assert_eq!(
        (listed[0]["name"].as_str(), listed[0]["display_name"].as_str()),
        (Some("my-project"), Some("Mine"))
    );
    context.virtpy(["kernel", "uninstall", "my-project"]).success();
    assert!(!folder.exists());
    context.virtpy(["kernel", "list"]).success().stdout_is("");
    // What is above the kernel's folder stays.
    std::fs::remove_dir_all(context.home().join(".local")).unwrap();
    before.assert_unchanged(&Tree::of(&context.home()), "what else is in the home directory");
}

#[test]
fn nobodys_kernel_is_replaced_or_removed() {
    let mut context = TestContext::new();
    let data = context.path("jupyter");
    context.set("JUPYTER_DATA_DIR", &data);
    let index = Index::start(&[WheelBuilder::new("ipykernel", "6.0").build()]);
    for venv in ["one", "two"] {
        context.new_named_venv(venv);
        context.virtpy(["add", "ipykernel", "--venv", venv, "--index-url", &index.url()]).success();
    }
    let foreign = context.write("jupyter/kernels/python3/kernel.json", "{\"argv\": []}");
    let install =
        |venv: &str, name: &str| context.virtpy(["kernel", "install", "--venv", venv, "--name", name]);
    install("one", "python3").failure(1).stderr_has("has not registered").one_error();
    context
        .virtpy(["kernel", "uninstall", "python3"])
        .failure(1)
        .stderr_has("has not registered")
        .one_error();
    assert_eq!(std::fs::read_to_string(foreign).unwrap(), "{\"argv\": []}");
    install("one", "own").success();
    install("two", "own").failure(1).stderr_has("is that of the venv at").one_error();
    for name in ["../x", "A", "a b"] {
        install("one", name).failure(2).stderr_has("is not the name of a kernel");
    }
    context.virtpy(["kernel", "uninstall", "../kernels/own"]).failure(2);
    context.virtpy(["kernel", "uninstall", "absent"]).failure(1).stderr_has("there is no kernel `absent`");
}
