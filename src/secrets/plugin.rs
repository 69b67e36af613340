//! Names of age plugins. They stand in files that others may have written, and become names of programs.

/// Whether a plugin can be called so: what age's plugin protocol allows, and nothing that a path could be made of.
#[must_use]
pub fn is_plugin_name(name: &str) -> bool {
    let allowed = |byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.' | b'_');
    !name.is_empty() && name.bytes().all(allowed) && !name.contains("..")
}

/// The plugin's program.
#[must_use]
pub fn program(name: &str) -> String {
    format!("age-plugin-{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_never_a_path() {
        for name in ["yubikey", "se", "fido2-hmac", "1p", "a.b_c+d", "-"] {
            assert!(is_plugin_name(name), "{name}");
        }
        for name in [
            "", "..", "a..b", "a/b", "/", "a\\b", "A", "a b", "a\0", "a\n", "é", "a:b", "$a", "*",
        ] {
            assert!(!is_plugin_name(name), "{name:?}");
        }
    }
}
