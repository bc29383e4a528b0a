//! What the place that an entry came from says of it.

use std::path::Path;

use super::adopt::ADOPTED;
use super::pip_shim::PIP_SHIM_ORIGIN;

/// Whether what came from `origin` was built on this machine: it is neither a wheel, nor was it in a venv.
pub fn was_built(origin: &str) -> bool {
    let path = origin.split(['?', '#']).next().unwrap_or_default();
    !matches!(path, ADOPTED | PIP_SHIM_ORIGIN) && Path::new(path).extension().is_none_or(|end| end != "whl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_wheels_from_what_was_built() {
        for wheel in
            ["https://h.example/x-1-py3-none-any.whl", "/w/x.whl", "https://h.example/x.whl?a=b#c", ADOPTED]
        {
            assert!(!was_built(wheel), "{wheel}");
        }
        for source in ["https://h.example/x-1.tar.gz", "git+https://h.example/x@abc", "/home/x/project"] {
            assert!(was_built(source), "{source}");
        }
    }
}
