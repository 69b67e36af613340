//! Whether a text looks as if a machine had drawn it.

/// The shortest text that can look random.
const SHORTEST: usize = 12;

/// The entropy, in bits a byte, from which on a text counts: words and dates have less, random hex digits of this length
/// have more.
const ENTROPY: f64 = 3.0;

/// What nobody would draw.
const PLACEHOLDERS: [&str; 8] = [
    "example",
    "changeme",
    "change-me",
    "change_me",
    "placeholder",
    "redacted",
    "your-",
    "your_",
];

/// Whether a value looks like a key: long enough, of many different characters, and with a part that no words make up.
pub(super) fn is_random(value: &[u8]) -> bool {
    if value.len() < SHORTEST || entropy(value) < ENTROPY {
        return false;
    }
    let lower = value.to_ascii_lowercase();
    let holds = |word: &str| lower.windows(word.len()).any(|it| it == word.as_bytes());
    !PLACEHOLDERS.iter().any(|word| holds(word))
        && value
            .split(|byte| !byte.is_ascii_alphanumeric())
            .any(is_drawn)
}

/// Whether a word changes between digits and letters, or between upper and lower case, as no word of a language does.
fn is_drawn(word: &[u8]) -> bool {
    let kind = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        _ => 2,
    };
    let pairs = || word.windows(2).map(|pair| (kind(&pair[0]), kind(&pair[1])));
    let with_digits = pairs()
        .filter(|(a, b)| a != b && (*a == 0 || *b == 0))
        .count();
    // `CamelCase` changes twice a word.
    let with_cases = pairs().filter(|(a, b)| a != b).count();
    word.len() >= 8 && with_digits >= 3 || word.len() >= 16 && with_cases * 5 >= word.len() * 2
}

/// Shannon's, in bits a byte.
fn entropy(value: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for &byte in value {
        counts[usize::from(byte)] += 1;
    }
    let total = f64::from(u32::try_from(value.len()).unwrap_or(u32::MAX));
    let shares = counts.iter().filter(|&&count| count > 0);
    shares
        .map(|&count| f64::from(count) / total)
        .map(|share| -share * share.log2())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_keys_from_names() {
        for key in [
            "9c1e5b2270aa41f3",
            "0198c0de-9c1e-7b22-a70a-a41f35b2c0de",
            "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzz12345678",
            "aGVsbG8gd29ybGQhIQ",
            "https://hc-ping.example.net/3f2a9b1c-55d0-4e8e-9b0d-1a2b3c4d5e6f"
                .strip_prefix("https://hc-ping.example.net/")
                .unwrap_or_default(),
            "MZXW6YTBOI3DKNBZGA",
            "xKdjfQwPoiUZbnMLkjTr",
        ] {
            assert!(is_random(key.as_bytes()), "{key}");
        }
        for name in [
            "node1337.internal.net",
            "/etc/kubernetes/token.txt",
            "v1.24.7+k3s1",
            "NodeExporterConfigMapName",
            "kube-system/bootstrap-signer-2024",
            "2026-11-25T10:00:00Z",
            "correct horse battery staple",
            "aaaaaaaaaaaaaaaaaaaaaaa1b1b1",
            "2001:db8:85a3::8a2e:370:7334",
            "your-token-9c1e5b2270aa41f3",
            "short1a2b3c",
        ] {
            assert!(!is_random(name.as_bytes()), "{name}");
        }
    }
}
