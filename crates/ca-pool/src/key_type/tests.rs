use super::*;

#[test]
fn names_read_back() {
    for key_type in KeyType::ALL {
        assert_eq!(key_type.as_str().parse(), Ok(key_type));
    }
    let error = "RSA2048".parse::<KeyType>().unwrap_err().to_string();
    assert!(error.contains("RSA3072") && error.contains("ED25519"), "{error}");
}
