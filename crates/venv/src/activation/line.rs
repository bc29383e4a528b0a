//! The line by which each shell reads its activation script.

use std::path::Path;

use super::quoting;

/// A shell, by how it reads activation scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shell {
    /// sh, bash, zsh and their like.
    Posix,
    /// fish.
    Fish,
    /// csh and tcsh.
    Csh,
    /// nushell.
    Nushell,
    /// PowerShell.
    PowerShell,
    /// xonsh.
    Xonsh,
}

impl Shell {
    /// The shell that has a program's name.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "sh" | "bash" | "zsh" | "dash" | "ash" | "ksh" | "mksh" => Some(Self::Posix),
            "fish" => Some(Self::Fish),
            "csh" | "tcsh" => Some(Self::Csh),
            "nu" => Some(Self::Nushell),
            "pwsh" | "powershell" => Some(Self::PowerShell),
            "xonsh" => Some(Self::Xonsh),
            _ => None,
        }
    }

    /// What is typed to take an environment into use whose executables are in the folder `scripts`.
    pub fn activation(self, scripts: &Path) -> String {
        let (verb, script, quote): (_, _, fn(&str) -> String) = match self {
            Self::Posix => ("source", "activate", quoting::posix),
            Self::Fish => ("source", "activate.fish", quoting::fish),
            Self::Csh => ("source", "activate.csh", quoting::csh),
            Self::Nushell => ("overlay use", "activate.nu", quoting::nushell),
            Self::PowerShell => ("&", "Activate.ps1", quoting::powershell),
            Self::Xonsh => ("source", "activate.xsh", quoting::posix),
        };
        let path = scripts.join(script);
        let path = path.to_string_lossy();
        let is_plain = path.chars().all(|letter| letter.is_ascii_alphanumeric() || "/._-".contains(letter));
        format!("{verb} {}", if is_plain { path.into_owned() } else { quote(&path) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_has_its_line() {
        for (shell, line) in [
            ("zsh", "source '.my venv/bin/activate'"),
            ("fish", "source '.my venv/bin/activate.fish'"),
            ("tcsh", r"source .my\ venv/bin/activate.csh"),
            ("nu", "overlay use \".my venv/bin/activate.nu\""),
            ("pwsh", "& '.my venv/bin/Activate.ps1'"),
        ] {
            assert_eq!(Shell::named(shell).unwrap().activation(Path::new(".my venv/bin")), line);
        }
        assert_eq!(Shell::Posix.activation(Path::new(".venv/bin")), "source .venv/bin/activate");
        assert_eq!(Shell::named("python3"), None);
    }
}
