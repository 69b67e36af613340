//! Mistakes in the form of Butane's `--raw-errors`, one a line, for programs.

use super::{Diagnostic, Severity, printable};

impl Diagnostic {
    /// `SEVERITY at PATH, line L col C: TEXT`, where the path or the place can be missing. Columns count characters.
    #[must_use]
    pub fn to_raw(&self) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = self.labels.first().map(|label| {
            let at = label.source.position(label.span.start);
            format!("line {} col {}", at.line, at.column)
        });
        let at: Vec<String> = self.path.iter().cloned().chain(place).collect();
        let at = match at.as_slice() {
            [] => String::new(),
            at => format!(" at {}", at.join(", ")),
        };
        printable(&format!("{severity}{at}: {}", self.message)).replace('\n', " ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Source;

    #[test]
    fn says_path_and_place_where_there_are_any() {
        let source = Source::file("a.bu", "a:\n  b: c\n");
        let plain = Diagnostic::warning("a\nb");
        assert_eq!(plain.to_raw(), "warning: a b");
        let placed = Diagnostic::error("no").at(&source, 5..6);
        assert_eq!(placed.to_raw(), "error at line 2 col 3: no");
        let both = placed.path("$.a.b");
        assert_eq!(both.to_raw(), "error at $.a.b, line 2 col 3: no");
        assert_eq!(plain.path("$.a").to_raw(), "warning at $.a: a b");
    }
}
