//! Whether a file was signed by a distribution: bytes in, verdict out.
//!
//! A distribution's key is its primary key, which stays the same and is known by its fingerprint. It signs with subkeys that
//! change every year, so each is judged as of the time of the signature: an old release is no worse for its key's age.

use pgp::composed::{
    CleartextSignedMessage, Deserializable as _, DetachedSignature, SignedPublicKey,
    SignedPublicSubKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{RevocationCode, Signature, SignatureType};
use pgp::types::{KeyDetails as _, Tag};

use super::verdict::{Date, KeyError, SignatureError, Validity};

/// A key whose primary key is the one that was asked for.
pub struct SigningKey {
    key: SignedPublicKey,
}

impl SigningKey {
    /// Reads a key, armored or not. Of several it takes the one with this primary fingerprint.
    ///
    /// # Errors
    /// It is no key, or none of those is the one.
    pub fn read(bytes: &[u8], fingerprint: &str) -> Result<Self, KeyError> {
        let unreadable = |error: pgp::errors::Error| KeyError::Unreadable(error.to_string());
        let (keys, _) = SignedPublicKey::from_reader_many(bytes).map_err(unreadable)?;
        let expected: String = fingerprint.split_whitespace().collect();
        let mut found = Vec::new();
        for key in keys {
            let key = key.map_err(unreadable)?;
            let name = name(&key.primary_key);
            if name.eq_ignore_ascii_case(&expected) {
                return Ok(Self { key });
            }
            found.push(name);
        }
        if found.is_empty() {
            return Err(KeyError::Unreadable("it is empty".to_owned()));
        }
        Err(KeyError::Other { found, expected })
    }

    /// Checks a detached signature, armored or not.
    ///
    /// # Errors
    /// It proves nothing, and why.
    pub fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
        let unreadable = |error: pgp::errors::Error| SignatureError::Unreadable(error.to_string());
        let (read, _) = DetachedSignature::from_reader_many(signature).map_err(unreadable)?;
        let mut signatures = Vec::new();
        for signature in read {
            signatures.push(signature.map_err(unreadable)?.signature);
        }
        self.verify_any(bytes, &signatures)
    }

    /// Checks a text with its signature inside; the text that is signed.
    ///
    /// # Errors
    /// It proves nothing, and why.
    pub fn verify_clearsigned(&self, text: &[u8]) -> Result<String, SignatureError> {
        let read = CleartextSignedMessage::from_armor(text);
        let (message, _) = read.map_err(|error| SignatureError::Unreadable(error.to_string()))?;
        let signed = message.signed_text();
        self.verify_any(signed.as_bytes(), message.signatures())?;
        Ok(signed)
    }

    /// One good signature is enough.
    fn verify_any(&self, bytes: &[u8], all: &[Signature]) -> Result<(), SignatureError> {
        let mut verdict = Err(SignatureError::Unreadable("it is empty".to_owned()));
        for signature in all {
            verdict = self.verify_one(bytes, signature);
            if verdict.is_ok() {
                break;
            }
        }
        verdict
    }

    fn verify_one(&self, bytes: &[u8], signature: &Signature) -> Result<(), SignatureError> {
        let unreadable = |why: &str| SignatureError::Unreadable(why.to_owned());
        if !matches!(
            signature.typ(),
            Some(SignatureType::Binary | SignatureType::Text)
        ) {
            return Err(unreadable("it is of another kind"));
        }
        let signed = created(signature).ok_or_else(|| unreadable("it has no date"))?;
        check_hash(signature)?;
        let signer = self.signer(signature)?;
        if signature.verify(&signer.key, bytes).is_err() {
            return Err(SignatureError::Wrong);
        }
        self.check_primary(signed)?;
        self.check_subkey(signer, signed)
    }

    /// The subkey that a signature names. The primary key is kept for binding, and signs no file.
    fn signer(&self, signature: &Signature) -> Result<&SignedPublicSubKey, SignatureError> {
        let (ids, fingerprints) = (signature.issuer_key_id(), signature.issuer_fingerprint());
        let is_signer = |subkey: &&SignedPublicSubKey| {
            ids.iter().any(|id| **id == subkey.key.legacy_key_id())
                || fingerprints
                    .iter()
                    .any(|it| **it == subkey.key.fingerprint())
        };
        self.key
            .public_subkeys
            .iter()
            .find(is_signer)
            .ok_or_else(|| {
                let named = fingerprints.first().map(|it| format!("{it:X}"));
                let named = named.or_else(|| ids.first().map(|id| id.to_string().to_uppercase()));
                SignatureError::UnknownSigner(named.unwrap_or_else(|| "without a name".to_owned()))
            })
    }

    fn check_primary(&self, signed: Date) -> Result<(), SignatureError> {
        let primary = &self.key.primary_key;
        let details = &self.key.details;
        let revocations = details.revocation_signatures.iter();
        let revocations = revocations.filter(|it| it.verify_key(primary).is_ok());
        check_revoked(&name(primary), revocations, signed)?;
        let of_users = details.users.iter().flat_map(|user| {
            let own = user.signatures.iter();
            own.filter(|it| it.typ() != Some(SignatureType::CertRevocation))
                .filter(|it| {
                    it.verify_certification(primary, Tag::UserId, &user.id)
                        .is_ok()
                })
        });
        let direct = details.direct_signatures.iter();
        let direct = direct.filter(|it| it.verify_key(primary).is_ok());
        let newest = of_users.chain(direct).max_by_key(|it| created(it));
        check_validity(
            name(primary),
            u64::from(primary.created_at().as_secs()),
            newest,
            signed,
        )
    }

    fn check_subkey(
        &self,
        subkey: &SignedPublicSubKey,
        signed: Date,
    ) -> Result<(), SignatureError> {
        let primary = &self.key.primary_key;
        let of_primary = |typ| {
            let all = subkey.signatures.iter();
            all.filter(move |it| it.typ() == Some(typ))
                .filter(|it| it.verify_subkey_binding(primary, &subkey.key).is_ok())
        };
        // The newest says what holds: it may give more time, or take it away.
        let binding = of_primary(SignatureType::SubkeyBinding)
            .max_by_key(|it| created(it))
            .filter(|it| it.key_flags().sign() && check_hash(it).is_ok())
            .filter(|it| {
                // The subkey agrees, so nobody can pass off another's subkey as their own.
                it.embedded_signature().is_some_and(|back| {
                    check_hash(back).is_ok()
                        && back
                            .verify_primary_key_binding(&subkey.key, primary)
                            .is_ok()
                })
            })
            .ok_or_else(|| SignatureError::Unbound(name(&subkey.key)))?;
        let revocations = of_primary(SignatureType::SubkeyRevocation);
        check_revoked(&name(&subkey.key), revocations, signed)?;
        check_validity(
            name(&subkey.key),
            u64::from(subkey.key.created_at().as_secs()),
            Some(binding),
            signed,
        )
    }
}

fn created(signature: &Signature) -> Option<Date> {
    let created = signature.created()?;
    Some(Date(u64::from(created.as_secs())))
}

fn check_hash(signature: &Signature) -> Result<(), SignatureError> {
    match signature.hash_alg() {
        Some(
            HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512,
        ) => Ok(()),
        Some(other) => Err(SignatureError::Weak(other.to_string())),
        None => Err(SignatureError::Unreadable("its version is unknown".into())),
    }
}

/// A key that was replaced or is no longer used vouches for what it signed before; one that may be in other hands
/// for nothing, since who holds it can write any date.
fn check_revoked<'a>(
    key: &str,
    revocations: impl Iterator<Item = &'a Signature>,
    signed: Date,
) -> Result<(), SignatureError> {
    for revocation in revocations {
        let revoked = created(revocation).unwrap_or(Date(0));
        let is_in_order = matches!(
            revocation.revocation_reason_code(),
            Some(RevocationCode::KeySuperseded | RevocationCode::KeyRetired)
        );
        if !is_in_order || revoked <= signed {
            return Err(SignatureError::Revoked {
                key: key.to_owned(),
                signed,
                revoked,
            });
        }
    }
    Ok(())
}

/// `said` is what the primary key says of the key last.
fn check_validity(
    key: String,
    from: u64,
    said: Option<&Signature>,
    signed: Date,
) -> Result<(), SignatureError> {
    let lifetime = said.and_then(Signature::key_expiration_time);
    let lifetime = lifetime.map_or(0, |lifetime| u64::from(lifetime.as_secs()));
    let validity = Validity {
        from: Date(from),
        until: (lifetime > 0).then_some(Date(from + lifetime)),
    };
    if validity.from <= signed && validity.until.is_none_or(|until| signed < until) {
        return Ok(());
    }
    Err(SignatureError::NotValid {
        key,
        signed,
        validity,
    })
}

/// A fingerprint as key servers and `gpg` write it.
fn name(key: &impl pgp::types::KeyDetails) -> String {
    format!("{:X}", key.fingerprint())
}
