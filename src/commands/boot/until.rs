//! What `--until` waits for.

use crate::boot::Verdict;

/// The end that is wanted.
pub(super) enum Until {
    Online,
    Failed,
    /// On the console or in the story.
    Text(String),
}

impl Until {
    pub(super) fn of(text: &str) -> Self {
        match text {
            "online" => Self::Online,
            "failed" => Self::Failed,
            text => Self::Text(text.to_owned()),
        }
    }

    /// Whether a line ends it.
    pub(super) fn is_in(&self, line: &str) -> bool {
        matches!(self, Self::Text(text) if line.contains(text))
    }

    /// What becomes of a verdict: how well it ends, or `None` where it goes on. `is_over` is whether nothing can follow.
    pub(super) fn judge(&self, verdict: &Verdict, is_over: bool) -> Option<Result<(), String>> {
        match (self, verdict) {
            (Self::Online, Verdict::Failed(why)) => {
                Some(Err(format!("did not come online: {why}")))
            }
            (Self::Failed, Verdict::Online) => Some(Err("came online".to_owned())),
            // That nothing came of it in time is no failure that anybody has seen.
            (Self::Failed, Verdict::Failed(why)) if is_over => {
                Some(Err(format!("neither failed nor came online: {why}")))
            }
            (Self::Online, Verdict::Online) | (Self::Failed, Verdict::Failed(_)) => Some(Ok(())),
            (Self::Text(text), Verdict::Failed(why)) if is_over => {
                Some(Err(format!("did not say `{text}`: {why}")))
            }
            (Self::Text(text), Verdict::Online) if is_over => {
                Some(Err(format!("came online, and did not say `{text}`")))
            }
            (Self::Text(_), _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_the_wanted_one_or_not() {
        let failed = || Verdict::Failed("why".to_owned());
        let online = Until::of("online");
        assert_eq!(online.judge(&Verdict::Online, false), Some(Ok(())));
        assert!(online.judge(&failed(), false).is_some_and(|it| it.is_err()));
        let fails = Until::of("failed");
        assert_eq!(fails.judge(&failed(), false), Some(Ok(())));
        assert!(fails.judge(&failed(), true).is_some_and(|it| it.is_err()));
        assert!(
            fails
                .judge(&Verdict::Online, false)
                .is_some_and(|it| it.is_err())
        );
        let text = Until::of("login:");
        assert_eq!(text.judge(&failed(), false), None);
        assert!(text.judge(&failed(), true).is_some_and(|it| it.is_err()));
        assert_eq!(text.judge(&Verdict::Online, false), None);
        assert!(
            text.judge(&Verdict::Online, true)
                .is_some_and(|it| it.is_err())
        );
        assert!(text.is_in("n1 login: ") && !online.is_in("online"));
    }
}
