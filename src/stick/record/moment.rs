//! When something happened, as TOML has it.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use toml::value::{Datetime, Offset};

use crate::fleet::date::Date;

const DAY: i64 = 24 * 60 * 60;

/// A second of time, written in UTC: `2026-11-25T23:57:14Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Since the start of 1970.
    seconds: i64,
}

/// A text that names no moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a date and a time with its offset, as `2027-03-01T12:00:00Z`")]
pub struct NoMoment;

impl Moment {
    /// The moment that it is.
    #[must_use]
    pub fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = now.map_or(0, |now| now.as_secs());
        Self::of(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// That many seconds after the start of 1970.
    #[must_use]
    pub fn of(seconds: i64) -> Self {
        Self { seconds }
    }

    /// The day that it is in, in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        Date::of(self.seconds.div_euclid(DAY))
    }
}

impl FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, NoMoment> {
        let Ok(Datetime {
            date: Some(date),
            time: Some(time),
            offset: Some(offset),
        }) = text.parse::<Datetime>()
        else {
            return Err(NoMoment);
        };
        let date: Date = date.to_string().parse().map_err(|_| NoMoment)?;
        let minutes = match offset {
            Offset::Z => 0,
            Offset::Custom { minutes } => i64::from(minutes),
        };
        let of_day = i64::from(time.hour) * 3600
            + i64::from(time.minute) * 60
            + i64::from(time.second.unwrap_or(0));
        Ok(Self::of(
            date.days_from(Date::of(0)) * DAY + of_day - minutes * 60,
        ))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_day = self.seconds.rem_euclid(DAY);
        let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
        write!(
            formatter,
            "{}T{hour:02}:{minute:02}:{second:02}Z",
            self.date()
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_wherever_they_were_written_and_told_in_utc() {
        // What `date -u -d TEXT +%s` gives.
        for (text, seconds, told) in [
            (
                "2026-11-25T23:57:14Z",
                1_795_651_034,
                "2026-11-25T23:57:14Z",
            ),
            (
                "2026-11-26T01:57:14+02:00",
                1_795_651_034,
                "2026-11-25T23:57:14Z",
            ),
            (
                "2026-11-25 18:57:14.999-05:00",
                1_795_651_034,
                "2026-11-25T23:57:14Z",
            ),
            ("1969-12-31T23:59:59Z", -1, "1969-12-31T23:59:59Z"),
        ] {
            let moment: Moment = text.parse().unwrap();
            assert_eq!(moment, Moment::of(seconds), "{text}");
            assert_eq!(moment.to_string(), told);
        }
        for text in [
            "",
            "2026-11-25",
            "2026-11-25T23:57:14",
            "23:57:14",
            "now",
            "2026-02-30T00:00:00Z",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(NoMoment), "{text:?}");
        }
    }
}
