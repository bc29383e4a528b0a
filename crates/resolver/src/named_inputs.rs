//! What a project says itself that its builds depend on (`cache-keys` in `[tool.uv]`): files, also outside of its directory,
//! environment variables, commits.

use std::path::Path;

use serde::Deserialize;
use uv_cache_info::CacheInfo;

#[derive(Deserialize)]
struct File {
    tool: Option<Tool>,
}

#[derive(Deserialize)]
struct Tool {
    uv: Option<Uv>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Uv {
    cache_keys: Option<toml::Value>,
}

/// How the things are that a project in a directory names as its inputs, as a text; `None` where it names none.
///
/// # Errors
///
/// With what is wrong, where it cannot be told how they are.
pub fn named_inputs(directory: &Path) -> Result<Option<String>, String> {
    // Reading only: the ban is on writing past the one module that does.
    #[expect(clippy::disallowed_methods)]
    let text = std::fs::read_to_string(directory.join("pyproject.toml")).unwrap_or_default();
    let file = toml::from_str::<File>(&text).ok();
    let keys = file.and_then(|file| file.tool).and_then(|tool| tool.uv).and_then(|uv| uv.cache_keys);
    if keys.is_none() {
        return Ok(None);
    }
    let found = CacheInfo::from_directory(directory).map_err(|error| error.to_string())?;
    serde_json::to_string(&found).map(Some).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_project_names_is_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let project = folder.path().join("project");
        let write = |name: &str, text: &str| {
            #[expect(clippy::disallowed_methods)]
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        #[expect(clippy::disallowed_methods)]
        std::fs::create_dir(&project).unwrap();
        write("project/pyproject.toml", "[project]\nname = 'p'\n");
        assert_eq!(named_inputs(&project), Ok(None));
        write("project/pyproject.toml", "[tool.uv]\ncache-keys = [{ file = '../shared.txt' }]\n");
        let before = named_inputs(&project).unwrap().unwrap();
        write("shared.txt", "1");
        assert_ne!(named_inputs(&project).unwrap().unwrap(), before);
    }
}
