//! The indexes' settings as users of pip and uv have them. The library reads none of these by itself.

use std::path::PathBuf;
use std::time::Duration;

use crate::Error;
use crate::pip_conf::PipConfiguration;

/// Where packages come from, and how to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // each stands for an option of its own
pub struct IndexSettings {
    /// The index to ask, instead of the public one.
    pub index_url: Option<String>,
    /// Indexes to ask as well, before that one.
    pub extra_index_urls: Vec<String>,
    /// Folders and pages with files.
    pub find_links: Vec<String>,
    /// Whether to ask no index at all.
    pub no_index: bool,
    /// Whether to make no connection at all.
    pub offline: bool,
    /// Hosts that may have a wrong certificate.
    pub trusted_hosts: Vec<String>,
    /// Whether to ask the `keyring` command for passwords.
    pub keyring: bool,
    /// A file of certificates to trust instead of the built-in ones.
    pub certificate: Option<PathBuf>,
    /// The proxy for everything.
    pub proxy: Option<String>,
    /// How long to wait for an answer.
    pub timeout: Duration,
    /// How often to try again.
    pub retries: u32,
    /// Packages to build from source.
    pub no_binary: Vec<String>,
    /// Packages never to build from source.
    pub only_binary: Vec<String>,
    /// Whether pre-releases are accepted.
    pub prerelease: bool,
    /// Whether every file needs a known hash.
    pub require_hashes: bool,
    /// Leave out what was uploaded later.
    pub exclude_newer: Option<String>,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self {
            index_url: None,
            extra_index_urls: Vec::new(),
            find_links: Vec::new(),
            no_index: false,
            offline: false,
            trusted_hosts: Vec::new(),
            keyring: false,
            certificate: None,
            proxy: None,
            timeout: Duration::from_secs(30),
            retries: 3,
            no_binary: Vec::new(),
            only_binary: Vec::new(),
            prerelease: false,
            require_hashes: false,
            exclude_newer: None,
        }
    }
}

impl IndexSettings {
    /// Reads pip's configuration files, then the variables of pip, then those of uv; the later speak louder.
    ///
    /// # Errors
    /// When a value is not what its option takes.
    pub fn discover(environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let variable = |name: &str| environment(name).filter(|value| !value.trim().is_empty());
        let file = PipConfiguration::read(&variable);
        let pip = |option: &str| {
            let name = format!("PIP_{}", option.to_uppercase().replace('-', "_"));
            variable(&name)
                .or_else(|| file.get(option).map(str::to_owned))
                .filter(|text| !text.trim().is_empty())
        };
        let list = |option: &str| pip(option).map(|text| words(&text)).unwrap_or_default();
        let flag = |option: &str| pip(option).map_or(Ok(false), |text| truth(option, &text));
        let mut settings = Self {
            index_url: pip("index-url"),
            extra_index_urls: list("extra-index-url"),
            find_links: list("find-links"),
            no_index: flag("no-index")?,
            trusted_hosts: list("trusted-host"),
            keyring: matches!(pip("keyring-provider").as_deref(), Some("subprocess" | "import")),
            certificate: pip("cert").map(PathBuf::from),
            proxy: pip("proxy"),
            no_binary: commas(pip("no-binary")),
            only_binary: commas(pip("only-binary")),
            prerelease: flag("pre")?,
            require_hashes: flag("require-hashes")?,
            ..Self::default()
        };
        if let Some(text) = pip("timeout").or_else(|| pip("default-timeout")) {
            settings.timeout = Duration::from_secs_f64(number("timeout", &text)?);
        }
        if let Some(text) = pip("retries") {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "checked to be a small number"
            )]
            let retries = number("retries", &text)?.min(100.0) as u32;
            settings.retries = retries;
        }
        settings.take_uv(&variable)?;
        Ok(settings)
    }

    /// What uv's variables say.
    fn take_uv(&mut self, variable: &dyn Fn(&str) -> Option<String>) -> Result<(), Error> {
        if let Some(url) = variable("UV_DEFAULT_INDEX").or_else(|| variable("UV_INDEX_URL")) {
            self.index_url = Some(url);
        }
        for name in ["UV_INDEX", "UV_EXTRA_INDEX_URL"] {
            if let Some(text) = variable(name) {
                // `name=URL` is uv's way of naming an index.
                let urls = words(&text).into_iter().map(|word| match word.split_once('=') {
                    Some((label, url)) if !label.contains(['/', ':']) => url.to_owned(),
                    _ => word,
                });
                self.extra_index_urls = urls.collect();
            }
        }
        if let Some(text) = variable("UV_FIND_LINKS") {
            self.find_links = text.split(',').map(|link| link.trim().to_owned()).collect();
        }
        if let Some(text) = variable("UV_INSECURE_HOST") {
            self.trusted_hosts = words(&text);
        }
        for (name, target) in [("UV_NO_INDEX", &mut self.no_index), ("UV_OFFLINE", &mut self.offline)] {
            if let Some(text) = variable(name) {
                *target = truth(name, &text)?;
            }
        }
        if let Some(text) = variable("UV_KEYRING_PROVIDER") {
            self.keyring = text == "subprocess";
        }
        if let Some(text) = variable("UV_HTTP_TIMEOUT") {
            self.timeout = Duration::from_secs_f64(number("UV_HTTP_TIMEOUT", &text)?);
        }
        if let Some(text) = variable("UV_EXCLUDE_NEWER") {
            self.exclude_newer = Some(text);
        }
        Ok(())
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn commas(text: Option<String>) -> Vec<String> {
    text.iter()
        .flat_map(|text| text.split([',', '\n', ' ']))
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

/// A truth value as pip's configuration writes it.
fn truth(option: &str, text: &str) -> Result<bool, Error> {
    match text.trim().to_lowercase().as_str() {
        "1" | "true" | "yes" | "on" | "y" | "t" => Ok(true),
        "0" | "false" | "no" | "off" | "n" | "f" => Ok(false),
        other => Err(Error::Settings(format!(
            "the option `{option}` is `{other}`, which is neither true nor false"
        ))),
    }
}

fn number(option: &str, text: &str) -> Result<f64, Error> {
    match text.trim().parse::<f64>() {
        Ok(value) if (0.0..1e6).contains(&value) => Ok(value),
        _ => Err(Error::Settings(format!("the option `{option}` is `{text}`, which is no number of use"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discover(variables: &[(&str, &str)]) -> Result<IndexSettings, Error> {
        IndexSettings::discover(&|name| {
            let nowhere = matches!(name, "PIP_CONFIG_FILE").then(|| "/dev/null".to_owned());
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
                .or(nowhere)
        })
    }

    #[test]
    fn the_variables_of_uv_speak_louder_than_those_of_pip() {
        let settings = discover(&[
            ("PIP_INDEX_URL", "http://pip/"),
            ("PIP_EXTRA_INDEX_URL", "http://a/ http://b/"),
            ("PIP_NO_BINARY", "one,two"),
            ("PIP_TIMEOUT", "7"),
            ("UV_DEFAULT_INDEX", "http://uv/"),
        ])
        .unwrap();
        assert_eq!(settings.index_url.as_deref(), Some("http://uv/"));
        assert_eq!(settings.extra_index_urls, ["http://a/", "http://b/"]);
        assert_eq!(settings.no_binary, ["one", "two"]);
        assert_eq!(settings.timeout, Duration::from_secs(7));
        let named = discover(&[("UV_INDEX", "mine=http://mine/?a=b http://plain/?c=d")]).unwrap();
        assert_eq!(named.extra_index_urls, ["http://mine/?a=b", "http://plain/?c=d"]);
    }

    #[test]
    fn a_value_that_makes_no_sense_is_named() {
        let error = discover(&[("PIP_NO_INDEX", "perhaps")]).unwrap_err();
        assert!(error.to_string().contains("no-index"), "{error}");
        assert_eq!(discover(&[("PIP_NO_INDEX", "")]).unwrap(), IndexSettings::default());
    }

    #[test]
    fn files_are_read_in_the_order_of_pip() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".config/pip");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("pip.conf"), "[global]\nindex-url = http://file/\nretries = 9\n").unwrap();
        let environment = |name: &str| match name {
            "HOME" => Some(home.path().display().to_string()),
            "XDG_CONFIG_DIRS" => Some("/nonexistent".to_owned()),
            "PIP_RETRIES" => Some("1".to_owned()),
            _ => None,
        };
        let settings = IndexSettings::discover(&environment).unwrap();
        assert_eq!((settings.index_url.as_deref(), settings.retries), (Some("http://file/"), 1));
    }
}
