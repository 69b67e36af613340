//! Texts that are nearly configs: the same ones in every run, each by its number.

/// What is put in where something was.
const TOKENS: [&[u8]; 24] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b": ",
    b"- ",
    b"? ",
    b"\n",
    b"\r\n",
    b"&a ",
    b"*a",
    b"<<: ",
    b"|\n",
    b">-\n",
    b"\"",
    b"'",
    b"!!binary ",
    b"%YAML 1.1\n---\n",
    b"\xc3\xa9",
    b"\xff",
    b"\xe2\x80\xa8",
    b"null",
    b"0x7fffffffffffffff",
    b"data:;base64,",
];

/// A seed with a few bytes changed, cut, repeated, or mixed with another seed. Number 0 is the seed itself.
pub(crate) fn mutant(seed: &[u8], other: &[u8], number: u64) -> Vec<u8> {
    let mut mutant = seed.to_vec();
    if number == 0 {
        return mutant;
    }
    let mut state = (number ^ 0x5851_f42d_4c95_7f2d).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    // Marsaglia's xorshift; a good enough source for where to cut.
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap_or(0) % below.max(1)
    };
    for _ in 0..=random(4) {
        let at = random(mutant.len() + 1);
        let end = (at + random(16)).min(mutant.len());
        match random(7) {
            0 => drop(mutant.drain(at..end)),
            1 => {
                let copy = mutant[at..end].to_vec();
                let to = random(mutant.len() + 1);
                mutant.splice(to..to, copy);
            }
            2 => drop(mutant.splice(at..end, TOKENS[random(TOKENS.len())].iter().copied())),
            3 => {
                let line = mutant[at..].iter().position(|byte| *byte == b'\n');
                mutant.drain(at..line.map_or(mutant.len(), |line| at + line));
            }
            4 => {
                if let Some(byte) = mutant.get_mut(at) {
                    *byte ^= 1 << random(8);
                }
            }
            5 => {
                let from = random(other.len() + 1);
                let to = (from + random(200)).min(other.len());
                mutant.splice(at..end, other[from..to].iter().copied());
            }
            // Nested without end, or the same key over and over.
            _ => {
                let piece = mutant[at..end].to_vec();
                let many = piece.repeat(1 << random(8));
                mutant.splice(at..at, many);
            }
        }
        mutant.truncate(64 << 10);
    }
    mutant
}
