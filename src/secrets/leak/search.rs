//! Searches a text for many values at once.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use super::random::is_random;

/// Values under this many bytes would be found by chance.
pub const SHORTEST: usize = 8;

/// Bits of the first sieve.
const SIEVE: u32 = 22;

/// A line of a value that is searched for by itself, in bytes.
const SHORTEST_LINE: usize = 16;

/// Values to search for. It borrows them and keeps no copy: by hashes of their last bytes it finds where to compare.
pub(super) struct Values<'a> {
    sieve: Vec<u64>,
    hashes: RandomState,
    ends: HashMap<u64, Vec<(&'a [u8], usize)>>,
}

impl<'a> Values<'a> {
    pub(super) fn new(values: &[&'a [u8]]) -> Self {
        let mut all = Self {
            sieve: vec![0; 1 << (SIEVE - 6)],
            hashes: RandomState::new(),
            ends: HashMap::new(),
        };
        for (index, value) in values.iter().enumerate() {
            let value = value.trim_ascii();
            all.add(value, index);
            // Of a key that is a file, a few lines are enough to harm; and indented they are still the same.
            let lines = value.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
            for line in lines.filter(|line| line.len() < value.len()) {
                if line.len() >= SHORTEST_LINE && is_random(line) {
                    all.add(line, index);
                }
            }
        }
        all
    }

    fn add(&mut self, value: &'a [u8], index: usize) {
        let Some(end) = value.last_chunk::<SHORTEST>() else {
            return;
        };
        let bit = sieve_bit(*end);
        self.sieve[bit >> 6] |= 1 << (bit & 63);
        let hash = self.hash(*end);
        self.ends.entry(hash).or_default().push((value, index));
    }

    fn hash(&self, end: [u8; SHORTEST]) -> u64 {
        let mut hasher = self.hashes.build_hasher();
        hasher.write(&end);
        hasher.finish()
    }

    /// The values that a text holds: which, and where they end.
    pub(super) fn find(&self, text: &[u8], mut found: impl FnMut(usize, std::ops::Range<usize>)) {
        if self.ends.is_empty() {
            return;
        }
        for (start, window) in text.windows(SHORTEST).enumerate() {
            let Ok(end) = <[u8; SHORTEST]>::try_from(window) else {
                continue;
            };
            let bit = sieve_bit(end);
            if self.sieve[bit >> 6] & (1 << (bit & 63)) == 0 {
                continue;
            }
            let until = start + SHORTEST;
            for (value, index) in self.ends.get(&self.hash(end)).into_iter().flatten() {
                if text[..until].ends_with(value) {
                    found(*index, until - value.len()..until);
                }
            }
        }
    }
}

fn sieve_bit(end: [u8; SHORTEST]) -> usize {
    // Fibonacci hashing: the golden ratio's bits spread what is close together.
    let product = u64::from_le_bytes(end).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(product >> (64 - SIEVE)).unwrap_or_default()
}
