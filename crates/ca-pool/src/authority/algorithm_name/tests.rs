use super::*;

#[test]
fn numbers_have_names_where_they_are_known() {
    let oid = ObjectIdentifier::new_unwrap;
    assert_eq!(algorithm_name(oid("1.3.101.113")), "Ed448 (1.3.101.113)");
    assert_eq!(algorithm_name(oid("1.2.3.4")), "of the algorithm 1.2.3.4");
    assert_eq!(curve_name(oid("1.3.132.0.10")), "1.3.132.0.10 (secp256k1)");
    assert!(signature_name(rfc5912::ID_RSASSA_PSS).contains("salt"));
}
