//! An index on the loopback interface: PEP 503 pages or PEP 691 JSON, and the files, as a test wants them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// How the index presents itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Html,
    Json,
}

/// One file of the index.
#[derive(Clone)]
pub(crate) struct Hosted {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The fragment of the link, such as `sha256=...`, or nothing.
    pub(crate) hash: Option<String>,
    pub(crate) requires_python: Option<String>,
    pub(crate) yanked: Option<String>,
    pub(crate) size: Option<u64>,
    /// The metadata that can be had alone (PEP 658), and the SHA-256 that the page gives for it.
    pub(crate) metadata: Option<(String, Option<String>)>,
    breaks: u32,
}

impl Hosted {
    pub(crate) fn new(name: &str, bytes: &[u8]) -> Self {
        Self {
            name: name.to_owned(),
            bytes: bytes.to_vec(),
            hash: Some(format!("sha256={}", sha256(bytes))),
            requires_python: None,
            yanked: None,
            size: None,
            metadata: None,
            breaks: 0,
        }
    }
}

/// What came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
}

struct State {
    format: Format,
    max_age: Option<u32>,
    packages: BTreeMap<String, Vec<Hosted>>,
    seen: Vec<Seen>,
    /// What is answered under some paths: all bytes, from the status line on, and how many of them a second.
    raw: BTreeMap<String, (Vec<u8>, Option<u32>)>,
    /// The value of `Authorization` without which everything is refused.
    password: Option<String>,
    /// Packages whose pages cannot be had.
    out_of_order: Vec<String>,
}

/// A running index.
pub(crate) struct Index {
    address: String,
    state: Arc<Mutex<State>>,
}

impl Index {
    pub(crate) fn start(format: Format) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = State {
            format,
            max_age: None,
            packages: BTreeMap::new(),
            seen: Vec::new(),
            raw: BTreeMap::new(),
            password: None,
            out_of_order: Vec::new(),
        };
        let state = Arc::new(Mutex::new(state));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                thread::spawn(move || drop(answer(&stream, &shared)));
            }
        });
        Self { address, state }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/simple", self.address)
    }

    pub(crate) fn url_as(&self, user: &str) -> String {
        format!("http://{user}@{}/simple", self.address)
    }

    pub(crate) fn file_url(&self, package: &str, file: &str) -> String {
        format!("http://{}/files/{package}/{file}", self.address)
    }

    pub(crate) fn add(&self, package: &str, file: Hosted) {
        self.state.lock().unwrap().packages.entry(package.to_owned()).or_default().push(file);
    }

    /// Lets the next transfers of a package's files end in the middle.
    pub(crate) fn break_transfers(&self, package: &str, times: u32) {
        let mut state = self.state.lock().unwrap();
        for file in state.packages.get_mut(package).unwrap() {
            file.breaks = times;
        }
    }

    pub(crate) fn set_max_age(&self, seconds: u32) {
        self.state.lock().unwrap().max_age = Some(seconds);
    }

    pub(crate) fn set_password(&self, authorization: &str) {
        self.state.lock().unwrap().password = Some(authorization.to_owned());
    }

    /// Fails whenever a package's page is asked for.
    pub(crate) fn break_page(&self, package: &str) {
        self.state.lock().unwrap().out_of_order.push(package.to_owned());
    }

    /// Answers with these bytes under a path, all at once or so many a second.
    pub(crate) fn answer_raw(&self, path: &str, head: &str, body: &[u8], speed: Option<u32>) {
        let bytes = [format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{head}\r\n").as_bytes(), body].concat();
        self.state.lock().unwrap().raw.insert(path.to_owned(), (bytes, speed));
    }

    /// Hosts other files under a package's name than before.
    pub(crate) fn clear(&self, package: &str) {
        self.state.lock().unwrap().packages.remove(package);
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.state.lock().unwrap().seen.clone()
    }

    pub(crate) fn downloads(&self, file: &str) -> usize {
        let suffix = format!("/{file}");
        self.seen().iter().filter(|seen| seen.method == "GET" && seen.path.ends_with(&suffix)).count()
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn answer(stream: &TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace();
    let (Some(method), Some(path)) = (words.next(), words.next()) else {
        return Ok(());
    };
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.trim().split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let seen = Seen { method: method.to_owned(), path: path.to_owned(), headers };
    let mut stream = stream;
    let reply = {
        let mut state = state.lock().unwrap();
        state.seen.push(seen.clone());
        if let Some((bytes, speed)) = state.raw.get(path).cloned() {
            drop(state);
            return send(&mut stream, &bytes, speed);
        }
        reply(&mut state, &seen)
    };
    stream.write_all(reply.head.as_bytes())?;
    if method != "HEAD" {
        stream.write_all(&reply.body)?;
    }
    stream.flush()
}

fn send(stream: &mut &TcpStream, bytes: &[u8], speed: Option<u32>) -> std::io::Result<()> {
    let Some(speed) = speed else { return stream.write_all(bytes) };
    for byte in bytes.chunks(1) {
        stream.write_all(byte)?;
        thread::sleep(std::time::Duration::from_secs(1) / speed);
    }
    Ok(())
}

struct Reply {
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn new(status: &str, kind: &str, body: Vec<u8>) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n",
            body.len()
        );
        Self { head, body }
    }

    fn end(mut self, more: &str) -> Self {
        self.head.push_str(more);
        self.head.push_str("\r\n");
        self
    }
}

fn reply(state: &mut State, seen: &Seen) -> Reply {
    if state.password.as_ref().is_some_and(|password| seen.headers.get("authorization") != Some(password)) {
        let challenge = "WWW-Authenticate: Basic realm=\"index\"\r\n";
        return Reply::new("401 Unauthorized", "text/plain", Vec::new()).end(challenge);
    }
    let parts: Vec<&str> = seen.path.trim_matches('/').split('/').collect();
    let freshness = state.max_age.map_or(String::new(), |age| format!("Cache-Control: max-age={age}\r\n"));
    let missing = || Reply::new("404 Not Found", "text/plain", Vec::new()).end("");
    match parts.as_slice() {
        ["simple", package] if state.out_of_order.iter().any(|one| one == package) => {
            Reply::new("500 Internal Server Error", "text/plain", Vec::new()).end("")
        }
        ["simple", package] => match state.packages.get(*package) {
            Some(files) => page(state.format, package, files).end(&freshness),
            None => missing(),
        },
        ["files", package, name] => {
            let files = state.packages.get_mut(*package).map(Vec::as_mut_slice).unwrap_or_default();
            let of = name.strip_suffix(".metadata");
            let metadata =
                files.iter().find(|file| of == Some(&file.name)).and_then(|file| file.metadata.clone());
            if let Some((text, _)) = metadata {
                return Reply::new("200 OK", "text/plain", text.into_bytes()).end(&freshness);
            }
            match files.iter_mut().find(|file| file.name == *name) {
                Some(file) => serve(file, seen, &freshness),
                None => missing(),
            }
        }
        _ => missing(),
    }
}

fn serve(file: &mut Hosted, seen: &Seen, freshness: &str) -> Reply {
    let body = file.bytes.clone();
    let mut reply = Reply::new("200 OK", "application/octet-stream", body).end(freshness);
    if file.breaks > 0 && seen.method == "GET" {
        file.breaks -= 1;
        reply.body.truncate(reply.body.len() / 2);
    }
    reply
}

fn page(format: Format, package: &str, files: &[Hosted]) -> Reply {
    match format {
        Format::Html => {
            let mut html = String::from("<!DOCTYPE html><html><body>\n");
            for file in files {
                let fragment = file.hash.as_ref().map_or(String::new(), |hash| format!("#{hash}"));
                let attribute = |name: &str, value: &Option<String>| {
                    value.as_ref().map_or(String::new(), |value| {
                        format!(" {name}=\"{}\"", value.replace('>', "&gt;").replace('<', "&lt;"))
                    })
                };
                let python = attribute("data-requires-python", &file.requires_python);
                let yanked = attribute("data-yanked", &file.yanked);
                let hash = file.metadata.as_ref().map(|(_, hash)| match hash {
                    Some(hash) => format!("sha256={hash}"),
                    None => "true".to_owned(),
                });
                let metadata = attribute("data-core-metadata", &hash);
                let name = &file.name;
                let address = format!("/files/{package}/{name}{fragment}");
                let link = format!("<a href=\"{address}\"{python}{yanked}{metadata}>{name}</a>");
                writeln!(html, "{link}<br>").unwrap();
            }
            html.push_str("</body></html>");
            Reply::new("200 OK", "text/html", html.into_bytes())
        }
        Format::Json => {
            let files: Vec<Value> = files.iter().map(|file| json_file(package, file)).collect();
            let body =
                json!({"meta": {"api-version": "1.1"}, "name": package, "versions": [], "files": files});
            Reply::new("200 OK", "application/vnd.pypi.simple.v1+json", body.to_string().into_bytes())
        }
    }
}

fn json_file(package: &str, file: &Hosted) -> Value {
    let hashes = match file.hash.as_ref().and_then(|hash| hash.split_once('=')) {
        Some((algorithm, digest)) => json!({algorithm: digest}),
        None => json!({}),
    };
    let mut value = json!({
        "filename": file.name,
        "url": format!("/files/{package}/{}", file.name),
        "hashes": hashes,
        "yanked": file.yanked.as_ref().map_or(json!(false), |reason| json!(reason)),
        "size": file.size.unwrap_or(file.bytes.len() as u64),
    });
    if let Some(python) = &file.requires_python {
        value["requires-python"] = json!(python);
    }
    if let Some((_, hash)) = &file.metadata {
        value["core-metadata"] = hash.as_ref().map_or(json!(true), |hash| json!({"sha256": hash}));
    }
    value
}
