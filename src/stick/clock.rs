//! The one time that everything on a stick has.

use fatfs::{Date, DateTime, Time, TimeProvider};

/// A time as FAT has it: from 1980 to 2107, in steps of two seconds, of no time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    seconds: u64,
}

/// 1 January 1980, in seconds since 1970.
const FIRST: u64 = 315_532_800;

/// 31 December 2107, 23:59:58.
const LAST: u64 = 4_354_819_198;

const DAY: u64 = 24 * 60 * 60;

impl Clock {
    /// The first that FAT can tell.
    pub const START: Self = Self { seconds: FIRST };

    /// The time `seconds` after the start of 1970 in UTC, or the nearest that FAT can tell.
    #[must_use]
    pub fn at(seconds: u64) -> Self {
        Self {
            seconds: seconds.clamp(FIRST, LAST),
        }
    }
}

impl TimeProvider for Clock {
    fn get_current_date(&self) -> Date {
        let mut days = (self.seconds - FIRST) / DAY;
        let mut year = 1980;
        // 2100 is no leap year.
        let length = |year: u16| 365 + u64::from(year.is_multiple_of(4) && year != 2100);
        while days >= length(year) {
            days -= length(year);
            year += 1;
        }
        let mut month = 1;
        let length = |month: u16| match month {
            2 => length(year) - 337,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        while days >= length(month) {
            days -= length(month);
            month += 1;
        }
        let day = u16::try_from(days).unwrap_or(0) + 1;
        Date { year, month, day }
    }

    fn get_current_date_time(&self) -> DateTime {
        let part = |of: u64, unit: u64| u16::try_from(self.seconds % of / unit).unwrap_or(0);
        DateTime {
            date: self.get_current_date(),
            time: Time {
                hour: part(DAY, 3600),
                min: part(3600, 60),
                sec: part(60, 1),
                millis: 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(seconds: u64) -> String {
        let DateTime { date, time } = Clock::at(seconds).get_current_date_time();
        format!(
            "{}-{:02}-{:02} {:02}:{:02}:{:02}",
            date.year, date.month, date.day, time.hour, time.min, time.sec
        )
    }

    // What `date --utc --date=@N` says.
    #[test]
    fn tells_the_date_as_everybody_does() {
        assert_eq!(told(951_782_399), "2000-02-28 23:59:59");
        assert_eq!(told(951_782_400), "2000-02-29 00:00:00");
        assert_eq!(told(1_767_225_599), "2025-12-31 23:59:59");
        assert_eq!(told(4_107_542_399), "2100-02-28 23:59:59");
        assert_eq!(told(4_107_542_400), "2100-03-01 00:00:00");
    }

    #[test]
    fn stays_within_what_fat_can_tell() {
        assert_eq!(told(0), "1980-01-01 00:00:00");
        assert_eq!(told(u64::MAX), "2107-12-31 23:59:58");
        assert_eq!(Clock::at(0), Clock::START);
    }
}
