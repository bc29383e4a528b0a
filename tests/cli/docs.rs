//! The commands in README.md and docs/ do what these pages say. Each page is a session of its own: its blocks are run one after
//! the other, those marked `console` with their outputs compared, those marked `sh` only to succeed. What a page takes for
//! granted (a project, an index with these packages) is laid out by [`scene`].
//!
//! A block that cannot be run here has a comment before it that says why: `<!-- not run: the reason -->`.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::support::{Index, SdistBuilder, Site, TestContext, WheelBuilder};

/// What stands before a block that is not run.
const NOT_RUN: &str = "<!-- not run: ";

/// A fenced block of a page.
struct Block {
    /// The number of its first line.
    line: usize,
    /// What stands behind the fence.
    language: String,
    text: String,
    /// Why it is not run, if it says so.
    reason: Option<String>,
}

/// The pages, by their names.
fn pages() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let docs = std::fs::read_dir(root.join("docs")).unwrap().map(|item| item.unwrap().path());
    let mut paths: Vec<PathBuf> =
        docs.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
    paths.sort();
    paths.push(root.join("README.md"));
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    paths.iter().map(|path| (name(path), std::fs::read_to_string(path).unwrap())).collect()
}

fn blocks(page: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let (mut open, mut reason) = (None, None);
    for (number, line) in page.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(language)) => {
                let (language, text) = (language.to_owned(), String::new());
                open = Some(Block { line: number + 1, language, text, reason: reason.take() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => block.text.extend([line, "\n"]),
            (None, None) if !line.is_empty() => {
                reason =
                    line.strip_prefix(NOT_RUN).and_then(|rest| rest.strip_suffix(" -->")).map(str::to_owned);
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// The commands of a block with what they print. Lines that end with a backslash go on.
fn commands(block: &Block) -> Vec<(String, String)> {
    let text = block.text.replace("\\\n", " ");
    if block.language == "sh" {
        return text
            .lines()
            .filter(|line| !line.is_empty())
            .map(|line| (line.to_owned(), String::new()))
            .collect();
    }
    let mut commands: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match (line.strip_prefix("$ "), commands.last_mut()) {
            (Some(command), _) => commands.push((command.to_owned(), String::new())),
            (None, Some((_, output))) => output.extend([line, "\n"]),
            (None, None) => panic!("line {}: the block begins with an output", block.line),
        }
    }
    commands
}

/// A machine as the pages take it for granted: packages on an index, a web site, and what the page is about.
struct Scene {
    context: TestContext,
    _index: Index,
    site: Site,
}

/// The packages that the pages name, in the versions of their examples.
fn index() -> Index {
    let plain = |name: &str, version: &str| WheelBuilder::new(name, version).build();
    let command = |name: &str, version: &str| WheelBuilder::new(name, version).console_script(name);
    Index::start(&[
        plain("certifi", "2026.10.19.post1"),
        plain("charset-normalizer", "3.5.3"),
        plain("idna", "3.20"),
        plain("mdurl", "0.1.2"),
        WheelBuilder::new("markdown-it-py", "4.3.0").requires("mdurl~=0.1").build(),
        plain("markdown-it-py", "1.1.0"),
        plain("Pygments", "2.21.0"),
        plain("urllib3", "2.8.0"),
        WheelBuilder::new("requests", "2.34.2")
            .file("requests/api.py", "")
            .requires("charset_normalizer<4,>=2")
            .requires("idna<4,>=2.5")
            .requires("urllib3<3,>=1.26")
            .requires("certifi>=2023.5.7")
            .build(),
        WheelBuilder::new("rich", "15.0.0")
            .requires("markdown-it-py (>=2.2.0)")
            .requires("pygments (>=2.13.0,<3.0.0)")
            .build(),
        plain("django", "5.2"),
        plain("httpx", "0.28.1"),
        command("pytest", "8.4.0").build(),
        command("black", "25.1.0").build(),
        command("ruff", "0.17.6").build(),
        command("cowsay", "6.1").build(),
        command("httpie", "3.2.4").console_script("http").console_script("https").build(),
    ])
}

fn scene(page: &str) -> Scene {
    let (mut context, index, site) = (TestContext::new(), index(), Site::start());
    context.set("PIP_INDEX_URL", index.url());
    context.set("SHELL", "/bin/bash");
    context.unset("VIRTPY_PIP_SHIM");
    let (own, commands) = (context.root().join("bin"), context.store().join("bin"));
    context.set("PATH", format!("{}:{}:/usr/local/bin:/usr/bin:/bin", own.display(), commands.display()));
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_virtpy"), context.root().join("bin/virtpy")).unwrap();
    match page {
        "add.md" => {
            context.new_venv();
            SdistBuilder::new("liba", "1.5").write_folder(&context.path("liba"));
            SdistBuilder::new("appb", "1.0").requires("liba").write_folder(&context.path("appb"));
        }
        "links.md" => {
            context.new_venv();
            context.virtpy(["add", "requests"]).success();
        }
        "projects.md" => {
            context.write(
                "pyproject.toml",
                "[project]\nname = \"app\"\nversion = \"1.0\"\nrequires-python = \">=3.8\"\ndependencies = [\"rich\"]\n\
                 [dependency-groups]\ndev = [\"pytest\"]\nlint = [\"ruff\"]\n",
            );
        }
        "run.md" => {
            context.write("report.py", "# /// script\n# dependencies = ['rich']\n# ///\nimport rich\n");
            context.write("app/__main__.py", "");
            site.put("/tool.py", "print('a tool')\n");
            let generate = context.root().join("bin/generate");
            std::fs::write(&generate, "#!/bin/sh\necho 'print(1)'\n").unwrap();
            std::fs::set_permissions(&generate, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        "screens.md" => {
            SdistBuilder::new("broken", "1.0")
                .failing("no compiler here")
                .write_folder(&context.path("broken"));
            context.write("wrong.txt", "rich\n==2.0\n");
            context.write("hashed.txt", &format!("django==5.2 --hash=sha256:{}\n", "0".repeat(64)));
            context.write("theirs/notes", "");
        }
        "sync.md" => {
            context.write(
                "pyproject.toml",
                "[project]\nname = \"app\"\nversion = \"1.0\"\nrequires-python = \">=3.8\"\ndependencies = [\"rich\"]\n\
                 [project.optional-dependencies]\ncli = [\"httpx\"]\n\
                 [dependency-groups]\ndev = [\"pytest\"]\ntest = [\"pytest\"]\n\
                 [tool.setuptools]\npackages = []\n",
            );
            context.write("requirements.in", "rich\n");
            context.write("tool.py", "# /// script\n# dependencies = ['rich']\n# ///\n");
            context.virtpy(["lock", "--no-project"]).success();
            context.virtpy(["lock", "--no-project", "-o", "pylock.dev.toml"]).success();
        }
        "tools.md" => {
            WheelBuilder::new("tool", "1.0").console_script("tool").build().write_to(&context.path(""));
        }
        _ => {}
    }
    Scene { context, _index: index, site }
}

impl Scene {
    /// Runs a command as a shell would, and returns all that it printed, in the order in which it came.
    fn run(&self, command: &str) -> (bool, String) {
        // Addresses of the network are those of this machine here.
        let command = command
            .replace("git+https://example.org/tool", "./tool-1.0-py3-none-any.whl")
            .replace("https://example.org/", &self.site.url("/"));
        let script = format!("exec 2>&1\n{command}");
        let output = self.context.run(self.context.command("/bin/sh").args(["-c", &script]));
        (output.code == Some(0), output.raw_stdout)
    }

    /// A text with what differs between machines replaced, in a page and in an output.
    fn normal(&self, text: &str) -> String {
        let mut text = text
            .replace(&*self.context.store().to_string_lossy(), "/home/me/.local/share/virtpy")
            .replace(&*self.context.path("").to_string_lossy(), "/home/me/project/")
            .replace(&*self.context.root().to_string_lossy(), "/home/me");
        for (pattern, replacement) in [
            // The index of a user is the usual one.
            ("(?m)^Looking in indexes: .*\n", ""),
            (r"\b[0-9]+(\.[0-9]+)? (ms|s)\b", "[TIME]"),
            // What is said on a machine that has much else to do.
            (r"(?m)^(resolving|unpacking|fetching( \d+ packages?)?)\n", ""),
            // Which others a machine has.
            (r"(?m)^  \S+ at /.*\n", ""),
            (r"\b[0-9a-f]{64}\b", "[SHA256]"),
            (r"CPython \d+\.\d+\.\d+", "CPython [PYTHON]"),
            (r"python3\.\d+", "python[X.Y]"),
            (r"\(python 3\.\d+\)", "(python [X.Y])"),
        ] {
            text = Regex::new(pattern).unwrap().replace_all(&text, replacement).into_owned();
        }
        text.trim_end().to_owned()
    }
}

/// Runs the blocks of a page, and returns how many commands there were and what was not as it says.
fn try_page(page: &str, text: &str) -> (usize, Vec<String>) {
    let blocks = blocks(text);
    let is_run = |block: &&Block| ["console", "sh"].contains(&&*block.language) && block.reason.is_none();
    let mut wrong = Vec::new();
    for block in &blocks {
        let is_command = |line: &str| {
            let words = line.trim_start_matches("$ ").strip_prefix("virtpy ");
            words.is_some_and(|words| words.starts_with(|letter: char| letter.is_ascii_lowercase()))
        };
        let has_commands = block.text.lines().any(is_command);
        if block.language.is_empty() || has_commands && !["console", "sh"].contains(&&*block.language) {
            wrong.push(format!(
                "{page}:{}: the block has to say what it is: console, sh, text, …",
                block.line
            ));
        }
    }
    let run: Vec<&Block> = blocks.iter().filter(is_run).collect();
    if run.is_empty() {
        return (0, wrong);
    }
    let scene = scene(page);
    let mut count = 0;
    for block in run {
        for (command, expected) in commands(block) {
            count += 1;
            let (succeeded, found) = scene.run(&command);
            let place = format!("{page}:{}: $ {command}", block.line);
            if block.language == "sh" && !succeeded {
                wrong.push(format!("{place}\n{found}"));
            } else if block.language == "console" && scene.normal(&found) != scene.normal(&expected) {
                wrong.push(format!("{place}\n--- the page says\n{expected}--- it printed\n{found}"));
            }
        }
    }
    (count, wrong)
}

#[test]
fn every_block_of_commands_does_what_its_page_says() {
    let pages = pages();
    let tried: Vec<(usize, Vec<String>)> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            pages.iter().map(|(page, text)| scope.spawn(move || try_page(page, text))).collect();
        workers.into_iter().map(|worker| worker.join().unwrap()).collect()
    });
    let wrong: Vec<String> = tried.iter().flat_map(|(_, wrong)| wrong.clone()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let count: usize = tried.iter().map(|(count, _)| count).sum();
    assert!(count > 20, "only {count} commands were found");
}

#[test]
fn a_block_that_is_not_run_says_why() {
    let page =
        "```sh\nfalse\n```\n\n<!-- not run: it fails -->\n```sh\nfalse\n```\n\ntext\n\n```sh\ntrue\n```\n";
    let reasons: Vec<Option<String>> = blocks(page).into_iter().map(|block| block.reason).collect();
    assert_eq!(reasons, [None, Some("it fails".to_owned()), None]);
    assert_eq!(try_page("page.md", page).1, ["page.md:1: $ false\n"]);
    let silent = "```console\n$ echo one\ntwo\n```\n\n```\nvirtpy list\n```\n";
    let (count, wrong) = try_page("page.md", silent);
    assert_eq!((count, wrong.len()), (1, 2), "{wrong:?}");
}
