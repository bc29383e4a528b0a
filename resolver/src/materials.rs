//! Everything that the library borrows while it works: the cache, the interpreter, the client, the indexes.

use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use http::header::USER_AGENT;
use reqwest_middleware::{Middleware, Next};
use uv_cache::Cache;
use uv_client::{
    BaseClientBuilder, Certificates, Connectivity, ExtraMiddleware, FlatIndexClient, RegistryClient,
    RegistryClientBuilder,
};
use uv_configuration::{
    BuildOptions, Concurrency, Constraints, KeyringProviderType, NoBinary, NoBuild, NoSources,
    PackageNameSpecifier, ProxyUrl, TrustedHost,
};
use uv_dispatch::{BuildDispatch, SharedState};
use uv_distribution::DistributionDatabase;
use uv_distribution_types::{
    ConfigSettings, DependencyMetadata, ExcludeNewerValue, ExtraBuildRequires, ExtraBuildVariables, Index,
    IndexLocations, IndexUrl, PackageConfigSettings,
};
use uv_preview::Preview;
use uv_python::Interpreter;
use uv_resolver::{ExcludeNewer, FlatIndex};
use uv_types::{BuildIsolation, HashStrategy, SourceTreeEditablePolicy};
use uv_workspace::WorkspaceCache;

use crate::error::Story;
use crate::request::Options;
use crate::{Error, IndexSettings, SessionOptions};

/// What the library's objects borrow from. Made once for a resolution or a batch of downloads.
pub(crate) struct Materials {
    pub(crate) cache: Cache,
    pub(crate) interpreter: Interpreter,
    pub(crate) client: RegistryClient,
    pub(crate) locations: IndexLocations,
    pub(crate) flat_index: FlatIndex,
    pub(crate) build_options: BuildOptions,
    pub(crate) exclude_newer: ExcludeNewer,
    pub(crate) state: SharedState,
    pub(crate) concurrency: Concurrency,
    build_hasher: HashStrategy,
    build_constraints: Constraints,
    dependency_metadata: DependencyMetadata,
    config_settings: ConfigSettings,
    config_settings_package: PackageConfigSettings,
    extra_build_requires: ExtraBuildRequires,
    extra_build_variables: ExtraBuildVariables,
}

/// Index settings and build options that come from requirements files.
#[derive(Default)]
pub(crate) struct FileSettings {
    pub(crate) index_url: Option<IndexUrl>,
    pub(crate) extra_index_urls: Vec<IndexUrl>,
    pub(crate) find_links: Vec<IndexUrl>,
    pub(crate) no_index: bool,
    pub(crate) no_binary: NoBinary,
    pub(crate) no_build: NoBuild,
}

impl Materials {
    pub(crate) async fn gather(
        session: &SessionOptions,
        client_builder: &BaseClientBuilder<'_>,
        options: &Options,
        from_files: FileSettings,
    ) -> Result<Self, Error> {
        let cache = open_cache(&session.cache_dir).await?;
        let interpreter = query(&session.python, &cache)?;
        let build_options =
            build_options(options)?.combine(from_files.no_binary.clone(), from_files.no_build.clone());
        let locations = locations(&session.settings, options, from_files)?;
        let client = RegistryClientBuilder::new(client_builder.clone(), cache.clone())
            .index_locations(locations.clone())
            .markers(interpreter.markers())
            .platform(interpreter.platform())
            .build()
            .map_err(|error| Error::Settings(Story::of(&error).to_string()))?;
        let flat_index = flat_index(&client, &cache, &interpreter, &locations, &build_options).await?;
        Ok(Self {
            cache,
            interpreter,
            client,
            locations,
            flat_index,
            build_options,
            exclude_newer: exclude_newer(options.exclude_newer.as_deref())?,
            state: SharedState::default(),
            concurrency: Concurrency::default(),
            build_hasher: HashStrategy::None,
            build_constraints: Constraints::default(),
            dependency_metadata: DependencyMetadata::default(),
            config_settings: ConfigSettings::default(),
            config_settings_package: PackageConfigSettings::default(),
            extra_build_requires: ExtraBuildRequires::default(),
            extra_build_variables: ExtraBuildVariables::default(),
        })
    }

    /// What builds sources and reads their metadata.
    pub(crate) fn dispatch(&self) -> BuildDispatch<'_> {
        BuildDispatch::new(
            &self.client,
            &self.cache,
            &self.build_constraints,
            &self.interpreter,
            &self.locations,
            &self.flat_index,
            &self.dependency_metadata,
            self.state.clone(),
            uv_configuration::IndexStrategy::default(),
            &self.config_settings,
            &self.config_settings_package,
            BuildIsolation::Isolated,
            &self.extra_build_requires,
            &self.extra_build_variables,
            uv_install_wheel::LinkMode::default(),
            &self.build_options,
            &self.build_hasher,
            self.exclude_newer.clone(),
            NoSources::All,
            SourceTreeEditablePolicy::Tool,
            WorkspaceCache::default(),
            self.concurrency.clone(),
            Preview::default(),
        )
    }

    /// What fetches metadata.
    pub(crate) fn database<'a>(
        &'a self,
        dispatch: &'a BuildDispatch<'a>,
    ) -> DistributionDatabase<'a, BuildDispatch<'a>> {
        DistributionDatabase::new(&self.client, dispatch, self.concurrency.downloads_semaphore.clone())
    }
}

async fn open_cache(folder: &Path) -> Result<Cache, Error> {
    Cache::from_path(folder)
        .init()
        .await
        .map_err(|error| Error::File(format!("the cache `{}` cannot be used: {error}", folder.display())))
}

fn query(python: &Path, cache: &Cache) -> Result<Interpreter, Error> {
    Interpreter::query(python, cache).map_err(|error| Error::Interpreter {
        interpreter: python.display().to_string(),
        source: Story::of(&error),
    })
}

/// Presents virtpy to indexes under its own name.
struct Presents(HeaderValue);

#[async_trait::async_trait]
impl Middleware for Presents {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut http::Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        request.headers_mut().insert(USER_AGENT, self.0.clone());
        next.run(request, extensions).await
    }
}

/// How connections are made. Certificates are read only where one may be made: parsing a system's bundle costs
/// more than a whole resolution from the cache.
pub(crate) fn client_builder(session: &SessionOptions) -> Result<BaseClientBuilder<'static>, Error> {
    let settings = &session.settings;
    let connectivity = if settings.offline { Connectivity::Offline } else { Connectivity::Online };
    let trusted = settings
        .trusted_hosts
        .iter()
        .map(|host| {
            TrustedHost::from_str(host).map_err(|error| Error::Settings(format!("`{host}`: {error}")))
        })
        .collect::<Result<Vec<_>, _>>()?;
    let connect_timeout = settings.timeout.min(Duration::from_secs(10));
    let mut builder = BaseClientBuilder::new(
        connectivity,
        false,
        trusted,
        Preview::default(),
        settings.timeout,
        connect_timeout,
        settings.retries,
    );
    if !settings.offline {
        let certificates = match &settings.certificate {
            Some(path) => Some(Certificates::from_file(path).map_err(|error| {
                Error::Settings(format!("the certificates in `{}` cannot be used: {error}", path.display()))
            })?),
            None => Certificates::from_env(),
        };
        if let Some(certificates) = certificates {
            builder = builder.custom_certificates(certificates);
        }
    }
    if settings.keyring {
        builder = builder.keyring(KeyringProviderType::Subprocess);
    }
    if let Some(proxy) = &settings.proxy {
        let proxy = ProxyUrl::from_str(proxy)
            .map_err(|error| Error::Settings(format!("the proxy `{proxy}` cannot be used: {error}")))?;
        builder = builder.http_proxy(Some(proxy.clone())).https_proxy(Some(proxy));
    }
    let name =
        HeaderValue::from_str(&session.user_agent).map_err(|error| Error::Settings(error.to_string()))?;
    Ok(builder.extra_middleware(ExtraMiddleware(vec![Arc::new(Presents(name))])))
}

/// The indexes in the order in which they are asked: those of the files and the extra ones before the main one.
fn locations(
    settings: &IndexSettings,
    options: &Options,
    from_files: FileSettings,
) -> Result<IndexLocations, Error> {
    let parse = |text: &String| {
        IndexUrl::parse(text, Some(&options.working_directory))
            .map_err(|error| Error::Settings(format!("the index `{text}` cannot be used: {error}")))
    };
    let mut indexes = Vec::new();
    for url in settings.extra_index_urls.iter().map(parse) {
        indexes.push(Index::from_extra_index_url(url?));
    }
    indexes.extend(from_files.extra_index_urls.into_iter().map(Index::from_extra_index_url));
    if let Some(url) = from_files.index_url {
        indexes.push(Index::from_index_url(url));
    } else if let Some(url) = &settings.index_url {
        indexes.push(Index::from_index_url(parse(url)?));
    }
    let mut flat = Vec::new();
    for link in &settings.find_links {
        // A configured folder that does not exist is no reason to fail: pip only warns.
        let is_url = link.contains("://");
        if is_url || options.working_directory.join(link).exists() {
            flat.push(Index::from_find_links(parse(link)?));
        }
    }
    flat.extend(from_files.find_links.into_iter().map(Index::from_find_links));
    Ok(IndexLocations::new(indexes, flat, settings.no_index || from_files.no_index))
}

/// The files of the find-links folders and pages.
async fn flat_index(
    client: &RegistryClient,
    cache: &Cache,
    interpreter: &Interpreter,
    locations: &IndexLocations,
    build_options: &BuildOptions,
) -> Result<FlatIndex, Error> {
    let flat_client = FlatIndexClient::new(client.cached_client(), client.connectivity(), cache);
    let entries = flat_client.fetch_all(locations.flat_indexes().map(Index::url)).await.map_err(|error| {
        Error::Network { message: "a find-links place cannot be read".to_owned(), source: Story::of(&error) }
    })?;
    let tags = interpreter.tags().map_err(|error| Error::Interpreter {
        interpreter: interpreter.sys_executable().display().to_string(),
        source: Story::of(&error),
    })?;
    let hasher = HashStrategy::None;
    Ok(FlatIndex::from_entries(entries, Some(tags), &hasher, build_options))
}

fn build_options(options: &Options) -> Result<BuildOptions, Error> {
    let names = |texts: &[String]| {
        texts
            .iter()
            .map(|text| {
                PackageNameSpecifier::from_str(text)
                    .map_err(|error| Error::Settings(format!("`{text}`: {error}")))
            })
            .collect::<Result<Vec<_>, _>>()
    };
    let no_binary = NoBinary::from_pip_args(names(&options.no_binary)?);
    let no_build = NoBuild::from_pip_args(names(&options.only_binary)?, false);
    Ok(BuildOptions::new(no_binary, no_build))
}

/// Whether a text is a date that files can be compared with: RFC 3339, `YYYY-MM-DD`, or a span of time.
///
/// # Errors
/// When it is not, with what is wrong about it.
pub fn check_date(text: &str) -> Result<(), Error> {
    exclude_newer(Some(text)).map(|_| ())
}

fn exclude_newer(date: Option<&str>) -> Result<ExcludeNewer, Error> {
    let Some(date) = date else {
        return Ok(ExcludeNewer::default());
    };
    let value = ExcludeNewerValue::from_str(date)
        .map_err(|error| Error::Settings(format!("`{date}` is no date to compare with: {error}")))?;
    Ok(ExcludeNewer::global(value))
}

/// A path as the user may have given it, absolute.
pub(crate) fn absolute(options: &Options, path: &Path) -> PathBuf {
    options.working_directory.join(path)
}
