//! All that resolving, building and fetching share for one request: the client, the indexes, the
//! interpreter, and the state that the libraries underneath keep.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Mutex;

use uv_cache::Cache;
use uv_client::{FlatIndexClient, RegistryClient};
use uv_configuration::{BuildOptions, Concurrency, Constraints, IndexStrategy, NoSources};
use uv_dispatch::{BuildDispatch, SharedState};
use uv_distribution::DistributionDatabase;
use uv_distribution_types::{
    ConfigSettings, DependencyMetadata, Dist, ExtraBuildRequires, ExtraBuildVariables, HashPolicy, Index,
    IndexLocations, PackageConfigSettings,
};
use uv_normalize::PackageName;
use uv_platform_tags::Tags;
use uv_preview::Preview;
use uv_python::{Interpreter, PythonEnvironment};
use uv_resolver::{ExcludeNewer, FlatIndex};
use uv_types::{BuildIsolation, HashStrategy, SourceTreeEditablePolicy};
use uv_workspace::WorkspaceCache;
use virtpy_pep::InterpreterTags;

use crate::archives::Unpacked;
use crate::client::ClientFactory;
use crate::demanded::NamedHashes;
use crate::error::{Cause, Error};
use crate::failure::from_flat_index;
use crate::local_wheels::Candidates;
use crate::pages::ConsultedPages;
use crate::runtime::Runtime;

/// The choices that a request makes for everything done for it.
pub(crate) struct Choices {
    pub(crate) build_options: BuildOptions,
    pub(crate) exclude_newer: ExcludeNewer,
    pub(crate) index_strategy: IndexStrategy,
    /// Whether wheels for other platforms count as well.
    pub(crate) every_platform: bool,
    pub(crate) build_settings: ConfigSettings,
    /// Settings for the builds of single packages.
    pub(crate) package_settings: Option<PackageConfigSettings>,
    /// Where packages are built, if not each in an environment of its own.
    pub(crate) build_environment: Option<PythonEnvironment>,
    /// What limits the versions in environments that are made for builds.
    pub(crate) build_constraints: Constraints,
}

impl Choices {
    /// Whether a source decides alone about the wheel that is built from it.
    pub(crate) fn build_as_usual(&self) -> bool {
        self.build_settings == ConfigSettings::default()
            && self.package_settings.is_none()
            && self.build_environment.is_none()
            && self.build_constraints.requirements().next().is_none()
    }
}

/// What one request works with.
pub(crate) struct Context {
    pub(crate) cache: Cache,
    pub(crate) interpreter: Interpreter,
    /// Which wheels that takes, and saying so.
    pub(crate) wheels: InterpreterTags,
    pub(crate) client: RegistryClient,
    pub(crate) indexes: IndexLocations,
    pub(crate) flat_index: FlatIndex,
    pub(crate) state: SharedState,
    pub(crate) hasher: HashStrategy,
    /// What it does not know: the hashes that are demanded by name.
    pub(crate) named_hashes: NamedHashes,
    pub(crate) choices: Choices,
    pub(crate) concurrency: Concurrency,
    /// The archives of the request that were unpacked.
    pub(crate) archives: Vec<Unpacked>,
    /// What the solver looked at.
    pub(crate) consulted: Mutex<ConsultedPages>,
    /// What the caller has of wheels.
    pub(crate) local_wheels: Candidates,
    /// What need not be asked for again.
    pub(crate) settled: Option<Settled>,
    defaults: Defaults,
}

/// Packages of which the cache's pages will do, and a client that looks only there.
pub(crate) struct Settled {
    pub(crate) names: BTreeSet<PackageName>,
    client: RegistryClient,
}

/// Settings of builds that virtpy leaves as they are; builds borrow them.
#[derive(Default)]
struct Defaults {
    dependency_metadata: DependencyMetadata,
    package_config_settings: PackageConfigSettings,
    extra_build_requires: ExtraBuildRequires,
    extra_build_variables: ExtraBuildVariables,
    hasher: HashStrategy,
    workspace_cache: WorkspaceCache,
}

impl Context {
    /// Makes the client and reads the `--find-links` locations.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`] for a location that cannot be read, [`Error::Network`] when no client can be
    /// made.
    pub(crate) async fn new(
        runtime: &Runtime,
        network: &ClientFactory,
        indexes: IndexLocations,
        hasher: HashStrategy,
        choices: Choices,
    ) -> Result<Self, Error> {
        let client = network.registry(&indexes)?;
        let mut context = Self {
            cache: runtime.cache.clone(),
            interpreter: runtime.interpreter.clone(),
            wheels: runtime.tags.clone(),
            client,
            indexes,
            flat_index: FlatIndex::default(),
            state: SharedState::default(),
            hasher,
            named_hashes: NamedHashes::default(),
            choices,
            concurrency: Concurrency::default(),
            archives: Vec::new(),
            consulted: Mutex::default(),
            local_wheels: Candidates::default(),
            settled: None,
            defaults: Defaults::default(),
        };
        if !context.indexes.is_none() {
            context.flat_index = context.read_flat_index().await?;
        }
        Ok(context)
    }

    /// Has the cache's pages do for some packages. Where several indexes may have a name, the cache may not know all that there is, so
    /// everything is asked for. What `--find-links` names was read whole by now.
    ///
    /// # Errors
    ///
    /// [`Error::Network`] when no client can be made.
    pub(crate) fn settle(
        &mut self,
        network: &ClientFactory,
        names: BTreeSet<PackageName>,
    ) -> Result<(), Error> {
        let is_one = self.indexes.fetch_indexes().count() == 1;
        if is_one && !names.is_empty() {
            let client = network.offline().registry(&self.indexes)?;
            self.settled = Some(Settled { names, client });
        }
        Ok(())
    }

    /// Whether the first index that has a name decides about it, and not the best version of all.
    pub(crate) fn first_index_decides(&self) -> bool {
        self.choices.index_strategy == IndexStrategy::FirstIndex
    }

    async fn read_flat_index(&self) -> Result<FlatIndex, Error> {
        let entries =
            FlatIndexClient::new(self.client.cached_client(), self.client.connectivity(), &self.cache)
                .fetch_all(self.indexes.flat_indexes().map(Index::url))
                .await
                .map_err(|error| from_flat_index(&error))?;
        let tags = if self.choices.every_platform { None } else { Some(self.tags()?) };
        Ok(FlatIndex::from_entries(entries, tags, &self.hasher, &self.choices.build_options))
    }

    /// The tags of wheels that the interpreter takes, the best first.
    ///
    /// # Errors
    ///
    /// [`Error::Python`] when they cannot be derived from what the interpreter says of itself.
    pub(crate) fn tags(&self) -> Result<&Tags, Error> {
        self.interpreter.tags().map_err(|error| Error::Python {
            python: self.interpreter.sys_executable().to_owned(),
            cause: Cause::from_error(&error),
        })
    }

    /// The archive that was unpacked to a folder.
    pub(crate) fn archive_of(&self, folder: &Path) -> Option<&Unpacked> {
        self.archives.iter().find(|archive| archive.folder == folder)
    }

    /// The hashes that are demanded of a distribution's file.
    pub(crate) fn demanded(&self, dist: &Dist) -> HashPolicy<'_> {
        self.named_hashes.policy(&self.hasher, dist)
    }

    /// What makes the environments that sources are built in, and runs the build backends.
    #[expect(clippy::default_trait_access, reason = "naming the type would take one more of the libraries")]
    pub(crate) fn dispatch(&self) -> BuildDispatch<'_> {
        let defaults = &self.defaults;
        BuildDispatch::new(
            &self.client,
            &self.cache,
            &self.choices.build_constraints,
            &self.interpreter,
            &self.indexes,
            &self.flat_index,
            &defaults.dependency_metadata,
            self.state.clone(),
            self.choices.index_strategy,
            &self.choices.build_settings,
            self.choices.package_settings.as_ref().unwrap_or(&defaults.package_config_settings),
            self.choices.build_environment.as_ref().map_or(BuildIsolation::Isolated, BuildIsolation::Shared),
            &defaults.extra_build_requires,
            &defaults.extra_build_variables,
            // How build environments are filled: the default falls back to what the disk can do.
            Default::default(),
            &self.choices.build_options,
            &defaults.hasher,
            self.choices.exclude_newer.clone(),
            NoSources::All,
            SourceTreeEditablePolicy::Tool,
            defaults.workspace_cache.clone(),
            self.concurrency.clone(),
            Preview::default(),
        )
    }

    /// What gets the metadata of packages from the cache alone, where that is to do.
    pub(crate) fn cached_database<'a>(
        &'a self,
        dispatch: &'a BuildDispatch<'a>,
    ) -> Option<DistributionDatabase<'a, BuildDispatch<'a>>> {
        let client = &self.settled.as_ref()?.client;
        Some(DistributionDatabase::new(client, dispatch, self.concurrency.downloads_semaphore.clone()))
    }

    /// What gets the metadata of packages, from the indexes, the cache or a build.
    pub(crate) fn database<'a>(
        &'a self,
        dispatch: &'a BuildDispatch<'a>,
    ) -> DistributionDatabase<'a, BuildDispatch<'a>> {
        DistributionDatabase::new(&self.client, dispatch, self.concurrency.downloads_semaphore.clone())
    }
}
