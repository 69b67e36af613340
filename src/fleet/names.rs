//! What may be called how.

/// A node's name: a DNS label (RFC 1123), in lower case, since it names files, URLs and hosts.
#[must_use]
pub fn is_node_name(name: &str) -> bool {
    name.len() <= 63 && is_label(name) && !name.bytes().any(|byte| byte.is_ascii_uppercase())
}

/// A host name as Linux takes it: at most 64 bytes, DNS labels with dots between.
#[must_use]
pub fn is_hostname(name: &str) -> bool {
    name.len() <= 64
        && name
            .split('.')
            .all(|label| label.len() <= 63 && is_label(label))
}

fn is_label(label: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    edge(label.bytes().next())
        && edge(label.bytes().last())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// A file's name, safe in a unit file, on a FAT volume and in a URL.
#[must_use]
pub fn is_file_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 255
        && !name.starts_with('.')
        && !name.ends_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

/// A path under a folder: names with `/` between, none of which leads out of it.
#[must_use]
pub fn is_relative_path(path: &str) -> bool {
    path.split('/').all(is_file_name)
}

/// An absolute path in its clean form, safe in a mount unit.
#[must_use]
pub fn is_mount_path(path: &str) -> bool {
    path.strip_prefix('/').is_some_and(is_relative_path)
}

/// A network card's name in Linux: at most 15 bytes.
#[must_use]
pub fn is_interface(name: &str) -> bool {
    name.len() <= 15 && is_file_name(name)
}

/// A MAC address as iPXE prints it: six pairs of lower-case hex digits.
#[must_use]
pub fn is_mac(text: &str) -> bool {
    let pairs: Vec<&str> = text.split(':').collect();
    pairs.len() == 6
        && pairs.iter().all(|pair| {
            pair.len() == 2
                && pair
                    .bytes()
                    .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_names_are_lower_case_dns_labels() {
        for name in ["n", "node1337", "a-b", &"a".repeat(63)] {
            assert!(is_node_name(name), "{name}");
        }
        for name in ["", "-a", "a-", "a.b", "Node", "a_b", "é", &"a".repeat(64)] {
            assert!(!is_node_name(name), "{name}");
        }
    }

    #[test]
    fn host_names_may_have_dots() {
        assert!(is_hostname("node1337.example.com"));
        assert!(!is_hostname("node..com") && !is_hostname(&"a.".repeat(40)) && !is_hostname("a b"));
    }

    #[test]
    fn paths_stay_inside() {
        assert!(is_relative_path("tls/node.key") && is_mount_path("/var/secrets"));
        assert!(!is_relative_path("../x") && !is_relative_path("/x") && !is_relative_path("a//b"));
        assert!(!is_mount_path("secrets") && !is_mount_path("/") && !is_mount_path("/a/"));
    }
}
