use super::*;

fn claim(own: &[u8], trusted: &[u8]) -> Claim {
    let of = |keys: &[u8]| keys.iter().map(|key| [*key; 32]).collect();
    Claim { own: of(own), trusted: of(trusted) }
}

#[test]
fn who_comes_second_hears_whose_it_is() {
    let (a, b): (SignerName, SignerName) = ("e.com/a".parse().unwrap(), "e.com/b".parse().unwrap());
    let claims = Claims::default();
    assert_eq!(claims.claim(&a, claim(&[1, 2], &[2])), Ok(()));
    assert_eq!(claims.claim(&b, claim(&[3, 2], &[2])), Err(a.clone()));
    assert_eq!(claims.claim(&a, claim(&[1], &[1])), Ok(()));
    assert_eq!(claims.claim(&b, claim(&[3, 2], &[2])), Ok(()));
}

#[test]
fn neither_trusts_what_the_other_signs_with_and_both_may_trust_a_third() {
    for (first, second, is_fine) in [
        (claim(&[1], &[1, 9]), claim(&[2], &[2, 9]), true),
        (claim(&[1], &[1]), claim(&[2], &[2, 1]), false),
        (claim(&[1], &[1, 2]), claim(&[2], &[2]), false),
        (claim(&[1, 9], &[9]), claim(&[2, 9], &[9]), false),
        (claim(&[1, 5], &[5]), claim(&[1, 6], &[6]), false),
    ] {
        assert_eq!(!first.contradicts(&second), is_fine, "{first:?} {second:?}");
        assert_eq!(!second.contradicts(&first), is_fine, "{second:?} {first:?}");
    }
}
