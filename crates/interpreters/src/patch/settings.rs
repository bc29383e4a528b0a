//! What `sysconfig` tells those who build extensions: the folders and the compilers of an interpreter's build.

use serde_json::Value as Json;

use super::literal::{self, NotUnderstood, Value};
use super::relocation::Relocation;

/// The prefix that standalone builds are made for.
pub(super) const STANDALONE_PREFIX: &str = "/install";

/// The variables that begin with a program of the machine on which a standalone build was made, and the name under
/// which every system has it.
const PROGRAMS: [(&str, &str); 7] = [
    ("AR", "ar"),
    ("BLDSHARED", "cc"),
    ("CC", "cc"),
    ("CXX", "c++"),
    ("LDCXXSHARED", "c++"),
    ("LDSHARED", "cc"),
    ("LINKCC", "cc"),
];

/// How the build was configured: a record of the past.
const HISTORY: &str = "CONFIG_ARGS";

/// What became of a file of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Adapted {
    /// The file's new content.
    pub(super) content: String,
    /// The prefix that the interpreter was built for.
    pub(super) prefix: String,
}

/// Adapts a `_sysconfigdata_*.py` to the folder where the interpreter will stand.
///
/// # Errors
/// When the file is not what Python's own build writes.
pub(super) fn adapt(source: &str, destination: &str) -> Result<Adapted, NotUnderstood> {
    let mut items = literal::parse(source)?;
    let find = |name: &str| {
        items.iter().find_map(|(key, value)| match value {
            Value::Text(text) if key == name => Some(text.clone()),
            _ => None,
        })
    };
    let prefix = find("prefix").unwrap_or_else(|| STANDALONE_PREFIX.to_owned());
    let is_standalone = prefix == STANDALONE_PREFIX;
    for (key, value) in &mut items {
        if let Value::Text(text) = value {
            *text = adapted_value(key, text, &Relocation { from: &prefix, to: destination });
        }
    }
    if is_standalone && items.iter().all(|(key, _)| key != "PYTHON_BUILD_STANDALONE") {
        items.push(("PYTHON_BUILD_STANDALONE".to_owned(), Value::Number("1".to_owned())));
    }
    Ok(Adapted { content: literal::write(&items), prefix })
}

/// Adapts a JSON file with the same settings (`_sysconfig_vars_*.json`, or `build-details.json` of PEP 739). Returns
/// `None` where it is no JSON.
pub(super) fn adapt_json(source: &str, relocation: &Relocation<'_>) -> Option<String> {
    let mut json: Json = serde_json::from_str(source).ok()?;
    walk("", &mut json, relocation);
    Some(serde_json::to_string_pretty(&json).ok()? + "\n")
}

fn walk(key: &str, value: &mut Json, relocation: &Relocation<'_>) {
    match value {
        Json::String(text) => *text = adapted_value(key, text, relocation),
        Json::Object(items) => items.iter_mut().for_each(|(key, value)| walk(key, value, relocation)),
        Json::Array(items) => items.iter_mut().for_each(|value| walk(key, value, relocation)),
        _ => {}
    }
}

fn adapted_value(key: &str, text: &str, relocation: &Relocation<'_>) -> String {
    if key == HISTORY {
        return text.to_owned();
    }
    let mut text = if relocation.is_sound() { relocation.apply(text) } else { text.to_owned() };
    if relocation.from == STANDALONE_PREFIX {
        text = without_sdk(&text);
        if let Some((_, program)) = PROGRAMS.iter().find(|(name, _)| *name == key) {
            text = with_program(&text, program);
        }
    }
    text
}

/// Leaves out `-isysroot X`: that folder was on the machine that made the build.
fn without_sdk(text: &str) -> String {
    if !text.contains("-isysroot") {
        return text.to_owned();
    }
    let mut kept = Vec::new();
    let mut words = text.split_whitespace();
    while let Some(word) = words.next() {
        if word == "-isysroot" {
            words.next();
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

/// Exchanges the compiler or the archiver that a command begins with.
fn with_program(text: &str, program: &str) -> String {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    let name = first.rsplit('/').next().unwrap_or(first);
    // `aarch64-linux-gnu-gcc`, `musl-clang`, `llvm-ar`.
    let plain = name.rsplit('-').next().unwrap_or(name);
    let is_known = matches!(plain, "clang" | "clang++" | "gcc" | "g++" | "cc" | "c++" | "ar");
    if is_known { format!("{program}{rest}") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapted(source: &str) -> Vec<(String, String)> {
        let adapted = adapt(source, "/py/3.12.1").unwrap();
        let items = literal::parse(&adapted.content).unwrap().into_iter();
        items
            .map(|(key, value)| match value {
                Value::Text(text) | Value::Number(text) => (key, text),
            })
            .collect()
    }

    #[test]
    fn a_standalone_builds_settings_are_made_right() {
        let source = "build_time_vars = {'prefix': '/install', 'CC': 'clang -pthread', 'AR': '/tools/llvm/bin/llvm-ar',\
            'CXX': 'clang++ -pthread', 'LDSHARED': '/usr/bin/aarch64-linux-gnu-gcc -shared  -L/install/lib', 'SIZE': 8, \
            'LDCXXSHARED': 'clang++ -shared', 'CONFIG_ARGS': \"'--prefix=/install'\", 'LIBDIR': '/install/lib', \
            'CFLAGS': '-O3 -isysroot /Library/SDK.sdk -Wall', 'INSTALL': '/usr/bin/install -c', 'RANLIB': 'ranlib'}";
        let expected = [
            ("prefix", "/py/3.12.1"),
            ("CC", "cc -pthread"),
            ("AR", "ar"),
            ("CXX", "c++ -pthread"),
            ("LDSHARED", "cc -shared  -L/py/3.12.1/lib"),
            ("SIZE", "8"),
            ("LDCXXSHARED", "c++ -shared"),
            ("CONFIG_ARGS", "'--prefix=/install'"),
            ("LIBDIR", "/py/3.12.1/lib"),
            ("CFLAGS", "-O3 -Wall"),
            ("INSTALL", "/usr/bin/install -c"),
            ("RANLIB", "ranlib"),
            ("PYTHON_BUILD_STANDALONE", "1"),
        ];
        assert_eq!(adapted(source), expected.map(|(key, value)| (key.to_owned(), value.to_owned())));
    }

    #[test]
    fn another_builds_compilers_are_its_own() {
        let source = "build_time_vars = {'prefix': '/opt/python', 'CC': 'gcc', 'LIBDIR': '/opt/python/lib'}";
        let values: Vec<_> = adapted(source).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["/py/3.12.1", "gcc", "/py/3.12.1/lib"]);
        let system = "build_time_vars = {'prefix': '/usr', 'LIBDIR': '/usr/lib', 'SH': '/usr/bin/sh'}";
        let values: Vec<_> = adapted(system).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, ["/usr", "/usr/lib", "/usr/bin/sh"]);
    }

    #[test]
    fn a_change_twice_is_a_change_once() {
        let source = "build_time_vars = {'prefix': '/install', 'CC': 'clang', 'LIBDIR': '/install/lib'}";
        let once = adapt(source, "/py/3.12.1").unwrap().content;
        assert_eq!(adapt(&once, "/py/3.12.1").unwrap().content, once);
    }

    #[test]
    fn json_is_adapted_too() {
        let relocation = Relocation { from: "/install", to: "/py" };
        let json = r#"{"base_prefix": "/install", "CC": "clang -O2", "n": 1, "libpython": {"dynamic": "/install/lib/x"}}"#;
        let adapted: Json = serde_json::from_str(&adapt_json(json, &relocation).unwrap()).unwrap();
        assert_eq!(adapted["base_prefix"], "/py");
        assert_eq!(adapted["CC"], "cc -O2");
        assert_eq!(adapted["libpython"]["dynamic"], "/py/lib/x");
        assert_eq!(adapt_json("{", &relocation), None);
    }
}
