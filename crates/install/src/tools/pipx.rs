//! What pipx knows of its tools: `pipx_metadata.json` in each of its venvs, read as far as it can be reproduced.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use virtpy_pep::NamedVersion;

use super::{Manifest, Origin, ToolError, names_of};
use virtpy_files as fs;

/// A tool as pipx installed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipxTool {
    /// The name of its environment.
    pub name: String,
    /// What pipx knows of it.
    pub manifest: Manifest,
    /// All that its environment has.
    pub versions: Vec<NamedVersion>,
}

#[derive(Deserialize)]
struct Metadata {
    main_package: Package,
    #[serde(default)]
    injected_packages: std::collections::BTreeMap<String, Package>,
    python_version: Option<String>,
}

#[derive(Deserialize)]
struct Package {
    #[serde(rename = "package")]
    name: Option<String>,
    #[serde(rename = "package_or_url")]
    requested: Option<String>,
    #[serde(default)]
    pip_args: Vec<String>,
    #[serde(default)]
    include_dependencies: bool,
    #[serde(default)]
    include_apps: bool,
    #[serde(default)]
    suffix: String,
    #[serde(default)]
    pinned: bool,
}

impl Package {
    fn request(&self) -> Option<String> {
        self.requested.clone().or_else(|| self.name.clone()).filter(|text| !text.is_empty())
    }
}

/// Where pipx keeps its environments: `PIPX_HOME`, its older default if that is there, or its current one. `None` without a
/// home directory.
pub fn pipx_home() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(home) = variable("PIPX_HOME") {
        return Some(home);
    }
    let home = variable("HOME")?;
    let old = home.join(".local/pipx");
    if old.join("venvs").exists() {
        return Some(old);
    }
    Some(variable("XDG_DATA_HOME").unwrap_or_else(|| home.join(".local/share")).join("pipx"))
}

/// Reads pipx's tools from its folder; those that cannot be understood come with the reason.
///
/// # Errors
/// When the folder cannot be listed.
pub fn pipx_tools(home: &Path) -> Result<Vec<Result<PipxTool, String>>, ToolError> {
    let folder = home.join("venvs");
    if fs::kind(&folder)?.is_none() {
        return Ok(Vec::new());
    }
    let mut names = fs::names(&folder)?;
    names.sort();
    Ok(names
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .map(|name| {
            let text = fs::read_to_string(&folder.join(&name).join("pipx_metadata.json"))
                .map_err(|error| format!("`{name}`: {error}"))?;
            let tool = parse(&name, &text).map_err(|reason| format!("`{name}`: {reason}"))?;
            Ok(PipxTool { versions: versions(&folder.join(&name)), ..tool })
        })
        .collect())
}

/// What an environment has, by the names of its dist-info folders. Where it has none, the newest are taken.
fn versions(venv: &Path) -> Vec<NamedVersion> {
    let library = venv.join("lib");
    let folders = fs::names(&library).unwrap_or_default().into_iter().map(|name| library.join(name));
    folders
        .flat_map(|folder| fs::names(&folder.join("site-packages")).unwrap_or_default())
        .filter_map(|name| {
            let (name, version) = name.to_str()?.strip_suffix(".dist-info")?.split_once('-')?;
            Some(NamedVersion::new(name.to_lowercase().replace(['_', '.'], "-"), version))
        })
        .collect()
}

/// What pip was told of indexes, among other things.
fn origin(arguments: &[String]) -> Origin {
    let mut origin = Origin::default();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let (name, attached) =
            word.split_once('=').map_or((word.as_str(), None), |(name, value)| (name, Some(value)));
        let mut value = || attached.map(str::to_owned).or_else(|| words.next().cloned());
        match name {
            "--index-url" | "-i" => origin.index_url = value(),
            "--extra-index-url" => origin.extra_index_urls.extend(value()),
            "--find-links" | "-f" => origin.find_links.extend(value()),
            "--no-index" => origin.no_index = true,
            "--pre" => origin.pre = true,
            _ => {}
        }
    }
    origin
}

fn parse(name: &str, text: &str) -> Result<PipxTool, String> {
    let metadata: Metadata = serde_json::from_str(text)
        .map_err(|error| format!("its pipx_metadata.json makes no sense: {error}"))?;
    let main = metadata.main_package;
    let injected = metadata.injected_packages;
    let python = metadata.python_version.as_deref().and_then(|text| {
        let version = text.trim_start_matches("Python").trim();
        let mut numbers = version.split('.');
        Some(format!("{}.{}", numbers.next().filter(|major| !major.is_empty())?, numbers.next()?))
    });
    let with_apps: Vec<String> = injected
        .iter()
        .filter(|(_, package)| package.include_apps)
        .map(|(name, package)| package.name.clone().unwrap_or_else(|| name.clone()))
        .collect();
    let manifest = Manifest {
        with_apps: names_of(&with_apps),
        with_origins: injected
            .values()
            .filter_map(|package| Some((package.request()?, origin(&package.pip_args))))
            .filter(|(_, own)| !own.is_default() && *own != origin(&main.pip_args))
            .collect(),
        origin: origin(&main.pip_args),
        with: injected.values().filter_map(Package::request).collect(),
        include_deps: main.include_dependencies,
        python,
        pinned: main.pinned,
        editable: main.pip_args.iter().any(|argument| argument == "--editable" || argument == "-e"),
        ..Manifest::new(main.request().ok_or("it does not say what was installed")?)
    };
    Ok(PipxTool {
        name: name.to_owned(),
        manifest: Manifest { suffix: main.suffix, ..manifest },
        versions: Vec::new(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_far_as_it_can_be_reproduced() {
        let text = r#"{"main_package": {"package": "black", "package_or_url": "black[d]==24.1", "pip_args":
            ["--editable", "--index-url=https://one.example", "--extra-index-url", "https://two.example", "--pre", "-q"],
            "include_dependencies": true, "suffix": "_x", "pinned": true, "apps": ["black"]},
            "injected_packages": {"six": {"package": "six", "package_or_url": "six", "include_apps": true},
            "own": {"package": "own", "package_or_url": "own>=1", "pip_args": ["-i", "https://three.example"]}},
            "python_version": "Python 3.12.4", "pipx_metadata_version": "0.12"}"#;
        let tool = parse("black_x", text).unwrap().manifest;
        assert_eq!(
            (tool.request.as_str(), tool.with.as_slice()),
            ("black[d]==24.1", &["own>=1".to_owned(), "six".to_owned()][..])
        );
        assert_eq!((tool.python.as_deref(), tool.suffix.as_str()), (Some("3.12"), "_x"));
        assert!(tool.pinned && tool.editable && tool.include_deps);
        assert_eq!(tool.with_apps, ["six"]);
        assert_eq!(tool.origin.index_url.as_deref(), Some("https://one.example"));
        assert_eq!(tool.origin.extra_index_urls, ["https://two.example"]);
        assert!(tool.origin.pre && !tool.origin.no_index);
        assert_eq!(tool.with_origins["own>=1"].index_url.as_deref(), Some("https://three.example"));
        assert!(!tool.with_origins.contains_key("six"), "it comes from where the application does");
        assert!(parse("x", "{}").unwrap_err().contains("makes no sense"));
        assert!(parse("x", r#"{"main_package": {}}"#).is_err());
    }
}
