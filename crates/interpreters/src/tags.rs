//! Which wheels an interpreter takes, from what is known about it.

use virtpy_pep::{InterpreterTags, TagFacts, TagSystem};

use super::Interpreter;

impl Interpreter {
    /// The tags of wheels that it takes (PEP 425).
    pub fn tags(&self) -> InterpreterTags {
        let marker = |name: &str| self.markers.get(name).cloned().unwrap_or_default();
        let system = match (&self.libc, self.macos) {
            (_, Some((major, minor))) => Some(TagSystem::Macos(major, minor)),
            (Some(libc), _) if libc.family == "glibc" => Some(TagSystem::Glibc(libc.major, libc.minor)),
            (Some(libc), _) if libc.family == "musl" => Some(TagSystem::Musl(libc.major, libc.minor)),
            _ => None,
        };
        // A build for two processors says `universal2`; on Linux the kernel may be another's.
        let machine = match self.platform.rsplit_once('-') {
            Some((_, machine)) if self.macos.is_none() => machine.to_owned(),
            _ => marker("platform_machine"),
        };
        let implementation_version = marker("implementation_version");
        let mut numbers = implementation_version.split('.').map(|number| number.parse().unwrap_or(0));
        InterpreterTags::new(TagFacts {
            implementation: self.implementation.clone(),
            implementation_label: marker("platform_python_implementation"),
            implementation_version: (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)),
            version: (self.version.major, self.version.minor),
            free_threaded: self.free_threaded,
            debug: self.abi_flags.contains('d'),
            pointer_width: self.pointer_width,
            machine,
            system,
        })
    }
}
