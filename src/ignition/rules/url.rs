//! URLs as far as Ignition looks at them, by the rules of Go's `net/url`.

use crate::ignition::data_url;
use crate::ignition::report::Problem;
use crate::ignition::spec::Spec;

const DATA_URL: &str = "write for example `data:,text` or `data:;base64,dGV4dA==`";
const UNPARSABLE: Problem = (
    "this is no URL",
    "write `https://HOST/PATH`, with other characters percent-encoded",
);
const SCHEME: Problem = (
    "Ignition can't fetch from a URL of this scheme",
    "use `https`, `http`, `tftp`, `s3`, `data`, or what newer specs add: `gs` (3.2), `arn` (3.4)",
);
const VERSION_ID: Problem = ("`versionId` is empty", "write the version, or remove it");
const BAD_ARN: Problem = (
    "this is no ARN of an S3 object",
    "write `arn:aws:s3:::BUCKET/KEY`",
);

/// Whether Ignition can fetch it; an empty URL is an empty file.
///
/// # Errors
/// What is wrong with it.
pub fn check(url: &str, spec: Spec) -> Result<(), Problem> {
    if url.is_empty() || data_url::is_own(url) {
        return Ok(());
    }
    match scheme(url)? {
        "http" | "https" | "tftp" => Ok(()),
        "s3" => version_id(url),
        "gs" if spec >= Spec::V3_2 => Ok(()),
        "arn" if spec >= Spec::V3_4 => arn(url).and_then(|()| version_id(url)),
        "data" => data_url::decode(url)
            .map(|_| ())
            .map_err(|error| (error.message(), DATA_URL)),
        _ => Err(SCHEME),
    }
}

/// The scheme in lower case, empty without one.
///
/// # Errors
/// When it is no URL.
pub fn scheme(url: &str) -> Result<&'static str, Problem> {
    const KNOWN: [&str; 8] = ["http", "https", "tftp", "s3", "gs", "arn", "data", ""];
    if url.bytes().any(|byte| byte < b' ' || byte == 0x7f) {
        return Err(UNPARSABLE);
    }
    let end = url.find(|part: char| !part.is_ascii_alphanumeric() && !"+-.".contains(part));
    let (scheme, rest) = match end {
        Some(0) if url.starts_with(':') => return Err(UNPARSABLE),
        Some(end)
            if url[end..].starts_with(':')
                && url.starts_with(|first: char| first.is_ascii_alphabetic()) =>
        {
            (url[..end].to_ascii_lowercase(), &url[end + 1..])
        }
        _ => (String::new(), url),
    };
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let rest = rest.split('?').next().unwrap_or_default();
    parse_rest(&scheme, rest)?;
    if !escapes(fragment).all(is_hex) {
        return Err(UNPARSABLE);
    }
    // A scheme that is not known is as good as any other that is not known.
    Ok(KNOWN
        .into_iter()
        .find(|known| *known == scheme)
        .unwrap_or("?"))
}

/// What follows the scheme, without query and fragment.
fn parse_rest(scheme: &str, rest: &str) -> Result<(), Problem> {
    if !scheme.is_empty() && !rest.starts_with('/') {
        return Ok(());
    }
    let first = rest.split('/').next().unwrap_or_default();
    if scheme.is_empty() && first.contains(':') {
        return Err(UNPARSABLE);
    }
    let path = match rest.strip_prefix("//") {
        Some(rest) if !rest.starts_with('/') || !scheme.is_empty() => {
            let end = rest.find('/').unwrap_or(rest.len());
            authority(&rest[..end])?;
            &rest[end..]
        }
        _ => rest,
    };
    if escapes(path).all(is_hex) {
        Ok(())
    } else {
        Err(UNPARSABLE)
    }
}

fn authority(authority: &str) -> Result<(), Problem> {
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let user_valid = user
        .chars()
        .all(|part| part.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(part));
    let (name, port) = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').ok_or(UNPARSABLE)?,
        None => host
            .find(':')
            .map_or((host, ""), |colon| host.split_at(colon)),
    };
    let port_valid = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    let name_valid = name.chars().all(|part| {
        !part.is_ascii() || part.is_ascii_alphanumeric() || "-_.~!$&'()*+,;=:[]<>\"%".contains(part)
    });
    // Only bytes outside of ASCII may be escaped in a host, and a zone after `%25`.
    let escapes_valid = escapes(user).all(is_hex)
        && escapes(name).all(|escape| is_hex(escape) && (escape >= "80" || escape == "25"));
    if user_valid && port_valid && name_valid && escapes_valid {
        Ok(())
    } else {
        Err(UNPARSABLE)
    }
}

/// What follows each percent sign, two characters where there are two.
fn escapes(text: &str) -> impl Iterator<Item = &str> {
    text.split('%')
        .skip(1)
        .map(|part| part.get(..2).unwrap_or(""))
}

fn is_hex(escape: &str) -> bool {
    escape.len() == 2 && escape.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `versionId` in the query may not be empty.
fn version_id(url: &str) -> Result<(), Problem> {
    let url = url.split('#').next().unwrap_or_default();
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let parameter = query.split('&').find_map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name == "versionId").then_some(value)
    });
    if parameter == Some("") {
        Err(VERSION_ID)
    } else {
        Ok(())
    }
}

/// `arn:partition:s3:region:account:resource`, with a bucket or access point and a key.
fn arn(url: &str) -> Result<(), Problem> {
    let bare = url.split(['?', '#']).next().unwrap_or_default();
    let parts: Vec<&str> = bare.splitn(6, ':').collect();
    let [_, _, "s3", _, _, resource] = parts.as_slice() else {
        return Err(BAD_ARN);
    };
    let needed = if resource.starts_with("accesspoint/") {
        3
    } else {
        2
    };
    if bare.split('/').count() < needed {
        return Err(BAD_ARN);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_spec_has_its_schemes() {
        assert_eq!(check("gs://b/o", Spec::V3_1), Err(SCHEME));
        assert_eq!(check("gs://b/o", Spec::V3_2), Ok(()));
        assert_eq!(check("HTTP://a/", Spec::V3_0), Ok(()));
        assert_eq!(check("/a", Spec::V3_0), Err(SCHEME));
        assert_eq!(check("", Spec::V3_0), Ok(()));
        assert_eq!(check("arn:aws:s3:::bucket/key", Spec::V3_4), Ok(()));
        assert_eq!(check("arn:aws:s3:::bucket", Spec::V3_4), Err(BAD_ARN));
        assert_eq!(check("s3://b/k?versionId=", Spec::V3_0), Err(VERSION_ID));
    }

    #[test]
    fn what_go_cannot_parse_is_refused() {
        for url in [
            "http://a b/",
            "http://a:x/",
            "http://a/%zz",
            ":a",
            "http://[::1",
            "a\nb",
            "http://a%20/",
        ] {
            assert_eq!(scheme(url), Err(UNPARSABLE), "{url}");
        }
        for url in [
            "http://[::1]:80/",
            "http://u:p@a:80/%20?%zz",
            "http:",
            "mailto:x",
        ] {
            assert!(scheme(url).is_ok(), "{url}");
        }
    }
}
