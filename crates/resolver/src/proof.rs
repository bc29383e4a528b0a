//! Why a request has no solution, in sentences that people read once.
//!
//! The solver tells a proof: "Because A and B, we can conclude that C. And because D …". What of it helps are the facts it
//! starts from: what is asked for, what requires what, which versions there are. [`Proof::of`] takes these out of the proof,
//! [`Proof::sentence`] finds the sentence for their kind, by the table [`RULES`]. A proof with a fact that is not known here is
//! told as it is.

mod markers;

use std::fmt::Write as _;

use self::markers::Markers;

use virtpy_pep::{PackageName, Requirement, Version};

/// What a proof starts from.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fact {
    /// No source has a package.
    Absent { name: String, place: &'static str },
    /// There are only these versions of a package.
    Only { name: String, versions: String },
    /// There is no such version of a package.
    NoVersion { name: String, wanted: String },
    /// Who asks requires this.
    Asked(Vec<String>),
    /// A package requires these.
    Requires { who: String, what: Vec<String> },
    /// The interpreter is another one than is required.
    Python { is: String, wanted: String },
    /// Versions cannot be used.
    Unusable { who: String, why: String },
}

/// Where something is not, as the proof has it and as people are told.
const PLACES: [(&str, &str); 3] = [
    (" was not found on the index", "on the index"),
    (" was not found in the cache", "on this machine"),
    (" was not found in the provided package locations", "in the given locations"),
];

/// Why versions are of no use, as the proof has it and as people are told. What stands behind it in brackets is kept where
/// the sentence ends with `: `.
const REASONS: [(&str, &str); 12] = [
    ("has no wheels with a matching platform tag", "has no wheel for this platform"),
    ("have no wheels with a matching platform tag", "have no wheel for this platform"),
    ("has no wheels with a matching Python", "has no wheel for this Python"),
    ("have no wheels with a matching Python", "have no wheel for this Python"),
    ("has no usable wheels", "has no usable wheel"),
    ("have no usable wheels", "have no usable wheel"),
    ("was yanked", "was withdrawn by its authors (yanked): "),
    ("were yanked", "were withdrawn by their authors (yanked): "),
    ("needs to be downloaded from a registry", "is not on this machine"),
    ("need to be downloaded from a registry", "are not on this machine"),
    ("has invalid metadata", "has broken metadata"),
    ("has an invalid package format", "is a broken archive"),
];

/// What makes a sentence of a kind of proof; given is the newest version of what is scarce.
type Rule = fn(&Proof, Option<&str>) -> Option<String>;

/// The kinds of proofs, the most specific first.
const RULES: [Rule; 6] =
    [of_no_package, of_required_package, of_python, of_no_version, of_required_version, of_unusable];

/// The facts that a proof starts from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    facts: Vec<Fact>,
    /// The conditions of requirements, for which numbers stand in the facts.
    markers: Markers,
}

impl Proof {
    /// Takes the facts out of a proof; `None` where one is not understood.
    pub(crate) fn of(proof: &str) -> Option<Self> {
        let mut facts = Vec::new();
        let (proof, markers) = Markers::taken_out_of(proof);
        for sentence in sentences(&proof) {
            let premises =
                sentence.strip_prefix("Because ").or_else(|| sentence.strip_prefix("And because "))?;
            let premises = premises.split(", we can conclude that ").next()?;
            let premises = premises.strip_suffix(", which are incompatible").unwrap_or(premises);
            add_facts(premises, &mut facts)?;
        }
        for fact in &mut facts {
            // Who withdraws a version says why in any words.
            if let Fact::Unusable { why, .. } = fact
                && let Some((before, reason)) = why.split_once("(reason: ")
            {
                *why = format!("{before}{}", reason.trim_end_matches(')'));
            }
        }
        (!facts.is_empty()).then_some(Self { facts, markers })
    }

    /// The package of which there is no version that would do.
    pub(crate) fn scarce(&self) -> Option<PackageName> {
        self.facts.iter().find_map(|fact| match fact {
            Fact::Only { name, .. } if self.takes_any(name) => None,
            Fact::Only { name, .. } | Fact::NoVersion { name, .. } => name.parse().ok(),
            _ => None,
        })
    }

    /// Whether a package is required, and any version of it would do: then it is no reason that there are only some.
    fn takes_any(&self, name: &str) -> bool {
        let mut all = self
            .facts
            .iter()
            .flat_map(|fact| match fact {
                Fact::Asked(all) | Fact::Requires { what: all, .. } => all.as_slice(),
                _ => &[],
            })
            .filter(|one| is_of(one, name))
            .peekable();
        all.peek().is_some() && all.all(|one| split_name(one).1.is_empty())
    }

    /// What a user is told; `newest` is the newest version of the [scarce](Self::scarce) package.
    pub(crate) fn sentence(&self, newest: Option<&str>) -> String {
        let special = RULES.iter().find_map(|rule| rule(self, newest));
        let told = special.unwrap_or_else(|| {
            let mut text = "these requirements exclude each other:".to_owned();
            for line in self.facts.iter().filter(|fact| !self.is_plain_way(fact)).map(Fact::line) {
                let _ = write!(text, "\n  {line}");
            }
            text
        });
        self.markers.put_into(&told)
    }

    /// Whether a fact only leads from who asks to a package that says what it requires itself, as a project does.
    fn is_plain_way(&self, fact: &Fact) -> bool {
        let says = |name: &str| {
            self.facts.iter().any(|fact| match fact {
                Fact::Requires { who, .. } => who.split(' ').next() == Some(name),
                _ => false,
            })
        };
        match fact {
            Fact::Only { name, .. } => self.takes_any(name) && says(name),
            Fact::Asked(all) => all.iter().all(|one| {
                says(one)
                    && self.facts.iter().any(|fact| matches!(fact, Fact::Only { name, .. } if name == one))
            }),
            _ => false,
        }
    }

    fn find<'a, T>(&'a self, pick: impl Fn(&'a Fact) -> Option<T>) -> Option<T> {
        self.facts.iter().find_map(pick)
    }

    /// What the user asked for of a package, if that is so.
    fn asked(&self, name: &str) -> Option<&str> {
        self.find(|fact| match fact {
            Fact::Asked(all) => all.iter().map(String::as_str).find(|one| is_of(one, name)),
            _ => None,
        })
    }

    /// Who requires what of a package.
    fn required(&self, name: &str) -> Option<(&str, &str)> {
        self.find(|fact| match fact {
            Fact::Requires { who, what } => {
                what.iter().find(|one| is_of(one, name)).map(|one| (who.as_str(), one.as_str()))
            }
            _ => None,
        })
    }

    fn is_about_packages_only(&self) -> bool {
        !self.facts.iter().any(|fact| matches!(fact, Fact::Python { .. } | Fact::Unusable { .. }))
    }
}

impl Fact {
    fn line(&self) -> String {
        match self {
            Self::Absent { name, place } => format!("{name} is not {place}"),
            Self::Only { name, versions } => format!("of {name} there is only {versions}"),
            Self::NoVersion { name, wanted } if wanted.is_empty() => format!("{name} has no version"),
            Self::NoVersion { name, wanted } => format!("{name} has no version {wanted}"),
            Self::Asked(all) => format!("you require {}", all.join(" and ")),
            Self::Requires { who, what } => format!("{who} requires {}", what.join(" and ")),
            Self::Python { is, wanted } => format!("Python is {is}, not {wanted}"),
            Self::Unusable { who, why } => format!("{who} {why}"),
        }
    }
}

fn of_no_package(proof: &Proof, _: Option<&str>) -> Option<String> {
    let (name, place) = proof.find(|fact| match fact {
        Fact::Absent { name, place } => Some((name, *place)),
        _ => None,
    })?;
    proof.asked(name)?;
    Some(format!("there is no package `{name}` {place}"))
}

fn of_required_package(proof: &Proof, _: Option<&str>) -> Option<String> {
    let (name, place) = proof.find(|fact| match fact {
        Fact::Absent { name, place } => Some((name, *place)),
        _ => None,
    })?;
    let (who, _) = proof.required(name)?;
    Some(format!("{who} requires `{name}`, and there is no such package {place}"))
}

fn of_python(proof: &Proof, _: Option<&str>) -> Option<String> {
    let is = proof.find(|fact| match fact {
        Fact::Python { is, .. } => Some(is),
        _ => None,
    })?;
    let (who, wanted) = proof.required("Python")?;
    Some(format!("{who} requires {wanted}, and this Python is {is}"))
}

fn of_no_version(proof: &Proof, newest: Option<&str>) -> Option<String> {
    let name = proof.scarce().filter(|_| proof.is_about_packages_only())?;
    let asked = proof.asked(&name)?;
    let wanted = match pinned(asked) {
        Some(version) => format!("{name} has no version {version}"),
        None if split_name(asked).1.is_empty() => return Some(format!("there is no version of `{asked}`")),
        None => format!("no version of {name} satisfies `{asked}`"),
    };
    Some(wanted + &proof.available(&name, newest))
}

fn of_required_version(proof: &Proof, newest: Option<&str>) -> Option<String> {
    let name = proof.scarce().filter(|_| proof.is_about_packages_only())?;
    let (who, what) = proof.required(&name)?;
    // More than these two may be at odds.
    let others = proof.facts.iter().filter(|fact| matches!(fact, Fact::Requires { .. })).count();
    (others == 1).then(|| {
        format!("{who} requires {what}, and there is no such version{}", proof.available(&name, newest))
    })
}

fn of_unusable(proof: &Proof, _: Option<&str>) -> Option<String> {
    let is_simple = !proof.facts.iter().any(|fact| matches!(fact, Fact::Requires { .. }));
    let mut unusable = proof.facts.iter().filter_map(|fact| match fact {
        Fact::Unusable { who, why } => Some(format!("{who} {why}")),
        _ => None,
    });
    let (first, more) = (unusable.next().filter(|_| is_simple)?, unusable.next());
    more.is_none().then_some(first)
}

impl Proof {
    /// What there is of a package instead of what there is not.
    fn available(&self, name: &str, newest: Option<&str>) -> String {
        if let Some(newest) = newest {
            return format!("; the newest is {newest}");
        }
        let of_it = |fact: &Fact| match fact {
            Fact::Only { name: of, versions } if of == name => Some(format!("; there is {versions}")),
            _ => None,
        };
        self.facts.iter().find_map(of_it).unwrap_or_default()
    }
}

/// The sentences of a proof, each in one line: lists of versions go on in lines of their own.
fn sentences(proof: &str) -> Vec<String> {
    let mut sentences: Vec<String> = Vec::new();
    let mut is_in_list = false;
    for line in proof.lines().filter(|line| !line.trim().is_empty()) {
        let is_start = line.starts_with("Because ") || line.starts_with("And because ");
        match sentences.last_mut() {
            Some(last) if !is_start => {
                let is_item = line.starts_with("    ");
                last.push_str(if is_item && is_in_list { " or " } else { " " });
                last.push_str(line.trim());
                is_in_list = is_item;
            }
            _ => {
                sentences.push(line.trim_end().to_owned());
                is_in_list = false;
            }
        }
    }
    sentences
}

/// Reads the premises of one sentence.
fn add_facts(premises: &str, facts: &mut Vec<Fact>) -> Option<()> {
    for part in premises.split(" and ") {
        if part.starts_with("we know from (") {
            continue;
        }
        if let Some(fact) = fact(part) {
            if !facts.contains(&fact) {
                facts.push(fact);
            }
            continue;
        }
        // "you require a and b"
        match facts.last_mut()? {
            Fact::Asked(all) | Fact::Requires { what: all, .. } => {
                // Which extra or group it is of stands behind it.
                let (part, of) = part.find(" (").map_or((part, ""), |end| part.split_at(end));
                let (marker, rest) = markers::cut(part);
                let requirement = rest.parse::<Requirement>().ok()?;
                all.push(markers::behind(&requirement.to_string(), marker) + of);
            }
            Fact::Unusable { why, .. } => {
                let _ = write!(why, " and {part}");
            }
            _ => return None,
        }
    }
    Some(())
}

fn fact(text: &str) -> Option<Fact> {
    if let Some(rest) = text.strip_prefix("you require ") {
        return Some(Fact::Asked(vec![alternatives(rest)]));
    }
    if let Some((name, place)) =
        PLACES.iter().find_map(|(theirs, ours)| Some((text.strip_suffix(theirs)?, *ours)))
    {
        return Some(Fact::Absent { name: markers::cut(name).1, place });
    }
    if let Some(rest) = text.strip_prefix("the current Python version (") {
        let (is, wanted) = rest.split_once(") does not satisfy ")?;
        return Some(Fact::Python { is: is.to_owned(), wanted: wanted.to_owned() });
    }
    if let Some(range) = text.strip_prefix("only ").and_then(|rest| rest.strip_suffix(" is available")) {
        let (name, versions) = split_name(range);
        return Some(Fact::Only { name: markers::cut(name).1, versions: plain(versions).to_owned() });
    }
    if let Some(rest) = text.strip_prefix("only the following versions of ") {
        let (name, list) = rest.split_once(" are available: ")?;
        let versions: Vec<&str> = list.split(" or ").map(|one| plain(split_name(one).1)).collect();
        return Some(Fact::Only { name: markers::cut(name).1, versions: versions.join(", ") });
    }
    if let Some(range) = text
        .strip_prefix("there is no version of ")
        .or_else(|| text.strip_prefix("there are no versions of "))
    {
        let (name, wanted) = split_name(range);
        return Some(Fact::NoVersion { name: markers::cut(name).1, wanted: plain(wanted).to_owned() });
    }
    if let Some((who, what)) = text.split_once(" depends on ").or_else(|| text.split_once(" depend on ")) {
        return Some(Fact::Requires { who: subject(who), what: vec![alternatives(what)] });
    }
    let (position, theirs, ours) = REASONS
        .iter()
        .find_map(|(theirs, ours)| Some((text.find(&format!(" {theirs}"))?, *theirs, *ours)))?;
    let rest = text[position + 1 + theirs.len()..].trim();
    let why = match ours.strip_suffix(": ") {
        Some(ours) if rest.is_empty() => ours.to_owned(),
        Some(_) => format!("{ours}{rest}"),
        None => ours.to_owned(),
    };
    Some(Fact::Unusable { who: subject(&text[..position]), why })
}

/// One of several ranges, as the solver lists them.
fn alternatives(text: &str) -> String {
    text.trim_start_matches("one of: ").trim().to_owned()
}

/// Who requires something: a package, or some versions of it.
fn subject(text: &str) -> String {
    let text = text.trim_start_matches("all of: ").trim_start_matches("all versions of ");
    match split_name(text) {
        (name, version) if version.starts_with("==") && !version.contains('*') => {
            format!("{name} {}", plain(version))
        }
        _ => text.to_owned(),
    }
}

/// A range as a package's name and the specifiers behind it.
fn split_name(range: &str) -> (&str, &str) {
    let end = range.find(['<', '>', '=', '!', '~']).unwrap_or(range.len());
    (range[..end].trim(), range[end..].trim())
}

/// A version without the operator before it.
fn plain(specifier: &str) -> &str {
    specifier.strip_prefix("==").unwrap_or(specifier)
}

/// Whether a requirement is for a package.
fn is_of(requirement: &str, name: &str) -> bool {
    let (own, _) = split_name(requirement);
    let own = own.split(['[', '{']).next().unwrap_or(own);
    own == name
}

/// The one version that a requirement names.
fn pinned(requirement: &str) -> Option<&str> {
    let (_, specifier) = split_name(requirement);
    let version = specifier.strip_prefix("==")?;
    version.parse::<Version>().is_ok().then_some(version)
}

#[cfg(test)]
mod tests;
