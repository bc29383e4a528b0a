//! From a request to a resolution: the inputs are read, given names, looked through for URLs, and solved
//! together with the indexes' versions for one interpreter.

use std::collections::HashSet;
use std::sync::Arc;

use uv_cache_info::Timestamp;
use uv_configuration::{BuildOptions, Constraints, Excludes, ExtrasSpecification};
use uv_dispatch::BuildDispatch;
use uv_distribution_types::{
    ConfigSettingPackageEntry, ExcludeNewerValue, PackageConfigSettings, Requirement, RequiresPython,
    Resolution as SolvedGraph, UnresolvedRequirement,
};
use uv_normalize::PackageName;
use uv_pep508::{MarkerTree, VersionOrUrl};
use uv_platform_tags::Tags;
use uv_pypi_types::Conflicts;
use uv_python::PythonEnvironment;
use uv_requirements::{LookaheadResolver, NamedRequirementsResolver, SourceTreeResolver};
use uv_requirements_txt::{RequirementEntry, RequirementsTxtRequirement};
use uv_resolver::{
    AllowedYanks, DefaultResolverProvider, DependencyMode, ExcludeNewer, Manifest, OptionsBuilder,
    Preference, Preferences, Prerelease, PrereleaseMode, PythonRequirement, ResolveError, Resolver,
    ResolverEnvironment, ResolverOutput,
};
use uv_types::{BuildContext as _, HashStrategy};
use virtpy_pep::NamedVersion;

use crate::client::{ClientFactory, index_strategy};
use crate::context::{Choices, Context};
use crate::demanded::NamedHashes;
use crate::describe;
use crate::error::{Cause, Error};
use crate::failure::{
    from_anyhow, from_client, from_input, from_requirements, from_resolve, requirements as unusable,
};
use crate::installed::Installed;
use crate::local_grounds::{self, Terms};
use crate::local_wheels::Candidates;
use crate::package_choices::{self, ChoiceKind, Opposites, PackageChoice};
use crate::provider::{self, RecordingProvider, SettledProvider};
use crate::request::{Artifact, Options, Request};
use crate::requirements::{RequirementsFiles, Wanted};
use crate::reword::reword;
use crate::rules::Rules;
use crate::runtime::Runtime;
use crate::settings::IndexSettings;
use crate::solution::{Plan, Resolution};
use crate::{archives, explain, folders, indexes, installed, known_metadata, requirements};

/// Resolves a request.
///
/// # Errors
///
/// Any variant of [`Error`] but those of transfers.
pub(crate) async fn resolve(
    runtime: &Runtime,
    network: &ClientFactory,
    rules: &Rules,
    request: &Request,
) -> Result<Resolution, Error> {
    let since = Timestamp::now();
    let mut inputs = requirements::read(request, &rules.settings)?;
    let mut folders = folders::of_inputs(&inputs.specification);
    loop {
        let runtime = runtime.refreshed_folders(request, &folders, since);
        let resolution = Box::pin(attempt(&runtime, network, rules, request, inputs)).await?;
        // Folders that folders require show only now.
        let known = folders.len();
        let others = resolution.plan.folders().filter(|folder| !folders.contains(folder));
        folders.extend(others.collect::<Vec<_>>());
        if folders.len() == known {
            return Ok(resolution);
        }
        inputs = requirements::read(request, &rules.settings)?;
    }
}

async fn attempt(
    runtime: &Runtime,
    network: &ClientFactory,
    rules: &Rules,
    request: &Request,
    inputs: Wanted,
) -> Result<Resolution, Error> {
    let settings = &rules.settings;
    let mut warnings = rules.warnings.clone();
    warnings.extend(request.files.warnings.iter().cloned());
    let Wanted { specification: mut inputs, build_settings, .. } = inputs;
    inputs.constraints.extend(rules.constraints.iter().cloned());
    let archives = archives::unpack(runtime, network, &mut inputs).await?;
    let indexes = indexes::locations(settings, &inputs, &request.options.folder(), &mut warnings)?;
    let environment = runtime.interpreter.to_resolver_marker_environment();
    let by_name = NamedHashes::of(&inputs, &environment)?;
    let required = request.options.require_hashes || settings.require_hashes || inputs.require_hashes;
    let hasher = by_name.strategy(&inputs, &environment, required)?;
    let mut choices = choices(settings, &request.options, &request.files.options.choices)?;
    rules.add_to(&mut choices.exclude_newer);
    choices.build_environment = build_environment(runtime, &request.options)?;
    choices.build_constraints = requirements::build_constraints(request)?;
    let mut context = Context::new(runtime, network, indexes, hasher, choices).await?;
    context.archives = archives;
    context.named_hashes = by_name;
    context.local_wheels = Candidates::new(runtime.local_wheels.clone(), settings.offline);
    let constraints =
        Constraints::from_requirements(inputs.constraints.into_iter().map(|entry| entry.requirement));
    let env = ResolverEnvironment::specific(environment.clone());
    let wanted = {
        if let Some(directories) = runtime.known_directories(request) {
            known_metadata::note(&context, directories, &inputs.requirements);
        }
        let dispatch = context.dispatch();
        let inputs = NamedInputs { entries: inputs.requirements, source_trees: inputs.source_trees };
        name_all(&context, &dispatch, inputs).await?
    };
    // Before anything is solved: the solver would say what it looked for, and not what the file is.
    let is_for_this = |one: &&Requirement| one.evaluate_markers(Some(environment.markers()), &[]);
    for name in wanted.iter().filter(is_for_this).filter_map(describe::direct_name) {
        context.wheels.check(&name)?;
    }
    context.choices.package_settings = package_settings(&wanted, &build_settings);
    context.hasher = context
        .hasher
        .augment_with_requirements(wanted.iter())
        .map_err(|error| unusable(&error, "give one URL and one hash per package"))?;
    let installed = Installed::of(request);
    let solved = {
        let target = Target { env: &env, required: None, tags: Some(context.tags()?) };
        let problem = Problem { wanted: &wanted, constraints, target, request, rules, installed: &installed };
        let (output, hasher) = solve(&context, problem).await?;
        context.hasher = hasher;
        SolvedGraph::from(output)
    };
    let markers = runtime.interpreter.markers();
    let requested: HashSet<&PackageName> = wanted
        .iter()
        .filter(|requirement| requirement.evaluate_markers(Some(markers), &[]))
        .map(|requirement| &requirement.name)
        .collect();
    warnings.extend(installed.warnings());
    warnings.extend(solved.diagnostics().iter().map(describe::remark));
    let (mut packages, chosen) = describe::describe(&context, &solved, &wanted, &requested).await?;
    for (package, chosen) in packages.iter_mut().zip(&chosen) {
        package.indexes = local_grounds::indexes_of(&context, &chosen.dist);
    }
    let is_special = request.options.build_environment.is_some()
        || request.build_constraints != RequirementsFiles::default();
    let has_settings =
        context.choices.package_settings.is_some() || !request.options.build_settings.is_empty();
    if is_special || has_settings {
        // What is built so is not what another build of the same source is.
        for package in &mut packages {
            if let Artifact::Source { key, .. } = &mut package.file {
                *key = None;
            }
        }
    }
    if request.options.reinstall {
        for package in &mut packages {
            if let Artifact::Source { directory, .. } = &mut package.file {
                *directory = None;
            }
        }
    }
    let is_requested =
        |name: &&virtpy_pep::PackageName| requested.iter().any(|one| one.as_str() == name.as_str());
    let left_out = request.options.left_out.iter().filter(is_requested).cloned().collect();
    let pages = provider::pages(&context, &network.arrivals);
    let kept = installed::kept(&solved, |name| requested.contains(name));
    Ok(Resolution {
        packages,
        kept,
        left_out,
        warnings,
        notes: Vec::new(),
        pages,
        is_makeshift: context.local_wheels.were_taken(),
        plan: Arc::new(Plan { context, chosen }),
    })
}

/// The choices of a request: its own, its files', and the settings'.
pub(crate) fn choices(
    settings: &IndexSettings,
    options: &Options,
    of_files: &[PackageChoice],
) -> Result<Choices, Error> {
    // A choice of the request replaces that of the settings, as `:none:` shows.
    let chosen = |own: &'_ [String], others: &'_ [String]| {
        if own.is_empty() { others.to_vec() } else { own.to_vec() }
    };
    let general = package_choices::unordered(
        &chosen(&options.no_binary, &settings.no_binary),
        &chosen(&options.only_binary, &settings.only_binary),
    );
    let formats = [ChoiceKind::NoBinary, ChoiceKind::OnlyBinary];
    let formats = Opposites::of(general.iter().chain(of_files), formats);
    let no_build = requirements::only_binary(&formats.other())?;
    let build_options = BuildOptions::new(requirements::no_binary(&formats.one())?, no_build);
    let exclude_newer = options.exclude_newer.as_ref().or(settings.exclude_newer.as_ref());
    let exclude_newer =
        exclude_newer.map_or_else(|| Ok(ExcludeNewer::default()), |text| point_in_time(text))?;
    Ok(Choices {
        build_options,
        exclude_newer,
        index_strategy: index_strategy(settings),
        every_platform: false,
        build_settings: requirements::build_settings(if options.settings_of_inputs {
            &[]
        } else {
            &options.build_settings
        })?,
        package_settings: None,
        build_environment: None,
        build_constraints: Constraints::default(),
    })
}

/// The environment to build in, if it is to be a given one.
fn build_environment(runtime: &Runtime, options: &Options) -> Result<Option<PythonEnvironment>, Error> {
    let Some(root) = &options.build_environment else { return Ok(None) };
    let environment = PythonEnvironment::from_root(root, &runtime.cache);
    environment
        .map(Some)
        .map_err(|error| Error::Python { python: root.clone(), cause: Cause::from_error(&error) })
}

/// Checks the value of [`Options::exclude_newer`] before it is used.
///
/// # Errors
///
/// [`Error::Settings`] when it is no date, time or span.
pub fn check_date(text: &str) -> Result<(), Error> {
    point_in_time(text).map(drop)
}

fn point_in_time(text: &str) -> Result<ExcludeNewer, Error> {
    text.parse::<ExcludeNewerValue>().map(ExcludeNewer::global).map_err(|reason| Error::Settings {
        setting: format!("--exclude-newer {text}"),
        reason: reword(&reason),
    })
}

/// The inputs that are still to be given names.
pub(crate) struct NamedInputs {
    pub(crate) entries: Vec<uv_distribution_types::UnresolvedRequirementSpecification>,
    pub(crate) source_trees: Vec<uv_requirements::SourceTree>,
}

/// The settings for the builds of single requirements, by the names that these have.
fn package_settings(
    wanted: &[Requirement],
    settings: &[(usize, Vec<String>)],
) -> Option<PackageConfigSettings> {
    let named = settings.iter().filter_map(|(index, texts)| Some((&wanted.get(*index)?.name, texts)));
    let entries = named.flat_map(|(name, texts)| texts.iter().map(move |text| format!("{name}:{text}")));
    let entries: Vec<ConfigSettingPackageEntry> = entries.filter_map(|text| text.parse().ok()).collect();
    (!entries.is_empty()).then(|| entries.into_iter().collect())
}

/// Gives every input a name: paths and URLs by their file name or metadata. They keep their order; what projects depend on
/// comes behind them.
pub(crate) async fn name_all(
    context: &Context,
    dispatch: &BuildDispatch<'_>,
    inputs: NamedInputs,
) -> Result<Vec<Requirement>, Error> {
    let mut named = Vec::new();
    let mut unnamed = Vec::new();
    for (index, entry) in inputs.entries.into_iter().enumerate() {
        match entry.requirement {
            UnresolvedRequirement::Named(requirement) => named.push(requirement),
            UnresolvedRequirement::Unnamed(requirement) => unnamed.push((index, requirement)),
        }
    }
    if !unnamed.is_empty() {
        let database = context.database(dispatch);
        let (places, unnamed): (Vec<usize>, Vec<_>) = unnamed.into_iter().unzip();
        // Its own error does not tell which of several it was.
        let label = match unnamed.as_slice() {
            [only] => only.to_string(),
            _ => "what was asked for".to_owned(),
        };
        let found = NamedRequirementsResolver::new(&context.hasher, context.state.index(), database)
            .resolve(unnamed.into_iter())
            .await
            .map_err(|error| from_input(&label, &error))?;
        for (place, requirement) in places.into_iter().zip(found) {
            named.insert(place, requirement);
        }
    }
    if !inputs.source_trees.is_empty() {
        let extras = ExtrasSpecification::default();
        let database = context.database(dispatch);
        let trees = SourceTreeResolver::new(&extras, &context.hasher, context.state.index(), database)
            .resolve(inputs.source_trees.iter())
            .await
            .map_err(|error| from_anyhow("the project", &error))?;
        named.extend(trees.into_iter().flat_map(|tree| tree.into_requirements().into_vec()));
    }
    Ok(named)
}

/// What is to be solved.
pub(crate) struct Problem<'a> {
    pub(crate) wanted: &'a [Requirement],
    pub(crate) constraints: Constraints,
    pub(crate) target: Target<'a>,
    pub(crate) request: &'a Request,
    pub(crate) rules: &'a Rules,
    /// What may be kept.
    pub(crate) installed: &'a Installed,
}

/// Where the solution has to work.
pub(crate) struct Target<'a> {
    /// One environment, or all.
    pub(crate) env: &'a ResolverEnvironment,
    /// Which versions of Python, if not the interpreter's.
    pub(crate) required: Option<&'a RequiresPython>,
    /// Which wheels, if it is one environment.
    pub(crate) tags: Option<&'a Tags>,
}

/// Solves a problem. Returns the solution, and the hashes that are demanded of it.
///
/// # Errors
///
/// As those of [`resolve`].
pub(crate) async fn solve(
    context: &Context,
    problem: Problem<'_>,
) -> Result<(ResolverOutput, HashStrategy), Error> {
    let installed = problem.installed;
    let Problem { wanted, constraints, target: Target { env, required, tags }, request, rules, .. } = problem;
    let dispatch = context.dispatch();
    let options = &request.options;
    let left_out = options.left_out.iter().filter_map(|name| name.parse::<PackageName>().ok());
    let excludes = left_out.chain(rules.excludes.iter().cloned()).collect::<Excludes>();
    let overrides = rules.overrides.clone();
    let (lookaheads, hasher) = if options.no_deps {
        (Vec::new(), context.hasher.clone())
    } else {
        let index = context.state.index();
        let database = context.database(&dispatch);
        LookaheadResolver::new(wanted, &constraints, &overrides, &excludes, &context.hasher, index, database)
            .resolve(env)
            .await
            .map_err(|error| from_requirements(&error))?
    };
    let manifest = Manifest::new(
        wanted.to_vec(),
        constraints,
        overrides,
        excludes,
        Preferences::from_iter(preferences(request), env),
        None,
        std::collections::BTreeSet::new(),
        installed::exclusions(options),
        lookaheads,
    );
    let prerelease = prerelease(request, rules);
    let solver_options = OptionsBuilder::new()
        .dependency_mode(if options.no_deps { DependencyMode::Direct } else { DependencyMode::Transitive })
        .prerelease(prerelease)
        .resolution_mode(rules.resolution)
        .fork_strategy(rules.fork_strategy)
        .artifact_environments(rules.required_environments.clone())
        .exclude_newer(context.choices.exclude_newer.clone())
        .index_strategy(context.choices.index_strategy)
        .build_options(context.choices.build_options.clone())
        .build();
    let interpreter = &context.interpreter;
    let (python, required) = if let Some(required) = required {
        (PythonRequirement::from_requires_python(interpreter, required.clone()), required.clone())
    } else {
        let own = interpreter.python_full_version().version.only_release().without_trailing_zeros();
        let own = RequiresPython::greater_than_equal_version(&own);
        (PythonRequirement::from_interpreter(interpreter), own)
    };
    let provider = |database| {
        DefaultResolverProvider::new(
            database,
            &context.flat_index,
            tags,
            &required,
            AllowedYanks::from_manifest(&manifest, env, solver_options.dependency_mode),
            &hasher,
            solver_options.exclude_newer.clone(),
            &context.indexes,
            &context.choices.build_options,
            dispatch.capabilities(),
        )
    };
    let settled = context.settled.as_ref().zip(context.cached_database(&dispatch));
    let settled = settled
        .map(|(settled, database)| SettledProvider { names: &settled.names, provider: provider(database) });
    let provider = provider(context.database(&dispatch));
    let local = (&context.local_wheels, Terms { context, tags, hasher: &hasher });
    let admitted = installed.excepted_from(&hasher);
    let resolver = Resolver::new_custom_io(
        manifest,
        solver_options,
        &admitted,
        env.clone(),
        context.interpreter.markers(),
        tags.cloned(),
        &python,
        Conflicts::empty(),
        context.state.index(),
        dispatch.git(),
        dispatch.capabilities(),
        &context.indexes,
        RecordingProvider { provider, consulted: &context.consulted, installed, local, settled },
        installed.clone(),
    );
    match resolver.resolve().await {
        Ok(output) => Ok((output, hasher)),
        Err(error) => Err(explained(context, request, installed, &error).await),
    }
}

/// A failed resolution, with what there is instead of what was asked for.
async fn explained(
    context: &Context,
    request: &Request,
    installed: &Installed,
    error: &ResolveError,
) -> Error {
    match installed.failure() {
        // What is installed did not do, and an index that should have been asked did not answer.
        Some(failure) if matches!(error, ResolveError::NoSolution(_)) => {
            from_client("what is needed", &failure)
        }
        _ => {
            let failed = context.local_wheels.explain(from_resolve(error));
            Box::pin(explain::explain(context, request, failed)).await
        }
    }
}

/// Of which packages pre-releases are admitted.
fn prerelease(request: &Request, rules: &Rules) -> Prerelease {
    let everything = PackageChoice { kind: ChoiceKind::AllReleases, names: ":all:".to_owned() };
    let general = (request.options.prerelease || rules.settings.prerelease).then_some(&everything);
    let releases = [ChoiceKind::AllReleases, ChoiceKind::OnlyFinal];
    let releases = Opposites::of(general.into_iter().chain(&request.files.options.choices), releases);
    let mut prerelease = Prerelease { global: rules.prerelease.unwrap_or_default(), ..Prerelease::default() };
    for (names, mode) in
        [(releases.one(), PrereleaseMode::Allow), (releases.other(), PrereleaseMode::Disallow)]
    {
        if names.iter().any(|name| package_choices::is_all(name)) {
            prerelease.global = mode;
        }
        let named = names.iter().filter_map(|name| name.parse::<PackageName>().ok());
        prerelease.package.extend(named.map(|name| (name, mode)));
    }
    prerelease
}

/// The versions that are kept if nothing speaks against it.
fn preferences(request: &Request) -> Vec<Preference> {
    if request.options.upgrade {
        return Vec::new();
    }
    let upgraded: HashSet<PackageName> =
        request.options.upgrade_packages.iter().filter_map(|name| name.parse().ok()).collect();
    let preference = |NamedVersion { name, version }: &NamedVersion| {
        let name: PackageName = name.parse().ok()?;
        if upgraded.contains(&name) {
            return None;
        }
        let specifier = uv_pep440::VersionSpecifier::equals_version(version.parse().ok()?);
        let requirement = uv_pep508::Requirement {
            name,
            extras: Box::default(),
            version_or_url: Some(VersionOrUrl::VersionSpecifier(specifier.into())),
            marker: MarkerTree::TRUE,
            origin: None,
        };
        let requirement = RequirementsTxtRequirement::Named(requirement);
        Preference::from_entry(RequirementEntry { requirement, hashes: Vec::new() }).ok()?
    };
    request.preferred.iter().filter_map(preference).collect()
}
