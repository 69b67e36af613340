//! URLs: what may be shown of one, and where a redirect leads.

use ureq::http::Uri;

use super::NetError;

/// A URL that can be asked.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) uri: Uri,
}

impl Address {
    /// Reads what a user or a server wrote.
    pub(super) fn parse(url: &str) -> Result<Self, NetError> {
        let wrong = |why: &str| NetError::Url {
            url: without_credentials(url),
            why: why.to_owned(),
        };
        // A fragment is the reader's own business, and no server hears of it.
        let asked = url.split('#').next().unwrap_or(url);
        let uri: Uri = asked.parse().map_err(|_| wrong("it is malformed"))?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            Some(_) => return Err(wrong("it is neither HTTP nor HTTPS")),
            None => return Err(wrong("it has no `https://`")),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(wrong("it has no host"));
        }
        Ok(Self { uri })
    }

    pub(super) fn is_secure(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }

    pub(super) fn host(&self) -> &str {
        self.uri.host().unwrap_or_default()
    }

    pub(super) fn port(&self) -> u16 {
        let default = if self.is_secure() { 443 } else { 80 };
        self.uri.port_u16().unwrap_or(default)
    }

    /// Where a `Location` leads. Credentials stay behind: neither those of this URL nor new ones are sent.
    pub(super) fn follow(&self, location: &str) -> Result<Self, NetError> {
        let scheme = self.uri.scheme_str().unwrap_or("https");
        let authority = self.uri.authority().map_or("", |it| it.as_str());
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let path = self.uri.path();
        let absolute = location.split(['/', '?', '#']).next().unwrap_or_default();
        let target = if absolute.contains(':') {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else if location.starts_with('?') || location.is_empty() {
            format!("{scheme}://{authority}{path}{location}")
        } else {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            format!("{scheme}://{authority}{folder}/{location}")
        };
        let target = Self::parse(&without_credentials(&target))?;
        if self.is_secure() && !target.is_secure() {
            return Err(NetError::Downgrade {
                url: self.shown(),
                to: target.shown(),
            });
        }
        Ok(target)
    }

    /// What may be shown: a redirect's query is often a key that opens the file.
    pub(super) fn shown(&self) -> String {
        let url = without_credentials(&self.uri.to_string());
        url.split('?').next().unwrap_or_default().to_owned()
    }
}

/// A URL as it may be shown, without a user's name and password.
#[must_use]
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return url.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("{scheme}://{host}{rest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn followed(from: &str, location: &str) -> String {
        let from = Address::parse(from).expect("a URL");
        match from.follow(location) {
            Ok(to) => to.uri.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_redirect_leads_anywhere_but_out_of_https() {
        let from = "https://me:secret@a.example:8443/x/y?q";
        for (location, to) in [
            ("https://b.example/z?k=1#f", "https://b.example/z?k=1"),
            ("//b.example/z", "https://b.example/z"),
            ("/z", "https://a.example:8443/z"),
            ("z", "https://a.example:8443/x/z"),
            ("?z", "https://a.example:8443/x/y?z"),
            ("https://you:other@b.example/", "https://b.example/"),
            (
                "http://b.example/z?key=1",
                "https://a.example:8443/x/y: the server sends to `http://b.example/z`, which is not HTTPS",
            ),
        ] {
            assert_eq!(followed(from, location), to, "{location}");
        }
        assert_eq!(
            followed("http://a.example/", "https://a.example/"),
            "https://a.example/"
        );
    }

    #[test]
    fn what_can_not_be_asked_is_refused() {
        for wrong in ["ftp://a/b", "/etc/passwd", "https://", "a b", "https:///x"] {
            assert!(Address::parse(wrong).is_err(), "{wrong}");
        }
        let error = Address::parse("ftp://me:secret@a/b").expect_err("no FTP");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
