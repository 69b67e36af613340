//! A distribution's signature proves something only where its key was valid when it was made.

use ephemeros::os::{KeyError, SignatureError, SigningKey};
use pgp::composed::{Deserializable as _, SignedPublicKey};
use pgp::packet::SubpacketData;
use pgp::ser::Serialize as _;

use crate::gpg::Gpg;

const FILE: &[u8] = b"# SHA512 HASH\nabc  kernel\n";

/// A key of 2023 whose subkey of that year is good for two years.
fn gpg() -> Gpg {
    let gpg = Gpg::on("20230101");
    gpg.subkey("20230101", "ed25519", "2y");
    gpg
}

fn read(gpg: &Gpg) -> SigningKey {
    SigningKey::read(&gpg.export(), &gpg.primary).unwrap()
}

/// What a key says of a signature that was made on a day, by the words of the error.
fn verdict(gpg: &Gpg, signature: &[u8]) -> String {
    match read(gpg).verify(FILE, signature) {
        Ok(()) => "good".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_signature_outlives_the_key_that_made_it() {
    let gpg = gpg();
    let signature = gpg.sign("20240601", FILE);
    assert_eq!(verdict(&gpg, &signature), "good");
    let armored = gpg.run("20240601", &["--armor", "--detach-sign"], FILE);
    assert_eq!(verdict(&gpg, &armored), "good");
}

#[test]
fn the_kind_of_key_that_distributions_have_is_read() {
    let gpg = Gpg::on("20180226");
    gpg.subkey("20180226", "rsa2048", "1y");
    gpg.subkey("20190220", "rsa2048", "1y");
    let signature = gpg.sign("20190301", FILE);
    assert_eq!(verdict(&gpg, &signature), "good");
}

#[test]
fn another_file_has_no_signature() {
    let gpg = gpg();
    let signature = gpg.sign("20240601", b"another");
    assert_eq!(
        read(&gpg).verify(FILE, &signature),
        Err(SignatureError::Wrong)
    );
}

#[test]
fn bytes_that_are_no_signature_are_told() {
    let key = read(&gpg());
    for wrong in [&b""[..], b"<html>404</html>", b"\x88\x00", &[0xff; 100]] {
        let error = key.verify(FILE, wrong).unwrap_err();
        assert!(matches!(error, SignatureError::Unreadable(_)), "{error}");
    }
}

#[test]
fn another_key_is_not_taken() {
    let (ours, theirs) = (gpg(), gpg());
    let error = SigningKey::read(&theirs.export(), &ours.primary).err();
    assert_eq!(
        error,
        Some(KeyError::Other {
            found: vec![theirs.primary.clone()],
            expected: ours.primary.clone(),
        })
    );
    // Among several, the one that counts is found, however its fingerprint is written.
    let mut both = theirs.run("20240601", &["--export"], b"");
    both.extend(ours.run("20240601", &["--export"], b""));
    let (first, second) = ours.primary.split_at(20);
    let spaced = format!("{first}  {second}").to_lowercase();
    assert!(SigningKey::read(&both, &spaced).is_ok());

    assert!(matches!(
        SigningKey::read(b"<html>", &ours.primary),
        Err(KeyError::Unreadable(_))
    ));
}

#[test]
fn another_keys_signature_proves_nothing() {
    let (ours, theirs) = (gpg(), gpg());
    let signature = theirs.sign("20240601", FILE);
    let error = read(&ours).verify(FILE, &signature).unwrap_err();
    assert!(matches!(error, SignatureError::UnknownSigner(_)), "{error}");
}

#[test]
fn the_primary_key_signs_no_file() {
    let gpg = Gpg::on("20230101");
    gpg.edit("20230102", "change-usage\nS\nQ\nsave\n");
    let signature = gpg.sign("20240601", FILE);
    let error = read(&gpg).verify(FILE, &signature).unwrap_err();
    assert_eq!(error, SignatureError::UnknownSigner(gpg.primary.clone()));
}

fn parsed(gpg: &Gpg) -> SignedPublicKey {
    SignedPublicKey::from_armor_single(&gpg.export()[..])
        .unwrap()
        .0
}

#[test]
fn a_subkey_of_another_key_is_not_bound_by_being_put_beside_it() {
    let (ours, theirs) = (gpg(), gpg());
    let mut mixed = parsed(&ours);
    mixed.public_subkeys.extend(parsed(&theirs).public_subkeys);
    let key = SigningKey::read(&mixed.to_bytes().unwrap(), &ours.primary).unwrap();
    assert_eq!(key.verify(FILE, &ours.sign("20240601", FILE)), Ok(()));
    let error = key.verify(FILE, &theirs.sign("20240601", FILE));
    assert!(
        matches!(error, Err(SignatureError::Unbound(_))),
        "{error:?}"
    );
}

#[test]
fn a_subkey_must_agree_to_be_bound() {
    let gpg = gpg();
    let mut without = parsed(&gpg);
    let binding = &mut without.public_subkeys[0].signatures[0];
    let is_back = |data: &SubpacketData| matches!(data, SubpacketData::EmbeddedSignature(_));
    let at = {
        let mut subpackets = binding.config().unwrap().unhashed_subpackets();
        subpackets.position(|it| is_back(&it.data)).unwrap()
    };
    binding.unhashed_subpacket_remove(at).unwrap();
    let key = SigningKey::read(&without.to_bytes().unwrap(), &gpg.primary).unwrap();
    let error = key.verify(FILE, &gpg.sign("20240601", FILE));
    assert!(
        matches!(error, Err(SignatureError::Unbound(_))),
        "{error:?}"
    );
}

#[test]
fn a_subkey_for_another_use_does_not_sign() {
    let gpg = gpg();
    let signature = gpg.sign("20240601", FILE);
    gpg.edit("20240701", "key 1\nchange-usage\nS\nA\nQ\nsave\n");
    assert!(verdict(&gpg, &signature).contains("not bound"));
}

#[test]
fn a_key_that_had_expired_proves_nothing() {
    let gpg = Gpg::on("20230101");
    let subkey = gpg.subkey("20230601", "ed25519", "3m");
    let expire = |day: &str, until: &str| {
        let args = ["--quick-set-expire", &gpg.primary, until, &subkey];
        gpg.run(day, &args, b"");
    };
    expire("20230701", "2y");
    let signature = gpg.sign("20240601", FILE);
    assert_eq!(verdict(&gpg, &signature), "good");
    expire("20240801", "20240101T120000");
    let told = verdict(&gpg, &signature);
    assert!(
        told.contains("signed on 01 Jun 2024 12:00:00 GMT"),
        "{told}"
    );
    assert!(
        told.ends_with("from 01 Jun 2023 12:00:00 GMT until 01 Jan 2024 12:00:00 GMT"),
        "{told}"
    );
}

#[test]
fn a_primary_key_that_had_expired_proves_nothing() {
    let gpg = gpg();
    let signature = gpg.sign("20240601", FILE);
    gpg.run(
        "20240701",
        &["--quick-set-expire", &gpg.primary, "20240301T120000"],
        b"",
    );
    let told = verdict(&gpg, &signature);
    assert!(told.contains(&gpg.primary), "{told}");
    assert!(told.ends_with("until 01 Mar 2024 12:00:00 GMT"), "{told}");
}

/// Revokes the subkey; 0 is no reason, 1 in other hands, 2 replaced, 3 no longer used.
fn revoke(gpg: &Gpg, day: &str, reason: u8) {
    gpg.edit(day, &format!("key 1\nrevkey\ny\n{reason}\n\ny\nsave\n"));
}

#[test]
fn a_key_that_is_no_longer_used_vouches_for_what_it_signed_before() {
    let gpg = gpg();
    let (before, after) = (gpg.sign("20230601", FILE), gpg.sign("20240601", FILE));
    revoke(&gpg, "20240101", 3);
    assert_eq!(verdict(&gpg, &before), "good");
    assert!(verdict(&gpg, &after).ends_with("revoked on 01 Jan 2024 12:00:00 GMT"));
}

#[test]
fn a_key_in_other_hands_vouches_for_nothing() {
    for reason in [0, 1] {
        let gpg = gpg();
        let before = gpg.sign("20230601", FILE);
        revoke(&gpg, "20240101", reason);
        assert!(verdict(&gpg, &before).contains("revoked"), "{reason}");
    }
    let gpg = gpg();
    let before = gpg.sign("20230601", FILE);
    gpg.revoke_all("20240101");
    let told = verdict(&gpg, &before);
    assert!(
        told.contains(&gpg.primary) && told.contains("revoked"),
        "{told}"
    );
}

#[test]
fn a_broken_hash_function_proves_nothing() {
    let gpg = gpg();
    let args = ["--digest-algo", "SHA1", "--detach-sign"];
    let signature = gpg.run("20240601", &args, FILE);
    assert_eq!(
        read(&gpg).verify(FILE, &signature),
        Err(SignatureError::Weak("SHA1".to_owned()))
    );
}

#[test]
fn a_text_may_hold_its_signature() {
    let gpg = gpg();
    let signed = gpg.run("20240601", &["--clear-sign"], FILE);
    let key = read(&gpg);
    let text = key.verify_clearsigned(&signed).unwrap();
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        ["# SHA512 HASH", "abc  kernel"]
    );
    let changed = String::from_utf8(signed).unwrap().replace("abc", "abd");
    assert_eq!(
        key.verify_clearsigned(changed.as_bytes()),
        Err(SignatureError::Wrong)
    );
    let error = key.verify_clearsigned(b"<html>").unwrap_err();
    assert!(matches!(error, SignatureError::Unreadable(_)), "{error}");
}
