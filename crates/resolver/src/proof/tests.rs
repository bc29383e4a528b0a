//! Every kind of proof that the solver is known to tell, and what a user reads of it.

use std::fmt::Write as _;

use super::Proof;

/// Proofs as they come, with the newest version where one would be known.
const PROOFS: [(&str, Option<&str>); 23] = [
    (
        "Because nope was not found on the index and you require nope, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because nope was not found in the cache and you require nope, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because nope was not found in the provided package locations and you require nope, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because nope was not found on the index and all versions of needy depend on nope, we can conclude that all versions of needy cannot be used.\nAnd because you require needy, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because there is no version of demo==2.99 and you require demo==2.99, we can conclude that your requirements are unsatisfiable.",
        Some("2.34.2"),
    ),
    (
        "Because only demo<=1.0 is available and you require demo>=2, we can conclude that your requirements are unsatisfiable.",
        Some("1.0"),
    ),
    (
        "Because only demo==1.0 is available and you require demo[extra]>=2, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because only the following versions of demo are available:\n    demo==1.0\n    demo==1.5\nand you require demo>2,<3, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because only demo<2 is available and strict==1.0 depends on demo>=2, we can conclude that strict==1.0 cannot be used.\nAnd because you require strict==1.0, we can conclude that your requirements are unsatisfiable.",
        Some("1.4"),
    ),
    (
        "Because all versions of right depend on shared>=2 and all versions of left depend on shared<2, we can conclude that all versions of left and all versions of right are incompatible.\nAnd because you require left and right, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because all versions of strict depend on demo>=2 and you require strict, we can conclude that you require demo>=2.\nAnd because you require demo<2, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because the current Python version (3.11.7) does not satisfy Python>=4.0 and future==1.0 depends on Python>=4.0, we can conclude that future==1.0 cannot be used.\nAnd because only future==1.0 is available and you require future, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because windows==1.0 has no wheels with a matching platform tag (e.g., `manylinux_2_36_x86_64`) and only windows==1.0 is available, we can conclude that all versions of windows cannot be used.\nAnd because you require windows, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because withdrawn==1.0 was yanked (reason: it eats files and disks) and only withdrawn==1.0 is available, we can conclude that all versions of withdrawn cannot be used.\nAnd because you require withdrawn, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because all versions of a depend on one of:\n    b<1\n    b>2\nand b==1.5 depends on c, we can conclude that (1)\n\nBecause we know from (1) that a cannot be used and you require a and b==1.5, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because requests>=2.34 depends on urllib3>=1.26,<3 and app==0.1.0 depends on requests[nope]>=2.34, we can conclude that app==0.1.0 depends on urllib3>=1.26,<3.\nAnd because app==0.1.0 depends on urllib3<1, we can conclude that app==0.1.0 cannot be used.\nAnd because only app==0.1.0 is available and you require app, we can conclude that your requirements are unsatisfiable.",
        Some("7.7"),
    ),
    (
        "Because requests>=2.34 depends on urllib3>=1.26,<3 and app==0.1.0 depends on requests>=2.34, we can conclude that app==0.1.0 and urllib3{sys_platform == 'linux' and os_name == 'posix'}<1 are incompatible.\nAnd because app==0.1.0 depends on urllib3{sys_platform == 'linux' and os_name == 'posix'}<1, we can conclude that app==0.1.0 cannot be used.\nAnd because only app==0.1.0 is available and you require app, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because only demo{sys_platform == 'win32'}<=1.0 is available and app==0.1.0 depends on demo{sys_platform == 'win32'}>99, we can conclude that app==0.1.0 cannot be used.\nAnd because only app==0.1.0 is available and you require app, we can conclude that your requirements are unsatisfiable.",
        Some("1.0"),
    ),
    (
        "Because there are no versions of nope{sys_platform == 'win32'} and you require nope{sys_platform == 'win32'}, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because you require demo{os_name == 'nt'}>=2 and demo<1, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because only app==0.1.0 is available and app==0.1.0 depends on demo==2.0 and demo>3, which are incompatible, we can conclude that all versions of app cannot be used.\nAnd because you require app, we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    (
        "Because you require idna<3 (extra `a`) and idna>=3 (group `b`), we can conclude that your requirements are unsatisfiable.",
        None,
    ),
    ("Because something nobody has seen, we can conclude that your requirements are unsatisfiable.", None),
];

#[test]
fn proofs_are_told_in_a_sentence() {
    let mut text = String::new();
    for (proof, newest) in PROOFS {
        let told = Proof::of(proof).map_or_else(|| "(as it is)".to_owned(), |proof| proof.sentence(newest));
        let _ = writeln!(text, "{proof}\n→ {told}\n");
    }
    insta::assert_snapshot!("proofs", text);
}
