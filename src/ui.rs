//! The one place that prints, and that hears the user: colour, quiet, progress, questions, Ctrl-C.

use std::io::{self, IsTerminal, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use zeroize::Zeroizing;

use crate::diagnostic::{Diagnostic, fold, printable};
use crate::progress::Progress;
pub use signals::{Held, Orderly, exit_code, listen, signal};
pub use terminal::Raw;
use terminal::{Terminal, without_line_end};

mod question;
mod signals;
mod terminal;

/// Work shorter than this shows no progress.
const PATIENCE: Duration = Duration::from_millis(500);

/// Where there is no terminal, a line is written so often.
const LINE_EVERY: Duration = Duration::from_secs(10);

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
    is_terminal: bool,
    manner: Manner,
    bar: Arc<Mutex<Option<Bar>>>,
}

struct Bar {
    what: String,
    total: usize,
    done: usize,
    /// What the bar shows beside itself.
    form: &'static str,
    since: Instant,
    /// When a line was last written, where there is no terminal.
    told: Instant,
    shown: Option<ProgressBar>,
}

impl Ui {
    /// Looks at the terminal.
    #[must_use]
    pub fn new(manner: Manner) -> Self {
        let styled = |terminal: bool| {
            manner.color.unwrap_or_else(|| {
                let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
                let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
                terminal && !set("NO_COLOR") && !dumb
            })
        };
        Self {
            styled_out: styled(io::stdout().is_terminal()),
            styled_err: styled(io::stderr().is_terminal()),
            is_terminal: io::stderr().is_terminal(),
            manner,
            bar: Arc::default(),
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
        if let Ok(mut bar) = self.bar.lock()
            && let Some(bar) = bar.take()
            && let Some(shown) = bar.shown
        {
            shown.finish_and_clear();
        }
    }
}

impl Ui {
    fn begin(&self, what: &str, total: usize, form: &'static str) {
        if let (false, Ok(mut bar)) = (self.manner.quiet, self.bar.lock()) {
            let now = Instant::now();
            *bar = Some(Bar {
                what: what.to_owned(),
                total,
                done: 0,
                form,
                since: now,
                told: now,
                shown: None,
            });
        }
    }
}

impl Progress for Ui {
    fn start(&self, what: &str, total: usize) {
        self.begin(what, total, "{msg} {wide_bar} {pos}/{len} {eta}");
    }

    fn start_bytes(&self, what: &str, total: u64) {
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let form = "{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        self.begin(what, total, form);
    }

    fn advance(&self, steps: usize) {
        let Ok(mut bar) = self.bar.lock() else { return };
        let Some(bar) = bar.as_mut() else { return };
        bar.done += steps;
        if !self.is_terminal {
            if bar.told.elapsed() > LINE_EVERY {
                bar.told = Instant::now();
                let percent = bar.done.saturating_mul(100) / bar.total.max(1);
                let _ = writeln!(io::stderr().lock(), "{}: {percent} %", bar.what);
            }
            return;
        }
        match &bar.shown {
            Some(shown) => shown.set_position(bar.done as u64),
            None if bar.since.elapsed() > PATIENCE => {
                let shown = ProgressBar::new(bar.total as u64);
                if let Ok(style) = ProgressStyle::with_template(bar.form) {
                    shown.set_style(style);
                }
                shown.set_message(bar.what.clone());
                bar.shown = Some(shown);
            }
            None => {}
        }
    }

    fn stopped(&self) -> bool {
        signal() != 0
    }
}
