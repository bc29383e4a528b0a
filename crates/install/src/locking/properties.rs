//! What holds of every lock: which form it has follows from its name, and none is replaced by one of something else.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use virtpy_resolver::Input;

use super::*;

/// Nothing is there.
const HERE: &str = "/nonexistent/project";

/// What a name ends with, if that makes it one of a requirements file.
fn ending(name: &str) -> Option<&str> {
    Path::new(name).extension()?.to_str().filter(|ending| matches!(*ending, "in" | "txt"))
}

fn texts() -> impl Strategy<Value = Vec<String>> {
    vec("[a-c](\\.in|\\.txt|>=1|\\[x\\])?", 1..4)
}

fn locking(inputs: &[String]) -> Locking {
    Locking { inputs: inputs.to_vec(), ..Locking::default() }
}

fn inputs(locking: &Locking) -> Inputs {
    Inputs::of(Path::new(HERE), locking).unwrap()
}

proptest! {
    /// Each input is read as a file or asked for, in its order, and the lock says all of them.
    #[test]
    fn no_input_is_lost(texts in texts()) {
        let inputs = inputs(&locking(&texts));
        let is_file = |text: &&String| ending(text).is_some();
        let files: Vec<PathBuf> = texts.iter().filter(is_file).map(PathBuf::from).collect();
        let asked: Vec<Input> = texts.iter().filter(|text| !is_file(text)).cloned().map(Input::Requirement).collect();
        prop_assert_eq!(&inputs.files, &files);
        prop_assert_eq!(&inputs.asked, &asked);
        let origin = Origin::of(&inputs.origins(Path::new(HERE)), Path::new(HERE));
        let mut said = origin.inputs.clone();
        said.sort();
        let mut all = texts.clone();
        all.sort();
        prop_assert_eq!(said, all);
        for form in [LockForm::Pylock, LockForm::Requirements { hashes: true }] {
            prop_assert_eq!(&inputs.in_form(form), &inputs.asked, "there is no project that has two forms");
        }
    }

    /// The ending tells the form; what has none of the two is refused.
    #[test]
    fn the_name_tells_the_form(name in "(pylock\\.)?[a-z]{1,4}(\\.[a-z]{1,2})?\\.(toml|txt|lock)", hashes: bool) {
        let locking = Locking { output: Some(PathBuf::from(&name)), hashes, ..locking(&["a".to_owned()]) };
        let target = Target::of(Path::new(HERE), &locking, &inputs(&locking));
        let middle = name.strip_prefix("pylock.").and_then(|rest| rest.strip_suffix(".toml"));
        let is_pylock = name == "pylock.toml" || middle.is_some_and(|middle| !middle.contains('.'));
        let expected = if ending(&name) == Some("txt") {
            Some(LockForm::Requirements { hashes })
        } else {
            is_pylock.then_some(LockForm::Pylock)
        };
        prop_assert_eq!(target.as_ref().ok().map(|target| target.form), expected);
        if let Ok(target) = target {
            prop_assert_eq!(target.path, Some(Path::new(HERE).join(&name)));
            prop_assert_eq!(target.folder, Path::new(HERE));
        }
    }

    /// A lock of other inputs is replaced only if it is named, or if that is said; a check says by itself that it differs.
    #[test]
    fn a_lock_of_something_else_stays(old in texts(), new in texts(), force: bool, check: bool, named: bool) {
        let locking = Locking { force, check, output: named.then(|| PathBuf::from("pylock.toml")), ..locking(&new) };
        let origin = |texts: &[String]| {
            Origin::of(&inputs(&self::locking(texts)).origins(Path::new(HERE)), Path::new(HERE))
        };
        let existing = format!("lock-version = '1.0'\n{}", origin(&old).table());
        let inputs = inputs(&locking);
        let target = Target::of(Path::new(HERE), &locking, &inputs).unwrap();
        let refused = locking.refuse_another(&inputs, &target, &existing, &origin(&new)).is_err();
        let is_another = origin(&old).inputs != origin(&new).inputs;
        prop_assert_eq!(refused, is_another && !force && !check && !named);
        let of_others = locking.refuse_another(&inputs, &target, "lock-version = '1.0'", &origin(&new)).is_err();
        prop_assert_eq!(of_others, !force && !check && !named);
    }
}
