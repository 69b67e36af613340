//! Paths of the machine: absolute and in their shortest form.

use crate::ignition::report::Problem;

/// What is wrong with a path, if anything.
///
/// # Errors
/// When it is empty, relative, or has a shorter form.
pub fn check(path: &str) -> Result<(), Problem> {
    if path.is_empty() {
        Err(("no path", "set it to an absolute path"))
    } else if !path.starts_with('/') {
        Err(("the path is not absolute", "begin it with `/`"))
    } else if !is_clean(path) {
        Err((
            "the path is not in its shortest form",
            "leave out `.`, `..`, double slashes and the last slash",
        ))
    } else {
        Ok(())
    }
}

/// Whether an absolute path is in the form that [`clean`] gives.
fn is_clean(path: &str) -> bool {
    path == "/"
        || !path
            .split('/')
            .skip(1)
            .any(|part| matches!(part, "" | "." | ".."))
}

/// The shortest form of a path: no empty, `.` and `..` parts where they can go, no slash at the end.
#[must_use]
pub fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if absolute => {}
            part => parts.push(part),
        }
    }
    match (absolute, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

/// A path below a directory, cleaned; a leading slash of `path` does not matter.
#[must_use]
pub fn join(directory: &str, path: &str) -> String {
    match (directory, path) {
        ("", _) => clean(path),
        (_, "") => clean(directory),
        _ => clean(&format!("{directory}/{path}")),
    }
}

/// The extension of the last part, with its dot; empty without one.
#[must_use]
pub fn extension(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.rfind('.').map_or("", |dot| &name[dot..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_shortest_form() {
        for (path, shortest) in [
            ("/a/../b", "/b"),
            ("/../a//./b/", "/a/b"),
            ("/", "/"),
            ("//", "/"),
            ("a/../..", ".."),
            ("../../a", "../../a"),
            ("", "."),
        ] {
            assert_eq!(clean(path), shortest, "{path}");
        }
        assert_eq!(join("../files", "/a"), "../files/a");
    }

    proptest::proptest! {
        #[test]
        fn a_path_is_clean_where_cleaning_changes_nothing(path in "/[./a]{0,8}") {
            proptest::prop_assert_eq!(is_clean(&path), clean(&path) == path);
        }
    }
}
