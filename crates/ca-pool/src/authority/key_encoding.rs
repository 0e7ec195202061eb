//! What type of key an encoded private key holds, read from its outer structure. The key itself is the
//! cryptographic library's to parse.

use const_oid::db::{rfc5912, rfc8410};
use der::{
    Decode, Reader, SliceReader, Tag,
    asn1::{AnyRef, ObjectIdentifier, UintRef},
};
use x509_cert::spki::AlgorithmIdentifierRef;

use super::{
    SigningKeyError, SigningKeyType,
    algorithm_name::{UNNAMED_CURVE, algorithm_name, curve_name},
};

/// How a private key is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Pkcs8,
    Sec1,
    Pkcs1,
}

/// What follows the version tells the forms apart.
pub(super) fn form(der: &[u8]) -> Option<Form> {
    let second = read_sequence(der, |reader| {
        let _version = AnyRef::decode(reader)?;
        Ok(AnyRef::decode(reader)?.header().tag())
    });
    match second.ok()? {
        Tag::Sequence => Some(Form::Pkcs8),
        Tag::OctetString => Some(Form::Sec1),
        Tag::Integer => Some(Form::Pkcs1),
        _ => None,
    }
}

/// RFC 5958 `OneAsymmetricKey`, which is PKCS #8's `PrivateKeyInfo` and a bit more.
pub(super) fn pkcs8_key_type(der: &[u8]) -> Result<SigningKeyType, SigningKeyError> {
    let malformed = |source| SigningKeyError::Malformed { expected: "PrivateKeyInfo (PKCS #8)", source };
    let (algorithm, key) = read_sequence(der, |reader| {
        let _version: u8 = reader.decode()?;
        Ok((AlgorithmIdentifierRef::decode(reader)?, AnyRef::decode(reader)?))
    })
    .map_err(malformed)?;
    match algorithm.oid {
        rfc5912::ID_EC_PUBLIC_KEY => match algorithm.parameters_oid() {
            Ok(curve) => curve_key_type(curve),
            Err(_) => Err(unnamed_curve()),
        },
        rfc5912::RSA_ENCRYPTION => pkcs1_key_type(key.value()),
        rfc8410::ID_ED_25519 => Ok(SigningKeyType::Ed25519),
        rfc5912::ID_RSASSA_PSS => Err(unsupported("RSA that is bound to PSS (id-RSASSA-PSS)")),
        other => Err(unsupported(algorithm_name(other))),
    }
}

/// RFC 5915 `ECPrivateKey`. Where the curve is left out, the key's length tells it.
pub(super) fn sec1_key_type(der: &[u8]) -> Result<SigningKeyType, SigningKeyError> {
    let malformed = |source| SigningKeyError::Malformed { expected: "ECPrivateKey (SEC 1)", source };
    let (key_bytes, parameters) = read_sequence(der, |reader| {
        let _version: u8 = reader.decode()?;
        let key = AnyRef::decode(reader)?;
        let parameters = match Option::<AnyRef<'_>>::decode(reader)? {
            Some(field) if field.header().tag() == EC_PARAMETERS => Some(AnyRef::from_der(field.value())?),
            _ => None,
        };
        Ok((key.value().len(), parameters))
    })
    .map_err(malformed)?;
    match (parameters, key_bytes) {
        (Some(curve), _) if curve.header().tag() == Tag::ObjectIdentifier => {
            curve_key_type(curve.decode_as().map_err(malformed)?)
        }
        (None, 32) => Ok(SigningKeyType::EcdsaP256),
        (None, 48) => Ok(SigningKeyType::EcdsaP384),
        (None, 66) => Ok(SigningKeyType::EcdsaP521),
        _ => Err(unnamed_curve()),
    }
}

/// RFC 8017 `RSAPrivateKey`.
pub(super) fn pkcs1_key_type(der: &[u8]) -> Result<SigningKeyType, SigningKeyError> {
    let malformed = |source| SigningKeyError::Malformed { expected: "RSAPrivateKey (PKCS #1)", source };
    let bits = read_sequence(der, |reader| {
        let _version: u8 = reader.decode()?;
        Ok(bit_length(UintRef::decode(reader)?))
    })
    .map_err(malformed)?;
    match u16::try_from(bits) {
        Ok(short) if (SigningKeyType::LEAST_RSA_BITS..=SigningKeyType::MOST_RSA_BITS).contains(&bits) => {
            Ok(SigningKeyType::Rsa(short))
        }
        _ => Err(unsupported(format!("RSA with {bits} bits"))),
    }
}

pub(super) fn curve_key_type(curve: ObjectIdentifier) -> Result<SigningKeyType, SigningKeyError> {
    match curve {
        rfc5912::SECP_256_R_1 => Ok(SigningKeyType::EcdsaP256),
        rfc5912::SECP_384_R_1 => Ok(SigningKeyType::EcdsaP384),
        rfc5912::SECP_521_R_1 => Ok(SigningKeyType::EcdsaP521),
        other => Err(unsupported(format!("ECDSA on the curve {}", curve_name(other)))),
    }
}

pub(super) fn bit_length(number: UintRef<'_>) -> usize {
    let bytes = number.as_bytes();
    bytes.len() * 8 - bytes.first().map_or(0, |byte| byte.leading_zeros() as usize)
}

const EC_PARAMETERS: Tag = Tag::ContextSpecific { number: der::TagNumber(0), constructed: true };

/// Reads the first elements of a SEQUENCE and leaves the rest to others.
fn read_sequence<'a, T>(
    der: &'a [u8],
    read: impl FnOnce(&mut SliceReader<'a>) -> Result<T, der::Error>,
) -> Result<T, der::Error> {
    let outer = AnyRef::from_der(der)?;
    outer.sequence(|reader| {
        let read = read(reader)?;
        reader.drain(reader.remaining_len())?;
        Ok(read)
    })
}

fn unnamed_curve() -> SigningKeyError {
    unsupported(UNNAMED_CURVE)
}

fn unsupported(found: impl Into<String>) -> SigningKeyError {
    SigningKeyError::UnsupportedType { found: found.into() }
}
