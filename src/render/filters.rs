//! The filters that templates have besides minijinja's own, and errors of our own wording.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind};
use sha2::{Digest, Sha256, Sha512};

use crate::env_file::{self, UnitLine};

/// An error that is ours to show: it holds no value of a variable.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) message: String,
    pub(super) help: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

/// Makes the engine stop with a message of ours.
pub(super) fn refuse(message: impl Into<String>, help: impl Into<String>) -> Error {
    let refusal = Refusal {
        message: message.into(),
        help: help.into(),
    };
    Error::from(ErrorKind::InvalidOperation).with_source(refusal)
}

/// Adds ours to the engine.
pub(super) fn add(environment: &mut Environment<'static>) {
    environment.add_filter("b64encode", |text: String| STANDARD.encode(text));
    environment.add_filter("sha256", |text: String| hex(&Sha256::digest(text)));
    environment.add_filter("sha512", |text: String| hex(&Sha512::digest(text)));
    environment.add_filter("quote_systemd", quote_systemd);
}

/// `| quote_systemd` for a setting, `| quote_systemd(command=true)` for a word of `ExecStart=`.
// The engine hands its arguments over.
#[allow(clippy::needless_pass_by_value)]
fn quote_systemd(text: &str, options: Kwargs) -> Result<String, Error> {
    let command: Option<bool> = options.get("command")?;
    options.assert_all_used()?;
    let line = if command.unwrap_or(false) {
        UnitLine::Command
    } else {
        UnitLine::Setting
    };
    env_file::quote_systemd(text, line).map_err(|error| {
        refuse(
            format!("a unit can't hold this value: {error}"),
            "put it into a file that the unit reads",
        )
    })
}

/// Lower-case hex digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
