//! Where an interpreter's OpenSSL looks for the certificates that it trusts.
//!
//! A standalone build brings an OpenSSL that looks in one place, `/etc/ssl`; some systems keep their certificates
//! elsewhere, and `ssl` then trusts nobody. On such a system the interpreter's `ssl.py` gets a few lines that also load the
//! system's own bundle. `SSL_CERT_FILE` and `SSL_CERT_DIR` still decide where they are set.

use std::path::Path;
use std::process::{Command, Stdio};

use virtpy_files::{self as fs, PathError};

use crate::Interpreter;

/// Where systems keep all certificates that they trust in one file.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
];

/// What standalone builds are made to look at.
const STANDALONE_FOLDER: &str = "/etc/ssl";

/// Prints `none` if there is no certificate where OpenSSL looks.
const QUESTION: &str = "import os, ssl\n\
    p = ssl.get_default_verify_paths()\n\
    d = p.capath if p.capath and any(n.endswith('.0') for n in os.listdir(p.capath)) else None\n\
    print('some' if p.cafile or d else 'none')";

/// What became of an interpreter's certificates.
#[derive(Debug, Default)]
pub(crate) struct Ensured {
    /// What the user should know.
    pub(crate) warning: Option<String>,
    /// Whether a file of the interpreter was changed.
    pub(crate) has_changed: bool,
}

/// Whether standalone builds find certificates on this system, as nearly everywhere.
pub(crate) fn are_found_by_standalone_builds() -> bool {
    has_certificates(Path::new(STANDALONE_FOLDER))
}

/// Makes sure that an interpreter finds certificates, if the system has any.
///
/// # Errors
/// When the interpreter's files cannot be read or written.
pub(crate) fn ensure(interpreter: &Interpreter) -> Result<Ensured, PathError> {
    let mut command = Command::new(&interpreter.executable);
    command.args(["-I", "-B", "-c", QUESTION]).stdin(Stdio::null()).stderr(Stdio::null());
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    // One without `ssl` has no use for certificates.
    let answer = command.output().map(|output| output.stdout).unwrap_or_default();
    if !answer.starts_with(b"none") {
        return Ok(Ensured::default());
    }
    if !BUNDLES.iter().any(|bundle| fs::metadata(Path::new(bundle)).is_ok()) {
        let warning = "no certificates of authorities were found on this system: `ssl` of this Python trusts no server \
                       until they are installed or `SSL_CERT_FILE` names a bundle";
        return Ok(Ensured { warning: Some(warning.to_owned()), has_changed: false });
    }
    let module = interpreter.stdlib.join("ssl.py");
    if let Ok(source) = fs::read_to_string(&module) {
        fs::write_atomic(&module, (source + &addition()).as_bytes())?;
    }
    Ok(Ensured { warning: None, has_changed: true })
}

/// Whether a folder of OpenSSL's has certificates in a form that it finds by itself.
fn has_certificates(folder: &Path) -> bool {
    let is_hashed = |name: &std::ffi::OsString| name.as_encoded_bytes().ends_with(b".0");
    fs::metadata(&folder.join("cert.pem")).is_ok()
        || fs::names(&folder.join("certs")).is_ok_and(|names| names.iter().any(is_hashed))
}

/// The lines for `ssl.py`.
fn addition() -> String {
    let bundles: Vec<String> = BUNDLES.iter().map(|bundle| format!("    '{bundle}',\n")).collect();
    format!(
        "\n\n# Added by virtpy: this system keeps its certificates where OpenSSL does not look.\n\
         _SYSTEM_BUNDLES = (\n{})\n\n\n\
         def _set_default_verify_paths(self, _original=SSLContext.set_default_verify_paths):\n\
         \x20   _original(self)\n\
         \x20   if 'SSL_CERT_FILE' not in os.environ and 'SSL_CERT_DIR' not in os.environ:\n\
         \x20       bundle = next(filter(os.path.isfile, _SYSTEM_BUNDLES), None)\n\
         \x20       if bundle is not None:\n\
         \x20           self.load_verify_locations(cafile=bundle)\n\n\n\
         SSLContext.set_default_verify_paths = _set_default_verify_paths\n",
        bundles.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The addition in a real interpreter: a context trusts the bundle, and nothing if the user names another.
    #[test]
    fn a_system_bundle_is_trusted() {
        let Ok(answer) = Command::new("python3").args(["-c", "import ssl; print(ssl.__file__)"]).output()
        else {
            return;
        };
        let original = String::from_utf8(answer.stdout).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let bundle = folder.path().join("bundle.pem");
        fs::write_new(&bundle, CERTIFICATE.as_bytes(), 0o644).unwrap();
        let source = fs::read_to_string(Path::new(original.trim())).unwrap();
        let list = format!("'{}', '{}'", folder.path().join("missing").display(), bundle.display());
        let addition = addition().replace(&format!("'{}'", BUNDLES[0]), &list);
        fs::write_new(&folder.path().join("ssl.py"), (source + &addition).as_bytes(), 0o644).unwrap();
        let trusted = |file: Option<&str>| {
            let mut command = Command::new("python3");
            let code = "import ssl; print(ssl.create_default_context().cert_store_stats()['x509'])";
            command.args(["-S", "-c", code]).env("PYTHONPATH", folder.path()).env_remove("SSL_CERT_DIR");
            match file {
                Some(file) => command.env("SSL_CERT_FILE", file),
                None => command.env_remove("SSL_CERT_FILE"),
            };
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().unwrap()
        };
        assert_eq!(trusted(Some("/nonexistent")), 0);
        assert!(trusted(None) >= 1);
    }

    /// Self-signed, of nobody.
    const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----\n\
MIIBdTCCARugAwIBAgIUZwI5ULY0BEu6NdZfkM1zVrt0rfMwCgYIKoZIzj0EAwIw\n\
DzENMAsGA1UEAwwEdGVzdDAgFw0yNjExMjExNDUwMTlaGA8yMTI2MTAyODE0NTAx\n\
OVowDzENMAsGA1UEAwwEdGVzdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABJtm\n\
cL6orEil5Gfrq550mFuOe0+0wkxh9uVKjJPeIKKzBYZXjBuvTYLT0U1NmCXZFcKE\n\
g7+I0oS0Nq2rnlhGRfmjUzBRMB0GA1UdDgQWBBSDnnKAj0jhamWrCJ5El/xOS1oR\n\
8jAfBgNVHSMEGDAWgBSDnnKAj0jhamWrCJ5El/xOS1oR8jAPBgNVHRMBAf8EBTAD\n\
AQH/MAoGCCqGSM49BAMCA0gAMEUCIAXgxPKvYRsY+OqoB/D//YSgODQPScXGZ1yi\n\
xyu/mAocAiEAlKIN9luYPv/V4wk7yuKT+KH65bYQKOM4XbNC/HTBp5w=\n\
-----END CERTIFICATE-----\n";
}
