//! One module, read statement by statement: which names stand for places above it, and what is done with them.

use std::collections::BTreeMap;

use super::needs::Climbing;
use super::tokens::{Token, statements};

/// Brackets within brackets; nobody writes more by hand.
const DEEPEST: usize = 48;

/// Functions and methods that show what is in a folder.
const SEARCHES: [&str; 6] = ["glob", "rglob", "iterdir", "listdir", "scandir", "walk"];

/// Names that say that a module looks for its own repository, which is not there in any venv.
const REPOSITORIES: [&str; 3] = [".git", ".hg", ".svn"];

/// A path, as far as it is known how it comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    /// How many folders above the module it is: 0 is the module or a file beside it, 1 its folder.
    ups: isize,
    /// Where links were resolved, while it was inside the distribution.
    resolved: Option<isize>,
    /// How far up `..` leads that nobody has taken out of the text yet.
    dots: isize,
    /// Whether a `..` comes right behind the file itself, which only the text of a path can have.
    behind_file: bool,
    /// Whether it is the folder above `site-packages` and was gone to at once: what is there is the interpreter's, so a module
    /// that does so looks for its own repository, in which the package lies as deep.
    above_packages: bool,
    /// Whether it began with the package's `__init__.py`, by the package's name.
    of_package: bool,
}

impl Place {
    const MODULE: Self = Self {
        ups: 0,
        resolved: None,
        dots: 0,
        behind_file: false,
        above_packages: false,
        of_package: false,
    };
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
pub(super) struct Module<'a> {
    path: &'a str,
    /// How many parts its path has: so many folders up is outside the distribution.
    depth: isize,
    /// The places that names stand for; a function's with `()`.
    names: BTreeMap<String, Place>,
    /// The function that is being read.
    function: Option<String>,
    needs: &'a mut Climbing,
}

impl<'a> Module<'a> {
    /// A module at a place in `site-packages`, nothing of which was read.
    pub(super) fn new(path: &'a str, needs: &'a mut Climbing) -> Self {
        let depth = path.split('/').map(|_| 1).sum();
        Self { path, depth, names: BTreeMap::new(), function: None, needs }
    }
}

impl Module<'_> {
    /// Reads the next statement.
    pub(super) fn statement(&mut self, tokens: &[Token]) {
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
            (Value::Place(place), Some('/'), Value::Other) => {
                self.searched(place);
                Value::Place(place)
            }
            // Keywords such as `if` and `or`.
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
                (Value::Place(place), "parent") => {
                    let mut count = 1;
                    while names.next_if_eq(&"parent").is_some() {
                        count += 1;
                    }
                    Value::Place(self.climbed(place, count))
                }
                (Value::Place(place), "parents") => {
                    let index = Self::index(cursor);
                    // Which one is not known: it may be any.
                    let count = index.unwrap_or(DEEPEST).min(DEEPEST) + 1;
                    Value::Place(self.climbed(place, count.cast_signed()))
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
                if arguments.contains(&Value::Other) {
                    self.searched(place);
                }
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
                if SEARCHES.contains(&function) {
                    self.searched(place);
                }
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
    fn up(&mut self, place: Place) -> Place {
        self.climbed(place, 1)
    }

    /// The folder so many levels above a place, as text.
    fn climbed(&mut self, mut place: Place, count: isize) -> Place {
        place.ups += count;
        place.above_packages = count > 1 && place.ups == self.depth + 1;
        if place.ups >= self.depth && !place.above_packages {
            self.left(place);
        }
        place
    }

    /// Notes what has to be real for a place outside the distribution, if links were resolved on the way.
    fn left(&mut self, place: Place) {
        let Some(at) = place.resolved else { return };
        let origin = self.origin(place);
        self.needs_real(at.max(origin + 1));
        if at == origin {
            self.needs_real_file(place);
        }
    }

    /// Takes note of a place that something unknown is looked for in.
    fn searched(&mut self, place: Place) {
        if place.above_packages {
            self.left(place);
        }
    }

    /// A place after the parts of a relative path.
    fn walked(&mut self, mut place: Place, text: &str) -> Place {
        for part in text.split(['/', '\\']).filter(|part| !matches!(*part, "" | ".")) {
            if part == ".." {
                place.behind_file |= place.ups == self.origin(place);
                place = self.up(place);
                place.dots = place.dots.max(place.ups);
            } else {
                if !part.starts_with('.') {
                    self.searched(place);
                }
                place.ups -= 1;
                place.above_packages = false;
            }
            if REPOSITORIES.contains(&part) {
                place.dots = 0;
            }
        }
        place
    }

    /// A place with its links resolved.
    fn resolved(&mut self, mut place: Place) -> Place {
        self.used(&Value::Place(place));
        // The file's own link is resolved before the dots behind it.
        if place.behind_file && place.dots >= self.depth {
            self.needs_real_file(place);
        }
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

    /// How many folders above the module the file is with which a place began.
    fn origin(&self, place: Place) -> isize {
        if place.of_package { self.depth - 2 } else { 0 }
    }

    /// Notes that the file with which a place began has to be real.
    fn needs_real_file(&mut self, place: Place) {
        let package = self.path.split('/').next().filter(|_| place.of_package);
        let file = package.map_or(self.path.to_owned(), |folder| format!("{folder}/__init__.py"));
        self.needs.files.insert(file);
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
