use super::*;

#[test]
fn a_new_key_is_like_the_last_if_such_keys_are_made() {
    for key_type in SigningKeyType::GENERATED {
        assert_eq!(like(key_type), key_type);
    }
    assert_eq!(like(SigningKeyType::Rsa(6144)), SigningKeyType::Rsa(4096));
    assert_eq!(like(SigningKeyType::Rsa(2056)), SigningKeyType::Rsa(4096));
}
