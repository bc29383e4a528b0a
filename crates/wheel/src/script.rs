//! The scripts that start a wheel's entry points.

use super::EntryPoint;

/// The text of the script for an entry point.
///
/// `shebang` is the first line, or the first lines, as [`super::shebang`] makes them, line end included. The script imports the
/// object and exits with what calling it returns. It is valid for every Python 3.
pub fn script(entry: &EntryPoint, shebang: &str) -> String {
    let EntryPoint { module, attribute, .. } = entry;
    let imported = attribute.split_once('.').map_or(attribute.as_str(), |(first, _)| first);
    format!(
        r#"{shebang}# Written by virtpy for an entry point.
import sys

from {module} import {imported}

if __name__ == "__main__":
    for suffix in ("-script.pyw", ".exe"):
        if sys.argv[0].endswith(suffix):
            sys.argv[0] = sys.argv[0][: -len(suffix)]
            break
    sys.exit({attribute}())
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn imports_the_first_part_and_calls_the_whole() {
        let entry = EntryPoint {
            name: "run".to_owned(),
            module: "pkg.mod".to_owned(),
            attribute: "Class.method".to_owned(),
            gui: false,
        };
        let text = script(&entry, "#!/bin/python\n");
        assert!(text.starts_with("#!/bin/python\n# Written by virtpy"));
        assert!(text.contains("\nfrom pkg.mod import Class\n"));
        assert!(text.contains("    sys.exit(Class.method())\n"));
    }
}
