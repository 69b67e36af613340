//! Texts for the tests of the guard.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

/// Texts with secrets and what resembles them, in encodings over one another, and glued to one another.
pub(super) fn texts() -> impl Strategy<Value = Vec<u8>> {
    let own = prop::sample::select(vec![
        "9c1e5b2270aa41f3",
        "ghp_abcdefghij1234567890abcdefghij123456",
        "AKIAQ7ZK29XBL0VR4MTN",
        "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ",
        "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n",
        "API_TOKEN=",
        "password: ",
        "- name: DB_PASSWORD\n  value: ",
        "--token ",
        "OWN_URL = ",
        "\"auth\":\"",
        "Authorization: Bearer ",
        "https://me:open@example.net/x",
        "https://9c1e5b2270aa41f3@example.net",
        "hf_q7Zk29XbL0vR4mTn8sPw5Yc1Hd6Jf3Kg",
        "xoxb-q7Zk29XbL0",
        "OWN_URL = \"age:4f1d0c9a:9c1e5b2270aa41f3:YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBw\"",
        "K3S_TOKEN='age:4f1d0c9a:9c1e5b2270aa41f3:YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBw'",
        "token: {{ vars.token }} ",
        "K10",
        "basic ",
        "%",
        "%4",
        "%+f",
        "\\x41",
        "\\x+f",
        "\\u00e9",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\u",
        "\\",
        "\\\n",
        "\"",
        "'",
        "+",
        "/",
        "=",
        "\n",
        "  \n ",
        " ",
        ":",
        "@",
    ]);
    let leaf = prop_oneof![
        8 => own.prop_map(|it| it.as_bytes().to_owned()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        2 => "[A-Za-z0-9+/_-]{1,90}".prop_map(String::into_bytes),
        1 => "[0-9a-f]{1,40}".prop_map(String::into_bytes),
        1 => "[ -~\n]{0,30}".prop_map(String::into_bytes),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        let texts = prop::collection::vec(inner, 1..5).prop_map(|it| it.concat());
        (texts, 0..9).prop_map(|(text, how)| match how {
            0 => STANDARD.encode(text).into_bytes(),
            1 => URL_SAFE_NO_PAD.encode(text).into_bytes(),
            2 => wrapped(&STANDARD.encode(text)),
            3 => text
                .iter()
                .flat_map(|it| format!("{it:02x}").into_bytes())
                .collect(),
            4 => text.iter().flat_map(|&it| percent(it)).collect(),
            5 => serde_json::to_vec(&String::from_utf8_lossy(&text)).expect("a text"),
            6 => STANDARD.encode(gzip(&text)).into_bytes(),
            _ => text,
        })
    })
}

fn wrapped(digits: &str) -> Vec<u8> {
    let lines = digits.as_bytes().chunks(64);
    lines
        .flat_map(|line| [b"  ", line, b"\n"].concat())
        .collect()
}

fn percent(byte: u8) -> Vec<u8> {
    if byte.is_ascii_alphanumeric() {
        vec![byte]
    } else {
        format!("%{byte:02X}").into_bytes()
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("memory takes it");
    encoder.finish().expect("memory takes it")
}
