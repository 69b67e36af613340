//! The path that a request names, in clear.

/// A target that names no file: it is malformed, or would lead out of where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoPath;

/// The path of a request's target (RFC 9112, 3.2.1 and 3.2.2), decoded, without the slash in front and without a query.
pub(super) fn path(target: &str) -> Result<String, NoPath> {
    let target = match target.strip_prefix("http://") {
        Some(rest) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => target,
    };
    let path = target.strip_prefix('/').ok_or(NoPath)?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if path.is_empty() {
        return Ok(String::new());
    }
    let segments: Result<Vec<String>, NoPath> = path.split('/').map(segment).collect();
    Ok(segments?.join("/"))
}

/// One segment. What is decoded is looked at, so that `%2e%2e` and `%2f` are what they stand for.
fn segment(encoded: &str) -> Result<String, NoPath> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (digits, after) = rest.split_at_checked(2).ok_or(NoPath)?;
        let digit = |byte: u8| char::from(byte).to_digit(16).ok_or(NoPath);
        let value = digit(digits[0])? * 16 + digit(digits[1])?;
        bytes.push(u8::try_from(value).map_err(|_| NoPath)?);
        rest = after;
    }
    let text = String::from_utf8(bytes).map_err(|_| NoPath)?;
    let leads_away = |c: char| matches!(c, '/' | '\\') || c.is_control();
    if matches!(text.as_str(), "" | "." | "..") || text.contains(leads_away) {
        return Err(NoPath);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded() {
        for (target, expected) in [
            ("/", ""),
            ("/ignition/n1.ign", "ignition/n1.ign"),
            ("/ignition/n1.ign?at=main", "ignition/n1.ign"),
            ("/a%2Bb/%c3%bc", "a+b/ü"),
            ("http://host:80/a", "a"),
            ("http://host", ""),
            ("/...", "..."),
        ] {
            assert_eq!(path(target).as_deref(), Ok(expected), "{target}");
        }
    }

    #[test]
    fn nothing_leads_out_of_where_it_stands() {
        for target in [
            "",
            "a",
            "*",
            "host:80",
            "//etc/passwd",
            "/a//b",
            "/a/",
            "/./a",
            "/..",
            "/../a",
            "/a/../../b",
            "/%2e%2e/a",
            "/.%2E/a",
            "/a%2f..%2fb",
            "/%2fetc",
            "/a%5cb",
            "/a\\b",
            "/a%00b",
            "/a%0ab",
            "/%7f",
            "/%",
            "/%4",
            "/%zz",
            "/%+1",
            "/%ff",
            "https://host/a",
        ] {
            assert_eq!(path(target), Err(NoPath), "{target}");
        }
    }
}
