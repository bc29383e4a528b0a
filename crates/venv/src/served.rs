//! Folders of static files: pages, style sheets, scripts, pictures, fonts, and no code.
//!
//! Servers of static files (Starlette's `StaticFiles`, tornado, aiohttp, Jupyter's nbextensions) send nothing whose real path
//! lies outside the real path of the folder that they were given. Where that folder is a link, or lies in one, all of it
//! lies in the store, and the paths agree. Where it is a real folder of the venv, what is in it must not be links either. So
//! a tree of static files right below a real folder is not folded, and its files are real.

use std::path::Path;

use virtpy_wheel as wheel;

/// A tree of more files is an application's own front end (`share/jupyter/lab/static`), which is served by its own path, and
/// copying it into every venv would take time.
const MOST_FILES: usize = 128;

/// The endings of files that are served to browsers.
const ENDINGS: [&str; 20] = [
    "avif", "css", "eot", "gif", "htm", "html", "ico", "jpeg", "jpg", "js", "map", "mjs", "otf", "png",
    "svg", "ttf", "wasm", "webp", "woff", "woff2",
];

/// The endings of templates of pages, which are read by programs and not served.
const TEMPLATES: [&str; 4] = ["j2", "jinja", "jinja2", "mako"];

/// Whether these files, all those of a folder, are such a tree.
pub(super) fn is_served_tree<'a>(files: impl Iterator<Item = &'a str>) -> bool {
    let (mut count, mut is_for_browsers) = (0, false);
    for file in files {
        count += 1;
        let ending = Path::new(file).extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        let ending = ending.to_ascii_lowercase();
        let is_read = TEMPLATES.contains(&&*ending) || is_code(file.rsplit('/').next().unwrap_or(file));
        if count > MOST_FILES || is_read {
            return false;
        }
        is_for_browsers |= ENDINGS.contains(&&*ending);
    }
    is_for_browsers
}

/// Whether a file is a module, its types, or a shared library.
pub(super) fn is_code(name: &str) -> bool {
    let ending = Path::new(name).extension().and_then(|ending| ending.to_str());
    matches!(ending, Some("py" | "pyi" | "pyc" | "pyx" | "pxd")) || wheel::is_library_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_served_that_is_for_browsers_has_no_code_and_is_small() {
        let is_served = |files: &[&str]| is_served_tree(files.iter().copied());
        assert!(is_served(&["static/deep/a.css", "static/README"]));
        assert!(is_served(&["static/LOGO.PNG"]));
        assert!(!is_served(&[]));
        assert!(!is_served(&["include/crt/host.h", "include/crt/device.hpp"]));
        assert!(!is_served(&["pages/a.html", "pages/deep/__init__.py"]));
        assert!(!is_served(&["qml/a.js", "qml/libqml.so"]));
        assert!(!is_served(&["templates/lab/index.html.j2", "templates/lab/static/index.css"]));
        let many: Vec<String> = (0..=MOST_FILES).map(|number| format!("static/{number}.js")).collect();
        assert!(!is_served_tree(many.iter().map(String::as_str)));
        assert!(is_served_tree(many[1..].iter().map(String::as_str)));
    }
}
