//! The names that scripts may have.

/// Whether a script of this name would replace a part of the environment itself: an interpreter or an activation
/// script. Case does not count, as on file systems that ignore it.
pub fn is_reserved_script(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    if matches!(name, "activate" | "activate_this.py" | "deactivate" | "deactivate.bat")
        || name.starts_with("activate.")
    {
        return true;
    }
    ["pythonw", "python", "pypy"].iter().any(|interpreter| {
        name.strip_prefix(interpreter).is_some_and(|version| {
            let digits = version.strip_suffix('t').unwrap_or(version);
            digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
    })
}

/// Checks the name of a script that is to be made in a scripts folder.
///
/// # Errors
/// Why there cannot be such a script.
pub(super) fn check_script_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        Err("has no name")
    } else if name.contains(['/', '\\']) || matches!(name, "." | "..") {
        Err("has a name that is a path")
    } else if name.starts_with('-') {
        Err("has a name that every program takes for an option")
    } else if name.chars().any(char::is_control) {
        Err("has a control character in its name")
    } else if name.len() > 255 {
        Err("has a name that is too long")
    } else if is_reserved_script(name) {
        Err("has a name that belongs to the environment itself")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reserved_names() {
        for name in [
            "python",
            "python3",
            "python3.12",
            "python3.13t",
            "Python",
            "pythonw",
            "python.exe",
            "pypy3.10",
            "activate",
            "activate.fish",
            "Activate.ps1",
            "activate_this.py",
            "deactivate",
        ] {
            assert!(is_reserved_script(name), "{name}");
        }
        for name in [
            "pip",
            "pip3.12",
            "python-config",
            "python-argcomplete-check-easy-install-script",
            "activate-global-python-argcomplete",
            "python_x",
            "pythonic",
            "ipython3",
            "test",
        ] {
            assert!(!is_reserved_script(name), "{name}");
        }
    }
}
