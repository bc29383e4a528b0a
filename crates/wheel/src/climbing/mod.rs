//! Python modules that look for files outside their own distribution, by a path that starts at `__file__`.
//!
//! `Path(__file__).resolve().parent.parent / "plugins"` in a folded package leads into the store, where the neighbours are
//! not; `os.path.join(os.path.dirname(__file__), "..", "plugins")` does as well, since the kernel goes through the link
//! before it goes up. `os.path.dirname(os.path.dirname(__file__))` does not: that is only text. So paths are followed
//! through a module as far as its text tells: how many folders up each leads, and whether links were resolved on the way.
//! Going up one folder too few costs a package that breaks, going up one too many a few links, so what is not
//! clear counts as climbing.

mod module;
mod needs;
mod tokens;

use module::Module;
pub use needs::Climbing;
use tokens::statements;

/// A larger module is data.
const LARGEST: usize = 1 << 20;

/// Words of which every module that climbs has one.
pub(super) const WORDS: [&str; 4] = ["__file__", "__path__", "__spec__", "currentframe"];

impl Climbing {
    /// Adds what one module needs. `path` is its place in `site-packages`.
    pub(super) fn add(&mut self, path: &str, source: &[u8]) {
        if source.len() > LARGEST || is_test(path) {
            return;
        }
        let source = String::from_utf8_lossy(source);
        let mut module = Module::new(path, self);
        for statement in statements(&source) {
            module.statement(&statement);
        }
    }
}

/// Whether a module is one of a package's own tests: what those look for above the package is in its repository, which is not
/// there in any venv.
fn is_test(path: &str) -> bool {
    path.split('/').any(|part| matches!(part, "tests" | "test" | "conftest.py"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// What the module at a path needs: the folders and the files, each list with spaces between.
    fn needs(path: &str, source: &str) -> (String, String) {
        let mut climbing = Climbing::default();
        climbing.add(path, source.as_bytes());
        let joined = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(" ");
        (joined(&climbing.folders), joined(&climbing.files))
    }

    /// Sources of `host/deep/mod.py` that leave `host` by links.
    #[test]
    fn finds_what_resolves_and_then_climbs() {
        for source in [
            "ROOT = Path(__file__).resolve().parent.parent.parent",
            "ROOT = Path(__file__).resolve().parents[2]",
            "here = os.path.realpath(__file__)\nup = os.path.dirname(os.path.dirname(here))\nx = os.path.dirname(up)",
            "def here():\n    return Path(__file__).resolve().parent\n\nfor x in (here().parent.parent / 'p').glob('*'): pass",
            "x = pathlib.Path(os.path.realpath(__file__)).parent / '..' / '..' / 'other'",
            "self.root = Path(__file__).resolve()\nopen(self.root.parent.parent.parent / 'x')",
            "x = Path(inspect.getfile(inspect.currentframe())).resolve().parents[2]",
            "x = os.path.join(os.path.dirname(os.path.realpath(__file__)), '../../other')",
            "x = os.path.abspath(os.path.join(os.path.realpath(__file__), '..', '..', '..', 'other'))",
            "sys.path.insert(0, str(Path(__file__).resolve().parents[2]))",
            "x = (\n    Path(__file__)\n    .resolve()\n    .parent.parent\n    .parent\n)",
            "x = Path(__file__).resolve().parents[depth]",
            "x: Path = Path(__file__).resolve().parents[2]",
            "x = os.path.realpath(os.path.join(__file__, '..', '..', '..'))",
            "x = Path(__file__, '..', '..', '..', 'other').resolve()",
            "x = Path(__file__).resolve().parents[3] / 'site-packages' / 'other'",
            "root = Path(__file__).resolve().parents[3]\nx = os.path.join(root, name)",
            "root = Path(__file__).resolve().parents[3]\nx = sorted(root.glob('*/other'))",
            "root = Path(__file__).resolve().parents[3]\nx = root.parent / 'share'",
            "x = Path(__file__).resolve().parents[4] / '.share'",
        ] {
            let expected = ("host/deep".to_owned(), "host/deep/mod.py".to_owned());
            assert_eq!(needs("host/deep/mod.py", source), expected, "{source}");
        }
    }

    #[test]
    fn finds_dots_that_the_kernel_follows() {
        for source in [
            "open(os.path.join(os.path.dirname(__file__), '..', '..', 'other', 'x'))",
            "HERE = os.path.dirname(os.path.abspath(__file__))\nx = HERE + '/../../other'",
            "HERE = Path(__file__).parent\nx = HERE / '..' / '..' / 'other'",
            "HERE = Path(__file__).parent\nx = HERE.joinpath('../../other')",
            "HERE = os.path.dirname(__file__)\nx = f'{HERE}/../../other/x'",
            "x = '%s/../../other' % os.path.dirname(__file__)",
            "x = '{}/../../other'.format(os.path.dirname(__file__))",
            "x = os.path.join(__file__, os.pardir, os.pardir, os.pardir, 'other')",
            "x = os.path.exists(os.path.join(__path__[0], '..', '..', 'other'))",
            "HERE = os.path.dirname(__file__)\nx = os.path.realpath(os.path.join(HERE, '..', '..'))",
        ] {
            let expected = ("host/deep".to_owned(), String::new());
            assert_eq!(needs("host/deep/mod.py", source), expected, "{source}");
        }
    }

    #[test]
    fn leaves_alone_what_stays_or_climbs_as_text_only() {
        for source in [
            "ROOT = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))",
            "ROOT = Path(__file__).parent.parent.parent / 'other'",
            "ROOT = Path(__file__).absolute().parents[2]",
            "ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..', 'other'))",
            "ROOT = os.path.normpath(os.path.dirname(__file__) + '/../../other')",
            "DATA = Path(__file__).resolve().parent / 'data'",
            "DATA = Path(__file__).resolve().parent.parent / 'data'",
            "DATA = os.path.join(os.path.dirname(os.path.realpath(__file__)), '..', 'data')",
            "x = Path(other).resolve().parent.parent.parent\ny = __file__",
            "x = Path(__file__).parent.parent.parent.resolve()",
            "x = Path(__file__).resolve().parent / 'a' / 'b' / '..' / '..' / '..'",
            "DEV = os.path.exists(os.path.join(os.path.dirname(__file__), '..', '..', '.git'))",
            "DEV = os.path.exists(os.path.dirname(__file__) + '/../../.git/HEAD')",
            "root = Path(__file__).resolve().parents[3]\nif (root / '.git').exists(): version(root=root)",
            "x = (Path(__file__).resolve().parent.parent.parent.parent / '.host-repo').exists()",
            "# Path(__file__).resolve().parents[2]",
            "'''Path(__file__).resolve().parents[2]'''",
        ] {
            assert_eq!(needs("host/deep/mod.py", source), <(String, String)>::default(), "{source}");
        }
    }

    #[test]
    fn a_package_s_own_tests_do_not_count() {
        let source = "x = Path(__file__).resolve().parents[4]";
        for path in ["host/tests/test_it.py", "host/test/__init__.py", "host/conftest.py"] {
            assert_eq!(needs(path, source), <(String, String)>::default(), "{path}");
        }
    }

    #[test]
    fn the_depth_of_the_module_decides() {
        let two = "x = Path(__file__).resolve().parent.parent";
        assert_eq!(needs("host/__init__.py", two), ("host".into(), "host/__init__.py".into()));
        assert_eq!(needs("host/deep/mod.py", two), <(String, String)>::default());
        assert_eq!(needs("mod.py", "x = Path(__file__).resolve().parent"), (String::new(), "mod.py".into()));
        assert_eq!(
            needs("mod.py", "x = os.path.join(os.path.dirname(__file__), '..')"),
            <(String, String)>::default()
        );
        let middle = "x = Path(__file__).parent.resolve().parent.parent";
        assert_eq!(needs("host/deep/mod.py", middle), ("host/deep".into(), String::new()));
        let package = "import host\nx = Path(host.__file__).resolve().parent.parent";
        assert_eq!(needs("host/deep/mod.py", package), ("host".into(), "host/__init__.py".into()));
    }

    #[test]
    fn nothing_makes_it_fail() {
        let deep = "(".repeat(100_000);
        for source in ["x = __file__.parents[", "__file__ / ", "f'{__file__", &deep, "def", "return __file__"]
        {
            let _ = needs("host/mod.py", source);
        }
    }
}
