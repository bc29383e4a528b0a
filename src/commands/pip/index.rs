//! Where a pip command takes packages from.

use virtpy_resolver::{ChoiceKind, PackageChoice, RequirementsFiles};

use super::call::Call;
use super::configuration::variable;
use crate::install::IndexOptions;

/// The options that say how indexes are asked.
const CONNECTION: [&str; 7] =
    ["trusted-host", "keyring-provider", "cert", "client-cert", "proxy", "timeout", "retries"];

/// The options that say where packages come from.
const SOURCES: [&str; 5] = ["index-url", "extra-index-url", "find-links", "no-binary", "only-binary"];

impl Call<'_> {
    /// Where packages come from. What is configured takes the place of the variables, which other settings may override;
    /// what was given is above all of them.
    pub(super) fn index(&self) -> IndexOptions {
        let request = self.request;
        // The files are read already.
        let mut variables = vec![("PIP_CONFIG_FILE".to_owned(), "/dev/null".to_owned())];
        for option in CONNECTION {
            if request.has(option) {
                let values = request.values(option);
                let last = values.len().saturating_sub(1);
                let counting = if option == "trusted-host" { &values[..] } else { &values[last..] };
                variables.push((variable(option), counting.join(" ")));
            }
        }
        for option in SOURCES {
            let values = request.configured(option);
            if !values.is_empty() {
                variables.push((variable(option), values.join(" ")));
            }
        }
        if !request.configured("no-index").is_empty() {
            variables.push((variable("no-index"), "1".to_owned()));
        }
        // To pip all indexes are one. Who has said otherwise is believed.
        if std::env::var_os("UV_INDEX_STRATEGY").is_none() {
            variables.push(("UV_INDEX_STRATEGY".to_owned(), "unsafe-best-match".to_owned()));
        }
        IndexOptions {
            index_url: request.given("index-url").pop(),
            extra_index_urls: request.given("extra-index-url"),
            find_links: request.given("find-links"),
            no_index: request.has("no-index"),
            offline: false,
            no_binary: request.given("no-binary"),
            only_binary: request.given("only-binary"),
            variables,
            isolated: request.has("isolated"),
        }
    }

    /// Puts what the command line says of the files and versions of packages before what requirements files say.
    pub(super) fn take_choices(&self, files: &mut RequirementsFiles) {
        let kinds = [
            ("no-binary", ChoiceKind::NoBinary),
            ("only-binary", ChoiceKind::OnlyBinary),
            ("all-releases", ChoiceKind::AllReleases),
            ("only-final", ChoiceKind::OnlyFinal),
        ];
        let choices: Vec<PackageChoice> = self
            .request
            .in_order(&kinds.map(|(option, _)| option))
            .filter_map(|(option, names)| {
                let (_, kind) = kinds.into_iter().find(|(known, _)| *known == option)?;
                Some(PackageChoice { kind, names: names.to_owned() })
            })
            .collect();
        files.options.choices.splice(0..0, choices);
    }

    /// Says where packages are looked for, if the user said so.
    pub(super) fn tell_sources(&self) {
        let request = self.request;
        let mut indexes: Vec<&str> = request.value("index-url").into_iter().collect();
        let extra = request.values("extra-index-url");
        indexes.extend(extra.iter().map(String::as_str));
        if !indexes.is_empty() && !request.has("no-index") {
            self.say(format_args!("Looking in indexes: {}", without_credentials(&indexes)));
        }
        let links = request.values("find-links");
        if !links.is_empty() {
            let links: Vec<&str> = links.iter().map(String::as_str).collect();
            self.say(format_args!("Looking in links: {}", without_credentials(&links)));
        }
    }
}

/// Addresses with the password in them hidden, as pip shows them.
fn without_credentials(addresses: &[&str]) -> String {
    let shown: Vec<String> = addresses
        .iter()
        .map(|address| match url::Url::parse(address) {
            Ok(mut url) if url.password().is_some() => {
                let _ = url.set_password(Some("****"));
                url.to_string()
            }
            Ok(mut url) if !url.username().is_empty() && url.has_host() => {
                let _ = url.set_username("****");
                url.to_string()
            }
            _ => (*address).to_owned(),
        })
        .collect();
    shown.join(", ")
}
