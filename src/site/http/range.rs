//! The part of a file that a request asks for.

/// What is to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// From the first byte up to, but without, the second.
    Bytes(u64, u64),
    /// Nothing: the range begins behind the end.
    Outside,
}

/// Reads a `Range` header (RFC 9110, 14.2) for a file of so many bytes. Other units, several ranges and what is malformed
/// are passed over, as the RFC allows: then it is the whole file.
pub(super) fn part(header: &str, length: u64) -> Part {
    let Some(range) = header.trim().strip_prefix("bytes=") else {
        return Part::Whole;
    };
    let Some((first, last)) = range.split_once('-') else {
        return Part::Whole;
    };
    let number = |text: &str| {
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // One that is larger than any file stands for the end.
        digits.then(|| text.parse().unwrap_or(u64::MAX))
    };
    let (from_end, to_end) = (first.trim().is_empty(), last.trim().is_empty());
    match (number(first.trim()), number(last.trim())) {
        (Some(first), Some(last)) if first > last => Part::Whole,
        (Some(_), None) if !to_end => Part::Whole,
        (Some(first), _) if first >= length => Part::Outside,
        (Some(first), last) => {
            let last = last.unwrap_or(u64::MAX);
            Part::Bytes(first, last.saturating_add(1).min(length))
        }
        (None, Some(count)) if from_end => match count.min(length) {
            0 => Part::Outside,
            count => Part::Bytes(length - count, length),
        },
        _ => Part::Whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_cut_to_the_file() {
        for (header, expected) in [
            ("bytes=0-0", Part::Bytes(0, 1)),
            ("bytes=2-4", Part::Bytes(2, 5)),
            ("bytes=2-", Part::Bytes(2, 10)),
            ("bytes=2-99", Part::Bytes(2, 10)),
            ("bytes=2-99999999999999999999999", Part::Bytes(2, 10)),
            ("bytes=-3", Part::Bytes(7, 10)),
            ("bytes=-99", Part::Bytes(0, 10)),
            ("bytes=10-", Part::Outside),
            ("bytes=10-12", Part::Outside),
            ("bytes=99999999999999999999999-", Part::Outside),
            ("bytes=-0", Part::Outside),
        ] {
            assert_eq!(part(header, 10), expected, "{header}");
        }
        assert_eq!(part("bytes=0-", 0), Part::Outside);
        assert_eq!(part("bytes=-1", 0), Part::Outside);
    }

    #[test]
    fn what_is_no_single_range_of_bytes_is_the_whole_file() {
        for header in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=4-2",
            "bytes=12-2",
            "bytes=0-1,3-4",
            "bytes=10-,2-3",
            "bytes=a-b",
            "bytes=+1-2",
            "bytes=1-x",
            "lines=1-2",
        ] {
            assert_eq!(part(header, 10), Part::Whole, "{header}");
        }
    }
}
