//! What is seen of long work: on a terminal, and in a pipe.

use std::process::Command;
use std::time::Duration;

use crate::support::{Artifact, Fault, Index, TestContext, WheelBuilder};

/// How wide the terminal is.
const COLUMNS: usize = 60;

/// Runs a command on a terminal that is so wide, for so many seconds at most if that is not nothing, and prints whatever came on it.
const TERMINAL: &str = r#"
import fcntl, os, pty, struct, sys, termios
import signal
columns, seconds = int(sys.argv.pop(1)), int(sys.argv.pop(1))
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[1], sys.argv[1:])
signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
signal.alarm(seconds)
came = b""
while True:
    try:
        piece = os.read(terminal, 65536)
    except OSError:
        break
    if not piece:
        break
    came += piece
status = os.waitpid(child, 0)[1]
sys.stdout.write(came.decode())
sys.exit(0 if os.WIFSIGNALED(status) and seconds else os.waitstatus_to_exitcode(status))
"#;

/// A project whose build prints long lines, and takes so many seconds.
fn slow_project(context: &TestContext, seconds: f32) {
    context.write(
        "proj/pyproject.toml",
        "[project]\nname = 'proj'\nversion = '0.1'\n[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n",
    );
    let backend = BACKEND.replace("SECONDS", &seconds.to_string());
    context.write("proj/backend.py", &backend);
}

/// What stands on the terminal in the end, as far as it is moved on by line ends, carriage returns, moves upwards and downwards, and
/// full lines.
fn screen(text: &str, columns: usize) -> Vec<String> {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0, 0);
    let mut rest = text.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                let mut sequence = String::new();
                while !sequence.ends_with(|part: char| part.is_ascii_alphabetic()) {
                    sequence.extend(rest.next().filter(|part| *part != '['));
                }
                let count = sequence[..sequence.len() - 1].parse::<usize>().unwrap_or(1);
                match sequence.chars().last() {
                    Some('K') => lines[row].clear(),
                    Some('A') => row = row.saturating_sub(count),
                    Some('B') => row += count,
                    _ => {}
                }
            }
            other => {
                if column == columns {
                    (row, column) = (row + 1, 0);
                }
                lines.resize_with(lines.len().max(row + 1), Vec::new);
                let length = lines[row].len().max(column + 1);
                lines[row].resize(length, ' ');
                lines[row][column] = other;
                column += 1;
            }
        }
        lines.resize_with(lines.len().max(row + 1), Vec::new);
    }
    let lines = lines.into_iter().map(|line| line.into_iter().collect::<String>().trim_end().to_owned());
    lines.filter(|line| !line.is_empty()).collect()
}

#[test]
fn a_build_shows_how_long_it_takes_and_what_it_prints() {
    let context = TestContext::new();
    context.new_venv();
    slow_project(&context, 2.5);
    let shown = on_terminal(&context, COLUMNS, 0, &["add", "-v", "./proj", "--offline"]);
    assert!(shown.contains("building proj 0.1 (0 s) line 0 of many"), "{shown}");
    assert!(shown.contains("building proj 0.1 (1 s)"), "{shown}");
    // Cut, never wrapped.
    let lines = shown
        .split(['\r', '\n', '\u{1b}'])
        .filter_map(|part| part.find("  building proj").map(|at| &part[at..]));
    let widest = lines.map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= COLUMNS, "{widest}: {shown}");
    let left = screen(&shown, COLUMNS);
    assert!(left.iter().any(|line| line.contains("proj 0.1")), "{left:?}");
    assert!(left.iter().all(|line| !line.contains("resolving") && !line.contains(" s) ")), "{left:?}");
}

#[test]
fn what_is_seen_without_asking_is_short() {
    let context = TestContext::new();
    context.new_venv();
    slow_project(&context, 0.5);
    let shown = on_terminal(&context, COLUMNS, 0, &["add", "./proj", "--offline"]);
    assert!(shown.contains("building proj 0.1 (0 s)") && !shown.contains("of many"), "{shown}");
    let left = screen(&shown, COLUMNS);
    assert!(left.concat().starts_with(" + proj 0.1Added 1 package in "), "{left:?}");
}

/// What came on a terminal.
fn on_terminal(context: &TestContext, columns: usize, seconds: u32, arguments: &[&str]) -> String {
    let virtpy = context.virtpy_command(arguments);
    let mut command: Command = context.command(&context.interpreter().path);
    command.args(["-c", TERMINAL, &columns.to_string(), &seconds.to_string()]);
    let output = command.arg(virtpy.get_program()).args(virtpy.get_args()).output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    shown
}

#[test]
fn a_long_installation_looks_as_the_docs_show_it() {
    let large = |name: &str| {
        // What cannot be compressed.
        let mut state = 1_u32;
        let mut noise = Vec::new();
        for _ in 0..100_000 {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            noise.extend(state.to_le_bytes());
        }
        WheelBuilder::new(name, "1.0")
            .member(&format!("{}/data", name.replace('-', "_")), &noise, 0o644)
            .build()
    };
    let names = ["large", "larger", "a-distribution-with-a-long-name"];
    let wheels: Vec<Artifact> = names.iter().map(|name| large(name)).collect();
    let small = WheelBuilder::new("small", "1.0").build();
    let index = Index::start(&[&wheels[..], &[small]].concat());
    for wheel in &wheels {
        index.fault(&wheel.file_name, Fault::Slow(Duration::from_secs(1)));
    }
    let context = TestContext::new();
    context.new_venv();
    let url = index.url();
    let arguments = [&["add", "small", "--index-url", &url], &names[..]].concat();
    let shown = on_terminal(&context, 80, 4, &arguments);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/screens.md")).unwrap();
    let block = page.split("```screen\n").nth(1).unwrap().split("```").next().unwrap();
    let (found, expected) = (screen(&shown, 80), block.lines().map(str::to_owned).collect::<Vec<_>>());
    for lines in [&found, &expected] {
        assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:?}");
    }
    assert_eq!(shape(&found), shape(&expected), "{}", found.join("\n"));
}

/// Lines without what differs each time: figures, how far bars are, which of the downloads comes first.
fn shape(lines: &[String]) -> Vec<String> {
    let mut lines: Vec<String> = lines
        .iter()
        .map(|line| {
            let line = line
                .replace(|letter: char| ('\u{2800}'..='\u{28ff}').contains(&letter), "*")
                .replace('░', "█");
            let line =
                regex::Regex::new(r" +[0-9.]+ (B|kB|MB)").unwrap().replace_all(&line, " [SIZE]").into_owned();
            regex::Regex::new(r", [0-9]+ s left").unwrap().replace_all(&line, ", [TIME] left").into_owned()
        })
        .collect();
    lines.sort();
    lines
}

#[test]
fn in_a_pipe_a_stage_that_takes_its_time_is_a_line() {
    let context = TestContext::new();
    context.new_venv();
    slow_project(&context, 22.0);
    let started = std::time::Instant::now();
    let told = context.virtpy(["add", "./proj", "--offline"]).success();
    assert!(started.elapsed() > Duration::from_secs(22));
    let lines: Vec<&str> = told.raw_stderr.lines().collect();
    assert_eq!(lines.iter().filter(|line| **line == "building proj 0.1").count(), 1, "{}", told.raw_stderr);
    assert_eq!(lines.iter().filter(|line| line.starts_with("building")).count(), 1, "{}", told.raw_stderr);
}

/// A build by hand: no index has a backend.
const BACKEND: &str = r#"
import base64, hashlib, os, time, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    for number in range(10):
        print("line %d of many, and a long one so that it surely does not fit into any narrow terminal" % number, flush=True)
        time.sleep(SECONDS / 10)
    name = "proj-0.1-py3-none-any.whl"
    info = "proj-0.1.dist-info"
    files = {
        "proj.py": b"x = 1\n",
        info + "/METADATA": b"Metadata-Version: 2.1\nName: proj\nVersion: 0.1\n",
        info + "/WHEEL": b"Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = info + "/RECORD,,\n"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, content in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += "%s,sha256=%s,%d\n" % (path, digest, len(content))
            wheel.writestr(path, content)
        wheel.writestr(info + "/RECORD", record)
    return name
"#;
