//! What a lock file with the marks of a merge still tells: the packages of both sides, as far as each is whole.

/// How the marks begin that version control leaves where two sides differ.
const MARKS: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

/// How a package begins.
const PACKAGE: &str = "[[packages]]";

/// The packages of a lock that is no TOML, without the marks; a package that the sides tell differently is left out.
pub(super) fn packages_in(text: &str) -> String {
    let is_mark = |line: &&str| MARKS.iter().any(|mark| line.starts_with(mark));
    let lines: Vec<&str> = text.lines().filter(|line| !is_mark(line)).collect();
    let mut whole = String::new();
    for block in lines.split(|line| *line == PACKAGE).skip(1) {
        // Tables that belong to no package may follow the last one.
        let is_other = |line: &&&str| line.starts_with('[') && !line.starts_with("[packages");
        let end = block.iter().position(|line| is_other(&line)).unwrap_or(block.len());
        let package = format!("{PACKAGE}\n{}\n", block[..end].join("\n"));
        if package.parse::<toml::Table>().is_ok() {
            whole.push_str(&package);
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packages_of_both_sides_are_told() {
        let text = "lock-version = '1.0'\n[[packages]]\nname = 'a'\nversion = '1'\n<<<<<<< HEAD\n[[packages]]\nname = 'b'\n\
                    version = '2'\n[packages.directory]\npath = 'b'\n=======\n[[packages]]\nname = 'c'\nversion = '3'\n\
                    >>>>>>> other\n[[packages]]\nname = 'd'\n<<<<<<< HEAD\nversion = '4'\n=======\nversion = '5'\n>>>>>>> other\n\
                    [[packages]]\nname = 'e'\nversion = '6'\n[tool.virtpy]\n<<<<<<< HEAD\ninputs-digest = 'x'\n=======\n\
                    inputs-digest = 'y'\n>>>>>>> other\n";
        let told: toml::Table = packages_in(text).parse().expect("TOML");
        let names: Vec<&str> = told["packages"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| one["name"].as_str())
            .collect();
        assert_eq!(names, ["a", "b", "c", "e"]);
    }
}
