//! Whether a text looks as if a machine had drawn it.

/// The shortest text that can look random.
const SHORTEST: usize = 12;

/// The entropy, in bits a byte, from which on a text counts: words and dates have less, random hex digits of this length
/// have more.
const ENTROPY: f64 = 3.0;

/// What stands in for a value, and makes no word a drawn one.
const PLACEHOLDERS: [&str; 5] = ["example", "changeme", "placeholder", "redacted", "yourkey"];

/// What joins words.
const JOINTS: &[u8] = b"-_./:=&?,;@ +|";

/// Whether a value looks like a key: long enough, of many different characters, and with a part that no words make up.
pub(super) fn is_random(value: &[u8]) -> bool {
    value.len() >= SHORTEST
        && entropy(value) >= ENTROPY
        && value.split(|byte| JOINTS.contains(byte)).any(is_drawn)
}

/// Whether a word changes between digits, letters and signs, or between upper and lower case, as no word of a language
/// does; or is long, and of digits or consonants alone.
fn is_drawn(word: &[u8]) -> bool {
    let lower = word.to_ascii_lowercase();
    let holds = |part: &str| lower.windows(part.len()).any(|it| it == part.as_bytes());
    if word.len() < 8 || PLACEHOLDERS.iter().any(|part| holds(part)) {
        return false;
    }
    let kind = |byte: &u8| match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'z' => 1,
        b'A'..=b'Z' => 2,
        _ => 3,
    };
    let pairs = || word.windows(2).map(|pair| (kind(&pair[0]), kind(&pair[1])));
    let is_letter = |kind| kind == 1 || kind == 2;
    let changes = pairs().filter(|(a, b)| a != b && !(is_letter(*a) && is_letter(*b)));
    // `CamelCase` changes twice a word.
    let with_cases = pairs().filter(|(a, b)| a != b).count();
    let vowels = lower.iter().filter(|byte| b"aeiouy".contains(byte)).count();
    changes.count() >= 3
        || word.len() >= 16
            && (with_cases * 5 >= word.len() * 2
                || word.iter().all(u8::is_ascii_digit)
                || word.iter().all(u8::is_ascii_alphabetic) && vowels * 5 < word.len())
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
            "https://ping.example.net/3f2a9b1c-55d0-4e8e-9b0d-1a2b3c4d5e6f",
            "k9#mP2$vL8@nQ4!xT7",
            "qmzkvxbplwrtmnhsdpwgjcfq",
            "KVKFKRCPNZQUYMLXOVYDSQKJKZDTSRLD",
            "80735146290318274655",
            "your-token-9c1e5b2270aa41f3",
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
            "limit=10&page=2&sort=asc",
            "EXAMPLE1a2b3c4d5e6f",
            "internationalization",
            "short1a2b3c",
        ] {
            assert!(!is_random(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_key_is_as_long_and_as_mixed_as_the_limits_say() {
        for (key, other) in [
            // A value of 12 bytes, and of entropy 3.
            ("9c1e5b2270aa", "9c1e5b2270a"),
            ("9c1e5b2a9c1e5b2a", "9c1e5b2a9c1e5b29"),
            // A word of 8 bytes, and of 16 where it is all consonants.
            ("9c1e5b2a-word", "9c1e5b2-words"),
            ("qmzkvxbplwrtmnhs", "qmzkvxbplwrtmnh"),
        ] {
            assert!(is_random(key.as_bytes()), "{key}");
            assert!(!is_random(other.as_bytes()), "{other}");
        }
    }
}
