//! A package index on the loopback interface: PEP 503 pages, PEP 691 JSON, PEP 658 metadata and range requests. It
//! counts what is asked of it and can misbehave on purpose.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::{Artifact, normalize};

/// A way in which the server misbehaves for one path.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Answer with this status, for as many requests as the number says, and rightly after that.
    Status(u16, usize),
    /// Send this share of the body, in percent, though the header announces the whole, and hang up.
    HangUpAfter(usize),
    /// Announce and send only this share of the body, in percent.
    Shortened(usize),
    /// Send the body in small pieces with this pause before each.
    Slow(Duration),
    /// Send these bytes instead of the file.
    OtherBytes(Vec<u8>),
    /// Send the client to this address, which may be relative.
    Redirect(String),
}

#[derive(Clone)]
struct Entry {
    artifact: Artifact,
    stated_sha256: Option<String>,
    yanked: Option<String>,
    upload_time: String,
}

#[derive(Default)]
struct State {
    projects: BTreeMap<String, Vec<Entry>>,
    requests: Vec<String>,
    authorizations: Vec<String>,
    faults: HashMap<String, Fault>,
    html_only: bool,
    without_metadata: bool,
    credentials: Option<String>,
    files_at: Option<String>,
    /// What stands behind every link, such as `sig=1`.
    link_query: Option<String>,
    folder: Option<PathBuf>,
    /// For how many seconds pages and files may be kept; 600 unless something else is said.
    kept_for: Option<u64>,
}

/// A running index. Its thread ends with the test's process.
pub(crate) struct Index {
    port: u16,
    state: Arc<Mutex<State>>,
}

struct Request {
    method: String,
    path: String,
    accept: String,
    range: Option<String>,
    authorization: Option<String>,
}

struct Answer {
    status: u16,
    content_type: &'static str,
    body: Vec<u8>,
    range: Option<(usize, usize, usize)>,
}

impl Index {
    /// Starts an index with these files.
    pub(crate) fn start(artifacts: &[Artifact]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port can be had");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let index = Self { port, state: Arc::clone(&state) };
        for artifact in artifacts {
            index.add(artifact);
        }
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(stream, port, &state));
            }
        });
        index
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the index panicked")
    }

    fn change_file(&self, file_name: &str, change: impl Fn(&mut Entry)) {
        let mut state = self.lock();
        let mut found = false;
        for entry in state.projects.values_mut().flatten() {
            if entry.artifact.file_name == file_name {
                change(entry);
                found = true;
            }
        }
        assert!(found, "{file_name} is not on the index");
    }

    /// Adds a file, uploaded on the first of January 2024.
    pub(crate) fn add(&self, artifact: &Artifact) {
        let entry = Entry {
            artifact: artifact.clone(),
            stated_sha256: Some(artifact.sha256()),
            yanked: None,
            upload_time: "2024-01-01T00:00:00.000000Z".to_owned(),
        };
        self.lock().projects.entry(normalize(&artifact.project)).or_default().push(entry);
    }

    /// Marks a file as yanked for this reason (PEP 592).
    pub(crate) fn yank(&self, file_name: &str, reason: &str) {
        self.change_file(file_name, |entry| entry.yanked = Some(reason.to_owned()));
    }

    /// States this SHA-256 for a file, or none.
    pub(crate) fn state_sha256(&self, file_name: &str, sha256: Option<&str>) {
        self.change_file(file_name, |entry| entry.stated_sha256 = sha256.map(str::to_owned));
    }

    /// Says when a file was uploaded, such as `2020-05-01T00:00:00.000000Z` (PEP 700).
    pub(crate) fn upload_time(&self, file_name: &str, time: &str) {
        self.change_file(file_name, |entry| time.clone_into(&mut entry.upload_time));
    }

    /// Misbehaves for the path `/files/<file_name>`.
    pub(crate) fn fault(&self, file_name: &str, fault: Fault) {
        self.lock().faults.insert(format!("/files/{file_name}"), fault);
    }

    /// Misbehaves for the page of a project.
    pub(crate) fn page_fault(&self, project: &str, fault: Fault) {
        self.lock().faults.insert(format!("/simple/{}/", normalize(project)), fault);
    }

    /// Says that pages and files may be kept for so many seconds.
    pub(crate) fn pages_kept_for(&self, seconds: u64) {
        self.lock().kept_for = Some(seconds);
    }

    /// Serves HTML pages only, as an old index does.
    pub(crate) fn html_only(&self) {
        self.lock().html_only = true;
    }

    /// Serves no PEP 658 metadata, as an old index does.
    pub(crate) fn without_metadata(&self) {
        self.lock().without_metadata = true;
    }

    /// Answers 401 to whoever does not send these credentials (`user:password`).
    pub(crate) fn require_credentials(&self, user_and_password: &str) {
        self.lock().credentials = Some(user_and_password.to_owned());
    }

    /// Says on its pages that the files are below this address, such as `https://localhost:1234`, and not here.
    pub(crate) fn files_at(&self, address: &str) {
        self.lock().files_at = Some(address.to_owned());
    }

    /// Puts this query behind every link of its pages, as an index does that signs them.
    pub(crate) fn sign_links(&self, query: &str) {
        self.lock().link_query = Some(query.to_owned());
    }

    /// Serves the files of this folder below `/folder/`, as a plain web server does.
    pub(crate) fn serve_folder(&self, folder: &Path) {
        self.lock().folder = Some(folder.to_owned());
    }

    /// The port that it listens to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// All headers `Authorization` that came, one for each request that had one.
    pub(crate) fn authorizations(&self) -> Vec<String> {
        self.lock().authorizations.clone()
    }

    /// The address for `--index-url`.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/simple/", self.port)
    }

    /// The same address with credentials in it.
    pub(crate) fn url_with_credentials(&self, user_and_password: &str) -> String {
        format!("http://{user_and_password}@127.0.0.1:{}/simple/", self.port)
    }

    /// The address of a page that lists every file, for `--find-links`.
    pub(crate) fn flat_url(&self) -> String {
        format!("http://127.0.0.1:{}/flat/", self.port)
    }

    /// The address of a file.
    pub(crate) fn file_url(&self, file_name: &str) -> String {
        format!("http://127.0.0.1:{}/files/{file_name}", self.port)
    }

    /// All requests so far, such as `GET /simple/demo/`.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.lock().requests.clone()
    }

    /// How often a file's bytes were asked for.
    pub(crate) fn downloads(&self, file_name: &str) -> usize {
        let wanted = format!("GET /files/{file_name}");
        self.lock().requests.iter().filter(|request| **request == wanted).count()
    }

    /// How often any wheel or source distribution was asked for.
    pub(crate) fn all_downloads(&self) -> usize {
        let is_file =
            |request: &&String| request.starts_with("GET /files/") && !request.ends_with(".metadata");
        self.lock().requests.iter().filter(is_file).count()
    }

    /// Forgets the requests so far.
    pub(crate) fn forget_requests(&self) {
        self.lock().requests.clear();
    }
}

fn serve(stream: TcpStream, port: u16, state: &Mutex<State>) {
    let Ok(mut writer) = stream.try_clone() else {
        return;
    };
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let (fault, answer, kept_for) = {
            let mut state = state.lock().expect("no thread of the index panicked");
            state.requests.push(format!("{} {}", request.method, request.path));
            state.authorizations.extend(request.authorization.clone());
            let fault = take_fault(&mut state, &request.path);
            (fault.clone(), answer(&state, &request, port, fault.as_ref()), state.kept_for.unwrap_or(600))
        };
        if send(&mut writer, &request, (&answer, kept_for), fault.as_ref()).is_err() {
            return;
        }
    }
}

/// The fault for `path`, if one is due. A status fault is used up after its count.
fn take_fault(state: &mut State, path: &str) -> Option<Fault> {
    match state.faults.get_mut(path)? {
        Fault::Status(_, 0) => None,
        Fault::Status(status, left) => {
            *left -= 1;
            Some(Fault::Status(*status, 1))
        }
        other => Some(other.clone()),
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split_whitespace();
    let method = words.next()?.to_owned();
    let path = words.next()?.split(['?', '#']).next()?.to_owned();
    let mut request = Request { method, path, accept: String::new(), range: None, authorization: None };
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim_end();
        if header.is_empty() {
            return Some(request);
        }
        let (name, value) = header.split_once(':')?;
        let value = value.trim().to_owned();
        match name.to_ascii_lowercase().as_str() {
            "accept" => request.accept = value,
            "range" => request.range = Some(value),
            "authorization" => request.authorization = Some(value),
            _ => {}
        }
    }
}

fn plain(status: u16, text: &str) -> Answer {
    Answer { status, content_type: "text/plain", body: text.as_bytes().to_vec(), range: None }
}

fn plain_file(folder: &Path, path: &str) -> Answer {
    let is_inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    match std::fs::read(folder.join(path)) {
        Ok(body) if is_inside => {
            Answer { status: 200, content_type: "application/octet-stream", body, range: None }
        }
        _ => plain(404, "not found"),
    }
}

fn answer(state: &State, request: &Request, port: u16, fault: Option<&Fault>) -> Answer {
    match fault {
        Some(Fault::Status(status, _)) => return plain(*status, "a fault on purpose"),
        Some(Fault::Redirect(_)) => return plain(302, "elsewhere"),
        _ => {}
    }
    let base = state.files_at.clone().unwrap_or_else(|| format!("http://127.0.0.1:{port}"));
    if let Some(credentials) = &state.credentials {
        let expected = format!("Basic {}", standard_base64(credentials.as_bytes()));
        if request.authorization.as_deref() != Some(expected.as_str()) {
            return plain(401, "who are you?");
        }
    }
    if let Some(project) = request.path.strip_prefix("/simple/") {
        return project_page(state, request, project.trim_end_matches('/'), &base);
    }
    if request.path == "/flat/" {
        let body = html(state.projects.values().flatten(), &base, state.without_metadata);
        return Answer { status: 200, content_type: "text/html", body: body.into_bytes(), range: None };
    }
    if let (Some(path), Some(folder)) = (request.path.strip_prefix("/folder/"), &state.folder) {
        return plain_file(folder, path);
    }
    let Some(file_name) = request.path.strip_prefix("/files/") else {
        return plain(404, "not found");
    };
    let entries = || state.projects.values().flatten();
    if let Some(wheel) = file_name.strip_suffix(".metadata") {
        let entry = entries().find(|entry| entry.artifact.file_name == wheel);
        return match entry.and_then(|entry| entry.artifact.metadata.as_ref()) {
            Some(metadata) if !state.without_metadata => plain(200, metadata),
            _ => plain(404, "not found"),
        };
    }
    match entries().find(|entry| entry.artifact.file_name == file_name) {
        Some(entry) => file_answer(entry, request, fault),
        None => plain(404, "not found"),
    }
}

fn file_answer(entry: &Entry, request: &Request, fault: Option<&Fault>) -> Answer {
    let mut body = match fault {
        Some(Fault::OtherBytes(other)) => other.clone(),
        _ => entry.artifact.bytes.clone(),
    };
    if let Some(Fault::Shortened(percent)) = fault {
        body.truncate(body.len() * percent / 100);
    }
    let total = body.len();
    let range = request.range.as_ref().and_then(|range| parse_range(range, total));
    let (status, body) = match range {
        Some((first, last)) => (206, body[first..=last].to_vec()),
        None => (200, body),
    };
    let range = range.map(|(first, last)| (first, last, total));
    Answer { status, content_type: "application/octet-stream", body, range }
}

fn parse_range(text: &str, total: usize) -> Option<(usize, usize)> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    if first.is_empty() {
        let count: usize = last.parse().ok()?;
        return Some((total.saturating_sub(count), total.checked_sub(1)?));
    }
    let first: usize = first.parse().ok()?;
    let last = last.parse().unwrap_or(usize::MAX).min(total.checked_sub(1)?);
    (first <= last).then_some((first, last))
}

fn project_page(state: &State, request: &Request, project: &str, base: &str) -> Answer {
    let Some(entries) = state.projects.get(project) else {
        return plain(404, "no such project");
    };
    let signed = |page: String| match &state.link_query {
        None => page,
        Some(query) => entries
            .iter()
            .map(|entry| format!("/files/{}", entry.artifact.file_name))
            .fold(page, |page, link| page.replace(&link, &format!("{link}?{query}"))),
    };
    if state.html_only || !request.accept.contains("application/vnd.pypi.simple.v1+json") {
        let body = signed(html(entries.iter(), base, state.without_metadata));
        return Answer { status: 200, content_type: "text/html", body: body.into_bytes(), range: None };
    }
    let files: Vec<serde_json::Value> =
        entries.iter().map(|entry| json_file(entry, base, state.without_metadata)).collect();
    let page = serde_json::json!({"meta": {"api-version": "1.1"}, "name": project, "files": files});
    let content_type = "application/vnd.pypi.simple.v1+json";
    Answer { status: 200, content_type, body: signed(page.to_string()).into_bytes(), range: None }
}

fn json_file(entry: &Entry, base: &str, without_metadata: bool) -> serde_json::Value {
    let name = &entry.artifact.file_name;
    let mut file = serde_json::json!({
        "filename": name,
        "url": format!("{base}/files/{name}"),
        "hashes": {},
        "size": entry.artifact.bytes.len(),
        "upload-time": entry.upload_time,
        "yanked": false,
    });
    if let Some(sha256) = &entry.stated_sha256 {
        file["hashes"]["sha256"] = sha256.as_str().into();
    }
    if let Some(specifiers) = &entry.artifact.requires_python {
        file["requires-python"] = specifiers.as_str().into();
    }
    if let Some(reason) = &entry.yanked {
        file["yanked"] = reason.as_str().into();
    }
    if entry.artifact.metadata.is_some() && !without_metadata {
        file["core-metadata"] = true.into();
    }
    file
}

fn html<'a>(entries: impl Iterator<Item = &'a Entry>, base: &str, without_metadata: bool) -> String {
    let mut page = String::from("<!DOCTYPE html>\n<html><body>\n");
    for entry in entries {
        let name = &entry.artifact.file_name;
        let hash = entry.stated_sha256.as_ref().map(|hash| format!("#sha256={hash}")).unwrap_or_default();
        let _ = write!(page, "<a href=\"{base}/files/{name}{hash}\"");
        if let Some(specifiers) = &entry.artifact.requires_python {
            let escaped = specifiers.replace('<', "&lt;").replace('>', "&gt;");
            let _ = write!(page, " data-requires-python=\"{escaped}\"");
        }
        if let Some(reason) = &entry.yanked {
            let _ = write!(page, " data-yanked=\"{reason}\"");
        }
        if entry.artifact.metadata.is_some() && !without_metadata {
            page.push_str(" data-core-metadata=\"true\"");
        }
        let _ = writeln!(page, ">{name}</a><br>");
    }
    page.push_str("</body></html>\n");
    page
}

fn send(
    writer: &mut TcpStream,
    request: &Request,
    (answer, kept_for): (&Answer, u64),
    fault: Option<&Fault>,
) -> std::io::Result<()> {
    let mut head = format!(
        "HTTP/1.1 {} Answer\r\nContent-Type: {}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\n",
        answer.status,
        answer.content_type,
        answer.body.len()
    );
    if answer.status == 401 {
        head.push_str("WWW-Authenticate: Basic realm=\"index\"\r\n");
    }
    if let Some(Fault::Redirect(address)) = fault {
        let _ = write!(head, "Location: {address}\r\n");
    }
    if answer.status < 300 {
        let _ = write!(head, "Cache-Control: max-age={kept_for}\r\n");
    }
    if let Some((first, last, total)) = answer.range {
        let _ = write!(head, "Content-Range: bytes {first}-{last}/{total}\r\n");
    }
    writer.write_all(format!("{head}\r\n").as_bytes())?;
    if request.method == "HEAD" {
        return Ok(());
    }
    match fault {
        Some(Fault::HangUpAfter(percent)) => {
            writer.write_all(&answer.body[..answer.body.len() * percent / 100])?;
            writer.shutdown(std::net::Shutdown::Both)?;
            Err(std::io::Error::other("hung up on purpose"))
        }
        Some(Fault::Slow(pause)) => {
            for piece in answer.body.chunks(answer.body.len().div_ceil(8).max(1)) {
                std::thread::sleep(*pause);
                writer.write_all(piece)?;
                writer.flush()?;
            }
            Ok(())
        }
        _ => writer.write_all(&answer.body),
    }
}

/// Standard base 64 with padding, as HTTP's Basic authentication wants it.
fn standard_base64(bytes: &[u8]) -> String {
    let mut text = super::archive::base64(bytes).replace('-', "+").replace('_', "/");
    text.push_str(["", "", "==", "="][text.len() % 4]);
    text
}
