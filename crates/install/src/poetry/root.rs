//! The project itself, used in place: a wheel with a `.pth` file, its metadata and its scripts, as Poetry's own builder
//! would lay them out. Projects that other programs build, or that run a script for it, are not handled here.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use toml::{Table, Value};
use virtpy_pep::Version;

use super::lock::DetailedDependency;
use super::{MAIN, PoetryError, Project, constraint, group_name};
use virtpy_files::{self as fs, FileKind};
use virtpy_wheel as wheel;

/// The wheel of a project.
#[derive(Debug, Clone)]
pub struct RootWheel {
    /// Its file name.
    pub filename: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The project's version.
    pub version: String,
}

/// Makes the wheel of a project that is used in place.
///
/// # Errors
/// When the project has no name or version, or no package or module where Poetry looks for it.
pub fn root_wheel(project: &Project) -> Result<RootWheel, PoetryError> {
    let missing = |what: &str| PoetryError::Root(format!("`pyproject.toml` does not name its {what}"));
    let name = project.text("name").ok_or_else(|| missing("name"))?;
    let text = project.text("version").ok_or_else(|| missing("version"))?;
    let version: Version =
        text.parse().map_err(|_| PoetryError::Root(format!("`{text}` is not a version")))?;
    let version = version.to_string();
    let module = group_name(name).replace('-', "_");
    let dist_info = format!("{module}-{version}.dist-info");

    let folders = source_folders(project, &module)?;
    let folders: Vec<String> = folders.iter().map(|folder| folder.display().to_string()).collect();
    let pth = folders.join("\n") + "\n";
    let mut files: Vec<(String, Vec<u8>)> = vec![(format!("{module}.pth"), pth.into_bytes())];
    for (script, content) in file_scripts(project)? {
        files.push((format!("{module}-{version}.data/scripts/{script}"), content));
    }
    let mut add = |file: &str, text: String| files.push((format!("{dist_info}/{file}"), text.into_bytes()));
    add("METADATA", metadata(project, name, &version));
    let wheel = "Wheel-Version: 1.0\nGenerator: virtpy\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
    add("WHEEL", wheel.to_owned());
    let entry_points = entry_points(project);
    if !entry_points.is_empty() {
        add("entry_points.txt", entry_points);
    }
    let bytes = wheel::pack(&dist_info, files).map_err(|error| PoetryError::Root(error.to_string()))?;
    Ok(RootWheel { filename: format!("{module}-{version}-py3-none-any.whl"), bytes, version })
}

/// The folders that Python has to look in for the project's packages.
fn source_folders(project: &Project, module: &str) -> Result<Vec<PathBuf>, PoetryError> {
    let Some(packages) = project.poetry("packages").and_then(Value::as_array) else {
        return usual_folder(&project.root, module).map(|folder| vec![folder]);
    };
    let mut folders = Vec::new();
    for package in packages.iter().filter_map(Value::as_table) {
        let text = |key: &str| package.get(key).and_then(Value::as_str);
        let base = text("from").map_or_else(|| project.root.clone(), |from| project.root.join(from));
        let include = text("include").unwrap_or_default();
        if !include.contains(['*', '?', '[']) && fs::kind(&base.join(include))?.is_none() {
            return Err(PoetryError::Root(format!("there is no `{}`", base.join(include).display())));
        }
        // As it is written, `..` included: what Poetry would resolve too.
        let base = fs::canonicalize(&base)?;
        if !folders.contains(&base) {
            folders.push(base);
        }
    }
    Ok(folders)
}

/// Where a package or module lies that the project does not name.
fn usual_folder(root: &Path, module: &str) -> Result<PathBuf, PoetryError> {
    for folder in [root.to_path_buf(), root.join("src")] {
        for name in [module.to_owned(), format!("{module}-stubs")] {
            let is_package =
                matches!(fs::kind(&folder.join(&name))?, Some(FileKind::Folder | FileKind::Link));
            if is_package || fs::kind(&folder.join(format!("{name}.py")))?.is_some() {
                return Ok(folder);
            }
        }
    }
    Err(PoetryError::Root(format!("there is no package or module `{module}` in `{}`", root.display())))
}

fn metadata(project: &Project, name: &str, version: &str) -> String {
    let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n");
    let mut field = |key: &str, value: &str| {
        // A line end in a value would begin another field.
        let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
        let _ = writeln!(text, "{key}: {value}");
    };
    if let Some(summary) = project.text("description") {
        field("Summary", summary);
    }
    if let Some(python) = project.requires_python() {
        field("Requires-Python", &python);
    }
    let extras = project.extras();
    for extra in extras.keys() {
        field("Provides-Extra", extra);
    }
    if let Some(group) = project.groups().get(MAIN) {
        for (name, dependency) in &group.dependencies {
            let bringing =
                extras.iter().filter(|(_, names)| names.contains(name)).map(|(extra, _)| extra.as_str());
            let extras: Vec<&str> = if dependency.optional { bringing.collect() } else { Vec::new() };
            field("Requires-Dist", &requirement(name, dependency, &extras));
        }
    }
    text
}

/// A dependency as a requirement of PEP 508.
fn requirement(name: &str, dependency: &DetailedDependency, extras: &[&str]) -> String {
    let mut text = name.to_owned();
    if !dependency.extras.is_empty() {
        let _ = write!(text, "[{}]", dependency.extras.join(","));
    }
    let alternatives = dependency.version.as_deref().and_then(constraint::alternatives);
    if let Some([specifiers]) = alternatives.as_deref() {
        text.push_str(specifiers);
    }
    let mut markers: Vec<String> = dependency.markers.iter().map(|marker| format!("({marker})")).collect();
    if let Some(platform) = &dependency.platform {
        markers.push(format!("sys_platform == '{platform}'"));
    }
    if !extras.is_empty() {
        let any: Vec<String> = extras.iter().map(|extra| format!("extra == '{extra}'")).collect();
        markers.push(format!("({})", any.join(" or ")));
    }
    if !markers.is_empty() {
        let _ = write!(text, " ; {}", markers.join(" and "));
    }
    text
}

fn entry_points(project: &Project) -> String {
    let table = |path: [&str; 2]| project.table.get(path[0])?.get(path[1])?.as_table();
    let poetry = |key: &str| project.poetry(key).and_then(Value::as_table);
    let mut groups: Vec<(String, &Table)> = Vec::new();
    for (group, found) in [
        ("console_scripts", table(["project", "scripts"])),
        ("gui_scripts", table(["project", "gui-scripts"])),
        ("console_scripts", poetry("scripts")),
    ] {
        groups.extend(found.map(|found| (group.to_owned(), found)));
    }
    for plugins in [table(["project", "entry-points"]), poetry("plugins")].into_iter().flatten() {
        groups.extend(plugins.iter().filter_map(|(name, found)| Some((name.clone(), found.as_table()?))));
    }
    groups.sort_by(|one, other| one.0.cmp(&other.0));
    let mut text = String::new();
    let mut last = None;
    for (group, entries) in groups {
        for (name, value) in entries {
            let Some(target) = target(value) else { continue };
            if last.as_ref() != Some(&group) {
                let _ = writeln!(text, "[{group}]");
                last = Some(group.clone());
            }
            let _ = writeln!(text, "{name} = {target}");
        }
    }
    text
}

/// What an entry point names; `None` for a script that is a file.
fn target(value: &Value) -> Option<&str> {
    let table = match value {
        Value::String(text) => return Some(text),
        other => other.as_table()?,
    };
    let is_file = table.get("type").and_then(Value::as_str) == Some("file");
    if is_file { None } else { table.get("reference").or_else(|| table.get("callable"))?.as_str() }
}

/// Scripts that are files of the project: names and contents.
fn file_scripts(project: &Project) -> Result<Vec<(String, Vec<u8>)>, PoetryError> {
    let mut found = Vec::new();
    for (name, value) in project.poetry("scripts").and_then(Value::as_table).into_iter().flatten() {
        let is_file = value.get("type").and_then(Value::as_str) == Some("file");
        if let Some(reference) = value.get("reference").and_then(Value::as_str).filter(|_| is_file) {
            found.push((name.clone(), fs::read(&project.root.join(reference))?));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(text: &str) -> Project {
        Project { root: PathBuf::from("/nowhere"), table: toml::from_str(text).unwrap() }
    }

    #[test]
    fn dependencies_are_told_as_requirements() {
        let project = project(
            "[tool.poetry]\nname = \"Shop\"\nversion = \"1\"\ndescription = \"a\\nName: b\"\n[tool.poetry.dependencies]\n\
             python = \"^3.8\"\nrich = {version = \"^13\", extras = [\"j\"], markers = \"os_name == 'nt'\"}\n\
             sphinx = {version = \"*\", optional = true}\ngit = {git = \"x\"}\n[tool.poetry.extras]\ndocs = [\"sphinx\"]\n",
        );
        let text = metadata(&project, "Shop", "1");
        for line in [
            "Summary: a Name: b",
            "Requires-Python: >=3.8,<4",
            "Requires-Dist: git",
            "Requires-Dist: rich[j]>=13,<14 ; (os_name == 'nt')",
            "Requires-Dist: sphinx ; (extra == 'docs')",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn scripts_and_plugins_are_entry_points() {
        let project = project(
            "[project.scripts]\nshop = \"shop:main\"\n[tool.poetry.scripts]\nold = {reference = \"o:m\", type = \"console\"}\n\
             file = {reference = \"f.sh\", type = \"file\"}\n[tool.poetry.plugins.\"a.b\"]\nx = \"y:z\"\n",
        );
        assert_eq!(
            entry_points(&project),
            "[a.b]\nx = y:z\n[console_scripts]\nshop = shop:main\nold = o:m\n"
        );
    }

    #[test]
    fn a_project_without_a_package_is_refused() {
        let project = project("[project]\nname = \"a\"\nversion = \"1\"\n");
        assert!(root_wheel(&project).unwrap_err().to_string().contains("no package or module `a`"));
    }
}
