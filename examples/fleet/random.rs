//! Numbers that look random and are the same for the same seed, on every machine and in every version.

/// `SplitMix64`: Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. Never for a key.
pub(crate) struct Random(u64);

impl Random {
    /// One of the independent sequences that belong to a seed.
    pub(crate) fn new(seed: u64, sequence: u64) -> Self {
        Self(mix(seed).wrapping_add(mix(sequence ^ 0x5851_f42d_4c95_7f2d)))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// A number below `end`, which is not 0.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        // The bias of the remainder is far below what anybody could see here.
        usize::try_from(self.next() % end as u64).unwrap_or_default()
    }

    pub(crate) fn pick(&mut self, among: &[&'static str]) -> &'static str {
        among[self.below(among.len())]
    }

    /// 32 lower-case hex digits.
    pub(crate) fn hex(&mut self) -> String {
        format!("{:016x}{:016x}", self.next(), self.next())
    }
}

fn mix(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
