//! Which files of a crate use which others, as their sources say.
//!
//! The sources are read as tokens, not as text, so comments and strings count for nothing. A path (`crate::…`, `super::…`, or
//! one that begins with a name that the file imports) is followed through re-exports to the file that defines what it names.
//! What is behind `#[cfg(test)]` is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// For each file of a crate, the others that it uses, each with the names that it takes from there.
pub(crate) type Arrows = BTreeMap<PathBuf, BTreeMap<PathBuf, BTreeSet<String>>>;

/// Names as they stand between `::`.
type Segments = Vec<String>;

/// Re-exports lead to re-exports; more steps than this are a circle among them.
const MAX_STEPS: usize = 32;

/// Reads a crate from its root file and returns its arrows, the paths relative to the root file's folder.
pub(crate) fn arrows(root: &Path) -> Arrows {
    let folder = root.parent().unwrap();
    let mut sources = Sources::default();
    sources.read(root.to_path_buf(), folder.to_path_buf(), None);
    let mut arrows = Arrows::new();
    for (id, module) in sources.modules.iter().enumerate() {
        let uses = arrows.entry(relative(&module.file, folder)).or_default();
        for used in &module.uses {
            let Some(Target::Item(owner)) = sources.resolve(id, &used.path, 0) else { continue };
            let only_passed_on = used.is_public && sources.is_below(owner, id);
            if sources.modules[owner].file != module.file && !only_passed_on {
                let names = uses.entry(relative(&sources.modules[owner].file, folder)).or_default();
                names.insert(used.path.last().unwrap().clone());
            }
        }
    }
    arrows
}

fn relative(file: &Path, folder: &Path) -> PathBuf {
    file.strip_prefix(folder).unwrap().to_path_buf()
}

#[derive(Default)]
struct Sources {
    modules: Vec<Module>,
}

struct Module {
    file: PathBuf,
    /// Where the files of its child modules are.
    folder: PathBuf,
    parent: Option<usize>,
    names: BTreeMap<String, Vec<Binding>>,
    globs: Vec<Segments>,
    uses: Vec<Use>,
}

/// What a name in a module stands for. A module and a function may share one.
enum Binding {
    Defined,
    Child(usize),
    Imported(Segments),
}

struct Use {
    path: Segments,
    /// Whether it is a `pub use`.
    is_public: bool,
}

/// Where a path leads, as an index among the modules.
#[derive(Clone, Copy)]
enum Target {
    Module(usize),
    /// Something that this module defines.
    Item(usize),
}

impl Sources {
    fn read(&mut self, file: PathBuf, folder: PathBuf, parent: Option<usize>) -> usize {
        let text = std::fs::read_to_string(&file).unwrap();
        let tokens: TokenStream = text.parse().unwrap_or_else(|_| panic!("{} is not Rust", file.display()));
        self.add(
            Module { file, folder, parent, names: BTreeMap::new(), globs: Vec::new(), uses: Vec::new() },
            tokens,
        )
    }

    fn add(&mut self, module: Module, tokens: TokenStream) -> usize {
        let id = self.modules.len();
        self.modules.push(module);
        self.walk(id, tokens, true);
        id
    }

    /// Takes in what tokens of a module define, import and name. `outermost` is false inside of functions and the like.
    fn walk(&mut self, id: usize, tokens: TokenStream, outermost: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while at < tokens.len() {
            at = match &tokens[at] {
                TokenTree::Punct(mark) if mark.as_char() == '#' => after_attribute(&tokens, at),
                TokenTree::Group(group) => {
                    self.walk(id, group.stream(), false);
                    at + 1
                }
                TokenTree::Ident(word) => self.word(id, &tokens, at, &word.to_string(), outermost),
                TokenTree::Punct(_) | TokenTree::Literal(_) => at + 1,
            };
        }
    }

    /// Takes in what begins with a word, and returns where it ends.
    fn word(&mut self, id: usize, tokens: &[TokenTree], at: usize, word: &str, outermost: bool) -> usize {
        match word {
            // But not `+ use<'a>`, what a type captures.
            "use" if !is_mark(tokens, at + 1, '<') => {
                let end = (at..tokens.len()).find(|end| is_mark(tokens, *end, ';')).unwrap();
                let before = at.checked_sub(1).map(|before| &tokens[before]);
                let is_public = match before {
                    Some(TokenTree::Ident(word)) => word == "pub",
                    Some(TokenTree::Group(scope)) => scope.delimiter() == Delimiter::Parenthesis,
                    _ => false,
                };
                self.import(id, &tokens[at + 1..end], &Vec::new(), is_public);
                end + 1
            }
            "mod" if outermost => self.child(id, tokens, at),
            "fn" | "struct" | "enum" | "trait" | "type" | "const" | "static" | "union" | "macro_rules"
                if outermost =>
            {
                let name = at + 1 + usize::from(word == "macro_rules");
                if let Some(TokenTree::Ident(name)) = tokens.get(name) {
                    self.bind(id, name.to_string(), Binding::Defined);
                }
                at + 1
            }
            _ => {
                let (path, end) = path_at(tokens, at);
                if path.len() > 1 || is_use_of_a_name(tokens, at) {
                    self.modules[id].uses.push(Use { path, is_public: false });
                }
                end
            }
        }
    }

    /// `mod name;` or `mod name { … }`.
    fn child(&mut self, id: usize, tokens: &[TokenTree], at: usize) -> usize {
        let name = tokens[at + 1].to_string();
        let folder = self.modules[id].folder.join(&name);
        let child = if let Some(TokenTree::Group(body)) = tokens.get(at + 2) {
            let module = Module {
                file: self.modules[id].file.clone(),
                folder,
                parent: Some(id),
                names: BTreeMap::new(),
                globs: Vec::new(),
                uses: Vec::new(),
            };
            self.add(module, body.stream())
        } else {
            let beside = folder.with_extension("rs");
            let file = if beside.exists() { beside } else { folder.join("mod.rs") };
            self.read(file, folder, Some(id))
        };
        self.bind(id, name, Binding::Child(child));
        at + 3
    }

    /// One tree of a `use`.
    fn import(&mut self, id: usize, tokens: &[TokenTree], prefix: &Segments, is_public: bool) {
        let mut path = prefix.clone();
        let mut at = 0;
        while at < tokens.len() {
            match &tokens[at] {
                TokenTree::Ident(word) if word == "as" => break,
                TokenTree::Ident(word) if word == "self" && !path.is_empty() => {}
                TokenTree::Ident(word) => path.push(word.to_string()),
                TokenTree::Punct(mark) if mark.as_char() == '*' => {
                    self.modules[id].globs.push(path);
                    return;
                }
                TokenTree::Group(list) => {
                    let list: Vec<TokenTree> = list.stream().into_iter().collect();
                    let is_comma =
                        |token: &TokenTree| matches!(token, TokenTree::Punct(mark) if mark.as_char() == ',');
                    for tree in list.split(is_comma).filter(|tree| !tree.is_empty()) {
                        self.import(id, tree, &path, is_public);
                    }
                    return;
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {}
            }
            at += 1;
        }
        let name = tokens.get(at + 1).map_or_else(|| path.last().unwrap().clone(), ToString::to_string);
        self.bind(id, name, Binding::Imported(path.clone()));
        self.modules[id].uses.push(Use { path, is_public });
    }

    fn bind(&mut self, id: usize, name: String, binding: Binding) {
        self.modules[id].names.entry(name).or_default().push(binding);
    }

    /// Where a path in a module leads; `None` for what is of another crate, or no path at all.
    fn resolve(&self, id: usize, path: &[String], steps: usize) -> Option<Target> {
        let (first, mut rest) = path.split_first()?;
        let mut target = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(id),
            "super" => Target::Module(self.modules[id].parent?),
            name => self.look_up(id, name, !rest.is_empty(), steps)?,
        };
        while let (Target::Module(module), Some((name, after))) = (target, rest.split_first()) {
            target = match name.as_str() {
                "super" => Target::Module(self.modules[module].parent?),
                name => self.look_up(module, name, !after.is_empty(), steps)?,
            };
            rest = after;
        }
        Some(target)
    }

    /// What a name in a module stands for: rather a module where a path goes on, rather something else where it ends.
    fn look_up(&self, id: usize, name: &str, goes_on: bool, steps: usize) -> Option<Target> {
        if steps > MAX_STEPS {
            return None;
        }
        let module = &self.modules[id];
        let bindings = module.names.get(name).into_iter().flatten();
        let mut found: Vec<Target> = bindings
            .filter_map(|binding| match binding {
                Binding::Defined => Some(Target::Item(id)),
                Binding::Child(child) => Some(Target::Module(*child)),
                Binding::Imported(path) => self.resolve(id, path, steps + 1),
            })
            .collect();
        if found.is_empty() {
            let globs = module.globs.iter().filter_map(|path| match self.resolve(id, path, steps + 1)? {
                Target::Module(other) => self.look_up(other, name, goes_on, steps + 1),
                Target::Item(_) => None,
            });
            found.extend(globs);
        }
        let is_wanted = |target: &&Target| matches!(target, Target::Module(_)) == goes_on;
        found.iter().find(is_wanted).or(found.first()).copied()
    }

    fn is_below(&self, inner: usize, outer: usize) -> bool {
        std::iter::successors(Some(inner), |id| self.modules[*id].parent).any(|id| id == outer)
    }
}

/// Where an attribute ends; for `#[cfg(test)]`, where what it stands before ends.
fn after_attribute(tokens: &[TokenTree], at: usize) -> usize {
    let body = at + 1 + usize::from(is_mark(tokens, at + 1, '!'));
    let Some(TokenTree::Group(body_tokens)) = tokens.get(body) else { return at + 1 };
    let words: Vec<String> = body_tokens
        .stream()
        .to_string()
        .split(|letter: char| !letter.is_alphanumeric())
        .map(str::to_owned)
        .collect();
    let is_for_tests = words.first().is_some_and(|word| word == "cfg")
        && words.iter().any(|word| word == "test")
        && !words.iter().any(|word| word == "not");
    if !is_for_tests {
        return body + 1;
    }
    let is_end = |token: &TokenTree| match token {
        TokenTree::Punct(mark) => mark.as_char() == ';',
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        _ => false,
    };
    tokens[body..].iter().position(is_end).map_or(tokens.len(), |end| body + end + 1)
}

/// The path that begins at a word, and where it ends.
fn path_at(tokens: &[TokenTree], at: usize) -> (Segments, usize) {
    let mut path = vec![tokens[at].to_string()];
    let mut end = at + 1;
    while is_mark(tokens, end, ':') && is_mark(tokens, end + 1, ':') {
        let Some(TokenTree::Ident(word)) = tokens.get(end + 2) else { break };
        path.push(word.to_string());
        end += 3;
    }
    // `<Type as Trait>::name` and `::crate_name` begin with no name of this module.
    let is_tail = at >= 2 && is_mark(tokens, at - 1, ':') && is_mark(tokens, at - 2, ':');
    (if is_tail { Vec::new() } else { path }, end)
}

/// Whether a single word may name something imported, and is no variable, field or method: it is written like a type or a
/// constant, or it is called.
fn is_use_of_a_name(tokens: &[TokenTree], at: usize) -> bool {
    let TokenTree::Ident(word) = &tokens[at] else { return false };
    let is_called = match tokens.get(at + 1) {
        Some(TokenTree::Group(group)) => group.delimiter() == Delimiter::Parenthesis,
        Some(TokenTree::Punct(mark)) => mark.as_char() == '!',
        _ => false,
    };
    let is_member = at > 0 && (is_mark(tokens, at - 1, '.') || tokens[at - 1].to_string() == "fn");
    !is_member && (is_called || word.to_string().starts_with(char::is_uppercase))
}

fn is_mark(tokens: &[TokenTree], at: usize, mark: char) -> bool {
    matches!(tokens.get(at), Some(TokenTree::Punct(found)) if found.as_char() == mark)
}
