//! HTTPS in front of a loopback index: a certificate authority made by `openssl`, and a small server that speaks TLS to
//! the client and hands on what it says.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::{Index, TestContext};

/// Ends TLS on a port of its own, and passes everything on to another one.
const SERVER: &str = r#"
import select, socket, ssl, sys, threading

certificate, key, target = sys.argv[1], sys.argv[2], int(sys.argv[3])
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(16)
print(listener.getsockname()[1], flush=True)

def serve(raw):
    try:
        with context.wrap_socket(raw, server_side=True) as client:
            with socket.create_connection(("127.0.0.1", target)) as server:
                while True:
                    ready = [client] if client.pending() else select.select([client, server], [], [])[0]
                    for source in ready:
                        data = source.recv(65536)
                        if not data:
                            return
                        (server if source is client else client).sendall(data)
    except OSError:
        pass  # Who does not trust the certificate hangs up.

while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
"#;

/// Makes an authority, a certificate of its own for `127.0.0.1`, and one that it signed for that.
const CERTIFICATES: &str = r#"
set -e
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=virtpy test authority" \
    -addext basicConstraints=critical,CA:TRUE -keyout authority.key -out authority.pem
openssl req -newkey rsa:2048 -nodes -subj "/CN=index" -keyout index.key -out index.csr
printf 'subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\n' > index.ext
openssl x509 -req -in index.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
    -extfile index.ext -out index.pem
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=self" -addext subjectAltName=IP:127.0.0.1 \
    -keyout self.key -out self.pem
"#;

/// A server for HTTPS in front of an index. It ends with the test.
pub(crate) struct TlsFront {
    child: Child,
    port: u16,
    authority: PathBuf,
}

impl TlsFront {
    /// Starts one whose certificate for `127.0.0.1` a test's authority has signed; none where `openssl` is missing.
    pub(crate) fn start(context: &TestContext, index: &Index) -> Option<Self> {
        Self::with_certificate(context, index, "index")
    }

    /// The same with a certificate that nobody but its own key has signed.
    pub(crate) fn self_signed(context: &TestContext, index: &Index) -> Option<Self> {
        Self::with_certificate(context, index, "self")
    }

    fn with_certificate(context: &TestContext, index: &Index, name: &str) -> Option<Self> {
        let folder = context.path("certificates");
        std::fs::create_dir_all(&folder).expect("a folder can be made");
        if !folder.join("self.pem").exists() {
            Command::new("openssl").arg("version").output().ok()?;
            let mut make = context.command("sh");
            context.run(make.args(["-c", CERTIFICATES]).current_dir(&folder)).success();
        }
        let mut command = context.command(&context.interpreter().path);
        command.args(["-c", SERVER]);
        command.args([folder.join(format!("{name}.pem")), folder.join(format!("{name}.key"))]);
        command.arg(index.port().to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
        let child = command.spawn().expect("the server starts");
        // From here on the server ends with the value.
        let mut front = Self { child, port: 0, authority: folder.join("authority.pem") };
        let mut line = String::new();
        let output = front.child.stdout.take().expect("its output is a pipe");
        BufReader::new(output).read_line(&mut line).expect("the server says its port");
        front.port = line.trim().parse().expect("the server listens");
        Some(front)
    }

    /// Its address up to the port.
    pub(crate) fn base(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The address for `--index-url`.
    pub(crate) fn url(&self) -> String {
        format!("{}/simple/", self.base())
    }

    /// The port that it listens to.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The certificate of the authority.
    pub(crate) fn authority(&self) -> &PathBuf {
        &self.authority
    }
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
