//! What is seen of long work: on a terminal, and in a pipe.

use std::process::Command;
use std::time::Duration;

use crate::support::TestContext;

/// How wide the terminal is.
const COLUMNS: usize = 60;

/// Runs a command on a terminal of 60 columns and prints whatever came on it.
const TERMINAL: &str = r#"
import fcntl, os, pty, struct, sys, termios
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
    os.environ["TERM"] = "xterm"
    os.execv(sys.argv[1], sys.argv[1:])
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
sys.exit(os.waitstatus_to_exitcode(status))
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
fn screen(text: &str) -> Vec<String> {
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
                if column == COLUMNS {
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
    let mut command = context.command(&context.interpreter().path);
    let virtpy = context.virtpy_command(["add", "-v", "./proj", "--offline"]);
    command.args(["-c", TERMINAL]).arg(virtpy.get_program()).args(virtpy.get_args());
    let shown = run(&mut command);
    assert!(shown.contains("building proj 0.1 (0 s) line 0 of many"), "{shown}");
    assert!(shown.contains("building proj 0.1 (1 s)"), "{shown}");
    // Cut, never wrapped.
    let lines = shown
        .split(['\r', '\n', '\u{1b}'])
        .filter_map(|part| part.find("  building proj").map(|at| &part[at..]));
    let widest = lines.map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= COLUMNS, "{widest}: {shown}");
    let left = screen(&shown);
    assert!(left.iter().any(|line| line.contains("proj 0.1")), "{left:?}");
    assert!(left.iter().all(|line| !line.contains("resolving") && !line.contains(" s) ")), "{left:?}");
}

#[test]
fn what_is_seen_without_asking_is_short() {
    let context = TestContext::new();
    context.new_venv();
    slow_project(&context, 0.5);
    let mut command = context.command(&context.interpreter().path);
    let virtpy = context.virtpy_command(["add", "./proj", "--offline"]);
    command.args(["-c", TERMINAL]).arg(virtpy.get_program()).args(virtpy.get_args());
    let shown = run(&mut command);
    assert!(shown.contains("building proj 0.1 (0 s)") && !shown.contains("of many"), "{shown}");
    let left = screen(&shown);
    assert!(left.concat().starts_with(" + proj 0.1Added 1 package in "), "{left:?}");
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{shown}{}", String::from_utf8_lossy(&output.stderr));
    shown
}

#[test]
fn in_a_pipe_a_stage_that_takes_its_time_is_a_line() {
    let context = TestContext::new();
    context.new_venv();
    slow_project(&context, 12.0);
    let started = std::time::Instant::now();
    let told = context.virtpy(["add", "./proj", "--offline"]).success();
    assert!(started.elapsed() > Duration::from_secs(12));
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
