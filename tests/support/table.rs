//! Tables of pages in Markdown, which tests hold against the code.

/// The cells of the first table at or after the line that begins so: its head, or the heading of its
/// section.
pub(crate) fn table<'p>(page: &'p str, start: &str) -> Vec<Vec<&'p str>> {
    let rows = page
        .lines()
        .skip_while(|line| !line.starts_with(start))
        .skip_while(|line| !line.starts_with("| ---"));
    rows.skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(cells)
        .collect()
}

/// The cells of a row.
pub(crate) fn cells(row: &str) -> Vec<&str> {
    row.trim_matches('|').split('|').map(str::trim).collect()
}

/// The texts between backquotes in a cell.
pub(crate) fn code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}
