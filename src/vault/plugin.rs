//! Runs age plugins: programs beside the tool that encrypt and decrypt with keys of their own, on a token for example.
//!
//! The names were looked at where they were read. Keys go to the plugin through a pipe, and so do answers.

use std::collections::{BTreeMap, HashSet};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use age::plugin::{Identity, IdentityPluginV1, Recipient, RecipientPluginV1};
use age::secrecy::SecretString;
use age::{DecryptError, EncryptError};
use age_core::format::{FileKey, Stanza};
use rustix::process::{WaitOptions, wait};
use zeroize::Zeroizing;

use super::ask::{Ask, Nobody};
use crate::invoker::Invoker;
use crate::secrets::plugin::program;
use crate::secrets::recipients::Recipients;

/// Why a plugin did not do its work. What it said itself is in it, on one line; it may hold control characters.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PluginError {
    /// It is not on PATH.
    #[error("there is no `{0}` on PATH, which this key needs")]
    Absent(String),
    /// It would be run from a folder that depends on where the tool is called, where others may have put it.
    #[error("`{0}` is not run: it is found by an entry of PATH that is no absolute path")]
    Relative(String),
    /// Root is not who the plugin's keys belong to.
    #[error("`{0}` is not run under sudo")]
    Sudo(String),
    /// All keys would be shown.
    #[error("`{0}` is not run: `AGEDEBUG=plugin` would print keys")]
    Debug(String),
    /// A question without anybody to answer it.
    #[error("`{program}` asks `{question}`, and there is no terminal to answer at")]
    NoTerminal {
        /// The plugin.
        program: String,
        /// What it wants to know.
        question: String,
    },
    /// It said so, or it does not speak as a plugin does.
    #[error("`{program}` failed: {why}")]
    Failed {
        /// The plugin.
        program: String,
        /// In its own words, or the system's.
        why: String,
    },
}

impl PluginError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> &'static str {
        match self {
            Self::Absent(_) => "install that plugin, or add its folder to PATH",
            Self::Relative(_) => "write only absolute paths into PATH",
            Self::Sudo(_) => {
                "run it without sudo, as whoever owns the key: neither `image` nor `secrets` needs root"
            }
            Self::Debug(_) => "unset `AGEDEBUG`",
            Self::NoTerminal { .. } => "run it at a terminal",
            Self::Failed { .. } => "see what the plugin's documentation says, and run it again",
        }
    }
}

/// What runs plugins, one at a time.
#[derive(Clone)]
pub struct Plugins {
    ask: Arc<dyn Ask>,
    /// One that failed is not run again: nobody wants to be asked the same for each of a thousand values.
    failed: Arc<Mutex<BTreeMap<(Way, String), PluginError>>>,
}

/// What a plugin is run for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Encrypt,
    Decrypt,
}

impl Default for Plugins {
    /// Plugins that can't ask anybody.
    fn default() -> Self {
        Self::new(Arc::new(Nobody))
    }
}

impl Plugins {
    /// Plugins that ask in this way.
    #[must_use]
    pub fn new(ask: Arc<dyn Ask>) -> Self {
        Self {
            ask,
            failed: Arc::default(),
        }
    }

    /// Decrypts with these keys of one plugin. The inner failure is not the plugin's.
    pub(super) fn decrypt<T>(
        &self,
        name: &str,
        keys: &[Identity],
        decrypt: impl FnOnce(&dyn age::Identity) -> Result<T, DecryptError>,
    ) -> Result<Result<T, DecryptError>, PluginError> {
        self.run(Way::Decrypt, name, |asking| {
            let plugin = IdentityPluginV1::new(name, keys, asking)
                .map_err(|_| PluginError::Absent(program(name)))?;
            match decrypt(&plugin) {
                Err(DecryptError::Plugin(complaints)) => Err(complained(name, &complaints)),
                Err(DecryptError::Io(error)) => Err(broke(name, &error)),
                done => Ok(done),
            }
        })
    }

    fn encrypt(&self, name: &str, keys: &[Recipient], file_key: &FileKey) -> Wrapped<PluginError> {
        self.run(Way::Encrypt, name, |asking| {
            let plugin = RecipientPluginV1::new(name, keys, &[], asking)
                .map_err(|_| PluginError::Absent(program(name)))?;
            let wrapped = age::Recipient::wrap_file_key(&plugin, file_key);
            wrapped.map_err(|error| match error {
                EncryptError::Plugin(complaints) => complained(name, &complaints),
                EncryptError::Io(error) => broke(name, &error),
                other => PluginError::Failed {
                    program: program(name),
                    why: other.to_string(),
                },
            })
        })
    }

    /// Looks whether the plugins of these recipients can be run, and did not fail before: nobody is asked for anything
    /// first that would be in vain.
    pub fn check(&self, recipients: &Recipients) -> Result<(), PluginError> {
        let mut names = recipients.plugins();
        names.try_for_each(|name| self.may_run(Way::Encrypt, name))
    }

    fn may_run(&self, way: Way, name: &str) -> Result<(), PluginError> {
        match locked(&self.failed).get(&(way, name.to_owned())) {
            Some(error) => Err(error.clone()),
            None => may_run(name),
        }
    }

    fn run<T>(
        &self,
        way: Way,
        name: &str,
        work: impl FnOnce(Asking) -> Result<T, PluginError>,
    ) -> Result<T, PluginError> {
        self.may_run(way, name)?;
        reap();
        let asking = Asking {
            program: program(name),
            ask: Arc::clone(&self.ask),
            in_vain: Arc::default(),
        };
        // A plugin that gets no answer only says that it failed.
        let done =
            work(asking.clone()).map_err(|error| locked(&asking.in_vain).take().unwrap_or(error));
        if let Err(error) = &done {
            locked(&self.failed).insert((way, name.to_owned()), error.clone());
        }
        done
    }
}

/// The age crate starts plugins and never waits for them. What has ended is put away before the next one starts, so that
/// a large `rekey` leaves no thousands behind. The tool has no other children at that time.
fn reap() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

fn may_run(name: &str) -> Result<(), PluginError> {
    let program = program(name);
    if Invoker::detect().is_some() {
        return Err(PluginError::Sudo(program));
    }
    if std::env::var_os("AGEDEBUG").is_some_and(|what| what == "plugin") {
        return Err(PluginError::Debug(program));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_program = |metadata: std::fs::Metadata| {
        metadata.is_file() && metadata.permissions().mode() & 0o111 != 0
    };
    let found = std::env::split_paths(&path)
        .find(|folder| folder.join(&program).metadata().is_ok_and(is_program));
    match found {
        Some(folder) if folder.is_absolute() => Ok(()),
        Some(_) => Err(PluginError::Relative(program)),
        None => Err(PluginError::Absent(program)),
    }
}

fn complained(name: &str, complaints: &[impl ToString]) -> PluginError {
    let whys = complaints
        .iter()
        .map(|complaint| one_line(&complaint.to_string()));
    let whys: Vec<String> = whys.collect();
    PluginError::Failed {
        program: program(name),
        why: whys.join("; "),
    }
}

fn broke(name: &str, error: &io::Error) -> PluginError {
    let why = match error.kind() {
        // What the age crate says on it advises to print all keys.
        io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe => {
            "it ended in the middle of its work".to_owned()
        }
        io::ErrorKind::InvalidData => "it does not speak the protocol of age plugins".to_owned(),
        _ => one_line(&error.to_string()),
    };
    PluginError::Failed {
        program: program(name),
        why,
    }
}

/// A text without line ends, with which a plugin could speak as the tool itself.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

type Wrapped<E> = Result<(Vec<Stanza>, HashSet<String>), E>;

/// All recipients of one plugin. A failure of it is in the [`io::Error`], as a [`PluginError`].
pub(super) struct PluginRecipients<'a> {
    plugins: &'a Plugins,
    name: &'a str,
    pub(super) keys: Vec<Recipient>,
}

impl<'a> PluginRecipients<'a> {
    /// As yet none.
    pub(super) fn new(plugins: &'a Plugins, name: &'a str) -> Self {
        let keys = Vec::new();
        Self {
            plugins,
            name,
            keys,
        }
    }
}

impl age::Recipient for PluginRecipients<'_> {
    fn wrap_file_key(&self, file_key: &FileKey) -> Wrapped<EncryptError> {
        let wrapped = self.plugins.encrypt(self.name, &self.keys, file_key);
        wrapped.map_err(|error| EncryptError::Io(io::Error::other(error)))
    }
}

/// A plugin's way to the user.
#[derive(Clone)]
struct Asking {
    program: String,
    ask: Arc<dyn Ask>,
    /// The first question that nobody answered.
    in_vain: Arc<Mutex<Option<PluginError>>>,
}

impl Asking {
    fn answer<T>(&self, question: &str, answered: io::Result<Option<T>>) -> Option<T> {
        let (program, question) = (self.program.clone(), question.to_owned());
        let error = match answered {
            Ok(Some(answer)) => return Some(answer),
            Ok(None) => PluginError::NoTerminal { program, question },
            Err(error) => PluginError::Failed {
                program,
                why: format!("it asks `{question}`, and the terminal can't be read: {error}"),
            },
        };
        locked(&self.in_vain).get_or_insert(error);
        None
    }

    /// As [`Asking::answer`], for a text; age takes no other.
    fn text(
        &self,
        question: &str,
        answered: io::Result<Option<Zeroizing<Vec<u8>>>>,
    ) -> Option<Zeroizing<Vec<u8>>> {
        let is_text = |typed: &Zeroizing<Vec<u8>>| str::from_utf8(typed).is_ok();
        let text = answered.and_then(|typed| match typed {
            Some(typed) if !is_text(&typed) => Err(io::Error::other("that is not UTF-8")),
            typed => Ok(typed),
        });
        self.answer(question, text)
    }
}

impl age::Callbacks for Asking {
    fn display_message(&self, message: &str) {
        self.ask.tell(&self.program, message);
    }

    fn confirm(&self, message: &str, yes: &str, no: Option<&str>) -> Option<bool> {
        let question = one_line(message);
        let (yes, no) = (one_line(yes), one_line(no.unwrap_or("no")));
        let answered = self.ask.choose(&self.program, &question, &yes, &no);
        self.answer(&question, answered)
    }

    fn request_public_string(&self, description: &str) -> Option<String> {
        let question = one_line(description);
        let typed = self.text(&question, self.ask.line(&self.program, &question))?;
        str::from_utf8(&typed).ok().map(str::to_owned)
    }

    fn request_passphrase(&self, description: &str) -> Option<SecretString> {
        let question = one_line(description);
        let typed = self.text(&question, self.ask.secret(&self.program, &question))?;
        str::from_utf8(&typed).ok().map(SecretString::from)
    }
}
