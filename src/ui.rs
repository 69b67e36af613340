//! The one place that prints, and that hears the user: colour, quiet, progress, questions, Ctrl-C.

use std::io::{self, IsTerminal, Read, Write};

use zeroize::Zeroizing;

use crate::diagnostic::{Diagnostic, fold, printable};
use crate::progress::Progress;
use bar::{Bar, Unit};
pub use signals::{Held, Orderly, exit_code, listen, signal};
pub use terminal::Raw;
use terminal::{Terminal, without_line_end};

mod bar;
mod question;
mod signals;
mod terminal;

/// How the user wants to be talked to. Each is a switch of its own.
#[allow(clippy::struct_excessive_bools)]
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Whether to use colour; `None` as the terminal is.
    pub color: Option<bool>,
    /// Results and errors only.
    pub quiet: bool,
    /// More.
    pub verbose: bool,
    /// Results as JSON.
    pub json: bool,
}

/// What the user sees and says. A clone is the same one.
#[derive(Clone)]
pub struct Ui {
    styled_out: bool,
    styled_err: bool,
    manner: Manner,
    bar: Bar,
}

impl Ui {
    /// Looks at the terminal.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        let term = std::env::var_os("TERM");
        let dumb = term.as_ref().is_some_and(|term| term == "dumb");
        let styled = |terminal: bool| {
            manner.color.unwrap_or_else(|| {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                terminal && !set("NO_COLOR") && !dumb
            })
        };
        Self {
            styled_out: styled(io::stdout().is_terminal()),
            styled_err: styled(io::stderr().is_terminal()),
            manner,
            bar: Bar::new(io::stderr().is_terminal() && term.is_some() && !dumb),
        }
    }

    /// Whether results are to be JSON.
    #[must_use]
    pub fn json(&self) -> bool {
        self.manner.json
    }

    /// Whether more is to be told.
    #[must_use]
    pub fn verbose(&self) -> bool {
        self.manner.verbose
    }

    /// Prints a result. That nobody reads it any more, as with `| head`, does not change what the command does and how it
    /// ends.
    ///
    /// # Errors
    /// Standard output can't be written.
    pub fn result(&self, text: &str) -> io::Result<()> {
        self.result_bytes(text.as_bytes())
    }

    /// Prints a text as it is; on a terminal without what that would obey.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub fn text(&self, text: &str) -> io::Result<()> {
        if io::stdout().is_terminal() {
            self.result(&printable(text))
        } else {
            self.result(text)
        }
    }

    /// Prints a result that may be no text.
    ///
    /// # Errors
    /// As [`Ui::result`].
    fn result_bytes(&self, bytes: &[u8]) -> io::Result<()> {
        match self.stream(bytes) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    /// Prints a secret: byte for byte, but for a final line end on a terminal.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub fn secret(&self, bytes: &[u8]) -> io::Result<()> {
        self.result_bytes(bytes)?;
        if io::stdout().is_terminal() {
            self.result("\n")?;
        }
        Ok(())
    }

    /// Shows what goes on, byte for byte, as long as somebody reads it.
    ///
    /// # Errors
    /// Standard output can't be written; `BrokenPipe` where nobody reads it any more.
    pub fn stream(&self, bytes: &[u8]) -> io::Result<()> {
        self.clear();
        let mut out = io::stdout().lock();
        out.write_all(bytes)?;
        out.flush()
    }

    /// Whether results may be coloured.
    #[must_use]
    pub fn styled(&self) -> bool {
        self.styled_out && !self.manner.json
    }

    /// Says what is going on, unless it is to be quiet.
    pub fn say(&self, text: &str) {
        if !self.manner.quiet {
            self.tell(&printable(text));
        }
    }

    /// Says what the user will be asked about, also where it is to be quiet.
    pub fn show(&self, text: &str) {
        self.tell(&printable(text));
    }

    /// Shows mistakes: the warnings unless it is to be quiet, the errors always.
    pub fn mistakes(&self, diagnostics: Vec<Diagnostic>) {
        for one in fold(diagnostics) {
            if one.diagnostic.is_error() || !self.manner.quiet {
                self.tell(&format!("{}\n", one.to_text(self.styled_err)));
            }
        }
    }

    /// Shows mistakes in one line each, as [`Ui::mistakes`] does in excerpts.
    pub fn raw_mistakes(&self, diagnostics: &[Diagnostic]) {
        for one in diagnostics {
            if one.is_error() || !self.manner.quiet {
                self.tell(&one.to_raw());
            }
        }
    }

    /// Says why a command failed, in words that programs wait for.
    pub fn raw_error(&self, message: &str) {
        self.tell(&printable(message));
    }

    /// Says why a command failed.
    pub fn error(&self, message: &str, help: Option<&str>) {
        let (red, bold, end) = if self.styled_err {
            ("\x1b[1;31m", "\x1b[1m", "\x1b[0m")
        } else {
            ("", "", "")
        };
        self.tell(&format!(
            "{red}error{end}{bold}: {}{end}",
            printable(message)
        ));
        for line in help.into_iter().flat_map(str::lines) {
            self.tell(&format!("  {}", printable(line)));
        }
    }

    /// Writes to standard error. Where that is closed there is nobody to tell.
    fn tell(&self, text: &str) {
        self.clear();
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// Shows what another program has to say to the user, each line in its name. It may be needed to go on, so it is
    /// shown where it is to be quiet too.
    pub fn message(&self, program: &str, text: &str) {
        for line in text.lines() {
            self.tell(&printable(&format!("{program}: {line}")));
        }
    }

    /// As [`Ui::message`], for what the user may be spared.
    pub fn remarks(&self, program: &str, text: &str) {
        if !self.manner.quiet {
            self.message(program, text);
        }
    }

    /// Reads a secret: without echo from a terminal, else all of standard input but for one final line end.
    ///
    /// # Errors
    /// Standard input can't be read.
    pub fn read_secret(&self, prompt: &str) -> io::Result<Zeroizing<Vec<u8>>> {
        if let Some(terminal) = Terminal::stdin()? {
            self.clear();
            return terminal.ask_hidden(&printable(&format!("{prompt}: ")));
        }
        let mut value = Zeroizing::new(Vec::with_capacity(64 * 1024));
        io::stdin().lock().read_to_end(&mut value)?;
        without_line_end(&mut value);
        Ok(value)
    }

    /// Reads a line from the terminal; `None` where there is none.
    ///
    /// # Errors
    /// The terminal can't be read.
    pub fn ask(&self, prompt: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        self.clear();
        let terminal = Terminal::find()?;
        terminal
            .map(|terminal| terminal.ask(&printable(&format!("{prompt}: "))))
            .transpose()
    }

    /// As [`Ui::ask`], without echo.
    ///
    /// # Errors
    /// The terminal can't be read.
    pub fn ask_hidden(&self, prompt: &str) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        self.clear();
        let terminal = Terminal::find()?;
        terminal
            .map(|terminal| terminal.ask_hidden(&printable(&format!("{prompt}: "))))
            .transpose()
    }

    fn clear(&self) {
        self.bar.clear();
    }
}

impl Progress for Ui {
    fn start(&self, what: &str, total: usize) {
        if !self.manner.quiet {
            self.bar.begin(what, total, Unit::Step);
        }
    }

    fn start_bytes(&self, what: &str, total: u64) {
        if !self.manner.quiet {
            let total = usize::try_from(total).unwrap_or(usize::MAX);
            self.bar.begin(what, total, Unit::Byte);
        }
    }

    fn advance(&self, steps: usize) {
        self.bar.advance(steps);
    }

    fn stopped(&self) -> bool {
        signal() != 0
    }
}
