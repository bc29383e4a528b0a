//! The index that the user names, and the copy that is kept of it.
//!
//! An index from the network is asked for once in twelve hours. A copy outlives every failure to replace it: it is
//! written only when what came is an index, and used, with a warning, when nothing came. Files of this machine are
//! read each time.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use virtpy_files as fs;
use virtpy_files::digest::{hex, sha256};

use super::environment::Variable;
use super::index::{Index, LARGEST};
use super::location::{self, local_path};
use super::{AvailableError, Fetch};

/// How long a copy is good for if no setting says otherwise.
const LIFETIME: Duration = Duration::from_hours(12);

/// Where an index is, and what is done with copies of it.
pub(super) struct Remembered<'a> {
    /// Where it is.
    pub(super) address: &'a str,
    /// The triple that builds are wanted for.
    pub(super) triple: &'a str,
    /// The folder of copies.
    pub(super) cache: &'a Path,
    /// The way to the network.
    pub(super) fetch: &'a dyn Fetch,
    /// How long a copy is good for.
    pub(super) lifetime: Duration,
}

/// The time that a variable grants a copy.
///
/// # Errors
/// When its value is no number.
pub(super) fn lifetime(variable: Option<&Variable>) -> Result<Duration, AvailableError> {
    let Some(variable) = variable else { return Ok(LIFETIME) };
    variable.value.trim().parse().map(Duration::from_secs).map_err(|_| AvailableError::Variable {
        variable: variable.name.clone(),
        reason: format!("`{}` is not a number of seconds", variable.value),
    })
}

impl Remembered<'_> {
    /// The index, as new as it has to be; with a warning where it is not.
    ///
    /// # Errors
    /// When there is none, neither at its address nor as a copy.
    pub(super) fn read(&self) -> Result<(Index, Option<String>), AvailableError> {
        if local_path(self.address)?.is_some() {
            return Ok((self.refresh()?, None));
        }
        let copy = match self.copy() {
            Some((index, age)) if age < self.lifetime => return Ok((index, None)),
            copy => copy,
        };
        match (self.refresh(), copy) {
            (Ok(index), _) => Ok((index, None)),
            (Err(error), Some((index, age))) => {
                let warning = format!(
                    "the index of interpreters could not be refreshed: {error}; a copy{} is used",
                    past(age)
                );
                Ok((index, Some(warning)))
            }
            (Err(error), None) => Err(error),
        }
    }

    /// Gets the index again, and keeps a copy if it came from the network.
    ///
    /// # Errors
    /// When it does not come, or is none. The copy is then what it was.
    pub(super) fn refresh(&self) -> Result<Index, AvailableError> {
        let content = location::text(self.fetch, self.address, LARGEST)?;
        let index = Index::parse(&content, &location::public(self.address), self.triple)?;
        if local_path(self.address)?.is_none() {
            // Without a copy everything works as well, only slower.
            let _ = fs::create_dir_all(self.cache).and_then(|()| fs::write_atomic(&self.path(), &content));
        }
        Ok(index)
    }

    /// The copy and its age, if there is one that can be read. One from the future is as old as can be.
    fn copy(&self) -> Option<(Index, Duration)> {
        let path = self.path();
        let written = fs::metadata(&path).ok()?.modified().ok()?;
        let age = SystemTime::now().duration_since(written).unwrap_or(Duration::MAX);
        let content = fs::read(&path).ok()?;
        Some((Index::parse(&content, &location::public(self.address), self.triple).ok()?, age))
    }

    /// Where the copy is. Each address has its own.
    fn path(&self) -> PathBuf {
        let digest = hex(&sha256(self.address.as_bytes())[..8]);
        self.cache.join(format!("python-index-{digest}.json"))
    }
}

/// A time gone by, in words; nothing for one that is not known.
fn past(age: Duration) -> String {
    match age.as_secs() / 60 {
        _ if age == Duration::MAX => String::new(),
        minutes @ 0..120 => format!(" from {minutes} minutes ago"),
        minutes @ 120..2880 => format!(" from {} hours ago", minutes / 60),
        minutes => format!(" from {} days ago", minutes / 60 / 24),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::testing::Server;
    use super::*;

    const ADDRESS: &str = "https://index.example/index.json";

    /// An index, the folder of its copies and the server that has it.
    struct World {
        folder: tempfile::TempDir,
        server: Server,
    }

    impl World {
        fn new() -> Self {
            let world = Self { folder: tempfile::tempdir().unwrap(), server: Server::default() };
            world.server.serve(ADDRESS, r#"{"3.12.1": "a.tar.gz"}"#);
            world
        }

        fn remembered(&self, seconds: u64) -> Remembered<'_> {
            Remembered {
                address: ADDRESS,
                triple: "x86_64-unknown-linux-gnu",
                cache: self.folder.path(),
                fetch: &self.server,
                lifetime: Duration::from_secs(seconds),
            }
        }

        fn read(&self, seconds: u64) -> (Vec<String>, Option<String>) {
            let (index, warning) = self.remembered(seconds).read().unwrap();
            (index.builds.into_iter().map(|build| build.name).collect(), warning)
        }
    }

    #[test]
    fn a_copy_is_used_as_long_as_it_is_good() {
        let world = World::new();
        assert_eq!(world.read(100), (vec!["3.12.1".to_owned()], None));
        world.server.serve(ADDRESS, r#"{"3.12.2": "a.tar.gz"}"#);
        assert_eq!(world.read(100), (vec!["3.12.1".to_owned()], None));
        assert_eq!(world.server.requests(), 1);
        assert_eq!(world.read(0), (vec!["3.12.2".to_owned()], None));
        world.remembered(100).refresh().unwrap();
        assert_eq!(world.server.requests(), 3);
    }

    #[test]
    fn a_copy_survives_whatever_comes_instead() {
        let world = World::new();
        world.read(0);
        for answer in [None, Some("<html>log in</html>"), Some(r#"{"error": "x"}"#), Some("{}")] {
            match answer {
                Some(text) => world.server.serve(ADDRESS, text),
                None => world.server.remove(ADDRESS),
            }
            assert!(world.remembered(0).refresh().is_err(), "{answer:?}");
            let (names, warning) = world.read(0);
            assert_eq!(names, ["3.12.1"]);
            let warning = warning.unwrap();
            assert!(
                warning.contains("could not be refreshed") && warning.contains("0 minutes ago"),
                "{warning}"
            );
        }
    }

    #[test]
    fn a_damaged_copy_is_replaced() {
        let world = World::new();
        let path = world.remembered(0).path();
        fs::write_new(&path, b"{\"3.1", 0o644).unwrap();
        assert_eq!(world.read(100), (vec!["3.12.1".to_owned()], None));
        assert!(fs::read_to_string(&path).unwrap().contains("3.12.1"));
        world.server.remove(ADDRESS);
        fs::write_atomic(&path, b"{\"3.1").unwrap();
        assert!(world.remembered(100).read().is_err());
    }

    #[test]
    fn a_file_is_read_each_time_and_not_copied() {
        let world = World::new();
        let path = world.folder.path().join("my index.json");
        let text = path.display().to_string();
        let seen = Mutex::new(Vec::new());
        for version in ["3.12.1", "3.12.2"] {
            fs::write_atomic(&path, format!("{{\"{version}\": \"a.tar.gz\"}}").as_bytes()).unwrap();
            for address in [text.clone(), format!("file://{}", text.replace(' ', "%20"))] {
                let remembered = Remembered { address: &address, ..world.remembered(1000) };
                let (index, _) = remembered.read().unwrap();
                seen.lock().unwrap().push(index.builds[0].name.clone());
            }
        }
        assert_eq!(*seen.lock().unwrap(), ["3.12.1", "3.12.1", "3.12.2", "3.12.2"]);
        assert_eq!(fs::names(world.folder.path()).unwrap().len(), 1);
    }

    #[test]
    fn a_lifetime_is_a_number_of_seconds() {
        let variable = |value: &str| Variable { name: "ISOPY_CACHE_TTL".to_owned(), value: value.to_owned() };
        assert_eq!(lifetime(None).unwrap(), LIFETIME);
        assert_eq!(lifetime(Some(&variable(" 60 "))).unwrap(), Duration::from_mins(1));
        for wrong in ["soon", "-1", "1h"] {
            let error = lifetime(Some(&variable(wrong))).unwrap_err().to_string();
            assert!(error.starts_with("`ISOPY_CACHE_TTL` cannot be used"), "{error}");
        }
    }
}
