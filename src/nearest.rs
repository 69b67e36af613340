//! Did you mean …?

/// How many letters make a beginning that can be meant.
const BEGINNING: usize = 3;

/// The known name that is nearest to a mistyped one, where one is near enough to be meant: by a letter in
/// three, or as its beginning. Case, `-` and `_` don't count.
#[must_use]
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let bare = |name: &str| name.to_lowercase().replace(['-', '_'], "");
    let wanted = bare(name);
    let length = wanted.chars().count();
    let most = length.max(3) / 3;
    let is_beginning = |candidate: &str| length >= BEGINNING && candidate.starts_with(&wanted);
    known
        .into_iter()
        .map(|candidate| (bare(candidate), candidate))
        .filter_map(|(bare, candidate)| {
            if is_beginning(&bare) {
                return Some((0, candidate));
            }
            // Each letter that one has more is an edit.
            let is_near = bare.chars().count().abs_diff(length) <= most;
            Some((is_near.then(|| distance(&wanted, &bare))?, candidate))
        })
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edits between two names: insert, delete, replace, or swap two neighbours (optimal string alignment).
fn distance(from: &str, to: &str) -> usize {
    let from: Vec<char> = from.chars().collect();
    let to: Vec<char> = to.chars().collect();
    // One allocation: this runs for many keys of each file.
    let width = to.len() + 1;
    let mut edits: Vec<usize> = (0..(from.len() + 1) * width)
        .map(|at| if at < width { at } else { at / width })
        .collect();
    for i in 1..=from.len() {
        for j in 1..=to.len() {
            let at = i * width + j;
            let replace = edits[at - width - 1] + usize::from(from[i - 1] != to[j - 1]);
            let mut least = replace.min(edits[at - width] + 1).min(edits[at - 1] + 1);
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                least = least.min(edits[at - 2 * width - 2] + 1);
            }
            edits[at] = least;
        }
    }
    edits[edits.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_was_meant() {
        let known = ["templates", "tags", "hostname", "k3s"];
        assert_eq!(nearest("hostnmae", known), Some("hostname"));
        assert_eq!(nearest("template", known), Some("templates"));
        assert_eq!(nearest("host_name", known), Some("hostname"));
        assert_eq!(nearest("temp", known), Some("templates"));
        assert_eq!(nearest("k3z", known), Some("k3s"));
        assert_eq!(nearest("networks", known), None);
    }
}
