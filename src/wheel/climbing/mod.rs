//! Python modules that look for files outside their own distribution, by a path that starts at `__file__`.
//!
//! `Path(__file__).resolve().parent.parent / "plugins"` in a folded package leads into the store, where the neighbours are
//! not; `os.path.join(os.path.dirname(__file__), "..", "plugins")` does as well, since the kernel goes through the link
//! before it goes up. `os.path.dirname(os.path.dirname(__file__))` does not: that is only text. So paths are followed
//! through a module as far as its text tells: how many folders up each leads, and whether links were resolved on the way.
//! Going up one folder too few costs a package that breaks, going up one too many a few links, so what is not
//! clear counts as climbing.

mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use tokens::{Token, statements};

/// A larger module is data.
const LARGEST: usize = 1 << 20;

/// Brackets within brackets; nobody writes more by hand.
const DEEPEST: usize = 48;

/// Words of which every module that climbs has one.
pub(super) const WORDS: [&str; 4] = ["__file__", "__path__", "__spec__", "currentframe"];

/// What a wheel's modules that climb need of a venv. Paths are in `site-packages`, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Climbing {
    /// The folders that have to be real, those above them left out.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub folders: BTreeSet<String>,
    /// The modules that have to be real files, since they resolve their own path.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub files: BTreeSet<String>,
}

impl Climbing {
    /// Whether no module climbs.
    pub fn is_empty(&self) -> bool {
        self.folders.is_empty() && self.files.is_empty()
    }

    /// Adds what one module needs. `path` is its place in `site-packages`.
    pub(super) fn add(&mut self, path: &str, source: &[u8]) {
        if source.len() > LARGEST || is_test(path) {
            return;
        }
        let source = String::from_utf8_lossy(source);
        let mut module = Module {
            path,
            depth: path.split('/').map(|_| 1).sum(),
            names: BTreeMap::new(),
            function: None,
            needs: self,
        };
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

/// A path, as far as it is known how it comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// How many folders above the module it is: 0 is the module or a file beside it, 1 its folder.
    ups: isize,
    /// Where links were resolved, while it was inside the distribution.
    resolved: Option<isize>,
    /// How far up `..` leads that nobody has taken out of the text yet.
    dots: isize,
    /// Whether it began with the package's `__init__.py`, by the package's name.
    of_package: bool,
}

impl Place {
    const MODULE: Self = Self { ups: 0, resolved: None, dots: 0, of_package: false };
    const FOLDER: Self = Self { ups: 1, ..Self::MODULE };
}

/// What an operand is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Place(Place),
    Text(String),
    Other,
}

/// One module on which the search works.
struct Module<'a> {
    path: &'a str,
    /// How many parts its path has: so many folders up is outside the distribution.
    depth: isize,
    /// The places that names stand for; a function's with `()`.
    names: BTreeMap<String, Place>,
    /// The function that is being read.
    function: Option<String>,
    needs: &'a mut Climbing,
}

impl Module<'_> {
    fn statement(&mut self, tokens: &[Token]) {
        if let [Token::Name(word), Token::Name(name), ..] = tokens
            && matches!(word.as_str(), "def" | "class")
        {
            self.function = Some(name.clone());
        }
        let target = match tokens {
            [Token::Name(name), Token::Sign('='), next, ..] if *next != Token::Sign('=') => Some((name, 2)),
            [Token::Name(name), Token::Sign(':'), rest @ ..] => {
                rest.iter().position(|token| *token == Token::Sign('=')).map(|place| (name, place + 3))
            }
            _ => None,
        };
        let (name, start) = match (target, tokens) {
            (Some((name, start)), _) => (Some(name.clone()), start),
            (None, [Token::Name(word), ..]) if word == "return" => {
                (self.function.as_ref().map(|name| format!("{name}()")), 1)
            }
            _ => (None, 0),
        };
        let mut cursor = Cursor { tokens, place: start };
        let value = self.operands(&mut cursor, 0);
        self.used(&value);
        if let (Some(name), Value::Place(place)) = (name, value) {
            self.names.insert(name, place);
        }
    }

    /// Goes through operands up to a closing bracket, a comma or the end. Returns the last place among them.
    fn operands(&mut self, cursor: &mut Cursor<'_>, deep: usize) -> Value {
        let mut last = Value::Other;
        let mut sign = None;
        while let Some(token) = cursor.peek() {
            match token {
                Token::Sign(')' | ']' | '}' | ',') if deep > 0 => break,
                Token::Sign(character @ ('/' | '+' | '%')) => {
                    sign = Some(*character);
                    cursor.place += 1;
                }
                Token::Sign(character) if !matches!(character, '(' | '[' | '{') => {
                    self.used(&last);
                    (last, sign) = (Value::Other, None);
                    cursor.place += 1;
                }
                _ => {
                    let value = self.operand(cursor, deep);
                    last = self.combined(last, sign.take(), value);
                }
            }
        }
        last
    }

    /// What two operands make with a sign between them.
    fn combined(&mut self, left: Value, sign: Option<char>, right: Value) -> Value {
        match (left, sign, right) {
            (Value::Place(place), Some('/' | '+'), Value::Text(text)) => {
                Value::Place(self.walked(place, &text))
            }
            // `/ name`, and keywords such as `if` and `or`.
            (Value::Place(place), _, Value::Other) => Value::Place(place),
            (Value::Text(text), Some('%'), Value::Place(place)) => {
                Value::Place(self.walked(place, text.split_once("%s").map_or("", |(_, rest)| rest)))
            }
            (left, _, right) => {
                self.used(&left);
                right
            }
        }
    }

    /// One operand with what follows it: calls, attributes, indices.
    fn operand(&mut self, cursor: &mut Cursor<'_>, deep: usize) -> Value {
        let Some(token) = cursor.next() else { return Value::Other };
        if deep > DEEPEST {
            return Value::Other;
        }
        let value = match token {
            Token::Text { content, formatted: true } => self.formatted(content, deep),
            Token::Text { content, .. } => Value::Text(content.clone()),
            Token::Name(name) => self.named(name, cursor, deep),
            Token::Sign('(' | '[' | '{') => {
                let values = self.list(cursor, deep);
                self.one_of(&values)
            }
            Token::Number(_) | Token::Sign(_) => Value::Other,
        };
        self.trailers(value, cursor, deep)
    }

    /// What a name with dots stands for.
    fn named(&mut self, name: &str, cursor: &mut Cursor<'_>, deep: usize) -> Value {
        let own = self.path.split('/').next().unwrap_or_default();
        // The package itself by its name: its folder lies as deep as it does.
        if self.depth > 1 && name.strip_prefix(own) == Some(".__file__") {
            return Value::Place(Place { ups: self.depth - 2, of_package: true, ..Place::MODULE });
        }
        let mut end = name.len();
        loop {
            let (known, rest) = (&name[..end], name[end..].trim_start_matches('.'));
            if let Some(place) = self.known(known) {
                return self.attributes(Value::Place(place), rest, cursor, deep);
            }
            let Some(shorter) = known.rfind('.') else { break };
            end = shorter;
        }
        let function = name.rsplit('.').next().unwrap_or(name);
        if cursor.peek() != Some(&Token::Sign('(')) {
            return if function == "pardir" { Value::Text("..".to_owned()) } else { Value::Other };
        }
        cursor.place += 1;
        let arguments = self.list(cursor, deep);
        if let Some(place) = self.names.get(&format!("{name}()")).copied() {
            return Value::Place(place);
        }
        self.call(function, None, &arguments)
    }

    fn known(&self, name: &str) -> Option<Place> {
        match name {
            "__file__" | "__spec__.origin" => Some(Place::MODULE),
            "__path__" => Some(Place::FOLDER),
            _ => self.names.get(name).copied(),
        }
    }

    /// Attributes (`parent.parent`) of a value, the last of them perhaps a method.
    fn attributes(&mut self, mut value: Value, names: &str, cursor: &mut Cursor<'_>, deep: usize) -> Value {
        let mut names = names.split('.').filter(|name| !name.is_empty()).peekable();
        while let Some(name) = names.next() {
            let is_method = names.peek().is_none() && cursor.peek() == Some(&Token::Sign('('));
            value = match (value, name) {
                (value, name) if is_method => {
                    cursor.place += 1;
                    let arguments = self.list(cursor, deep);
                    self.call(name, Some(&value), &arguments)
                }
                (Value::Place(place), "parent") => Value::Place(self.up(place)),
                (Value::Place(place), "parents") => {
                    let index = Self::index(cursor);
                    // Which one is not known: it may be any.
                    let count = index.unwrap_or(DEEPEST).min(DEEPEST);
                    Value::Place((0..=count).fold(place, |place, _| self.up(place)))
                }
                (value, _) => {
                    self.used(&value);
                    Value::Other
                }
            };
        }
        value
    }

    /// What comes directly after an operand.
    fn trailers(&mut self, mut value: Value, cursor: &mut Cursor<'_>, deep: usize) -> Value {
        loop {
            match cursor.peek() {
                Some(Token::Sign('.')) => {
                    cursor.place += 1;
                    let Some(Token::Name(names)) = cursor.next() else { return value };
                    value = self.attributes(value, names, cursor, deep);
                }
                Some(Token::Sign('[')) if value != Value::Other => {
                    cursor.place += 1;
                    self.list(cursor, deep);
                }
                _ => return value,
            }
        }
    }

    /// What a function or a method makes of a path.
    fn call(&mut self, function: &str, of: Option<&Value>, arguments: &[Value]) -> Value {
        let place = match of {
            Some(Value::Place(place)) => Some(*place),
            _ => arguments.iter().find_map(|value| match value {
                Value::Place(place) => Some(*place),
                _ => None,
            }),
        };
        if function == "currentframe" {
            return Value::Place(Place::MODULE);
        }
        let Some(mut place) = place else { return Value::Other };
        match function {
            "dirname" | "split" => place = self.up(place),
            "realpath" | "resolve" | "readlink" => place = self.resolved(place),
            "abspath" | "normpath" | "absolute" => place.dots = 0,
            "join" | "joinpath" | "with_name" | "Path" | "PurePath" | "PosixPath" => {
                for text in arguments.iter().filter_map(Value::text) {
                    place = self.walked(place, text);
                }
            }
            "format" => {
                let text = of.and_then(Value::text).unwrap_or_default();
                place = self.walked(place, text.split_once('}').map_or("", |(_, rest)| rest));
            }
            "str" | "fspath" | "fsdecode" | "fsencode" | "normcase" | "expanduser" | "as_posix"
            | "getfile" | "getsourcefile" | "getabsfile" | "with_suffix" => {}
            _ => {
                self.used(&Value::Place(place));
                return Value::Other;
            }
        }
        Value::Place(place)
    }

    /// The values up to the bracket that closes, those of lists in it included.
    fn list(&mut self, cursor: &mut Cursor<'_>, deep: usize) -> Vec<Value> {
        let mut values = Vec::new();
        loop {
            values.push(self.operands(cursor, deep + 1));
            match cursor.next() {
                Some(Token::Sign(',')) => {}
                _ => return values,
            }
        }
    }

    /// The first place among the elements of a list; the others are used as they are.
    fn one_of(&mut self, values: &[Value]) -> Value {
        let mut places = values.iter().filter(|value| matches!(value, Value::Place(_)));
        let first = places.next().or(values.first()).cloned().unwrap_or(Value::Other);
        places.for_each(|place| self.used(place));
        first
    }

    /// The number in the brackets that follow; nothing if there is another expression.
    fn index(cursor: &mut Cursor<'_>) -> Option<usize> {
        let rest = cursor.tokens.get(cursor.place..)?;
        match rest {
            [Token::Sign('['), Token::Number(index), Token::Sign(']'), ..] => {
                cursor.place += 3;
                Some(*index)
            }
            _ => None,
        }
    }

    /// An f-string: the first place in it, and what follows that.
    fn formatted(&mut self, content: &str, deep: usize) -> Value {
        let mut rest = content;
        while let Some((_, inside)) = rest.split_once('{') {
            let Some((expression, after)) = inside.split_once('}') else { break };
            let tokens: Vec<Token> = statements(expression).into_iter().flatten().collect();
            let mut cursor = Cursor { tokens: &tokens, place: 0 };
            if let Value::Place(place) = self.operand(&mut cursor, deep + 1) {
                let literal = after.split('{').next().unwrap_or_default();
                return Value::Place(self.walked(place, literal));
            }
            rest = after;
        }
        Value::Text(content.to_owned())
    }

    /// The folder of a place, as text.
    fn up(&mut self, mut place: Place) -> Place {
        place.ups += 1;
        if let Some(at) = place.resolved
            && place.ups >= self.depth
        {
            let origin = if place.of_package { self.depth - 2 } else { 0 };
            self.needs_real(at.max(origin + 1));
            if at == origin {
                let package = self.path.split('/').next().filter(|_| place.of_package);
                let file = package.map_or(self.path.to_owned(), |folder| format!("{folder}/__init__.py"));
                self.needs.files.insert(file);
            }
        }
        place
    }

    /// A place after the parts of a relative path.
    fn walked(&mut self, mut place: Place, text: &str) -> Place {
        for part in text.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")) {
            if part == ".." {
                place = self.up(place);
                place.dots = place.dots.max(place.ups);
            } else {
                place.ups -= 1;
            }
        }
        place
    }

    /// A place with its links resolved.
    fn resolved(&mut self, mut place: Place) -> Place {
        self.used(&Value::Place(place));
        place.dots = 0;
        if place.ups < self.depth {
            place.resolved = Some(place.resolved.map_or(place.ups, |at| at.min(place.ups)));
        }
        place
    }

    /// A path that goes to the kernel, which goes through links before it goes up.
    fn used(&mut self, value: &Value) {
        if let Value::Place(place) = value
            && place.dots >= self.depth
        {
            self.needs_real(1);
        }
    }

    /// Notes that the folder so many levels above the module has to be real.
    fn needs_real(&mut self, ups: isize) {
        let mut folder = self.path;
        for _ in 0..ups {
            folder = folder.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
        if !folder.is_empty() {
            self.needs.folders.insert(folder.to_owned());
        }
    }
}

impl Value {
    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// Where in a statement the reading is.
struct Cursor<'t> {
    tokens: &'t [Token],
    place: usize,
}

impl<'t> Cursor<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.place)
    }

    fn next(&mut self) -> Option<&'t Token> {
        let token = self.tokens.get(self.place);
        self.place += 1;
        token
    }
}

#[cfg(test)]
mod tests {
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
