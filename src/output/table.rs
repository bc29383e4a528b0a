//! Tables: columns as wide as what is in them.

/// A column of a table: its headline, and what a row has in it.
pub type Column<R> = (&'static str, fn(&R) -> Option<&str>);

/// Lines of cells, with `gap` between the columns.
pub fn table(lines: &[Vec<String>], gap: &str) -> String {
    let widths = widths(lines);
    let line = |line: &Vec<String>| {
        let cells: Vec<String> =
            line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join(gap).trim_end())
    };
    lines.iter().map(line).collect()
}

/// Columns with underlined headlines, as pip prints them. Those that no row has anything in are left out.
pub fn columns<R>(rows: &[R], columns: &[Column<R>]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let used: Vec<&Column<R>> =
        columns.iter().filter(|(_, value)| rows.iter().any(|row| value(row).is_some())).collect();
    let mut lines = vec![used.iter().map(|(headline, _)| (*headline).to_owned()).collect::<Vec<String>>()];
    let cells = |row| used.iter().map(|(_, value)| value(row).unwrap_or_default().to_owned()).collect();
    lines.extend(rows.iter().map(cells));
    let rule = widths(&lines).into_iter().map(|width| "-".repeat(width)).collect();
    lines.insert(1, rule);
    table(&lines, " ")
}

fn widths(lines: &[Vec<String>]) -> Vec<usize> {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| lines.iter().filter_map(|line| Some(line.get(column)?.chars().count())).max();
    (0..columns).map(|column| width(column).unwrap_or(0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [("ä", None), ("long", Some("x"))];
        let of: [Column<(&str, Option<&str>)>; 3] =
            [("Name", |row| Some(row.0)), ("No", |_| None), ("Note", |row| row.1)];
        assert_eq!(columns(&rows, &of), "Name Note\n---- ----\nä\nlong x\n");
        assert_eq!(columns(&[], &of), "");
        let lines = [vec!["a".to_owned(), "b".to_owned()], vec!["cc".to_owned(), String::new()]];
        assert_eq!(table(&lines, "  "), "a   b\ncc\n");
    }
}
