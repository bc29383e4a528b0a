//! The conditions of requirements in a proof: `six{sys_platform == 'win32'}>=2`. They are full of what separates facts and versions, so
//! numbers stand in their place while a proof is read, and in the end they are told behind what they are of.

use std::fmt::Write as _;

/// The conditions of a proof.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Markers(Vec<String>);

impl Markers {
    /// A proof with numbers in the place of its conditions.
    pub(super) fn taken_out_of(proof: &str) -> (String, Self) {
        let mut markers = Vec::new();
        let mut text = String::with_capacity(proof.len());
        let mut rest = proof;
        while let Some((before, behind)) = rest.split_once('{') {
            // One that does not end is none.
            let Some((marker, behind)) = behind.split_once('}') else { break };
            let known = markers.iter().position(|known| known == marker);
            let place = known.unwrap_or_else(|| {
                markers.push(marker.to_owned());
                markers.len() - 1
            });
            text.push_str(before);
            let _ = write!(text, "{{{place}}}");
            rest = behind;
        }
        (text + rest, Self(markers))
    }

    /// A text with the conditions in words: `six>=2 (where sys_platform == 'win32')`.
    pub(super) fn put_into(&self, text: &str) -> String {
        let mut told = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('{') {
            let number = behind
                .split_once('}')
                .and_then(|(number, behind)| Some((self.0.get(number.parse::<usize>().ok()?)?, behind)));
            let Some((marker, behind)) = number else { break };
            let (versions, behind) = behind.split_at(word_end(behind));
            let _ = write!(told, "{before}{versions} (where {marker})");
            rest = behind;
        }
        told + rest
    }
}

/// The number of a requirement's condition, if it has one, and the rest of it.
pub(super) fn cut(requirement: &str) -> (Option<&str>, String) {
    let parts = requirement.split_once('{').and_then(|(name, rest)| {
        let (marker, versions) = rest.split_once('}')?;
        Some((marker, format!("{name}{versions}")))
    });
    parts.map_or_else(|| (None, requirement.to_owned()), |(marker, rest)| (Some(marker), rest))
}

/// A requirement with the number of its condition behind its name, as in a proof.
pub(super) fn behind(requirement: &str, marker: Option<&str>) -> String {
    let Some(marker) = marker else { return requirement.to_owned() };
    let end = requirement.find(['<', '>', '=', '!', '~']).unwrap_or(requirement.len());
    let (name, versions) = requirement.split_at(end);
    format!("{}{{{marker}}}{versions}", name.trim_end())
}

/// Where the versions behind a name end.
fn word_end(text: &str) -> usize {
    let end = text.find(|letter: char| letter.is_whitespace() || letter == '`').unwrap_or(text.len());
    text[..end].trim_end_matches([',', ';', '.']).len()
}
