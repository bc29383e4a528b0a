//! Which modules a source imports, and when, as far as its text tells.
//!
//! It only decides what is compiled first, so it may be wrong: no parser, but logical lines and their indentation. Strings and
//! comments are told from code. Beside statements, texts that look like the name of a module count: `import_module(".x")`, lazy
//! `__getattr__`s with their `__all__`, and settings name modules in that way.

use super::lines::Lines;

/// An import statement: `from ..a import b, c` is level 2, module `a` and the names `b` and `c`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    /// The dots before the module.
    pub(super) level: usize,
    /// The module; empty for `from . import a`.
    pub(super) module: String,
    /// What is taken from it, which may be modules.
    pub(super) names: Vec<String>,
}

/// When an import is carried out, the soonest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moment {
    /// While the module itself is imported.
    AtOnce,
    /// When somebody asks the module for a name that it has not: a package's `__getattr__` imports its parts then.
    OnAccess,
    /// When a function is called, or something reads a text and imports what it names. If ever.
    Later,
}

/// The longest text that is taken for the name of a module.
const LONGEST: usize = 100;

/// What a source imports, in its order. In a package's `__init__` a single word may name a part of the package.
pub(super) fn of(source: &str, is_package: bool) -> Vec<(Moment, Import)> {
    let mut found = Vec::new();
    // The blocks that a line is in, if they change what an import in them means: their indentation, and when it is carried
    // out, which is never for type checkers' imports.
    let mut blocks: Vec<(usize, Option<Moment>)> = Vec::new();
    let mut lines = Lines::of(source);
    while let Some(line) = lines.next_line() {
        while blocks.last().is_some_and(|(outer, _)| line.indentation <= *outer) {
            blocks.pop();
        }
        let moment = blocks.last().map_or(Some(Moment::AtOnce), |(_, moment)| *moment);
        if is_never_run(line.text) {
            blocks.push((line.indentation, None));
        } else if let (Some(name), Some(moment)) = (function(line.text), moment) {
            let is_of_module = line.indentation == 0 && matches!(name, "__getattr__" | "__dir__");
            let inside = if is_of_module { Moment::OnAccess } else { Moment::Later };
            blocks.push((line.indentation, Some(moment.max(inside))));
        } else if let (true, Some(moment)) = (is_import(line.text), moment) {
            found.extend(
                line.text.split(';').flat_map(|one| parse(one.trim())).map(|import| (moment, import)),
            );
        }
        if moment.is_some() {
            found.extend(line.texts.iter().filter_map(|text| named(text, is_package)));
        }
    }
    found
}

fn is_import(text: &str) -> bool {
    text.starts_with("import ") || text.starts_with("from ")
}

/// The name of the function whose definition a line begins.
fn function(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("async ").map_or(text, str::trim_start).strip_prefix("def ")?;
    Some(rest.split('(').next().unwrap_or_default().trim())
}

/// Whether a line opens a block that is not run when the module is imported, nor by anybody who has it.
fn is_never_run(text: &str) -> bool {
    let Some(condition) = text.strip_prefix("if ") else { return false };
    let first = condition.trim_start().split(|letter| !is_of_name(letter)).next().unwrap_or_default();
    first == "__name__" || first.rsplit('.').next() == Some("TYPE_CHECKING")
}

/// What a text imports that names a module, or something in one. Only what is written like one, with its dots, is taken for
/// one; a word can be anything, except in a package that has a part of this name.
fn named(text: &str, is_package: bool) -> Option<(Moment, Import)> {
    // An entry point: `package.module:function`.
    let text = text.split(':').next().unwrap_or_default();
    let name = text.trim_start_matches('.');
    if name.len() > LONGEST || !is_dotted(name) || name.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let level = text.len() - name.len();
    if level > 0 {
        return Some((Moment::OnAccess, Import { level, module: name.to_owned(), names: Vec::new() }));
    }
    if name.contains('.') {
        return Some((Moment::Later, Import { level: 0, module: name.to_owned(), names: Vec::new() }));
    }
    let part = Import { level: 1, module: String::new(), names: vec![name.to_owned()] };
    is_package.then_some((Moment::OnAccess, part))
}

fn parse(statement: &str) -> Vec<Import> {
    // `import a.b as c, d`
    let without_alias =
        |text: &str| text.trim().split(char::is_whitespace).next().unwrap_or_default().to_owned();
    if let Some(modules) = statement.strip_prefix("import ") {
        let modules = modules.split(',').map(without_alias).filter(|module| is_dotted(module));
        return modules.map(|module| Import { level: 0, module, names: Vec::new() }).collect();
    }
    let Some((module, names)) =
        statement.strip_prefix("from ").and_then(|rest| rest.trim_start().split_once(" import"))
    else {
        return Vec::new();
    };
    let name = module.trim_start_matches('.');
    let level = module.len() - name.len();
    let module = name.trim().to_owned();
    if !(is_dotted(&module) || module.is_empty() && level > 0) {
        return Vec::new();
    }
    let names = names.trim().trim_matches(['(', ')']).split(',');
    let names = names.map(without_alias).filter(|name| is_dotted(name)).collect();
    vec![Import { level, module, names }]
}

fn is_of_name(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.')
}

fn is_dotted(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_of_name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts_of(source: &str, is_package: bool, wanted: Moment) -> Vec<String> {
        let text = |import: Import| {
            format!("{}{}:{}", ".".repeat(import.level), import.module, import.names.join(","))
        };
        let found = of(source, is_package).into_iter().filter(|(moment, _)| *moment == wanted);
        found.map(|(_, import)| text(import)).collect()
    }

    fn texts(source: &str) -> Vec<String> {
        texts_of(source, false, Moment::AtOnce)
    }

    #[test]
    fn every_form_of_import_is_read() {
        let source = "import a, b.c as d\nfrom .e import f as g, h  # why\nfrom . import (\n    i,  # x\n    j,\n)\n\
                      from ..k.l import \\\n    m\nfrom n import *\ntry:\n    import o\nexcept ImportError:\n    import r\n\
                      import p; p.q(); import s\n";
        let expected = ["a:", "b.c:", ".e:f,h", ".:i,j", "..k.l:m", "n:", "o:", "r:", "p:", "s:"];
        assert_eq!(texts(source), expected);
    }

    #[test]
    fn what_is_not_imported_at_once_comes_later_or_never() {
        let source = "def f():\n    import a\n\n    import b\nimport c\nif TYPE_CHECKING:\n    import d\nelse:\n    import e\n\
                      class C:\n    import g\n    async def h(self):\n        import i\n    import j\n\
                      if t.TYPE_CHECKING:\n    def k():\n        import l\nif __name__ == '__main__':\n    import m\n";
        assert_eq!(texts(source), ["c:", "e:", "g:", "j:"]);
        assert_eq!(texts_of(source, false, Moment::Later), ["a:", "b:", "i:"]);
    }

    #[test]
    fn a_definition_of_several_lines_is_one() {
        let source = "class C:\n    def f(\n        self,\n        a: int = 1,\n    ) -> str:\n        import a\n    import b\n";
        assert_eq!(texts(source), ["b:"]);
        assert_eq!(texts_of(source, false, Moment::Later), ["a:"]);
    }

    #[test]
    fn what_stands_in_a_string_or_a_comment_is_no_statement() {
        let source = "\"\"\"Use it so:\n\nimport a\n\"\"\"\nx = '''\nfrom b import c\n'''  # import d\nimport e  # 'quoted\n\
                      y = r'\\'\nimport f\nz = \"it's\"\nimport g\n";
        assert_eq!(texts(source), ["e:", "f:", "g:"]);
    }

    #[test]
    fn the_parts_of_a_lazy_package_are_imported_on_access() {
        let source = "__all__ = ['easter', \"two\"]\ndef __getattr__(name):\n    import x.f2py as f2py\n    \
                      return import_module('.' + name)\n__import__(__package__ + '.fft')\ndef f():\n    def __getattr__(name):\n\
                      \x20       import later\n";
        let expected = [".:easter", ".:two", "x.f2py:", ".fft:"];
        assert_eq!(texts_of(source, true, Moment::OnAccess), expected);
        assert_eq!(texts_of(source, false, Moment::OnAccess), ["x.f2py:", ".fft:"]);
        assert_eq!(texts_of(source, true, Moment::Later), ["later:"]);
    }

    #[test]
    fn what_a_setting_or_an_entry_point_names_comes_later() {
        let source =
            "a = {'b': 'c.d.Class', 'e': 'f.g:main'}\nh = '1.5', 'i j.k', '...', 'x' * 3, \"\"\"l.m\"\"\"\n";
        assert_eq!(texts_of(source, false, Moment::Later), ["c.d.Class:", "f.g:"]);
    }

    #[test]
    fn odd_text_is_nothing() {
        assert!(
            texts("import \nfrom\nfrom import x\n>>> import a\nimport a-b\nfrom x y import z\n").is_empty()
        );
        assert_eq!(texts("from a import (\n"), ["a:"]);
        // A bracket that is never closed swallows no more than its statement.
        assert_eq!(texts("x = (1,\nimport a\ny = )\nimport b\n"), ["a:", "b:"]);
        assert_eq!(texts("x = '\\\nimport a'\nimport b\nz = 'open\nimport c\n\"\"\"import d"), ["b:", "c:"]);
    }
}
