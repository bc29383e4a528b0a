//! Requirements files are read in one way, whoever reads them: bytes, lines, options, pipes, addresses and lock files.

use std::fmt::Write as _;
use std::fs;

use crate::pip_shim::scene as empty_scene;
use crate::support::{Artifact, Index, Output, SdistBuilder, TestContext, WheelBuilder};

/// A venv, and a folder of wheels that is the only place to look in.
fn scene() -> (TestContext, Artifact) {
    let mut context = empty_scene();
    context.set("PIP_NO_INDEX", "1");
    context.set("PIP_FIND_LINKS", context.path("wheels"));
    let first = WheelBuilder::new("base", "1.0").build();
    for wheel in [
        &first,
        &WheelBuilder::new("base", "2.0").build(),
        &WheelBuilder::new("other", "1.0").build(),
        &WheelBuilder::new("extra", "1.0").build(),
    ] {
        wheel.write_to(&context.path("wheels"));
    }
    (context, first)
}

/// What `virtpy add -r FILE` leaves in a venv of its own.
fn added(context: &TestContext, file: &str) -> String {
    let venv = context.path("trial");
    if venv.exists() {
        fs::remove_dir_all(&venv).unwrap();
    }
    context.new_named_venv("trial");
    context.virtpy(["add", "--venv", "trial", "-r", file]).success();
    listed(context, "trial")
}

fn listed(context: &TestContext, venv: &str) -> String {
    let frozen = context.virtpy(["freeze", "--venv", venv]).success().stdout();
    frozen.lines().collect::<Vec<_>>().join(" ")
}

fn pip(context: &TestContext, words: &[&str]) -> Output {
    context.script(".venv", "pip", words)
}

/// Runs a line of a shell; `virtpy` is the program.
fn shell(context: &TestContext, line: &str) -> Output {
    let line = format!("virtpy() {{ '{}' \"$@\"; }}; {line}", env!("CARGO_BIN_EXE_virtpy"));
    context.run(context.command("bash").args(["-c", &line]))
}

fn utf16(text: &str) -> Vec<u8> {
    [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn the_encoding_is_that_of_the_mark_or_the_comment() {
    let (context, _) = scene();
    let text = "base==1.0\r\nother # \u{fc}\r\n";
    let latin: Vec<u8> = format!("# -*- coding: latin-1 -*-\n{text}").chars().map(|one| one as u8).collect();
    let utf32 = [0xfeff].into_iter().chain(text.chars().map(u32::from)).flat_map(u32::to_be_bytes).collect();
    for (name, bytes) in [
        ("utf8.txt", ["\u{feff}".as_bytes(), text.as_bytes()].concat()),
        ("utf16.txt", utf16(text)),
        ("utf32.txt", utf32),
        ("latin.txt", latin),
    ] {
        fs::write(context.path(name), bytes).unwrap();
        assert_eq!(added(&context, name), "base==1.0 other==1.0", "{name}");
    }
    fs::write(context.path("lock.txt"), utf16("base==1.0\n")).unwrap();
    context.virtpy(["sync", "--venv", "trial", "lock.txt"]).success();
    assert_eq!(listed(&context, "trial"), "base==1.0");
    pip(&context, &["install", "-r", "utf16.txt"]).success();
    assert!(
        pip(&context, &["freeze", "-r", "utf16.txt"]).success().stdout().starts_with("base==1.0\nother==")
    );
    pip(&context, &["uninstall", "-y", "-r", "utf16.txt"]).success();
    assert_eq!(listed(&context, ".venv"), "");
    fs::write(context.path("wrong.txt"), b"base\n# caf\xe9\n").unwrap();
    let output = context.virtpy(["add", "-r", "wrong.txt"]).one_error();
    output.stderr_has("`wrong.txt`").stderr_has("line 2 has the byte 0xe9");
    assert_eq!(listed(&context, ".venv"), "");
}

#[test]
fn lines_and_options_are_those_of_pip() {
    let (mut context, first) = scene();
    context.set("VERSION", "1.0");
    SdistBuilder::new("project", "1.0").write_folder(&context.path("with blank/project"));
    context.write("in ner.txt", "other\n");
    context.write("con.txt", "base<2\n");
    let hash = first.sha256();
    for (text, expected) in [
        ("base \\\n  <2 # why\n".to_owned(), "base==1.0"),
        (format!("base==1.0 \\\n    --hash=sha256:{hash} \\\n    # via nothing\n"), "base==1.0"),
        ("base==${VERSION}\n".to_owned(), "base==1.0"),
        ("-r \"in ner.txt\" -ccon.txt\nbase\n".to_owned(), "base==1.0 other==1.0"),
        ("--requirement=in\\ ner.txt\n".to_owned(), "other==1.0"),
        ("base ; python_version > '3' # yes\nother;python_version<'3'\n".to_owned(), "base==2.0"),
        (format!("file:wheels/{}#sha256={hash}\n", first.file_name), "base==1.0"),
        (format!("file:wheels/{}#egg=base ; python_version > '3'\n", first.file_name), "base==1.0"),
    ] {
        context.write("case.txt", &text);
        let got = added(&context, "case.txt");
        // A package from a file is told with its address.
        let got = got.split(" @ ").next().unwrap_or_default().replace("base", "base==1.0");
        let got = got.replace("==1.0==", "==");
        assert_eq!(got, expected, "{text}");
    }
    for line in ["-e 'with blank/project'", "--editable=with\\ blank/project", "./with blank/project"] {
        context.write("case.txt", &format!("{line}\n"));
        pip(&context, &["install", "--no-build-isolation", "-r", "case.txt"]).success();
        assert!(listed(&context, ".venv").contains("project"), "{line}");
        pip(&context, &["uninstall", "-y", "project"]).success();
    }
}

#[test]
fn messages_name_the_file_and_the_line() {
    let (context, first) = scene();
    let other = "0".repeat(64);
    for (text, reason) in [
        ("base\n\nbase ===\n", "line 3 of `case.txt`"),
        ("base==1.0 \\\n --frob\nx\n", "line 1 of `case.txt`"),
        ("# x\nbase==1.0 --hash=sha256:abc\n", "line 2 of `case.txt`"),
        ("base==1.0 --hash=sha256:abc\n", "64 hexadecimal digits"),
        ("base==1.0 --hash=md4:00\n", "the algorithms are"),
        ("base\n-r absent.txt\n", "line 2 of `case.txt`"),
        ("base @ ./wheels\n", "stands where a URL has to be"),
        ("-r case.txt\n", "includes itself"),
    ] {
        context.write("case.txt", text);
        context.virtpy(["add", "-r", "case.txt"]).one_error().stderr_has(reason);
        let output = pip(&context, &["install", "-r", "case.txt"]).failure(1);
        assert!(output.raw_stderr.contains(reason), "{text}: {}", output.dump());
    }
    context.write("case.txt", &format!("file:wheels/{}#sha256={other}\n", first.file_name));
    context.virtpy(["add", "-r", "case.txt"]).one_error().stderr_has("hash");
    assert_eq!(listed(&context, ".venv"), "");
}

/// However many files a chain has, it is one error, and soon.
#[test]
fn a_long_chain_of_files_is_one_error() {
    let (context, _) = scene();
    fs::create_dir(context.path("chain")).unwrap();
    for number in 0..2000 {
        context.write(&format!("chain/{number}.txt"), &format!("-r {}.txt\n", number + 1));
    }
    context.write("chain/2000.txt", "base\n");
    for line in [&["add", "-r", "chain/0.txt"][..], &["sync", "chain/0.txt"], &["lock", "chain/0.txt"]] {
        context.virtpy(line).one_error().stderr_has("more than 100 other files");
    }
    let mut wide = String::new();
    for number in 1950..=2000 {
        writeln!(wide, "-r chain/{number}.txt").unwrap();
    }
    context.write("wide.txt", &wide);
    assert_eq!(added(&context, "wide.txt"), "base==2.0", "each file counts once");
}

#[test]
fn a_pipe_is_read_once() {
    let (context, _) = scene();
    for line in [
        "virtpy add -r <(printf 'base==1.0\\n')",
        "printf 'base==1.0\\n' | virtpy add -r -",
        "printf 'base==1.0\\n' | virtpy add -r /dev/stdin",
        "virtpy sync <(printf 'base==1.0\\n')",
        ".venv/bin/pip install -r <(printf 'base==1.0\\n')",
        "printf 'base==1.0\\n' | .venv/bin/pip install -U -r /dev/stdin",
        ".venv/bin/pip install base -c <(printf 'base<2\\n')",
        "virtpy add base -c <(printf 'base<2\\n')",
    ] {
        shell(&context, line).success();
        assert_eq!(listed(&context, ".venv"), "base==1.0", "{line}");
        shell(&context, ".venv/bin/pip uninstall -y -r <(printf 'base\\n')").success();
        assert_eq!(listed(&context, ".venv"), "", "{line}");
    }
    shell(&context, "virtpy run --with-requirements <(printf 'base==1.0\\n') python -c 'import base'")
        .success();
}

#[test]
fn files_may_be_addresses() {
    let (context, _) = scene();
    context.write("served/sub/outer.txt", "-r inner.txt\n-c ../con.txt\n");
    context.write("served/sub/inner.txt", "base\n");
    context.write("served/con.txt", "base<2\n");
    let site = Index::start(&[]);
    site.serve_folder(&context.path("served"));
    let folder = context.path("served").display().to_string();
    assert_eq!(added(&context, &format!("file://{folder}/sub/outer.txt")), "base==1.0");
    assert_eq!(added(&context, "file:served/sub/outer.txt"), "base==1.0");
    context
        .virtpy(["add", "-r", "file://elsewhere.invalid/x.txt"])
        .one_error()
        .stderr_has("the URL of no file of this machine");
    let line = format!("PIP_CONSTRAINT=file://{folder}/con.txt .venv/bin/pip install base");
    shell(&context, &line).success().stdout_has("base-1.0");
}

#[test]
fn what_asks_for_nothing_is_told() {
    let (context, _) = scene();
    context.write("empty.txt", "# nothing\n");
    context.write("only.txt", "-c con.txt\n");
    context.write("con.txt", "base<2\n");
    for file in ["empty.txt", "only.txt"] {
        let remark = format!("`{file}` asks for nothing");
        context.virtpy(["add", "-r", file]).success().stderr_has(&remark);
        pip(&context, &["install", "-r", file]).success().stderr_has(&remark);
        context.virtpy(["lock", file, "-o", "pylock.toml"]).success().stderr_has(&remark);
        context
            .virtpy(["run", "--with-requirements", file, "python", "-c", ""])
            .success()
            .stderr_has(&remark);
        context.virtpy(["sync", file]).failure(1).stderr_has("it pins nothing");
    }
}

#[test]
fn a_lock_file_is_installed_as_it_says() {
    let (context, first) = scene();
    let lock = format!(
        "lock-version = \"1.0\"\ncreated-by = \"t\"\n[[packages]]\nname = \"base\"\nversion = \"1.0\"\n\
         [[packages.wheels]]\npath = \"wheels/{}\"\nhashes = {{sha256 = \"{}\"}}\n",
        first.file_name,
        first.sha256()
    );
    context.write("pylock.toml", &lock);
    context.write("pylock.dev.toml", &lock);
    context.write("con.txt", "base>=2\n");
    for file in ["pylock.toml", "pylock.dev.toml"] {
        context.virtpy(["add", "-r", file]).success().stdout_has(" + base 1.0");
        pip(&context, &["uninstall", "-y", "base"]).success();
        pip(&context, &["install", "-r", file]).success().stdout_has("Successfully installed base-1.0");
        pip(&context, &["uninstall", "-y", "base"]).success();
    }
    context
        .virtpy(["add", "-r", "pylock.toml", "-c", "con.txt"])
        .one_error()
        .stderr_has("line 1 of `con.txt` does not admit base 1.0");
    context.virtpy(["add", "-r", "pylock.toml", "other"]).failure(2).stderr_has("installed alone");
    context.write("pylock.toml", &lock.replace(&first.sha256(), &"0".repeat(64)));
    context.virtpy(["add", "-r", "pylock.toml"]).failure(1);
    assert_eq!(listed(&context, ".venv"), "");
}

/// The order is that of the file; what it includes is not looked for.
#[test]
fn freeze_reads_the_file_alone() {
    let (context, _) = scene();
    pip(&context, &["install", "base", "other"]).success();
    context.write("order.txt", "-r absent.txt\n-e ./nowhere\nother \\\n  >=1\nbase\n");
    let output = pip(&context, &["freeze", "-r", "order.txt"]).success();
    assert_eq!(
        output.raw_stdout,
        "-r absent.txt\nother==1.0\nbase==2.0\n## The following requirements were added by pip freeze:\n"
    );
    output.stderr_has("not clear what it would install: ./nowhere");
}
