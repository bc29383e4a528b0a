//! An interpreter that compiles one module after the other, and is started again if one of them ends it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The program that the interpreter runs.
const SCRIPT: &str = include_str!("../../../../python/compile_bytecode.py");

/// No module is as large: a larger answer is none.
const LIMIT: u64 = 512 << 20;

/// What came of one module.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The SHA-256 of the source, as RECORD writes it, and the content of the `.pyc` file.
    Compiled(String, Vec<u8>),
    /// It does not compile.
    Failed,
    /// The interpreter came to an end over it.
    Lost,
}

/// One interpreter.
#[derive(Debug)]
pub(super) struct Worker {
    executable: PathBuf,
    running: Option<Running>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// It is started when there is something to compile.
    pub(super) fn new(executable: &Path) -> Self {
        Self { executable: executable.to_path_buf(), running: None }
    }

    /// Compiles a source, as code of the name `name`.
    ///
    /// # Errors
    /// When the interpreter cannot be started.
    pub(super) fn compile(&mut self, source: &Path, name: &str) -> std::io::Result<Answer> {
        let running = match &mut self.running {
            Some(running) => running,
            none => none.insert(Running::start(&self.executable)?),
        };
        if let Some(answer) = running.ask(source, name) {
            return Ok(answer);
        }
        self.stop();
        Ok(Answer::Lost)
    }

    fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            let _ = running.child.kill();
            let _ = running.child.wait();
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Running {
    fn start(executable: &Path) -> std::io::Result<Self> {
        let mut child = Command::new(executable)
            .args(["-I", "-S", "-B", "-W", "ignore", "-c", SCRIPT])
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let missing = || std::io::Error::other("it has no standard streams");
        let requests = child.stdin.take().ok_or_else(missing)?;
        let answers = BufReader::with_capacity(64 << 10, child.stdout.take().ok_or_else(missing)?);
        Ok(Self { child, requests, answers })
    }

    /// `None` where it does not answer as it should.
    fn ask(&mut self, source: &Path, name: &str) -> Option<Answer> {
        let request = [source.as_os_str().as_encoded_bytes(), b"\t", name.as_bytes(), b"\n"].concat();
        self.requests.write_all(&request).ok()?;
        let mut line = String::new();
        self.answers.by_ref().take(256).read_line(&mut line).ok()?;
        let mut words = line.strip_suffix('\n')?.split(' ');
        match (words.next()?, words.next(), words.next()) {
            ("failed", None, None) => Some(Answer::Failed),
            ("compiled", Some(digest), Some(size)) => {
                let size = size.parse().ok().filter(|size| *size <= LIMIT)?;
                let mut content = Vec::new();
                self.answers.by_ref().take(size).read_to_end(&mut content).ok()?;
                (content.len() as u64 == size).then(|| Answer::Compiled(digest.to_owned(), content))
            }
            _ => None,
        }
    }
}
