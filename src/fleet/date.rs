//! Days, as people write them.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use toml::value::Datetime;

const SECONDS_OF_A_DAY: u64 = 24 * 60 * 60;

/// A day of the Gregorian calendar, `2027-03-01`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Days since 1 January 1970.
    days: i64,
}

/// A text that is no date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write a day that is in the calendar, as `2027-03-01`")]
pub struct NoDate;

impl Date {
    /// The day that it is now, in UTC.
    #[must_use]
    pub fn today() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let days = now.map_or(0, |now| now.as_secs() / SECONDS_OF_A_DAY);
        Self {
            days: i64::try_from(days).unwrap_or(i64::MAX),
        }
    }

    /// The day that many days after 1 January 1970.
    #[must_use]
    pub fn of(days: i64) -> Self {
        Self { days }
    }

    /// How many days are left from `today`; below zero where it has passed.
    #[must_use]
    pub fn days_from(self, today: Self) -> i64 {
        self.days - today.days
    }
}

/// As TOML has it, which knows how long months are.
impl FromStr for Date {
    type Err = NoDate;

    fn from_str(text: &str) -> Result<Self, NoDate> {
        match text.parse::<Datetime>() {
            Ok(Datetime {
                date: Some(date),
                time: None,
                offset: None,
            }) => Ok(Self {
                days: days(date.year.into(), date.month.into(), date.day.into()),
            }),
            _ => Err(NoDate),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = civil(self.days);
        write!(formatter, "{year:04}-{month:02}-{day:02}")
    }
}

/// The days of 400 years, after which the calendar begins anew.
const ERA: i64 = 146_097;

/// The days from 1 March of the year 0 to 1 January 1970. A year that begins in March has its leap day at its end.
const TO_1970: i64 = 719_468;

fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year) = (year.div_euclid(400), year.rem_euclid(400));
    let month = (month + 9) % 12;
    // 153 days are in five months, from March on.
    let day = (153 * month + 2) / 5 + day - 1;
    era * ERA + year * 365 + year / 4 - year / 100 + day - TO_1970
}

fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + TO_1970;
    let (era, day) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        // What `date -u -d DATE +%s` gives, in days.
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("2000-03-01", 11_017),
            ("2026-11-25", 20_782),
            ("2100-02-28", 47_540),
            ("2100-03-01", 47_541),
            ("9999-12-31", 2_932_896),
        ] {
            let date: Date = text.parse().unwrap();
            assert_eq!(date.days, days, "{text}");
            assert_eq!(date.to_string(), text);
        }
    }

    #[test]
    fn each_day_is_the_one_after_the_day_before() {
        let length = |year: i64, month| match month {
            2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
            2 => 28,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        let (mut year, mut month, mut day) = (1599, 1, 1);
        let first = days(year, month, day);
        for number in first..first + 2 * ERA {
            assert_eq!(civil(number), (year, month, day));
            assert_eq!(days(year, month, day), number);
            day += 1;
            if day > length(year, month) {
                (month, day) = (month + 1, 1);
            }
            if month > 12 {
                (year, month) = (year + 1, 1);
            }
        }
    }

    #[test]
    fn what_is_no_day_is_no_date() {
        for text in [
            "",
            "2027",
            "2027-3-1",
            "2027-02-29",
            "2027-13-01",
            "2027-00-01",
            "01.03.2027",
            "2027-03-01T00:00:00",
            "2027-03-01T00:00:00Z",
            "00:00:00",
            "2027-03-01 ",
            "tomorrow",
        ] {
            assert_eq!(text.parse::<Date>(), Err(NoDate), "{text:?}");
        }
    }
}
