//! The extensions of a leaf (RFC 5280 §4.2.1).

use const_oid::{ObjectIdentifier, db::rfc5280};
use der::{
    asn1::{Ia5String, OctetString},
    flagset::FlagSet,
};
use x509_cert::ext::{
    Extension, pkix,
    pkix::{
        AuthorityKeyIdentifier, BasicConstraints, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
        name::GeneralName,
    },
};

use crate::{
    authority::{CertificateAuthority, asn1::extension, key_identifier},
    leaf::{ExtendedKeyUsage, KeyUsage, Leaf},
    public_key::PublicKey,
};

pub(super) fn of(
    leaf: &Leaf,
    key: &PublicKey,
    authority: &CertificateAuthority,
) -> der::Result<Vec<Extension>> {
    let mut extensions = vec![extension(true, &pkix::KeyUsage(key_usages(leaf, key)))?];
    if !leaf.extended_key_usages.is_empty() {
        let usages = leaf.extended_key_usages.iter().map(|usage| purpose(*usage)).collect();
        extensions.push(extension(false, &pkix::ExtendedKeyUsage(usages))?);
    }
    extensions.extend([
        extension(true, &BasicConstraints { ca: false, path_len_constraint: None })?,
        extension(false, &SubjectKeyIdentifier(OctetString::new(key_identifier(key.spki_der()))?))?,
        extension(false, &authority_key_identifier(authority)?)?,
    ]);
    let names = alternative_names(leaf)?;
    if !names.is_empty() {
        // §4.2.1.6: critical where the subject is empty, since the identity then stands there alone.
        extensions.push(extension(leaf.has_empty_subject(), &SubjectAltName(names))?);
    }
    for own in &leaf.extensions {
        let extn_value = OctetString::new(own.value.clone())?;
        extensions.push(Extension { extn_id: own.oid, critical: own.critical, extn_value });
    }
    Ok(extensions)
}

fn key_usages(leaf: &Leaf, key: &PublicKey) -> FlagSet<KeyUsages> {
    let mut usages = FlagSet::from(KeyUsages::DigitalSignature);
    if key.key_type().is_rsa() {
        usages |= KeyUsages::KeyEncipherment;
    }
    for usage in &leaf.further_key_usages {
        usages |= match usage {
            KeyUsage::ContentCommitment => KeyUsages::NonRepudiation,
            KeyUsage::KeyEncipherment => KeyUsages::KeyEncipherment,
            KeyUsage::DataEncipherment => KeyUsages::DataEncipherment,
            KeyUsage::KeyAgreement => KeyUsages::KeyAgreement,
            KeyUsage::EncipherOnly => KeyUsages::EncipherOnly,
            KeyUsage::DecipherOnly => KeyUsages::DecipherOnly,
        };
    }
    usages
}

/// The identifier that stands in the issuer, which need not be one that we would compute.
fn authority_key_identifier(authority: &CertificateAuthority) -> der::Result<AuthorityKeyIdentifier> {
    Ok(AuthorityKeyIdentifier {
        key_identifier: Some(OctetString::new(authority.issuer().key_identifier())?),
        ..AuthorityKeyIdentifier::default()
    })
}

fn alternative_names(leaf: &Leaf) -> der::Result<Vec<GeneralName>> {
    let mut names = Vec::with_capacity(leaf.names());
    for name in &leaf.dns_names {
        names.push(GeneralName::DnsName(Ia5String::new(name.as_str())?));
    }
    for uri in &leaf.uris {
        names.push(GeneralName::UniformResourceIdentifier(Ia5String::new(uri.as_str())?));
    }
    names.extend(leaf.ip_addresses.iter().map(|address| GeneralName::from(*address)));
    Ok(names)
}

/// The OID of an extended key usage.
pub(super) fn purpose(usage: ExtendedKeyUsage) -> ObjectIdentifier {
    match usage {
        ExtendedKeyUsage::ServerAuth => rfc5280::ID_KP_SERVER_AUTH,
        ExtendedKeyUsage::ClientAuth => rfc5280::ID_KP_CLIENT_AUTH,
        ExtendedKeyUsage::CodeSigning => rfc5280::ID_KP_CODE_SIGNING,
        ExtendedKeyUsage::EmailProtection => rfc5280::ID_KP_EMAIL_PROTECTION,
        ExtendedKeyUsage::IpsecEndSystem => ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.5"),
        ExtendedKeyUsage::IpsecTunnel => ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.6"),
        ExtendedKeyUsage::IpsecUser => ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.7"),
        ExtendedKeyUsage::TimeStamping => rfc5280::ID_KP_TIME_STAMPING,
        ExtendedKeyUsage::MicrosoftSgc => ObjectIdentifier::new_unwrap("1.3.6.1.4.1.311.10.3.3"),
        ExtendedKeyUsage::NetscapeSgc => ObjectIdentifier::new_unwrap("2.16.840.1.113730.4.1"),
    }
}
