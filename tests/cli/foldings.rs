//! Any sequence of adding, upgrading and removing leaves what a fresh installation of the final set leaves.
//!
//! The wheels are generated to meet each other everywhere: namespaces, packages with an `__init__.py` that several
//! share, deep shared folders, data files, headers, scripts, and the same file in two wheels.

use crate::support::{Artifact, Index, TestContext, WheelBuilder};

/// Sequences; each has a seed of its own, so a failure can be repeated.
const SEQUENCES: u64 = 8;
const STEPS: u32 = 7;
const NAMES: [&str; 6] = ["ape", "bee", "cat", "dog", "eel", "fox"];
const VERSIONS: [&str; 2] = ["1.0", "2.0"];

/// A small generator of numbers (xorshift): the tests need no statistics, only variety that can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % sides as u64).unwrap()
    }
}

/// Where a file of the wheel `name` may stand; some of these places are other wheels' too.
fn places(name: &str) -> Vec<String> {
    vec![
        format!("{name}/__init__.py"),
        format!("{name}/data/table.txt"),
        format!("ns/{name}.py"),
        format!("ns/deep/er/{name}.py"),
        format!("ns/deep/er/down/{name}/x.py"),
        "shared/__init__.py".to_owned(),
        format!("shared/{name}/__init__.py"),
        "shared/sub/common.py".to_owned(),
        format!("shared/sub/{name}.txt"),
        format!("shared/static/{name}/page.html"),
        format!("assets/{name}/style.css"),
        format!("{name}_module.py"),
        "top_level.py".to_owned(),
    ]
}

fn wheel(name: &str, version: &str, dice: &mut Dice) -> Artifact {
    let mut builder = WheelBuilder::empty(name, version);
    for place in places(name) {
        if dice.roll(2) == 0 {
            builder = builder.file(&place, &format!("value = '{name} {version}'\n"));
        }
    }
    let data = [
        ("data", format!("share/app/{name}.txt")),
        ("data", "share/app/common.txt".to_owned()),
        ("data", format!("share/app/{name}/script.js")),
        ("data", format!("etc/{name}/{version}.ini")),
        ("headers", format!("{name}.h")),
        ("scripts", format!("{name}-script")),
        ("scripts", "common-script".to_owned()),
    ];
    for (scheme, path) in data {
        if dice.roll(2) == 0 {
            builder = builder.data(scheme, &path, &format!("#!python\nprint('{name} {version}')\n"));
        }
    }
    if dice.roll(2) == 0 {
        builder = builder.file("ns/main.py", &format!("def main(): print('{name}')\n"));
        builder = builder.entry_point("console_scripts", &format!("{name}-tool = ns.main:main"));
    }
    builder.build()
}

#[test]
fn any_sequence_leaves_what_a_fresh_installation_leaves() {
    for seed in 1..=SEQUENCES {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut wheels = Vec::new();
        for name in NAMES {
            wheels.extend(VERSIONS.map(|version| wheel(name, version, &mut dice)));
        }
        let index = Index::start(&wheels);
        let context = TestContext::new();
        for venv in ["walk", "fresh", "empty"] {
            context.new_named_venv(venv);
        }
        let mut installed: Vec<(&str, &str)> = Vec::new();
        let mut story = Vec::new();
        for _ in 0..STEPS {
            let name = NAMES[dice.roll(NAMES.len())];
            let version = VERSIONS[dice.roll(2)];
            let is_there = installed.iter().any(|(other, _)| *other == name);
            if is_there && dice.roll(2) == 0 {
                story.push(format!("remove {name}"));
                context.virtpy(["remove", "--venv", "walk", name]).success();
                installed.retain(|(other, _)| *other != name);
            } else {
                story.push(format!("add {name} {version}"));
                context.add(&index, &["--venv", "walk", &format!("{name}=={version}")]).success();
                if !installed.contains(&(name, version)) {
                    installed.retain(|(other, _)| *other != name);
                    installed.push((name, version));
                }
            }
        }
        for (name, version) in &installed {
            context.add(&index, &["--venv", "fresh", &format!("{name}=={version}")]).success();
        }
        let what = format!("seed {seed}: {}", story.join(", "));
        context.virtpy(["check", "--venv", "walk"]).success();
        context.venv_content("fresh").assert_unchanged(&context.venv_content("walk"), &what);
        if !installed.is_empty() {
            let names = installed.iter().map(|(name, _)| *name);
            context.virtpy(["remove", "--venv", "walk"].into_iter().chain(names)).success();
        }
        context
            .venv_content("empty")
            .assert_unchanged(&context.venv_content("walk"), &format!("{what}, remove all"));
    }
}
