//! Where a remote is: a URL without anything secret in it.

use std::fmt;

use url::{Host, Url};

use crate::Error;

/// How a remote is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// S3 and what speaks as it does.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure's blobs.
    Azure,
    /// Plain HTTP, which is only read.
    Http,
    /// A directory.
    File,
}

/// Where a remote is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(crate) url: Url,
    pub(crate) scheme: Scheme,
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.url.as_str().trim_end_matches('/'))
    }
}

impl Address {
    /// Reads an address. One that begins with `http:` has to be of this machine, unless `plain_http` is said.
    ///
    /// # Errors
    /// When it is none, is of an unknown kind, or has a password, a query or a fragment in it.
    pub fn parse(text: &str, plain_http: bool) -> Result<Self, Error> {
        let wrong = |reason: String| Error::Setting { name: "url", reason };
        let url = Url::parse(text.trim())
            .map_err(|error| wrong(format!("`{}` is not a URL ({error})", without_secrets(text))))?;
        let is_local = url.host().is_none() || url.host_str() == Some("localhost");
        let scheme = match url.scheme() {
            "s3" => Scheme::S3,
            "gs" => Scheme::Gcs,
            "az" => Scheme::Azure,
            "https" => Scheme::Http,
            "http" if plain_http || is_loopback(&url) => Scheme::Http,
            "http" => {
                return Err(wrong(
                    "`http://` is taken of this machine only; use `https://`, or set `remote.allow-http`"
                        .to_owned(),
                ));
            }
            "file" if is_local => Scheme::File,
            other => {
                return Err(wrong(format!(
                    "`{other}://` is none of `s3://`, `gs://`, `az://`, `https://` and `file://`"
                )));
            }
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(
                "an address has no user and no password in it; the environment has them".to_owned(),
            ));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("an address has no `?` and no `#`".to_owned()));
        }
        if scheme != Scheme::File && url.host_str().is_none_or(str::is_empty) {
            return Err(wrong(format!("`{text}` names no bucket and no host")));
        }
        Ok(Self { url, scheme })
    }

    /// Whether objects can be put there at all.
    pub fn is_writable(&self) -> bool {
        self.scheme != Scheme::Http
    }
}

/// Whether a URL is of this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A text that was to be an address, as it may be shown.
fn without_secrets(text: &str) -> &str {
    if text.contains('@') { "(hidden)" } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_apart() {
        for (text, scheme) in [
            ("s3://bucket/a/b", Scheme::S3),
            ("gs://bucket", Scheme::Gcs),
            ("az://container/x", Scheme::Azure),
            ("https://h.example/wheels", Scheme::Http),
            ("http://127.0.0.1:8080/x", Scheme::Http),
            ("http://[::1]:8080", Scheme::Http),
            ("http://localhost", Scheme::Http),
            ("file:///srv/remote", Scheme::File),
        ] {
            let address = Address::parse(text, false).unwrap();
            assert_eq!((address.scheme, address.to_string().as_str()), (scheme, text));
        }
        assert!(Address::parse("http://h.example/", true).is_ok());
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "bucket",
            "ftp://h.example",
            "http://h.example",
            "http://127.0.0.1.h.example",
            "s3://",
            "s3:///x",
            "file://other.example/x",
            "s3://bucket?versionId=1",
            "https://h.example/#a",
        ] {
            assert!(Address::parse(text, false).is_err(), "{text}");
        }
        let error = Address::parse("https://user:secret@h.example/", false).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
        let error = Address::parse("user:secret@h example", false).unwrap_err().to_string();
        assert!(!error.contains("secret"), "{error}");
    }
}
