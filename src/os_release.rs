//! What `/etc/os-release` says of the distribution that the tool runs on (os-release(5)).

/// The entry of a table for this distribution: the first that its own name fits, or that of one which it descends from.
#[must_use]
pub fn find<'a, T>(os_release: &str, table: &'a [(&str, T)]) -> Option<&'a T> {
    let ids = ["ID", "ID_LIKE"].map(|key| value(os_release, key));
    let mut ids = ids.iter().flat_map(|ids| ids.split_whitespace());
    ids.find_map(|id| {
        let known = table.iter().find(|(name, _)| {
            let rest = id.strip_prefix(name);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
        });
        known.map(|(_, entry)| entry)
    })
}

/// The last assignment counts, as in a shell.
fn value<'a>(os_release: &'a str, key: &str) -> &'a str {
    let assigned = os_release.lines().rev().find_map(|line| {
        let (name, value) = line.trim().split_once('=')?;
        (name == key).then_some(value)
    });
    assigned.unwrap_or_default().trim_matches(['"', '\''])
}
