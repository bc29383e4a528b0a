//! `virtpy path`.

use crate::support::{TestContext, python};

#[test]
fn the_folders_of_the_data_directory() {
    let context = TestContext::new();
    for which in ["bin", "executables", "storage"] {
        let output = context.virtpy(["path", which]).success();
        assert_eq!(output.lines().len(), 1, "{}", output.dump());
        assert!(output.stdout().starts_with("[STORE]"), "{}", output.dump());
    }
    context.virtpy(["path", "bin"]).success().stdout_is("[STORE]/bin\n");
}

#[test]
fn the_default_is_a_data_directory_and_no_cache() {
    let mut context = TestContext::new();
    context.unset("VIRTPY_HOME");
    context.virtpy(["path", "bin"]).success().stdout_is("[HOME]/.local/share/virtpy/bin\n");
    context.set("XDG_DATA_HOME", context.home().join("data"));
    context.virtpy(["path", "bin"]).success().stdout_is("[HOME]/data/virtpy/bin\n");
}

#[test]
fn asking_makes_nothing() {
    let context = TestContext::knowing_nothing(python::default());
    std::fs::remove_dir(context.store()).unwrap();
    context.virtpy(["path", "bin"]).success();
    assert!(!context.store().exists());
}
