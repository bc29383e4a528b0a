//! The settings of the indexes and of the network, as users of pip and of its successors have them.
//!
//! The libraries underneath read none of it. [`IndexSettings::discover`] merges, from weak to strong: pip's
//! configuration files, the variables `PIP_*`, and the variables `UV_*` (many machines and CI images have
//! them already). Whoever calls puts the flags of the command line on top. Proxies (`HTTPS_PROXY`, ...),
//! `SSL_CERT_FILE`, `SSL_CERT_DIR` and `~/.netrc` are honoured when a request is made.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Error;
use crate::pip_conf::PipConfiguration;

/// How long a server may be silent if no setting says otherwise.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// How often a request is repeated after a passing failure if no setting says otherwise.
const DEFAULT_RETRIES: u32 = 3;

/// The largest pages of indexes that there are have some 50 MB.
const DEFAULT_PAGE_SIZE: u64 = 200_000_000;

/// The largest wheels that there are have some 4 GB.
const DEFAULT_FILE_SIZE: u64 = 10_000_000_000;

/// A tenth of what a slow modem does.
const DEFAULT_MIN_SPEED: u64 = 100;

/// Which indexes are asked, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each stands for a setting of its own")]
pub struct IndexSettings {
    /// The index that is asked last (the public one if none is given): a URL or a folder, possibly with
    /// `NAME=` before it.
    pub index_url: Option<String>,
    /// Whether the user named it for this call, or wants none, so that nothing else replaces it.
    pub names_index: bool,
    /// Indexes that are asked before it, in this order.
    pub extra_index_urls: Vec<String>,
    /// Indexes that are asked for packages alone that name them: `NAME=URL`.
    pub explicit_index_urls: Vec<String>,
    /// Folders of files, or pages of links to files, that are looked at besides the indexes.
    pub find_links: Vec<String>,
    /// Ask no index at all.
    pub no_index: bool,
    /// Use what is cached, and make no request.
    pub offline: bool,
    /// Take the best version that any index has, and not only what the first index with the package has.
    pub best_match: bool,
    /// Hosts (`host` or `host:port`) whose certificates are not checked.
    pub trusted_hosts: Vec<String>,
    /// Ask the program `keyring` for credentials.
    pub keyring: bool,
    /// A PEM file, or a folder of them, with the only authorities to trust.
    pub certificate: Option<PathBuf>,
    /// A PEM file with the certificate and key to show to servers.
    pub client_certificate: Option<PathBuf>,
    /// The proxy for all requests.
    pub proxy: Option<String>,
    /// How long a server may be silent.
    pub timeout: Duration,
    /// How often a request is repeated after a passing failure.
    pub retries: u32,
    /// The most bytes that a page, metadata or another text may have, unpacked.
    pub max_page_size: u64,
    /// The most bytes that a file may have.
    pub max_file_size: u64,
    /// How many bytes a second have to come at least, in each span of `timeout`.
    pub min_speed: u64,
    /// Packages that are built from source always: names, `:all:` or `:none:`.
    pub no_binary: Vec<String>,
    /// Packages that are never built from source: names, `:all:` or `:none:`.
    pub only_binary: Vec<String>,
    /// Admit pre-releases.
    pub prerelease: bool,
    /// Refuse files whose hash the requirements do not give.
    pub require_hashes: bool,
    /// Leave out what was uploaded after this time.
    pub exclude_newer: Option<String>,
}

impl Default for IndexSettings {
    fn default() -> Self {
        Self {
            index_url: None,
            names_index: false,
            extra_index_urls: Vec::new(),
            explicit_index_urls: Vec::new(),
            find_links: Vec::new(),
            no_index: false,
            offline: false,
            best_match: false,
            trusted_hosts: Vec::new(),
            keyring: false,
            certificate: None,
            client_certificate: None,
            proxy: None,
            timeout: DEFAULT_TIMEOUT,
            retries: DEFAULT_RETRIES,
            max_page_size: DEFAULT_PAGE_SIZE,
            max_file_size: DEFAULT_FILE_SIZE,
            min_speed: DEFAULT_MIN_SPEED,
            no_binary: Vec::new(),
            only_binary: Vec::new(),
            prerelease: false,
            require_hashes: false,
            exclude_newer: None,
        }
    }
}

impl IndexSettings {
    /// Reads the settings of this machine, this user and this environment.
    ///
    /// `environment` gives the value of an environment variable.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] when a configuration file cannot be parsed, or a switch or a number is none.
    pub fn discover(environment: &dyn Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let options = PipConfiguration::discover(environment, None)?;
        let mut settings = Self::default();
        settings.apply(&Source::pip(&options, environment), &PIP)?;
        settings.apply(&Source::environment(environment), &SUCCESSOR)?;
        let is_set = |name: &str| environment(name).is_some_and(|value| !value.trim().is_empty());
        if is_set("SSL_CERT_FILE") || is_set("SSL_CERT_DIR") {
            // A variable is stronger than a file of pip's; whoever makes the requests reads these two.
            if !is_set("PIP_CERT") {
                settings.certificate = None;
            }
        } else if settings.certificate.is_none() {
            // The two that the HTTP library beneath pip reads.
            settings.certificate = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"]
                .into_iter()
                .find_map(|name| environment(name).filter(|path| !path.is_empty()))
                .map(PathBuf::from);
        }
        if settings.client_certificate.is_none() {
            settings.client_certificate =
                environment("SSL_CLIENT_CERT").filter(|path| !path.is_empty()).map(PathBuf::from);
        }
        Ok(settings)
    }

    /// The index of a name. Names are the same if their credentials are in the same variables, such as `UV_INDEX_MY_CORP_PASSWORD`
    /// those of `my-corp` and `My_Corp`: whoever chooses a name chooses whose credentials an index gets.
    pub(crate) fn index_named(&self, name: &str) -> Option<&str> {
        let all = self.index_url.iter().chain(&self.extra_index_urls).chain(&self.explicit_index_urls);
        let mut named =
            all.filter_map(|index| index.split_once('=').filter(|(name, _)| !name.contains([':', '/'])));
        let url = named.find(|(known, _)| in_variables(known) == in_variables(name));
        url.map(|(_, url)| url)
    }

    fn apply(&mut self, source: &Source<'_>, names: &Names) -> Result<(), Error> {
        source.text(names.index_url, &mut self.index_url);
        source.list(names.extra_index_urls, &mut self.extra_index_urls);
        source.list(names.find_links, &mut self.find_links);
        source.switch(names.no_index, &mut self.no_index)?;
        source.switch(names.offline, &mut self.offline)?;
        source.list(names.trusted_hosts, &mut self.trusted_hosts);
        source.path(names.certificate, &mut self.certificate);
        source.path(names.client_certificate, &mut self.client_certificate);
        source.text(names.proxy, &mut self.proxy);
        if let Some(seconds) = source.number::<f64>(names.timeout)? {
            self.timeout = Duration::try_from_secs_f64(seconds)
                .map_err(|error| invalid(names.timeout[0], &seconds.to_string(), &error.to_string()))?;
        }
        if let Some(retries) = source.number(names.retries)? {
            self.retries = retries;
        }
        source.list(names.no_binary, &mut self.no_binary);
        source.list(names.only_binary, &mut self.only_binary);
        source.switch(names.require_hashes, &mut self.require_hashes)?;
        source.text(names.exclude_newer, &mut self.exclude_newer);
        if let Some((_, provider)) = source.value(names.keyring) {
            self.keyring = matches!(provider.as_str(), "subprocess" | "import");
        }
        if let Some((_, strategy)) = source.value(names.strategy) {
            self.best_match = strategy == "unsafe-best-match";
        }
        for (switch, list) in
            [(names.no_wheels, &mut self.no_binary), (names.no_builds, &mut self.only_binary)]
        {
            let mut all = false;
            source.switch(switch, &mut all)?;
            if all {
                *list = vec![":all:".to_owned()];
            }
        }
        match source.value(names.prerelease) {
            // One of the two families has a switch, the other a mode.
            Some((_, mode)) if mode == "allow" => self.prerelease = true,
            Some((_, mode))
                if matches!(mode.as_str(), "disallow" | "explicit") || mode.starts_with("if-") =>
            {
                self.prerelease = false;
            }
            Some(_) => source.switch(names.prerelease, &mut self.prerelease)?,
            None => {}
        }
        Ok(())
    }
}

/// What one family of tools calls the settings; the first name that has a value counts.
struct Names {
    index_url: &'static [&'static str],
    extra_index_urls: &'static [&'static str],
    find_links: &'static [&'static str],
    no_index: &'static [&'static str],
    offline: &'static [&'static str],
    strategy: &'static [&'static str],
    trusted_hosts: &'static [&'static str],
    keyring: &'static [&'static str],
    certificate: &'static [&'static str],
    client_certificate: &'static [&'static str],
    proxy: &'static [&'static str],
    timeout: &'static [&'static str],
    retries: &'static [&'static str],
    no_binary: &'static [&'static str],
    only_binary: &'static [&'static str],
    no_wheels: &'static [&'static str],
    no_builds: &'static [&'static str],
    prerelease: &'static [&'static str],
    require_hashes: &'static [&'static str],
    exclude_newer: &'static [&'static str],
}

const PIP: Names = Names {
    index_url: &["PIP_INDEX_URL", "PIP_PYPI_URL"],
    extra_index_urls: &["PIP_EXTRA_INDEX_URL"],
    find_links: &["PIP_FIND_LINKS"],
    no_index: &["PIP_NO_INDEX"],
    offline: &[],
    strategy: &[],
    trusted_hosts: &["PIP_TRUSTED_HOST"],
    keyring: &["PIP_KEYRING_PROVIDER"],
    certificate: &["PIP_CERT"],
    client_certificate: &["PIP_CLIENT_CERT"],
    proxy: &["PIP_PROXY"],
    timeout: &["PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"],
    retries: &["PIP_RETRIES"],
    no_binary: &["PIP_NO_BINARY"],
    only_binary: &["PIP_ONLY_BINARY"],
    no_wheels: &[],
    no_builds: &[],
    prerelease: &["PIP_PRE"],
    require_hashes: &["PIP_REQUIRE_HASHES"],
    exclude_newer: &["PIP_UPLOADED_PRIOR_TO"],
};

const SUCCESSOR: Names = Names {
    index_url: &["UV_DEFAULT_INDEX", "UV_INDEX_URL"],
    extra_index_urls: &["UV_INDEX", "UV_EXTRA_INDEX_URL"],
    find_links: &["UV_FIND_LINKS"],
    no_index: &["UV_NO_INDEX"],
    offline: &["UV_OFFLINE"],
    strategy: &["UV_INDEX_STRATEGY"],
    trusted_hosts: &["UV_INSECURE_HOST"],
    keyring: &["UV_KEYRING_PROVIDER"],
    certificate: &[],
    client_certificate: &[],
    proxy: &[],
    timeout: &["UV_HTTP_TIMEOUT", "UV_REQUEST_TIMEOUT"],
    retries: &["UV_HTTP_RETRIES"],
    no_binary: &["UV_NO_BINARY_PACKAGE"],
    only_binary: &["UV_NO_BUILD_PACKAGE"],
    no_wheels: &["UV_NO_BINARY"],
    no_builds: &["UV_NO_BUILD"],
    prerelease: &["UV_PRERELEASE"],
    require_hashes: &["UV_REQUIRE_HASHES"],
    exclude_newer: &["UV_EXCLUDE_NEWER"],
};

/// Where values come from: an environment, and for pip its configuration files beneath it.
struct Source<'a> {
    options: Option<&'a PipConfiguration>,
    environment: &'a dyn Fn(&str) -> Option<String>,
}

impl<'a> Source<'a> {
    fn pip(options: &'a PipConfiguration, environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { options: Some(options), environment }
    }

    fn environment(environment: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { options: None, environment }
    }

    /// The first value that is set, and the name it has.
    fn value(&self, names: &[&'static str]) -> Option<(&'static str, String)> {
        let set = |name: &&'static str| {
            let value = (self.environment)(name).map(|value| value.trim().to_owned())?;
            (!value.is_empty()).then_some((*name, value))
        };
        let in_files = |name: &&'static str| {
            let option = name.strip_prefix("PIP_")?.to_lowercase().replace('_', "-");
            let of = |section| self.options?.get(section, &option);
            Some((*name, of("install").or_else(|| of("global"))?.to_owned()))
        };
        names.iter().find_map(set).or_else(|| names.iter().find_map(in_files))
    }

    fn text(&self, names: &[&'static str], setting: &mut Option<String>) {
        if let Some((_, value)) = self.value(names) {
            *setting = Some(value);
        }
    }

    fn path(&self, names: &[&'static str], setting: &mut Option<PathBuf>) {
        if let Some((_, value)) = self.value(names) {
            *setting = Some(PathBuf::from(value));
        }
    }

    fn list(&self, names: &[&'static str], setting: &mut Vec<String>) {
        if let Some((_, value)) = self.value(names) {
            let separator = |character: char| character.is_whitespace() || character == ',';
            *setting =
                value.split(separator).filter(|item| !item.is_empty()).map(ToOwned::to_owned).collect();
        }
    }

    fn switch(&self, names: &[&'static str], setting: &mut bool) -> Result<(), Error> {
        if let Some((name, value)) = self.value(names) {
            *setting = match value.to_lowercase().as_str() {
                "y" | "yes" | "t" | "true" | "on" | "1" => true,
                "n" | "no" | "f" | "false" | "off" | "0" => false,
                _ => return Err(invalid(name, &value, "it is neither true nor false")),
            };
        }
        Ok(())
    }

    fn number<N: FromStr>(&self, names: &[&'static str]) -> Result<Option<N>, Error> {
        let Some((name, value)) = self.value(names) else {
            return Ok(None);
        };
        value.parse().map(Some).map_err(|_| invalid(name, &value, "it is not a number that fits"))
    }
}

fn invalid(name: &str, value: &str, reason: &str) -> Error {
    Error::Settings { setting: format!("{name}={value}"), reason: reason.to_owned() }
}

/// How the name of an index stands in the names of environment variables.
fn in_variables(name: &str) -> String {
    let letter =
        |letter: char| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' };
    name.chars().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn discover(variables: &[(&str, &str)]) -> Result<IndexSettings, Error> {
        let variables: Vec<(String, String)> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        IndexSettings::discover(&|name| {
            let own = variables.iter().find(|(variable, _)| variable == name).map(|(_, value)| value.clone());
            // The machine's own files must not change the outcome.
            own.or_else(|| (name == "PIP_CONFIG_FILE").then(|| "/dev/null".to_owned()))
        })
    }

    #[test]
    fn nothing_set_gives_the_defaults() {
        assert_eq!(discover(&[]).unwrap(), IndexSettings::default());
    }

    #[test]
    fn the_variables_of_pip_are_read() {
        let settings = discover(&[
            ("PIP_INDEX_URL", "https://index.example/simple"),
            ("PIP_EXTRA_INDEX_URL", "https://a.example https://b.example"),
            ("PIP_TRUSTED_HOST", "a.example"),
            ("PIP_NO_BINARY", "lxml,numpy"),
            ("PIP_DEFAULT_TIMEOUT", "180"),
            ("PIP_PRE", "1"),
            ("PIP_CERT", "/certs.pem"),
            ("PIP_KEYRING_PROVIDER", "subprocess"),
        ])
        .unwrap();
        assert_eq!(settings.index_url.as_deref(), Some("https://index.example/simple"));
        assert_eq!(settings.extra_index_urls, ["https://a.example", "https://b.example"]);
        assert_eq!(settings.trusted_hosts, ["a.example"]);
        assert_eq!(settings.no_binary, ["lxml", "numpy"]);
        assert_eq!(settings.timeout, Duration::from_mins(3));
        assert!(settings.prerelease && settings.keyring);
        assert_eq!(settings.certificate, Some(PathBuf::from("/certs.pem")));
    }

    #[test]
    fn the_newer_variables_win() {
        let settings = discover(&[
            ("PIP_INDEX_URL", "https://pip.example"),
            ("UV_INDEX_URL", "https://older.example"),
            ("UV_DEFAULT_INDEX", "https://default.example"),
            ("PIP_FIND_LINKS", "/pip"),
            ("UV_FIND_LINKS", "/one,/two"),
            ("PIP_PRE", "true"),
            ("UV_PRERELEASE", "disallow"),
            ("UV_NO_BUILD", "true"),
            ("UV_OFFLINE", "1"),
        ])
        .unwrap();
        assert_eq!(settings.index_url.as_deref(), Some("https://default.example"));
        assert_eq!(settings.find_links, ["/one", "/two"]);
        assert!(!settings.prerelease && settings.offline);
        assert_eq!(settings.only_binary, [":all:"]);
    }

    #[test]
    fn bundles_of_the_http_library_count_last() {
        let bundle = ("REQUESTS_CA_BUNDLE", "/bundle.pem");
        assert_eq!(discover(&[bundle]).unwrap().certificate, Some(PathBuf::from("/bundle.pem")));
        assert_eq!(discover(&[bundle, ("SSL_CERT_FILE", "/ssl.pem")]).unwrap().certificate, None);
    }

    #[test]
    fn a_bad_value_names_its_variable() {
        let error = discover(&[("PIP_NO_INDEX", "maybe")]).unwrap_err();
        assert_eq!(error.to_string(), "cannot use PIP_NO_INDEX=maybe: it is neither true nor false");
        assert!(discover(&[("PIP_TIMEOUT", "-1")]).is_err());
        assert!(discover(&[("PIP_RETRIES", "many")]).is_err());
    }
}
