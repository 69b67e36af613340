#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::encode::gzip;
use super::*;
use crate::ignition::rules::url::scheme;

#[test]
fn the_shortest_encoding_wins() {
    assert_eq!(encode(b"a b", true).url, "data:,a%20b");
    assert_eq!(encode(&[0; 6], true).url, "data:;base64,AAAAAAAA");
    assert_eq!(encode(b"", true).url, "data:,");
    let long = encode(&[b'a'; 4000], true);
    assert!(long.compressed && long.url.len() < 100);
    assert!(!encode(&[b'a'; 4000], false).compressed);
}

#[test]
fn decoding_gives_back_what_was_encoded() {
    let all: Vec<u8> = (0..=255).collect();
    for contents in [all.as_slice(), b"", b"%", b"a,b;c"] {
        assert_eq!(decode(&encode(contents, false).url).unwrap(), contents);
        assert_eq!(decode(&encode_percent(contents)).unwrap(), contents);
    }
    let packed = decode(&encode(&[7; 9999], true).url).unwrap();
    assert_eq!(gunzip(&packed, 9999).unwrap(), [7; 9999]);
    assert!(gunzip(&packed, 9998).is_err());
}

#[test]
fn a_compressor_that_is_used_again_writes_the_same_bytes() {
    let noise: Vec<u8> = (0..70_000_u32)
        .map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    for contents in [
        &noise[..],
        b"",
        b"a",
        &vec![b'a'; 100_000],
        &noise[..999],
        &noise,
    ] {
        let packed = gzip(contents);
        let between = &packed[10..packed.len() - 8];
        assert!(between == miniz_oxide::deflate::compress_to_vec(contents, 9));
        assert!(gunzip(&packed, contents.len()).unwrap() == contents);
    }
}

#[test]
fn parameters_are_looked_at_and_left_out() {
    for url in [
        "data:text/plain,x",
        "data:;charset=\"a,\\\"b\",x",
        "data:x-y/;a=b;c=d;base64,eA==",
    ] {
        assert_eq!(decode(url).unwrap(), b"x", "{url}");
    }
}

#[test]
fn refuses_what_ignition_refuses() {
    assert_eq!(decode("data:text,x"), Err(DataUrlError::MediaType));
    assert_eq!(decode("data:what/ever,x"), Err(DataUrlError::MediaType));
    assert_eq!(decode("data:"), Err(DataUrlError::MediaType));
    assert_eq!(decode("data:;a=b"), Err(DataUrlError::NoComma));
    assert_eq!(decode("data:;base64;a=b,x"), Err(DataUrlError::Parameter));
    assert_eq!(decode("data:;a=\"b,x"), Err(DataUrlError::Parameter));
    assert_eq!(decode("DATA:,x"), Err(DataUrlError::Scheme));
    assert_eq!(decode("data:,a b"), Err(DataUrlError::Character));
    assert_eq!(decode("data:,%4"), Err(DataUrlError::Escape));
    assert_eq!(decode("data:,%é"), Err(DataUrlError::Character));
    assert_eq!(decode("data:;base64,A"), Err(DataUrlError::Base64));
    assert_eq!(decode("http://a"), Err(DataUrlError::Scheme));
}

proptest! {
    #[test]
    fn what_is_written_here_is_told_without_decoding(contents: Vec<u8>, compress: bool) {
        prop_assert!(is_own(&encode(&contents, compress).url));
        prop_assert!(is_own(&encode_percent(&contents)));
    }

    #[test]
    fn what_is_told_without_decoding_can_be_decoded(url in "data:(,|;base64,)([aZ09+/=]{4}|[a%0=#/ é]){0,4}") {
        prop_assert!(!is_own(&url) || decode(&url).is_ok() && scheme(&url) == Ok("data"));
    }
}
