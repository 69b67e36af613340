//! Values in place of a node's secrets, for which no key is needed.

use std::collections::BTreeMap;

use zeroize::Zeroizing;

use crate::fleet::node::Node;
use crate::stick::Opened;

/// The folder of the local server that stands for all that secret URLs lead to.
pub const FOLDER: &str = "stand-in";

/// A value for each secret of a node: what `given` has, else one that is made up after its name. `server` is where the
/// machine finds the local server.
#[must_use]
pub fn values(node: &Node, given: &BTreeMap<String, String>, server: &str) -> Opened {
    let names = node.secrets.keys();
    let values = names.map(|name| {
        let value = given.get(name).cloned();
        let value = value.unwrap_or_else(|| made_up(name, server));
        (name.to_owned(), Zeroizing::new(value.into_bytes()))
    });
    values.collect()
}

fn made_up(name: &str, server: &str) -> String {
    let words: Vec<&str> = name.split(['_', '-', '.']).collect();
    let has = |word: &str| words.iter().any(|it| it.eq_ignore_ascii_case(word));
    if has("URL") || has("URI") {
        format!("{server}/{FOLDER}/{name}")
    } else if has("PORT") {
        // Where nobody listens.
        "9".to_owned()
    } else {
        format!("stand-in-for-{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_what_a_value_must_look_like() {
        let made_up = |name| made_up(name, "http://10.0.2.100");
        let url = "http://10.0.2.100/stand-in/HEARTBEAT_URL";
        assert_eq!(made_up("HEARTBEAT_URL"), url);
        assert_eq!(made_up("LOGEXPORT_PORT"), "9");
        assert_eq!(made_up("K3S_TOKEN"), "stand-in-for-K3S_TOKEN");
        assert_eq!(made_up("CURL_OPTIONS"), "stand-in-for-CURL_OPTIONS");
    }
}
