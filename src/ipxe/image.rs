//! Images as iPXE keeps them, and the arguments of the commands that deal with them
//! (`src/hci/commands/image_cmd.c` and `src/core/image.c` there).

use std::borrow::Cow;
use std::ops::Range;

/// An image that was fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// What `initrd=` calls it.
    pub name: String,
    /// Where it came from.
    pub url: String,
    /// Its arguments, joined by single spaces: a kernel's command line.
    pub cmdline: String,
    /// The command that gave it its arguments.
    pub span: Range<usize>,
    /// How many of the last words of that command they are.
    pub words: usize,
}

/// What Linux gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The kernel.
    pub kernel: Image,
    /// The other images, in the order fetched.
    pub initrds: Vec<Image>,
}

/// The images that are there, and the one that `boot` starts.
#[derive(Debug, Default)]
pub(super) struct Images {
    all: Vec<Image>,
    selected: Option<usize>,
}

impl Images {
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.all.iter().position(|image| image.name == name)
    }

    /// Adds one; the result is its index.
    pub(super) fn add(&mut self, image: Image) -> usize {
        self.all.push(image);
        self.all.len() - 1
    }

    pub(super) fn select(&mut self, image: Option<usize>) {
        self.selected = image;
    }

    pub(super) fn set_args(&mut self, image: usize, args: &[Cow<'_, str>], span: &Range<usize>) {
        self.all[image].cmdline = args.join(" ");
        self.all[image].span = span.clone();
        self.all[image].words = args.len();
    }

    /// Frees those named, or all where none is; whether all of them were there.
    pub(super) fn free(&mut self, names: &[Cow<'_, str>]) -> bool {
        if names.is_empty() {
            *self = Self::default();
        }
        names.iter().all(|name| {
            let Some(image) = self.find(name) else {
                return false;
            };
            self.all.remove(image);
            self.selected = match self.selected {
                Some(selected) if selected == image => None,
                Some(selected) if selected > image => Some(selected - 1),
                other => other,
            };
            true
        })
    }

    /// What `boot` starts; `None` where nothing is selected.
    pub(super) fn boot(&self) -> Option<Boot> {
        let mut initrds = self.all.clone();
        let kernel = initrds.remove(self.selected?);
        Some(Boot { kernel, initrds })
    }
}

/// The options of the commands that deal with images, and the arguments after them.
pub(super) struct ImageArgs<'a, T> {
    /// `--name`.
    pub(super) name: Option<&'a str>,
    /// `--timeout`, as written.
    pub(super) timeout: Option<&'a str>,
    /// From the first argument that isn't an option.
    pub(super) rest: &'a [T],
}

/// Reads the options as iPXE's `getopt_long` does: they end at the first argument that has no dash.
/// `None`: iPXE would print the usage and fail.
pub(super) fn image_args<T: AsRef<str>>(args: &[T]) -> Option<ImageArgs<'_, T>> {
    let mut found = ImageArgs {
        name: None,
        timeout: None,
        rest: args,
    };
    while let Some((first, rest)) = found.rest.split_first() {
        let first = first.as_ref();
        if first == "--" {
            found.rest = rest;
            break;
        }
        if !first.starts_with('-') || first == "-" {
            break;
        }
        found.rest = rest;
        let (option, inline) = match first.split_once('=') {
            Some((option, value)) if option.starts_with("--") => (option, Some(value)),
            _ if !first.starts_with("--") && first.is_char_boundary(2) && first.len() > 2 => {
                (&first[..2], Some(&first[2..]))
            }
            _ => (first, None),
        };
        let slot = match option {
            "--name" | "-n" => &mut found.name,
            "--timeout" | "-t" => &mut found.timeout,
            "--autofree" | "-a" | "--replace" | "-r" | "--quiet" | "-q" if inline.is_none() => {
                continue;
            }
            _ => return None,
        };
        *slot = Some(if let Some(value) = inline {
            value
        } else {
            let (value, rest) = found.rest.split_first()?;
            found.rest = rest;
            value.as_ref()
        });
    }
    Some(found)
}

/// The name that an image gets from its URL: the last part of the path.
pub(super) fn image_name(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn options_end_at_the_first_argument_without_a_dash() {
        let args = ["--name", "k", "-t5000", "http://a/b", "--quiet"];
        let found = image_args(&args).unwrap();
        assert_eq!(found.name, Some("k"));
        assert_eq!(found.timeout, Some("5000"));
        assert_eq!(found.rest, ["http://a/b", "--quiet"]);
        assert_eq!(
            image_args(&["--timeout=9", "x"]).unwrap().timeout,
            Some("9")
        );
        assert!(image_args(&["--timeouts", "9", "x"]).is_none());
        assert!(image_args(&["--name"]).is_none());
        assert!(image_args(&["-é"]).is_none());
    }

    #[test]
    fn images_are_named_after_their_file() {
        assert_eq!(image_name("http://a/b/c.img?x=/y"), "c.img");
        assert_eq!(image_name("c.img"), "c.img");
    }
}
