//! What a project of Poetry's requires, in the words of other tools (PEP 508).

use virtpy_pep::Requirement;

use super::constraint;
use super::lock::DetailedDependency;
use super::project::Project;

impl Project {
    /// What it requires, each with the name of its group, as far as PEP 508 can say it. Of versions with alternatives
    /// (`^1 || ^3`) nothing is said.
    pub fn requirements(&self) -> Vec<(String, Requirement)> {
        let groups = self.groups().into_iter();
        let each = groups.flat_map(|(group, found)| {
            found.dependencies.into_iter().map(move |(name, dependency)| (group.clone(), name, dependency))
        });
        each.filter_map(|(group, name, dependency)| Some((group, requirement(&name, &dependency)?))).collect()
    }
}

fn requirement(name: &str, dependency: &DetailedDependency) -> Option<Requirement> {
    if name == "python" {
        return None;
    }
    let alternatives = dependency.version.as_deref().and_then(constraint::alternatives).unwrap_or_default();
    let specifiers = if let [only] = alternatives.as_slice() { only.as_str() } else { "" };
    let extras = if dependency.extras.is_empty() {
        String::new()
    } else {
        format!("[{}]", dependency.extras.join(","))
    };
    let marker = dependency.markers.as_ref().map(|marker| format!("; {marker}")).unwrap_or_default();
    format!("{name}{extras}{specifiers}{marker}").parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]
mod tests {
    use super::*;

    #[test]
    fn poetrys_tables_are_requirements() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[tool.poetry]\nname = 'x'\n[tool.poetry.dependencies]\npython = '^3.9'\nrich = '^13.1'\n\
                    httpx = { version = '*', extras = ['http2'], markers = \"sys_platform == 'linux'\" }\n\
                    either = '^1 || ^3'\n[tool.poetry.group.Docs.dependencies]\nmkdocs = '~1.5'\n";
        virtpy_files::write_atomic(&folder.path().join("pyproject.toml"), text.as_bytes()).unwrap();
        let told = Project::read(folder.path()).unwrap().requirements();
        let told: Vec<String> = told.iter().map(|(group, one)| format!("{group}: {one}")).collect();
        let expected = [
            "docs: mkdocs>=1.5,<1.6",
            "main: rich>=13.1,<14",
            "main: httpx[http2] ; sys_platform == 'linux'",
            "main: either",
        ];
        assert_eq!(told, expected);
    }
}
