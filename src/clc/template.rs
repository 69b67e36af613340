//! Text that a template engine gives back as it was.

/// What begins something in a template.
const OPENERS: [&str; 3] = ["{{", "{%", "{#"];

/// Writes each opener as an expression whose value it is. `raw` would be shorter, but takes blanks and line ends along.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = OPENERS.iter().filter_map(|it| rest.find(it)).min() {
        let (before, from) = rest.split_at(at);
        let (opener, after) = from.split_at(2);
        escaped.push_str(before);
        escaped.push_str("{{ '");
        escaped.push_str(opener);
        escaped.push_str("' }}");
        rest = after;
    }
    escaped + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_openers_change() {
        assert_eq!(escape("a {b} }} %}"), "a {b} }} %}");
        assert_eq!(escape("{{.Names}}"), "{{ '{{' }}.Names}}");
        assert_eq!(escape("{{{%"), "{{ '{{' }}{{ '{%' }}");
        assert_eq!(escape("${#a}"), "${{ '{#' }}a}");
    }
}
