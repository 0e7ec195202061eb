//! What no CA that openssl makes shows; the others are in `tests/verifiers/fitness.rs`.

use der::{Decode as _, Encode as _};
use rcgen::{CustomExtension, SerialNumber};

use super::*;
use crate::testing::TestCa;

#[test]
fn an_overlong_serial_number_is_told_and_x509_cert_refuses_it() {
    for (octets, is_told) in [(21, false), (22, true)] {
        let root = TestCa::root_with("root", |params| {
            params.serial_number = Some(SerialNumber::from(vec![1; octets]))
        });
        let told = caveats(&root.authority(&[], &root)).concat();
        assert_eq!(told.contains("serial number of 22 octets"), is_told, "{told}");
        assert_eq!(x509_cert::Certificate::from_der(root.der()).is_err(), is_told);
    }
}

#[test]
fn the_api_server_reads_no_extension_twice() {
    let twice = || CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
    let root = TestCa::root_with("root", |params| params.custom_extensions = vec![twice(), twice()]);
    let told = api_server(&root.authority(&[], &root)).unwrap();
    assert!(told.contains("test (CN=root)") && told.contains("1.2.3.4 twice"), "{told}");
}

#[test]
fn extensions_count_in_version_3_alone() {
    let root = TestCa::root("root").certificate();
    for (version, is_ca) in [(0, false), (1, false), (2, true)] {
        let contents = Contents { version, ..Contents::of(&root).unwrap() };
        assert_eq!(api_server::broken_rule(&root, &contents).is_none(), is_ca);
    }
}

#[test]
fn webpki_names_the_constraint_that_holds_for_all_names_first() {
    use x509_cert::ext::pkix::{
        constraints::name::{GeneralSubtree, NameConstraints},
        name::GeneralName,
    };
    let uri = GeneralName::UniformResourceIdentifier(der::asn1::Ia5String::new("example.com").unwrap());
    let subtree = GeneralSubtree { base: uri, minimum: 0, maximum: None };
    let constraints = NameConstraints { permitted_subtrees: Some(vec![subtree]), excluded_subtrees: None };
    let root = TestCa::root_with("root", |params| {
        let content = constraints.to_der().unwrap();
        params.custom_extensions = vec![CustomExtension::from_oid_content(&[2, 5, 29, 30], content)];
    });
    let uri = Leaf::client().uri("https://example.com/a".parse().unwrap());
    let name = Leaf::client().dns_name("example.com".parse().unwrap());
    assert!(webpki_names(&root.certificate(), &uri).unwrap().contains("refuses every URI"));
    assert!(webpki_names(&root.certificate(), &name).unwrap().contains("permits URI:example.com alone"));
    assert_eq!(webpki_names(&TestCa::root("free").certificate(), &uri), None);
}
