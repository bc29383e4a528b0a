//! A web site on the loopback interface: bodies at paths, with redirects and faults. It notes what it is asked for.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use super::Fault;

#[derive(Default)]
struct State {
    bodies: HashMap<String, Vec<u8>>,
    redirects: HashMap<String, String>,
    faults: HashMap<String, Fault>,
    requests: Vec<Request>,
}

/// What was asked for.
#[derive(Clone)]
pub(crate) struct Request {
    /// The path with the query.
    pub(crate) path: String,
    /// The header with credentials.
    pub(crate) authorization: Option<String>,
}

/// A running site. Its thread ends with the test's process.
pub(crate) struct Site {
    port: u16,
    state: Arc<Mutex<State>>,
}

impl Site {
    /// Starts an empty site.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port can be had");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        let state = Arc::new(Mutex::new(State::default()));
        let site = Self { port, state: Arc::clone(&state) };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&state);
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        site
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no thread of the site panicked")
    }

    /// The address of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Puts a body at a path, which may have a query.
    pub(crate) fn put(&self, path: &str, body: impl Into<Vec<u8>>) {
        self.lock().bodies.insert(path.to_owned(), body.into());
    }

    /// Takes away what is at a path.
    pub(crate) fn remove(&self, path: &str) {
        self.lock().bodies.remove(path);
    }

    /// Sends whoever asks for a path to an address.
    pub(crate) fn redirect(&self, path: &str, address: &str) {
        self.lock().redirects.insert(path.to_owned(), address.to_owned());
    }

    /// Misbehaves for a path.
    pub(crate) fn fault(&self, path: &str, fault: Fault) {
        self.lock().faults.insert(path.to_owned(), fault);
    }

    /// All requests so far.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.lock().requests.clone()
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.lock().requests.iter().filter(|request| request.path == path).count()
    }
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let (answer, fault) = {
            let mut state = state.lock().expect("no thread of the site panicked");
            let fault = due(&mut state, &request.path);
            state.requests.push(request.clone());
            (answer(&state, &request.path, fault.as_ref()), fault)
        };
        if send(stream, &answer, fault.as_ref()).is_err() {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut lines = std::iter::from_fn(|| {
        let mut line = String::new();
        (reader.read_line(&mut line).ok()? > 0).then(|| line.trim_end().to_owned())
    });
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let mut request = Request { path, authorization: None };
    for line in lines.take_while(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(": ")
            && name.eq_ignore_ascii_case("authorization")
        {
            request.authorization = Some(value.to_owned());
        }
    }
    Some(request)
}

/// The fault for a path, if one is due. A status is used up after its count.
fn due(state: &mut State, path: &str) -> Option<Fault> {
    match state.faults.get_mut(path)? {
        Fault::Status(_, 0) => None,
        Fault::Status(status, left) => {
            *left -= 1;
            Some(Fault::Status(*status, 1))
        }
        other => Some(other.clone()),
    }
}

/// Status, further headers and body.
fn answer(state: &State, path: &str, fault: Option<&Fault>) -> (u16, String, Vec<u8>) {
    if let Some(Fault::Status(status, _)) = fault {
        return (*status, String::new(), b"a fault on purpose".to_vec());
    }
    if let Some(address) = state.redirects.get(path) {
        return (302, format!("Location: {address}\r\n"), Vec::new());
    }
    match state.bodies.get(path) {
        Some(body) => (200, String::new(), body.clone()),
        None => (404, String::new(), b"not found".to_vec()),
    }
}

fn send(
    mut stream: &TcpStream,
    (status, headers, body): &(u16, String, Vec<u8>),
    fault: Option<&Fault>,
) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status} Answer\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes())?;
    match fault {
        Some(Fault::HangUpAfter(percent)) => {
            stream.write_all(&body[..body.len() * percent / 100])?;
            Err(std::io::Error::other("hung up on purpose"))
        }
        Some(Fault::Slow(pause)) => body.chunks(body.len().div_ceil(8).max(1)).try_for_each(|piece| {
            std::thread::sleep(*pause);
            stream.write_all(piece)
        }),
        _ => stream.write_all(body),
    }
}
