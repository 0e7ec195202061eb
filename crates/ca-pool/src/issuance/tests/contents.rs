//! What leaves say.

use std::net::IpAddr;

use der::Decode as _;
use proptest::prelude::*;
use rcgen::{KeyPair, PublicKeyData as _};
use x509_cert::{
    Certificate,
    ext::pkix::{
        AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage as Purposes, KeyUsage as Usages,
        SubjectAltName, SubjectKeyIdentifier, name::GeneralName,
    },
};

use super::*;
use crate::{
    ExtendedKeyUsage, KeyUsage, LeafExtension, NewRoot, SigningKey, SigningKeyType, SubjectAttribute,
};

#[test]
fn leaf_with_names_alone_has_an_empty_subject_and_critical_names() {
    let address: IpAddr = "2001:db8::1".parse().unwrap();
    let leaf = server().uri("spiffe://a.b/c".parse().unwrap()).ip_address(address);
    let issued = issued(&leaf, &Terms::default());
    let certificate = Certificate::from_der(&issued.leaf_der).unwrap();
    let tbs = certificate.tbs_certificate();
    assert!(tbs.subject().is_empty());
    assert_eq!(tbs.issuer().to_string(), "CN=root");
    assert_eq!(issued.serial.to_string(), "8f".repeat(16));
    let (critical, names) = tbs.get_extension::<SubjectAltName>().unwrap().unwrap();
    assert!(critical);
    let [GeneralName::DnsName(dns), GeneralName::UniformResourceIdentifier(uri), GeneralName::IpAddress(ip)] =
        names.0.as_slice()
    else {
        panic!("{names:?}")
    };
    assert_eq!((dns.as_str(), uri.as_str()), ("server.web.svc", "spiffe://a.b/c"));
    assert_eq!(ip.as_bytes().len(), 16);
}

#[test]
fn leaf_with_a_common_name_has_uncritical_names_or_none() {
    let leaf = server().common_name("wéb".parse().unwrap());
    let certificate = Certificate::from_der(&issued(&leaf, &Terms::default()).leaf_der).unwrap();
    let tbs = certificate.tbs_certificate();
    assert_eq!(tbs.subject().to_string(), "CN=wéb");
    assert!(!tbs.get_extension::<SubjectAltName>().unwrap().unwrap().0);
    let leaf = Leaf::client().common_name("alone".parse().unwrap());
    let certificate = Certificate::from_der(&issued(&leaf, &Terms::default()).leaf_der).unwrap();
    assert!(certificate.tbs_certificate().get_extension::<SubjectAltName>().unwrap().is_none());
}

#[test]
fn every_leaf_has_the_same_extensions() {
    let root = TestCa::root("root");
    let authority = root.authority(&[], &root);
    let issued = issue_at(&server(), &Terms::default(), &authority, now()).unwrap();
    let certificate = Certificate::from_der(&issued.leaf_der).unwrap();
    let tbs = certificate.tbs_certificate();
    let (critical, basic) = tbs.get_extension::<BasicConstraints>().unwrap().unwrap();
    assert!(critical && !basic.ca && basic.path_len_constraint.is_none());
    let (critical, usages) = tbs.get_extension::<Usages>().unwrap().unwrap();
    assert!(critical && usages.digital_signature() && !usages.key_encipherment() && !usages.key_cert_sign());
    let (critical, purposes) = tbs.get_extension::<Purposes>().unwrap().unwrap();
    assert_eq!((critical, purposes.0), (false, vec![const_oid::db::rfc5280::ID_KP_SERVER_AUTH]));
    let (critical, subject_key) = tbs.get_extension::<SubjectKeyIdentifier>().unwrap().unwrap();
    assert_eq!((critical, subject_key.0.as_bytes().len()), (false, 20));
    let (critical, authority_key) = tbs.get_extension::<AuthorityKeyIdentifier>().unwrap().unwrap();
    let identifier = authority_key.key_identifier.unwrap();
    assert_eq!((critical, identifier.as_bytes()), (false, &authority.issuer().key_identifier()[..]));
    assert!(authority_key.authority_cert_issuer.is_none());
    assert_eq!(tbs.extensions().unwrap().len(), 6);
    // DER leaves out what is the default: an empty SEQUENCE, and no trailing zero bits in a BIT STRING.
    let raw = |oid| {
        let found = tbs.extensions().unwrap().iter().find(|extension| extension.extn_id == oid).unwrap();
        found.extn_value.as_bytes().to_vec()
    };
    assert_eq!(raw(const_oid::db::rfc5280::ID_CE_BASIC_CONSTRAINTS), [0x30, 0]);
    assert_eq!(raw(const_oid::db::rfc5280::ID_CE_KEY_USAGE), [0x03, 2, 7, 0x80]);
}

#[test]
fn key_usages_follow_the_key_and_the_leaf() {
    let rsa = KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_3072).unwrap();
    let rsa = PublicKey::from_pkix(&rsa.subject_public_key_info()).unwrap();
    let mut further = server();
    further.further_key_usages = [
        KeyUsage::ContentCommitment,
        KeyUsage::KeyEncipherment,
        KeyUsage::DataEncipherment,
        KeyUsage::KeyAgreement,
        KeyUsage::EncipherOnly,
        KeyUsage::DecipherOnly,
    ]
    .into();
    for (key, leaf, bits) in [
        (&p256(), &server(), 0b0_0000_0001),
        (&rsa, &server(), 0b0_0000_0101),
        (&public_key(&rcgen::PKCS_ED25519), &further, 0b1_1001_1111),
    ] {
        let serial = SerialNumber::from_random([1; 16]);
        let issued = issue(leaf, key, &Terms::default(), &root_authority(), serial, now()).unwrap();
        let certificate = Certificate::from_der(&issued.leaf_der).unwrap();
        let (_, usages) = certificate.tbs_certificate().get_extension::<Usages>().unwrap().unwrap();
        assert_eq!(usages.0.bits(), bits, "{key:?}");
    }
}

#[test]
fn leaf_without_purposes_has_no_extended_key_usage_and_others_have_all_of_theirs() {
    let leaf = Leaf::new([]).dns_name("a.b".parse().unwrap());
    let certificate = Certificate::from_der(&issued(&leaf, &Terms::default()).leaf_der).unwrap();
    assert!(certificate.tbs_certificate().get_extension::<Purposes>().unwrap().is_none());
    let all = [
        ExtendedKeyUsage::ServerAuth,
        ExtendedKeyUsage::ClientAuth,
        ExtendedKeyUsage::CodeSigning,
        ExtendedKeyUsage::EmailProtection,
        ExtendedKeyUsage::IpsecEndSystem,
        ExtendedKeyUsage::IpsecTunnel,
        ExtendedKeyUsage::IpsecUser,
        ExtendedKeyUsage::TimeStamping,
        ExtendedKeyUsage::MicrosoftSgc,
        ExtendedKeyUsage::NetscapeSgc,
    ];
    let leaf = Leaf::new(all).dns_name("a.b".parse().unwrap());
    let certificate = Certificate::from_der(&issued(&leaf, &Terms::default()).leaf_der).unwrap();
    let (_, purposes) = certificate.tbs_certificate().get_extension::<Purposes>().unwrap().unwrap();
    let purposes: Vec<String> = purposes.0.iter().map(ToString::to_string).collect();
    let pkix = |last: u8| format!("1.3.6.1.5.5.7.3.{last}");
    let expected = [1, 2, 3, 4, 5, 6, 7, 8].map(pkix);
    assert_eq!(purposes[..8], expected);
    assert_eq!(purposes[8..], ["1.3.6.1.4.1.311.10.3.3", "2.16.840.1.113730.4.1"]);
}

#[test]
fn chain_is_leaf_and_intermediates_without_the_root() {
    let root = TestCa::root("root");
    let upper = root.issue("upper");
    let lower = upper.issue("lower");
    let authority = lower.authority(&[&root, &upper, &lower], &root);
    let issued = issue_at(&server(), &Terms::default(), &authority, now()).unwrap();
    let blocks: Vec<Vec<u8>> = rustls_pki_types::pem::PemObject::pem_slice_iter(issued.chain_pem.as_bytes())
        .map(|block: Result<rustls_pki_types::CertificateDer<'_>, _>| block.unwrap().to_vec())
        .collect();
    assert_eq!(blocks, [&issued.leaf_der[..], lower.der(), upper.der()]);
    assert!(
        issued.chain_pem.starts_with("-----BEGIN CERTIFICATE-----\n")
            && issued.chain_pem.ends_with("-----\n")
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn issuance_is_a_function_of_its_arguments(serial: [u8; 16], seconds in 1_700_000_000_i64..4_000_000_000) {
        // Ed25519 signatures are deterministic, so all of the certificate is.
        let key = SigningKey::generate(SigningKeyType::Ed25519).unwrap();
        let now = Timestamp::from_second(seconds).unwrap();
        let request = NewRoot { id: "1".into(), common_name: "root".parse().unwrap(), uri: None, validity: 48 * HOUR };
        let serial = SerialNumber::from_random(serial);
        let authority = CertificateAuthority::new_root(request, key, serial.clone(), now).unwrap();
        let key = p256();
        let issued = || issue(&server(), &key, &Terms::default(), &authority, serial.clone(), now).unwrap();
        prop_assert!(issued() == issued());
    }
}

/// PodIdentity of KEP-4317, as far as its tags go.
const IDENTITY: &str = "1.3.6.1.4.1.57683.1";

fn identity() -> LeafExtension {
    LeafExtension::new(IDENTITY, false, vec![0x30, 6, 0x80, 4, b's', b'h', b'o', b'p']).unwrap()
}

#[test]
fn a_signers_own_extensions_and_attributes_are_written_as_they_are() {
    let organization = SubjectAttribute::new("2.5.4.10", "system:serviceaccounts").unwrap();
    let group = SubjectAttribute::new("2.5.4.10", "system:serviceaccounts:shop").unwrap();
    let leaf = server().extension(identity()).subject_attribute(organization).subject_attribute(group);
    let issued = issued(&leaf, &Terms::default());
    let certificate = Certificate::from_der(&issued.leaf_der).unwrap();
    let tbs = certificate.tbs_certificate();
    let own = tbs.extensions().unwrap().last().unwrap();
    assert_eq!((own.extn_id.to_string(), own.critical), (IDENTITY.to_owned(), false));
    assert_eq!(own.extn_value.as_bytes(), [0x30, 6, 0x80, 4, b's', b'h', b'o', b'p']);
    assert_eq!(tbs.subject().to_string(), "O=system:serviceaccounts:shop,O=system:serviceaccounts");
    let (critical, _) = tbs.get_extension::<SubjectAltName>().unwrap().unwrap();
    assert!(!critical, "the subject isn't empty");
}

#[test]
fn a_leaf_may_be_nameless_only_where_it_says_so_and_has_an_extension() {
    let nameless = ExtendedKeyUsage::ClientAuth;
    let leaf = |leaf: Leaf| issue_at(&leaf, &Terms::default(), &root_authority(), now());
    assert!(leaf(Leaf::new([nameless]).nameless().extension(identity())).is_ok());
    for refused in [
        Leaf::new([nameless]).nameless(),
        Leaf::new([nameless]).extension(identity()),
        Leaf::new([nameless]).nameless().subject_attribute(SubjectAttribute::new("2.5.4.10", "a").unwrap()),
    ] {
        assert_eq!(leaf(refused).unwrap_err(), IssueError::NoNames);
    }
}

#[test]
fn no_extension_is_there_twice_nor_too_many() {
    let twice = refused(&server().extension(identity()).extension(identity()), &root_authority());
    assert_eq!(twice, IssueError::ExtensionTwice { oid: IDENTITY.into() });
    let many = (1..=17).map(|arc| LeafExtension::new(&format!("1.2.3.{arc}"), false, vec![5, 0]).unwrap());
    let many = many.fold(server(), Leaf::extension);
    assert_eq!(refused(&many, &root_authority()), IssueError::TooManyExtensions { found: 17 });
}

#[test]
fn what_is_the_cores_or_not_der_is_no_extension_of_a_signer() {
    for (oid, value, rule) in [
        ("2.5.29.17", vec![0x30, 0], "the core writes"),
        ("2.5.29.19", vec![0x30, 0], "the core writes"),
        ("2.5.29.30", vec![0x30, 0], "CAs alone"),
        ("1.2.x", vec![5, 0], "object identifier"),
        ("1.2.3", vec![5, 1], "DER"),
        ("1.2.3", vec![5, 0, 0], "DER"),
        ("1.2.3", vec![], "DER"),
        ("1.2.3", vec![0; 4097], "4096"),
    ] {
        let error = LeafExtension::new(oid, true, value).unwrap_err().to_string();
        assert!(error.contains(rule), "{oid}: {error}");
    }
    for (oid, value, rule) in
        [("2.5.4.3", "a", "common name"), ("2.5.4.10", "", "empty"), ("2.5.4.10", "a\n", "control")]
    {
        let error = SubjectAttribute::new(oid, value).unwrap_err().to_string();
        assert!(error.contains(rule), "{oid}: {error}");
    }
}
