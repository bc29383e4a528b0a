//! From requirements to a set of packages that fit together.

use std::collections::BTreeSet;
use std::str::FromStr;

use uv_client::BaseClientBuilder;
use uv_configuration::{Constraints, Excludes, ExtrasSpecification, HashCheckingMode, Overrides};
use uv_dispatch::BuildDispatch;
use uv_distribution_types::{
    Diagnostic as _, HashGeneration, Requirement, Resolution as LibraryResolution, UnresolvedRequirement,
};
use uv_normalize::PackageName;
use uv_requirements::{
    LookaheadResolver, NamedRequirementsResolver, RequirementsSource, RequirementsSpecification,
    SourceTreeResolver,
};
use uv_requirements_txt::{RequirementEntry, RequirementsTxtRequirement};
use uv_resolver::{
    DependencyMode, Exclusions, Flexibility, Manifest, OptionsBuilder, Preference, Preferences, Prerelease,
    PrereleaseMode, PythonRequirement, Resolver, ResolverEnvironment,
};
use uv_types::{EmptyInstalledPackages, HashStrategy};

use crate::error::Story;
use crate::materials::{FileSettings, Materials, absolute, client_builder};
use crate::reword::reword;
use crate::{Error, Input, Options, Request, Resolution, SessionOptions, package};

pub(crate) async fn resolve(session: &SessionOptions, request: &Request) -> Result<Resolution, Error> {
    let options = &request.options;
    let builder = client_builder(session)?;
    let mut specification = read(request, &builder).await?;
    let from_files = FileSettings {
        index_url: specification.index_url.take(),
        extra_index_urls: std::mem::take(&mut specification.extra_index_urls),
        find_links: std::mem::take(&mut specification.find_links),
        no_index: specification.no_index,
        no_binary: std::mem::take(&mut specification.no_binary),
        no_build: std::mem::take(&mut specification.no_build),
    };
    let materials = Materials::gather(session, &builder, options, from_files).await?;
    let dispatch = materials.dispatch();
    let question = Question { session, options, materials: &materials, dispatch: &dispatch };
    question.answer(specification, &request.installed).await
}

/// Reads what the user gave, and the files that it names.
async fn read(
    request: &Request,
    builder: &BaseClientBuilder<'_>,
) -> Result<RequirementsSpecification, Error> {
    let unreadable = |error: anyhow::Error| Error::Requirements(Story::of_any(&error).to_string());
    let mut sources = Vec::with_capacity(request.requirements.len());
    for input in &request.requirements {
        let source = match input {
            Input::Requirement(text) => RequirementsSource::from_package(text),
            Input::Editable(text) => RequirementsSource::from_editable(text),
            Input::RequirementsFile(path) => {
                RequirementsSource::from_requirements_file(absolute(&request.options, path))
            }
        };
        sources.push(source.map_err(unreadable)?);
    }
    let constraints = request
        .constraints
        .iter()
        .map(|path| RequirementsSource::from_constraints_txt(absolute(&request.options, path)))
        .collect::<Result<Vec<_>, _>>()
        .map_err(unreadable)?;
    RequirementsSpecification::from_sources(&sources, &constraints, &[], &[], None, builder)
        .await
        .map_err(unreadable)
}

/// A resolution under way.
struct Question<'a> {
    session: &'a SessionOptions,
    options: &'a Options,
    materials: &'a Materials,
    dispatch: &'a BuildDispatch<'a>,
}

impl Question<'_> {
    async fn answer(
        &self,
        specification: RequirementsSpecification,
        installed: &[(String, String)],
    ) -> Result<Resolution, Error> {
        let interpreter = &self.materials.interpreter;
        let environment = ResolverEnvironment::specific(interpreter.to_resolver_marker_environment());
        let hasher = self.hash_strategy(&specification)?;
        let requirements = self.named(&specification, &hasher).await?;
        let requested: BTreeSet<PackageName> =
            requirements.iter().map(|requirement| requirement.name.clone()).collect();
        let constraints = Constraints::from_requirements(
            specification.constraints.iter().map(|constraint| constraint.requirement.clone()),
        );
        let hasher = hasher
            .augment_with_requirements(requirements.iter())
            .map_err(|error| Error::Requirements(Story::of(&error).to_string()))?;
        let (lookaheads, hasher) = if self.options.no_deps {
            (Vec::new(), hasher)
        } else {
            LookaheadResolver::new(
                &requirements,
                &constraints,
                &Overrides::default(),
                &Excludes::default(),
                &hasher,
                self.materials.state.index(),
                self.materials.database(self.dispatch),
            )
            .resolve(&environment)
            .await
            .map_err(|error| self.requirement_error(&error))?
        };
        let manifest = Manifest::new(
            requirements,
            constraints,
            Overrides::default(),
            Excludes::default(),
            self.preferences(installed, &environment),
            None,
            BTreeSet::new(),
            Exclusions::default(),
            lookaheads,
        );
        let resolution = self.run(manifest, environment, &hasher).await?;
        self.translate(&resolution, &requested, &hasher)
    }

    async fn run(
        &self,
        manifest: Manifest,
        environment: ResolverEnvironment,
        hasher: &HashStrategy,
    ) -> Result<LibraryResolution, Error> {
        let materials = self.materials;
        let mode = if self.options.prerelease { PrereleaseMode::Allow } else { PrereleaseMode::IfNecessary };
        let dependencies =
            if self.options.no_deps { DependencyMode::Direct } else { DependencyMode::Transitive };
        let options = OptionsBuilder::new()
            .prerelease(Prerelease { global: mode, ..Prerelease::default() })
            .dependency_mode(dependencies)
            .exclude_newer(materials.exclude_newer.clone())
            .flexibility(Flexibility::Fixed)
            .build_options(materials.build_options.clone())
            .build();
        let interpreter = &materials.interpreter;
        let tags = interpreter.tags().map_err(|error| Error::Interpreter {
            interpreter: interpreter.sys_executable().display().to_string(),
            source: Story::of(&error),
        })?;
        let python = PythonRequirement::from_interpreter(interpreter);
        let offline = self.session.settings.offline;
        let resolver = Resolver::new(
            manifest,
            options,
            &python,
            environment,
            interpreter.markers(),
            uv_pypi_types::Conflicts::empty(),
            Some(tags),
            &materials.flat_index,
            materials.state.index(),
            hasher,
            self.dispatch,
            EmptyInstalledPackages,
            materials.database(self.dispatch),
        )
        .map_err(|error| Error::of_resolve(error, offline))?;
        let output = resolver.resolve().await.map_err(|error| Error::of_resolve(error, offline))?;
        Ok(LibraryResolution::from(output))
    }

    /// How hashes are treated: demanded, checked where the requirements give them, or taken from the index.
    fn hash_strategy(&self, specification: &RequirementsSpecification) -> Result<HashStrategy, Error> {
        let given = specification.requirements.iter().any(|entry| !entry.hashes.is_empty());
        let mode = if self.options.require_hashes || specification.require_hashes {
            HashCheckingMode::Require
        } else if given {
            HashCheckingMode::Verify
        } else {
            return Ok(HashStrategy::Generate(HashGeneration::Url));
        };
        let markers = self.materials.interpreter.to_resolver_marker_environment();
        HashStrategy::from_requirements(
            specification.requirements.iter().map(|entry| (&entry.requirement, entry.hashes.as_slice())),
            specification.constraints.iter().map(|entry| (&entry.requirement, entry.hashes.as_slice())),
            Some(&markers),
            mode,
        )
        .map_err(|error| Error::Requirements(Story::of(&error).to_string()))
    }

    /// Every requirement with its name; that of a path or a URL is found by looking into it.
    async fn named(
        &self,
        specification: &RequirementsSpecification,
        hasher: &HashStrategy,
    ) -> Result<Vec<Requirement>, Error> {
        let mut requirements = Vec::new();
        let mut unnamed = Vec::new();
        for entry in specification.requirements.iter().map(|entry| &entry.requirement) {
            match entry {
                UnresolvedRequirement::Named(requirement) => requirements.push(requirement.clone()),
                UnresolvedRequirement::Unnamed(requirement) => unnamed.push(requirement.clone()),
            }
        }
        let index = self.materials.state.index();
        if !unnamed.is_empty() {
            let database = self.materials.database(self.dispatch);
            let found = NamedRequirementsResolver::new(hasher, index, database)
                .resolve(unnamed.into_iter())
                .await
                .map_err(|error| self.requirement_error(&error))?;
            requirements.extend(found);
        }
        if !specification.source_trees.is_empty() {
            let extras = ExtrasSpecification::default();
            let database = self.materials.database(self.dispatch);
            let trees = SourceTreeResolver::new(&extras, hasher, index, database)
                .resolve(specification.source_trees.iter())
                .await
                .map_err(|error| Error::Requirements(Story::of_any(&error).to_string()))?;
            for tree in trees {
                requirements.extend(tree.into_requirements());
            }
        }
        Ok(requirements)
    }

    /// What is installed is kept where nothing speaks against it.
    fn preferences(&self, installed: &[(String, String)], environment: &ResolverEnvironment) -> Preferences {
        if self.options.upgrade {
            return Preferences::default();
        }
        let pinned = installed
            .iter()
            .filter(|(name, _)| !self.options.upgrade_packages.contains(name))
            .filter_map(|(name, version)| {
                let requirement = uv_pep508::Requirement::from_str(&format!("{name}=={version}")).ok()?;
                let entry = RequirementEntry {
                    requirement: RequirementsTxtRequirement::Named(requirement),
                    hashes: Vec::new(),
                };
                Preference::from_entry(entry).ok().flatten()
            });
        Preferences::from_iter(pinned, environment)
    }

    fn requirement_error(&self, error: &(dyn std::error::Error + 'static)) -> Error {
        let source = Story::of(error);
        let text = source.to_string();
        if self.session.settings.offline && text.contains("offline") {
            return Error::Offline { message: text.lines().next().unwrap_or_default().to_owned() };
        }
        if text.contains("build") {
            let package = text.split('`').nth(1).unwrap_or("the source").to_owned();
            return Error::Build { package, source };
        }
        Error::Network { message: "a requirement cannot be looked into".to_owned(), source }
    }

    /// The library's answer as plain data.
    fn translate(
        &self,
        resolution: &LibraryResolution,
        requested: &BTreeSet<PackageName>,
        hasher: &HashStrategy,
    ) -> Result<Resolution, Error> {
        let warnings =
            resolution.diagnostics().iter().map(|diagnostic| reword(&diagnostic.message())).collect();
        let git = self.materials.state.git();
        let mut rows = package::rows(resolution, requested, hasher, git)?;
        rows.sort_by(|(one, ..), (other, ..)| one.name.cmp(&other.name));
        let mut packages = Vec::with_capacity(rows.len());
        let mut distributions = Vec::with_capacity(rows.len());
        for (package, distribution, hashes) in rows {
            packages.push(package);
            distributions.push((distribution, hashes));
        }
        Ok(Resolution { packages, warnings, distributions, options: self.options.clone() })
    }
}
