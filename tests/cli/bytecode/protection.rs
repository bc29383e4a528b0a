//! The immutable flag.

use super::{bytecode, context, demo, entry, force, is_root};
use crate::support::{Index, WheelBuilder};

#[test]
fn protected_packages_keep_root_out_and_everything_goes_on() {
    let index = Index::start(&[demo().build(), WheelBuilder::new("other", "1.0").build()]);
    let mut context = context("eager");
    context.new_venv();
    context.set("VIRTPY_IMMUTABLE", "1");
    let flag = context.root().join("flag");
    std::fs::write(&flag, "").unwrap();
    let chattr = |option: &str| {
        let output = context.command("chattr").arg(option).arg(&flag).output();
        output.is_ok_and(|output| output.status.success())
    };
    if !(is_root(&context) && chattr("+i") && chattr("-i")) {
        // Refused before anything is changed.
        let refused = context.add(&index, &["demo"]).failure(1);
        assert!(
            refused.raw_stderr.contains("the setting `immutable` cannot be kept here"),
            "{}",
            refused.raw_stderr
        );
        assert_eq!(context.store_entries(), Vec::<String>::new());
        return;
    }
    context.add(&index, &["demo"]).success();
    let folder = entry(&context).join("site/demo");
    assert!(std::fs::write(folder.join("part.py"), "z = 2\n").is_err(), "no file can be changed");
    assert!(std::fs::write(folder.join("__pycache__/new.nbi"), "").is_err(), "and none be made");
    assert!(std::fs::remove_file(folder.join("part.py")).is_err());
    context.eval(".venv", "import sys; sys.flags; import demo.part");
    context.virtpy(["store", "verify"]).success();
    // Bytecode of another Python comes all the same, and is protected as well.
    let count = bytecode(&context).len();
    let pythons = crate::support::python::all();
    if let Some(other) = pythons.iter().find(|python| *python != context.interpreter()) {
        context.virtpy(["new", "-p", &other.path.to_string_lossy(), "other"]).success();
        context.add(&index, &["--venv", "other", "demo"]).success();
        assert_eq!(bytecode(&context).len(), 2 * count);
        let (path, _) = bytecode(&context).pop().unwrap();
        assert!(std::fs::write(context.store().join("w").join(path), "").is_err());
        context.virtpy(["store", "verify"]).success();
        std::fs::remove_dir_all(context.path("other")).unwrap();
    }
    // What is damaged all the same is repaired, and protected again.
    context.virtpy(["store", "protect", "--undo"]).success().stderr_has("1 package");
    force(&folder, "part.py", b"z = 2\n");
    context.virtpy(["store", "protect"]).success();
    context.virtpy(["store", "repair", "--index-url", &index.url()]).success();
    assert!(std::fs::write(folder.join("part.py"), "z = 2\n").is_err());
    context.virtpy(["store", "verify"]).success();
    // So is what was only written to, or made writable.
    for command in ["chmod u+w", "touch -d 2099-01-01"] {
        let file = folder.join("part.py");
        let script = format!("chattr -i {0} && {command} {0} && chattr +i {0}", file.display());
        context.run(context.command("sh").args(["-c", &script])).success();
        context.virtpy(["store", "verify"]).failure(1).stdout_has("part.py");
        context.virtpy(["store", "repair"]).success();
        context.virtpy(["store", "verify"]).success();
        assert!(std::fs::write(&file, "z = 2\n").is_err(), "after {command}");
    }
    // And what a killed process had opened.
    let opened = folder.join("__pycache__");
    let script = format!("chattr -i {0} && chmod 755 {0}", opened.display());
    context.run(context.command("sh").args(["-c", &script])).success();
    context.virtpy(["store", "compile"]).success();
    assert!(std::fs::write(opened.join("new.nbi"), "").is_err(), "closed and protected again");
    context.virtpy(["store", "verify"]).success();
    context.add(&index, &["other"]).success();
    context.virtpy(["remove", "demo", "other"]).success();
    context.virtpy(["store", "gc", "--remove", "--grace", "0s"]).success();
    assert_eq!(context.store_entries(), Vec::<String>::new());
    context.assert_no_leftovers();
}
