use super::*;

#[test]
fn names_read_back() {
    for key_type in SigningKeyType::GENERATED {
        assert_eq!(key_type.to_string().parse(), Ok(key_type));
    }
    let error = "RSA1024".parse::<SigningKeyType>().unwrap_err().to_string();
    assert!(error.contains("ECDSAP256") && error.contains("RSA4096"), "{error}");
}
