//! The public keys in `fleet.toml`, and what people call them.

use std::fmt;

use super::document::Item;
use crate::secrets::recipients::Recipient;

/// A key as it stands in `fleet.toml`.
pub struct Key<'a> {
    /// The key.
    pub recipient: Recipient,
    /// What it is called there: the comment of an SSH key, or the one behind the line that it stands on alone.
    pub label: Option<String>,
    /// The group of readers that it is in; `None` where it reads everything.
    pub group: Option<&'a str>,
    /// Where it stands.
    pub item: &'a Item,
}

/// How much of a key without a label is shown.
const SHOWN: usize = 12;

impl fmt::Display for Key<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.label {
            Some(label) => formatter.write_str(label),
            None => formatter.write_str(&abbreviated(&self.recipient)),
        }
    }
}

/// A key as it is told from a few others: `age1tzha5pml…`, or the end of an SSH key, whose beginnings are all the same.
#[must_use]
pub fn abbreviated(key: &Recipient) -> String {
    let key = key.to_string();
    match key.split_once(' ') {
        Some((kind, blob)) => {
            let end = blob.len().saturating_sub(SHOWN);
            format!("{kind} …{}", blob.get(end..).unwrap_or(blob))
        }
        None => format!("{}…", key.get(..SHOWN).unwrap_or(&key)),
    }
}

/// Every key under `[vault]`; what is none is passed over.
#[must_use]
pub fn keys(document: &Item) -> Vec<Key<'_>> {
    let listed = document.find(&["vault", "recipients"]);
    let groups = document.find(&["vault", "groups"]).and_then(Item::table);
    let groups = groups.into_iter().flatten();
    let groups = groups.map(|(name, group)| (Some(name), group));
    let lists = listed.map(|list| (None, list)).into_iter().chain(groups);
    let mut keys = Vec::new();
    for (group, list) in lists {
        let items = list.array();
        for (at, item) in items.iter().enumerate() {
            let Some(text) = item.text() else { continue };
            let Ok(recipient) = text.parse::<Recipient>() else {
                continue;
            };
            let before = at.checked_sub(1).map(|before| &items[before]);
            let label = ssh_comment(&recipient, text).or_else(|| line_comment(item, before));
            keys.push(Key {
                recipient,
                label,
                group,
                item,
            });
        }
    }
    keys
}

fn ssh_comment(key: &Recipient, text: &str) -> Option<String> {
    let Recipient::Ssh(_) = key else { return None };
    let comment: Vec<&str> = text.split_whitespace().skip(2).collect();
    (!comment.is_empty()).then(|| comment.join(" "))
}

/// The TOML comment behind the one key on a line.
fn line_comment(item: &Item, before: Option<&Item>) -> Option<String> {
    let text = &item.source.text;
    if before.is_some_and(|it| !text[it.span().end..item.span().start].contains('\n')) {
        return None;
    }
    let rest = text[item.span().end..].lines().next()?;
    let comment = rest
        .trim_start_matches([' ', '\t', ',', ']', '}'])
        .strip_prefix('#')?
        .split_whitespace();
    let comment: Vec<&str> = comment.collect();
    (!comment.is_empty()).then(|| comment.join(" "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::Source;

    const A: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    const B: &str = "age1t7rxyev2z3rw82stdlrrepyc39nvn86l5078zqkf5uasdy86jp6svpy7pa";
    const SSH: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN";

    fn told(text: &str) -> Vec<(String, Option<String>)> {
        let (document, _) = Item::parse(&Source::file("fleet.toml", text));
        let keys = keys(&document);
        let told = keys.iter();
        told.map(|key| (key.to_string(), key.group.map(str::to_owned)))
            .collect()
    }

    #[test]
    fn a_key_is_called_by_its_comment_and_else_by_a_part_of_it() {
        let text = format!(
            "[vault]\nrecipients = [\n  \"{A}\",  # alice  s\n  \"{B}\", \"{SSH} bob@desk \\u001b\", # both\n  \"x\",\n]\n\
             groups.ops = [\"{SSH}\"] # ops' own\n"
        );
        let none = |label: &str| (label.to_owned(), None);
        assert_eq!(
            told(&text),
            [
                none("alice s"),
                none("age1t7rxyev2…"),
                none("bob@desk \u{1b}"),
                ("ops' own".to_owned(), Some("ops".to_owned())),
            ]
        );
        let text = format!("[vault]\nrecipients = [\"{SSH}\"]\n");
        assert_eq!(told(&text), [none("ssh-ed25519 …UB+VHtZ6isGN")]);
        // Whose comment it is can't be told.
        let text = format!("[vault]\nrecipients = [\"{A}\", \"{B}\"] # both\n");
        assert_eq!(told(&text), [none("age1zvkyg2lq…"), none("age1t7rxyev2…")]);
    }
}
