//! `stores` and `store-owners`: the stores below the user's own.

use std::path::{Component, Path, PathBuf};

use serde::Deserialize;

use super::paths::absolute;
use crate::fs;
use crate::install::{Error, Result};

/// The file in which the names of the machine's users stand.
const USERS: &str = "/etc/passwd";

/// The most that is read of it.
const MOST_OF_USERS: u64 = 16 << 20;

/// A user, by name or by number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(super) enum Owner {
    Number(u32),
    Name(String),
}

/// The folders that the setting `stores` names, each once.
pub(super) fn stores(variable: Option<String>, file: Vec<String>) -> Result<Vec<PathBuf>> {
    let listed = match variable {
        Some(text) => text.split(':').filter(|path| !path.is_empty()).map(str::to_owned).collect(),
        None => file,
    };
    let mut stores: Vec<PathBuf> = Vec::new();
    for text in listed {
        let path = absolute("stores", &text)?;
        // They are named in a line of `pyvenv.cfg`, separated by colons.
        let is_plain = !text.contains(|letter: char| letter == ':' || letter.is_control());
        let is_direct =
            path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
        if !is_plain || !is_direct || path.parent().is_none() {
            return Err(Error::new(format!(
                "the setting `stores`: `{}` cannot be a store",
                text.escape_debug()
            ))
            .hinted("name directories by their whole path, without `..`, colons and control characters"));
        }
        // A slash at the end would make another path of it.
        let path: PathBuf = path.components().collect();
        if !stores.contains(&path) {
            stores.push(path);
        }
    }
    Ok(stores)
}

/// The numbers of the users whom the setting `store-owners` names.
pub(super) fn owners(variable: Option<String>, file: Vec<Owner>) -> Result<Vec<u32>> {
    let named = |name: &str| match name.parse() {
        Ok(number) => Owner::Number(number),
        Err(_) => Owner::Name(name.to_owned()),
    };
    let owners = match variable {
        Some(text) => text.split([',', ' ']).filter(|name| !name.is_empty()).map(named).collect(),
        None => file,
    };
    owners.into_iter().map(number).collect()
}

fn number(owner: Owner) -> Result<u32> {
    let name = match owner {
        Owner::Number(number) => return Ok(number),
        Owner::Name(name) => name,
    };
    let users = fs::read_bounded(Path::new(USERS), MOST_OF_USERS).unwrap_or_default();
    let users = String::from_utf8_lossy(&users).into_owned();
    let number = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name.as_str())).then(|| fields.nth(1)?.parse().ok()).flatten()
    });
    number.ok_or_else(|| {
        Error::new(format!(
            "the setting `store-owners`: `{}` is not a user in `{USERS}`",
            name.escape_debug()
        ))
        .hinted("give the number of a user that is kept elsewhere (`id -u NAME`)")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_stores_are_whole_paths() {
        let read = |text: &str| stores(Some(text.to_owned()), Vec::new());
        assert_eq!(read("/opt/a:/opt/b/:/opt/a").unwrap(), [Path::new("/opt/a"), Path::new("/opt/b")]);
        assert_eq!(stores(None, vec!["/opt/a".to_owned()]).unwrap(), [Path::new("/opt/a")]);
        for wrong in ["opt/a", "/opt/../a", "/", "/opt/a\nb"] {
            let error = read(wrong).unwrap_err().to_string();
            assert!(error.starts_with("the setting `stores`: "), "{wrong}: {error}");
        }
        assert!(stores(None, vec!["/opt/a:b".to_owned()]).is_err());
    }

    #[test]
    fn owners_are_users_or_numbers() {
        assert_eq!(owners(Some("root, 1234".to_owned()), Vec::new()).unwrap(), [0, 1234]);
        assert_eq!(owners(None, vec![Owner::Number(7), Owner::Name("root".to_owned())]).unwrap(), [7, 0]);
        let error = owners(Some("nobody-of-that-name".to_owned()), Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("the setting `store-owners`: "), "{error}");
    }
}
