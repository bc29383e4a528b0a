//! The names of the objects. They begin with the version of the whole layout: what is laid out otherwise one day stands beside.

use virtpy_pep::WheelHash;

/// The version of the layout.
pub(crate) const LAYOUT: &str = "v1";

/// What kinds of objects there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A wheel.
    Wheel,
    /// The record of a build.
    Build,
    /// The bytecode of a wheel.
    Bytecode,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Wheel, Self::Build, Self::Bytecode];

    /// The folder that its objects are in.
    pub(crate) fn folder(self) -> &'static str {
        match self {
            Self::Wheel => "wheels",
            Self::Build => "builds",
            Self::Bytecode => "bytecode",
        }
    }

    /// The kind of an object by its name.
    pub(crate) fn of(name: &str) -> Option<Self> {
        let (folder, _) = name.strip_prefix(LAYOUT)?.strip_prefix('/')?.split_once('/')?;
        Self::ALL.into_iter().find(|kind| kind.folder() == folder)
    }
}

/// The name of the wheel with this SHA-256.
pub(crate) fn wheel(sha256: &WheelHash) -> String {
    object(Kind::Wheel, &sha256.to_string())
}

/// The name of an object of this kind.
pub(crate) fn object(kind: Kind, rest: &str) -> String {
    format!("{LAYOUT}/{}/{rest}", kind.folder())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_its_kind() {
        assert_eq!(Kind::of(&wheel(&[0; 32].into())), Some(Kind::Wheel));
        assert_eq!(Kind::of("v1/builds/x"), Some(Kind::Build));
        for other in ["v2/wheels/x", "wheels/x", "v1/other/x", "v1wheels/x", "v1/wheels"] {
            assert_eq!(Kind::of(other), None, "{other}");
        }
    }
}
