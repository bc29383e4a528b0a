//! The target triple that archives are chosen by: that of this machine, or what the user names instead.
//!
//! A 64-bit Intel machine gets the plain `x86_64` builds: those for newer processors (`x86_64_v2` and up)
//! crash on older ones, and an environment may be moved.

use std::env::consts::{ARCH, OS};
use std::path::Path;

use object::read::elf::{ElfFile32, ElfFile64, FileHeader, ProgramHeader as _};
use object::read::{ReadCache, ReadRef};
use virtpy_files as fs;

use super::AvailableError;

/// The triple to choose by: `wanted` (a whole triple, or a processor for this machine's system), else this
/// machine's. `variable` is where the wish comes from.
///
/// # Errors
/// When the wish is no triple.
pub(super) fn choose(wanted: Option<(&str, &str)>) -> Result<String, AvailableError> {
    let Some((variable, text)) = wanted else { return Ok(of_this_machine()) };
    let lower = text.trim().to_ascii_lowercase();
    let is_word = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let words = lower.split('-').count();
    if !lower.split('-').all(is_word) || !(words == 1 || words == 3 || words == 4) {
        return Err(AvailableError::Variable {
            variable: variable.to_owned(),
            reason: format!(
                "`{text}` is neither a target triple such as `x86_64-unknown-linux-gnu` nor a processor"
            ),
        });
    }
    Ok(if words == 1 { of_machine(architecture(&lower)) } else { lower })
}

/// The target triple of this machine.
pub fn of_this_machine() -> String {
    of_machine(architecture(ARCH))
}

/// A processor's name as it stands in triples.
fn architecture(name: &str) -> &str {
    match name {
        "arm64" => "aarch64",
        "amd64" | "x64" => "x86_64",
        "x86" | "i386" => "i686",
        "arm" => "armv7",
        "powerpc64" => "ppc64le",
        "riscv64gc" => "riscv64",
        other => other,
    }
}

fn of_machine(architecture: &str) -> String {
    if OS == "macos" {
        return format!("{architecture}-apple-darwin");
    }
    if OS == "windows" {
        return format!("{architecture}-pc-windows-msvc");
    }
    let libc = if is_musl() { "musl" } else { "gnu" };
    let abi = if architecture == "armv7" { "eabihf" } else { "" };
    format!("{architecture}-unknown-linux-{libc}{abi}")
}

/// Whether the system's own programs are loaded by musl. What this program was built for says nothing: it may
/// be linked statically.
fn is_musl() -> bool {
    let programs = ["/bin/sh", "/usr/bin/env", "/bin/ls"];
    let loader = programs.iter().find_map(|program| loader(Path::new(program)));
    loader.map_or(cfg!(target_env = "musl"), |loader| loader.contains("ld-musl-"))
}

/// The loader that an executable names (`PT_INTERP`); none for what is linked statically.
fn loader(program: &Path) -> Option<String> {
    let file = ReadCache::new(fs::open(program).ok()?);
    let name = match ElfFile64::<object::Endianness, _>::parse(&file) {
        Ok(elf) => interpreter(elf.elf_header(), &file)?,
        Err(_) => interpreter(ElfFile32::<object::Endianness, _>::parse(&file).ok()?.elf_header(), &file)?,
    };
    String::from_utf8(name).ok()
}

fn interpreter<'data, Header: FileHeader, Reader: ReadRef<'data>>(
    header: &Header,
    data: Reader,
) -> Option<Vec<u8>> {
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, data).ok()?;
    segments.iter().find_map(|segment| Some(segment.interpreter(endian, data).ok()??.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_has_a_plain_triple() {
        let triple = choose(None).unwrap();
        assert!(triple.starts_with(architecture(ARCH)) && !triple.contains("_v"), "{triple}");
        if OS == "linux" {
            let name = loader(Path::new("/bin/sh")).unwrap();
            assert_eq!(triple.contains("musl"), name.contains("musl"), "{triple} {name}");
        }
    }

    #[test]
    fn a_wish_is_a_triple_or_a_processor() {
        let choose = |text| choose(Some(("ISOPY_ARCH", text)));
        assert_eq!(choose("aarch64-apple-darwin").unwrap(), "aarch64-apple-darwin");
        assert_eq!(choose("X86_64_v3-unknown-linux-gnu").unwrap(), "x86_64_v3-unknown-linux-gnu");
        assert!(choose("arm64").unwrap().starts_with("aarch64-"));
        for wrong in ["", "a b", "x86_64-linux", "../x", "a-b-c-d-e", "a--b"] {
            let error = choose(wrong).unwrap_err().to_string();
            assert!(error.starts_with("`ISOPY_ARCH` cannot be used"), "{error}");
        }
    }
}
