//! Which modules a source imports when it is imported itself, as far as its text tells at a glance.
//!
//! It only decides what is compiled first, so it may be wrong: no parser, but lines and their indentation. What stands in a
//! function is not imported at once, nor is what is for type checkers only.

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

/// The import statements of a source that are carried out when it is imported, in their order.
pub(super) fn of(source: &str) -> Vec<Import> {
    let mut found = Vec::new();
    // The indentation of the innermost block that is passed over.
    let mut passed_over: Option<usize> = None;
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let indentation = line.len() - text.len();
        if passed_over.is_some_and(|outer| indentation > outer) {
            continue;
        }
        passed_over = is_passed_over(text).then_some(indentation);
        if text.starts_with("import ") || text.starts_with("from ") {
            let mut statement = code(text).to_owned();
            while statement.ends_with('\\') || statement.contains('(') && !statement.contains(')') {
                let Some(next) = lines.next() else { break };
                statement.truncate(statement.trim_end_matches('\\').len());
                statement.push(' ');
                statement.push_str(code(next));
            }
            found.extend(parse(&statement));
        }
    }
    found
}

/// Whether a line opens a block whose imports do not happen now.
fn is_passed_over(text: &str) -> bool {
    text.starts_with("def ")
        || text.starts_with("async def ")
        || text.starts_with("if TYPE_CHECKING")
        || text.starts_with("if typing.TYPE_CHECKING")
        || text.starts_with("if __name__")
}

/// A line without its comment and the blanks around it.
fn code(line: &str) -> &str {
    line.split('#').next().unwrap_or_default().trim()
}

fn parse(statement: &str) -> Vec<Import> {
    // `import a.b as c, d`
    let without_alias = |text: &str| text.trim().split(' ').next().unwrap_or_default().to_owned();
    if let Some(modules) = statement.strip_prefix("import ") {
        let modules = modules.split(';').next().unwrap_or_default().split(',').map(without_alias);
        return modules
            .filter(|module| is_dotted(module))
            .map(|module| Import { level: 0, module, names: Vec::new() })
            .collect();
    }
    let Some((module, names)) =
        statement.strip_prefix("from ").and_then(|rest| rest.trim_start().split_once(" import"))
    else {
        return Vec::new();
    };
    let level = module.len() - module.trim_start_matches('.').len();
    let module = module.trim_start_matches('.').trim().to_owned();
    if !(is_dotted(&module) || module.is_empty() && level > 0) {
        return Vec::new();
    }
    let names = names.split(';').next().unwrap_or_default().trim().trim_matches(['(', ')']).split(',');
    let names = names.map(without_alias).filter(|name| is_dotted(name)).collect();
    vec![Import { level, module, names }]
}

fn is_dotted(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(source: &str) -> Vec<String> {
        let text = |import: Import| {
            format!("{}{}:{}", ".".repeat(import.level), import.module, import.names.join(","))
        };
        of(source).into_iter().map(text).collect()
    }

    #[test]
    fn every_form_of_import_is_read() {
        let source = "import a, b.c as d\nfrom .e import f as g, h  # why\nfrom . import (\n    i,  # x\n    j,\n)\n\
                      from ..k.l import \\\n    m\nfrom n import *\ntry:\n    import o\nexcept ImportError:\n    pass\n\
                      import p; p.q()\n";
        assert_eq!(texts(source), ["a:", "b.c:", ".e:f,h", ".:i,j", "..k.l:m", "n:", "o:", "p:"]);
    }

    #[test]
    fn what_is_not_imported_at_once_is_passed_over() {
        let source = "def f():\n    import a\n\n    import b\nimport c\nif TYPE_CHECKING:\n    import d\nelse:\n    import e\n\
                      class C:\n    import g\n    async def h(self):\n        import i\n    import j\n";
        assert_eq!(texts(source), ["c:", "e:", "g:", "j:"]);
    }

    #[test]
    fn odd_text_is_nothing() {
        assert!(
            texts("import \nfrom\nfrom import x\n>>> import a\nimport a-b\nfrom x y import z\n").is_empty()
        );
        assert_eq!(texts("from a import (\n"), ["a:"]);
    }
}
